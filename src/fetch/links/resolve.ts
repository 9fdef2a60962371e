// A link as a browser resolves it: against its document's base, with the query in the document's encoding.
// https://url.spec.whatwg.org/#query-state, https://html.spec.whatwg.org/multipage/urls-and-fetching.html#document-base-url
import { encoderOf, type Encoder } from './encoder.ts';

/** What a document's links are resolved by. */
export interface LinkBase {
  readonly url: string;
  /** Its name in the Encoding standard, in small letters. */
  readonly encoding: string;
}

/** @returns Null for what is no URL. */
export function resolveLink(href: string, { url, encoding }: LinkBase): URL | null {
  const resolved = parse(href, url);
  if (resolved === null || !NOT_ASCII.test(href) || !href.includes('?')) return resolved;
  const encode = SPECIAL.test(resolved.protocol) ? encoderOf(encoding) : null;
  return encode === null ? resolved : parse(encodeQuery(href, encode), url);
}

/** The base of a document's links: what its first `<base href>` says, or else its own address.
 *  @param href Of that element; null if there is none. */
export function baseOf(href: string | null, document: LinkBase): LinkBase {
  const base = href === null ? null : resolveLink(href, document);
  return base === null || /^(?:data|javascript):$/.test(base.protocol) ? document : { ...document, url: base.href };
}

// eslint-disable-next-line no-control-regex -- ASCII, all of it.
const NOT_ASCII = /[^\0-\x7f]/;
// eslint-disable-next-line no-control-regex -- All controls, and the blank.
const OUTSIDE = /^[\0-\x20]+|[\0-\x20]+$/g;
/** `ws:` and `wss:` are always in UTF-8. */
const SPECIAL = /^(?:https?|ftp|file):$/;
/** https://url.spec.whatwg.org/#special-query-percent-encode-set */
const ESCAPED = new Set([0x22, 0x23, 0x27, 0x3c, 0x3e]);

function parse(href: string, base: string): URL | null {
  try {
    return new URL(href, base);
  } catch {
    return null;
  }
}

function encodeQuery(href: string, encode: Encoder): string {
  // What a URL parser leaves out of any URL; and a lone surrogate is no character.
  const tidy = href
    .replaceAll(OUTSIDE, '')
    .replaceAll(/[\t\n\r]/g, '')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');
  const end = tidy.indexOf('#');
  const before = end === -1 ? tidy : tidy.slice(0, end);
  const start = before.indexOf('?');
  if (start === -1) return href;
  const query = encode(before.slice(start), toReference).map(toText).join('');
  return before.slice(0, start) + query + tidy.slice(before.length);
}

/** As a form sends what its encoding does not have: a reference by number, escaped. */
function toReference(char: string): readonly number[] {
  return [...Buffer.from(`%26%23${char.codePointAt(0)}%3B`)];
}

function toText(byte: number): string {
  if (byte > 0x20 && byte < 0x7f && !ESCAPED.has(byte)) return String.fromCharCode(byte);
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
