// The package has no types of its own.
declare module 'html-encoding-sniffer' {
  /** @returns A WHATWG encoding's name, or `defaultEncoding`. */
  function sniff(bytes: Uint8Array, options?: { transportLayerEncodingLabel?: string; defaultEncoding?: string }): string;
  export = sniff;
}
