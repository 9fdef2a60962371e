// What makes two URLs one: the key that a request has in its queue, where no handler gives it one of its own. It is Crawlee's
// for all queries in UTF-8, and goes by the bytes of any other.

/** `scheme://host/path?query` as it is compared: host in small letters, no slash at the end of the path, no `utm_*`, the query
 *  sorted by its names (equal ones keep their order) and written in one way (`+` for a blank, `a=` for `a`).
 *  @param url Absolute, or it is its own key.
 *  @param keepsFragment Whether what stands behind `#` is a part of the address. @default false */
export function keyOf(url: string, keepsFragment = false): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host, pathname, search, hash } = new URL(url);
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  return `${protocol}//${host}${path}${search && sorted(search.slice(1))}${keepsFragment && hash ? withoutDirective(hash) : ''}`;
}

/** How a query is written by most links: nothing in it would be written in another way. */
const PLAIN = /^[\w.\-*=&]*$/;

function sorted(query: string): string {
  const pairs = query.split('&').filter(Boolean).map(toPair);
  const kept = pairs.filter(([name]) => !name.startsWith('utm_'));
  if (kept.length > 1) kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const write = PLAIN.test(query) ? (text: string) => text.replaceAll('=', '%3D') : toFormBytes;
  return kept.map(([name, value], index) => `${index === 0 ? '?' : '&'}${write(name)}=${write(value)}`).join('');
}

/** A name and its value, as bytes: one character each. */
function toPair(pair: string): [name: string, value: string] {
  const end = pair.indexOf('=');
  return end === -1 ? [toBytes(pair), ''] : [toBytes(pair.slice(0, end)), toBytes(pair.slice(end + 1))];
}

function toBytes(encoded: string): string {
  if (!/[+%]/.test(encoded)) return encoded;
  return encoded
    .replaceAll('+', ' ')
    .replaceAll(/%([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

/** https://url.spec.whatwg.org/#urlencoded-serializing, of bytes. */
function toFormBytes(bytes: string): string {
  return bytes.replaceAll(/[^\w.\-*]/g, (byte) => {
    return byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** What a link marks on its page (`#:~:text=`) is no part of an address: browsers take it out of the document's. */
function withoutDirective(hash: string): string {
  const [fragment = ''] = hash.split(':~:', 1);
  return fragment === '#' ? '' : fragment;
}

/** What to say of start URLs that are written differently and are one request; null if there are none. */
export function mergedLine(urls: readonly string[], fragments: 'drop' | 'keep' = 'drop'): string | null {
  const first = new Map<string, string>();
  const merged = urls.filter((url) => {
    const known = first.get(keyOf(url, fragments === 'keep'));
    if (known === undefined) first.set(keyOf(url, fragments === 'keep'), url);
    return known !== undefined && known !== url;
  });
  const [one] = merged;
  if (one === undefined) return null;
  const others = merged.length > 1 ? ` and ${merged.length - 1} more` : '';
  const how =
    fragments === 'drop' && merged.some((url) => new URL(url).hash !== '')
      ? "What stands behind # is no part of an address, unless the site has fragments: 'keep'."
      : 'The guide has what makes two URLs one: docs/guide/links.md.';
  return `Not fetched, as another start URL is the same page: ${one}${others}. ${how}`;
}
