// Proxies of any other provider: the URLs in `PROXY_URLS`, checked before the first is used.
import { SurefootError } from '../core/errors.ts';

/** @param urls `http(s)://user:pass@host:port` each; name and password may be absent. Blanks around them do not count.
 *  @returns Each as `new URL()` writes it, without a final slash.
 *  @throws {SurefootError} kind `input`: the position in the list and the rule. Nothing of the URL is in the message: a mistake
 *  can put the password anywhere in it. */
export function checkProxyUrls(urls: readonly string[]): string[] {
  return urls.map((text, index) => {
    const problem = problemOf(text.trim());
    if (problem === null) return new URL(text.trim()).href.replace(/\/$/, '');
    const where = `PROXY_URLS, number ${index + 1} of ${urls.length}`;
    throw new SurefootError('input', `${where}, ${problem}. Each must be http://user:password@host:port, or https://.`);
  });
}

const ESCAPE = 'characters such as "@", "/", "#" and "%" in a name or a password are written as %40, %2F, %23 and %25';

function problemOf(text: string): string | null {
  if (text === '') return 'is empty';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'does not begin with http:// or https://';
  if (scheme.startsWith('socks')) return 'is a SOCKS proxy, and only HTTP proxies are supported';
  if (scheme !== 'http' && scheme !== 'https') return 'does not begin with http:// or https://';
  if (!URL.canParse(text)) return `is no URL: ${ESCAPE}`;
  const url = new URL(text);
  // `new URL()` drops a port that is the scheme's own.
  if (!/:\d+\/?$/.test(text))
    return url.pathname + url.search + url.hash === '/' ? 'has no port' : `goes on after its port: ${ESCAPE}`;
  if (url.pathname + url.search + url.hash !== '/') return `goes on after its port: ${ESCAPE}`;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return `has a "%" that stands for itself: ${ESCAPE}`;
  }
  return null;
}
