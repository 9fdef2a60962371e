// The headers of tier `impersonate`: those that headers.ts gives, as the impersonated browser would send them over TLS. impit
// sends ours first and in our order, then adds what its own profile has besides; an empty value takes one of those out.
import { isUtf8 } from 'node:buffer';

import { CHROME_MAJOR } from '../headers.ts';
import type { SimpleHeaders } from './headers-of-answer.ts';

export const IMPERSONATED = ['chrome', 'firefox'] as const;

export type Impersonated = (typeof IMPERSONATED)[number];

const FIREFOX_MAJOR = 144;

/** impit's names for them: the newest it has. Chrome's is the one that headers.ts speaks of, or this does not compile. */
export const PROFILES = { chrome: `chrome${CHROME_MAJOR}`, firefox: `firefox${FIREFOX_MAJOR}` } as const;

/** All that impit's profiles would add by themselves. */
const OF_A_PROFILE = [
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'upgrade-insecure-requests',
  'user-agent',
  'accept',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-fetch-user',
  'sec-fetch-dest',
  'accept-encoding',
  'accept-language',
  'priority',
  'te',
];

/** Those of HTTP/2. impit gives them their value, and their place at the end, where both browsers have them. */
const OF_THE_PROTOCOL: Readonly<Record<Impersonated, readonly string[]>> = { chrome: ['priority'], firefox: ['priority', 'te'] };

/** As Firefox 144 sends them with a page opened in a tab; what is not named here comes after them. */
const FIREFOX_ORDER = [
  'user-agent',
  'accept',
  'accept-language',
  'accept-encoding',
  'referer',
  'cookie',
  'upgrade-insecure-requests',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
];
const FIREFOX_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

type Headers = Readonly<Record<string, string>>;

/** In order, names as they are given. Firefox's are made of Chrome's; others' than a browser's are left as they are. */
export function toBrowserHeaders(browser: Impersonated, given: SimpleHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers[name] = [value].flat().join(/^cookie$/i.test(name) ? '; ' : ', ');
  }
  return browser === 'firefox' && isBrowser(headers) ? asFirefox(headers) : headers;
}

/** The same for impit, which takes text and sends it as UTF-8. With a User-Agent they are all that goes out, but for what
 *  belongs to the browser's HTTP/2; without one, impit's profile fills in what is missing. Beside the
 *  User-Agent of an honest crawler nothing of a browser is sent. */
export function toImpitHeaders(browser: Impersonated, headers: Headers): Record<string, string> {
  const encoding = nameIn(headers, 'accept-encoding');
  const sent = {
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, toText(value)])),
    // headers.ts names what all our clients decode; a browser, and impit, know one more.
    ...(encoding && headers[encoding] === 'gzip, deflate, br' && { [encoding]: 'gzip, deflate, br, zstd' }),
  };
  if (!nameIn(headers, 'user-agent')) return sent;
  const own = isBrowser(headers) ? OF_THE_PROTOCOL[browser] : [];
  const removed = OF_A_PROFILE.filter((name) => !own.includes(name) && !nameIn(headers, name));
  return { ...sent, ...Object.fromEntries(removed.map((name) => [name, ''])) };
}

/** A header's value has a byte a character, as it came and as Node sends it. Bytes that are UTF-8 become their text, so that a
 *  site gets back the cookie that it set. Others impit cannot send at all: a lone byte `FC` stays an `ü`, and goes out as two. */
function toText(value: string): string {
  return value.replaceAll(/[\u0080-\u00ff]+/g, (run) => {
    const bytes = Buffer.from(run, 'latin1');
    return isUtf8(bytes) ? bytes.toString() : run;
  });
}

function isBrowser(headers: Headers): boolean {
  return /(Chrome|Firefox)\//.test(headers[nameIn(headers, 'user-agent') ?? ''] ?? '');
}

function nameIn(headers: Headers, name: string): string | undefined {
  return Object.keys(headers).find((key) => key.toLowerCase() === name);
}

/** Firefox has no client hints. The system stays: it is the session's. A site's own values stay too. */
function asFirefox(chrome: Headers): Record<string, string> {
  const entries = Object.entries(chrome)
    .filter(([name]) => !name.toLowerCase().startsWith('sec-ch-ua'))
    .map(([name, value]) => ({ name, key: name.toLowerCase(), value: toFirefoxValue(name.toLowerCase(), value) }));
  const known = FIREFOX_ORDER.flatMap((key) => entries.filter((entry) => entry.key === key));
  const others = entries.filter((entry) => !FIREFOX_ORDER.includes(entry.key));
  return Object.fromEntries([...known, ...others].map(({ name, value }) => [name, value]));
}

function toFirefoxValue(key: string, value: string): string {
  if (key === 'user-agent' && value.includes(' Chrome/')) {
    const system = /\(([^)]*)\)/.exec(value)?.[1]?.replace('10_15_7', '10.15') ?? 'X11; Linux x86_64';
    return `Mozilla/5.0 (${system}; rv:${FIREFOX_MAJOR}.0) Gecko/20100101 Firefox/${FIREFOX_MAJOR}.0`;
  }
  if (key === 'accept' && value.startsWith('text/html,')) return FIREFOX_ACCEPT;
  return key === 'accept-language' && value === 'en-US,en;q=0.9' ? 'en-US,en;q=0.5' : value;
}
