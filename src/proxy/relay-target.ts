// Which target a client's connection to its proxy is for: read off the first line that it sends.

/** Where no target can be read off, which no HTTP client does. */
export const UNKNOWN_TARGET = '(unknown)';

/** @param line `CONNECT shop.example:443 HTTP/1.1` or `GET http://shop.example/ HTTP/1.1`.
 *  @returns As in `new URL(url).host`: in lower case, without the port if it is the scheme's own. */
export function targetOf(line: string): string {
  const [method, target = ''] = line.split(' ');
  // Some clients tunnel http as well; nobody serves https on port 80.
  const url = method === 'CONNECT' ? `${target.endsWith(':80') ? 'http' : 'https'}://${target}` : target;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return UNKNOWN_TARGET;
  return new URL(url).host || UNKNOWN_TARGET;
}
