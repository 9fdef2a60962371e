// A proxy's URL, taken apart. Its user name and password live on in the Authorization alone, which no message shows.

export interface ProxyAddress {
  /** For a person: `gate.decodo.com:7000`. */
  readonly name: string;
  /** An IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The proxy itself is reached by TLS. */
  readonly secure: boolean;
  /** The value of Proxy-Authorization; null if the URL names nobody. */
  readonly authorization: string | null;
}

/** @param proxyUrl http(s)://[user[:password]@]host[:port]; user and password are percent-encoded.
 *  @throws {Error} For any other; its message does not repeat it. */
export function parseProxyUrl(proxyUrl: string): ProxyAddress {
  // Node's own error has the URL in it.
  const url = URL.canParse(proxyUrl) ? new URL(proxyUrl) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new Error('A proxy is named by a URL such as http://user:password@host:port, and this one is none.');
  }
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  const { username, password } = url;
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    name: `${url.hostname}:${port}`,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure,
    authorization: username || password ? `Basic ${Buffer.from(credentials).toString('base64')}` : null,
  };
}

/** A "%" that escapes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
