// The headers of one request: a current Chrome's, or an honest crawler's. Pure: http-crawler.ts asks before each request.
import { hash } from 'node:crypto';

import { SurefootError } from '../core/errors.ts';
import { getDomain } from './domain.ts';

/** The Chrome that every tier claims to be. The newest one whose TLS handshake the tier `impersonate` can give: a header
 *  that disagrees with the handshake says more than one that is a few weeks old. */
export const CHROME_MAJOR = 151;

// The one place to update. As Chrome 151 sends them for a page opened in a tab, HTTP/1.1, looked at on 2026-11-22.
// Chrome also names zstd in Accept-Encoding; here stands what our clients decode.
const CHROME = {
  accept:
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  encodings: 'gzip, deflate, br',
  /** Over plain http Chrome offers no more than this. */
  encodingsInTheClear: 'gzip, deflate',
  brands: brandsOf(CHROME_MAJOR),
};

/** One for all sessions: a site that goes by it would answer each session in another language. */
const LANGUAGE = 'en-US,en;q=0.9';

/** `tenths`: how many of ten sessions get it. The system's version has been frozen in User-Agent since Chrome 107. */
const IDENTITIES = [
  { tenths: 7, platform: 'Windows', system: 'Windows NT 10.0; Win64; x64' },
  { tenths: 2, platform: 'macOS', system: 'Macintosh; Intel Mac OS X 10_15_7' },
  { tenths: 1, platform: 'Linux', system: 'X11; Linux x86_64' },
] as const;

type Identity = (typeof IDENTITIES)[number];

export interface HeaderPolicyOptions {
  mode: 'browser' | 'polite';
  /** Who answers for the crawl, for `polite`: an http(s) URL or an e-mail address. */
  contact?: string;
  /** This program's own, for `polite`. */
  version: string;
}

export interface HeaderedRequest {
  readonly url: string;
  /** The page that the link was found on. */
  readonly referer?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** All headers of a request but Host, Connection and Cookie, in the order and the case they are sent in.
 *  `request.headers` win, whatever their case, and stay in the policy's place; others go to the end. An empty value
 *  leaves a header out. */
export type HeaderPolicy = (options: { request: HeaderedRequest; sessionId: string }) => Record<string, string>;

/** @throws {SurefootError} kind `input`: a contact that cannot be put into a header. */
export function createHeaderPolicy({ mode, contact, version }: HeaderPolicyOptions): HeaderPolicy {
  const polite = mode === 'polite' ? politeHeaders(version, contact) : null;
  return ({ request, sessionId }) => {
    const own = request.headers ?? {};
    const origin = originOf(request.url, valueOf(own, 'referer') ?? request.referer);
    const headers = polite
      ? { ...polite, ...(origin.referer && { Referer: origin.referer }) }
      : chromeHeaders(new URL(request.url), identityOf(sessionId), origin);
    return withOwn(headers, own);
  };
}

function chromeHeaders(url: URL, { platform, system }: Identity, { referer, site }: Origin): Record<string, string> {
  // Chrome tells nobody on the way: https://w3c.github.io/webappsec-fetch-metadata/ and client hints are for secure origins.
  const secure = url.protocol === 'https:' || isLoopback(url.hostname);
  return {
    ...(secure && {
      'sec-ch-ua': CHROME.brands,
      'sec-ch-ua-mobile': '?0',
      'sec-ch-ua-platform': `"${platform}"`,
    }),
    'Upgrade-Insecure-Requests': '1',
    'User-Agent': `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${CHROME_MAJOR}.0.0.0 Safari/537.36`,
    Accept: CHROME.accept,
    ...(secure && {
      'Sec-Fetch-Site': site,
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-User': '?1',
      'Sec-Fetch-Dest': 'document',
    }),
    ...(referer && { Referer: referer }),
    'Accept-Encoding': secure ? CHROME.encodings : CHROME.encodingsInTheClear,
    'Accept-Language': LANGUAGE,
  };
}

function politeHeaders(version: string, contact: string | undefined): Record<string, string> {
  const isEmail = contact !== undefined && /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(contact);
  if (contact !== undefined && !isEmail && !/^https?:\/\/[\x21-\x27\x2a-\x7e]+$/.test(contact)) {
    throw new SurefootError('input', `--contact must be an http(s) URL or an e-mail address, got ${JSON.stringify(contact)}.`);
  }
  return {
    'User-Agent': `Surefoot/${version}${contact === undefined ? '' : ` (+${contact})`}`,
    ...(isEmail && { From: contact }),
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Encoding': CHROME.encodings,
    'Accept-Language': LANGUAGE,
  };
}

/** By a hash, so that a session that is restored has the identity it had before. */
function identityOf(sessionId: string): Identity {
  let place = Number.parseInt(hash('sha256', sessionId, 'hex').slice(0, 8), 16) % 10;
  return IDENTITIES.find(({ tenths }) => (place -= tenths) < 0) ?? IDENTITIES[0];
}

/** The value of `sec-ch-ua`. Order, punctuation and number of the made-up brand follow from the version, so that no site
 *  comes to rely on them: https://wicg.github.io/ua-client-hints/#grease */
export function brandsOf(major: number): string {
  const marks = [' ', '(', ':', '-', '.', '/', ')', ';', '=', '?', '_'] as const;
  const madeUp = `Not${marks[major % 11]}A${marks[(major + 1) % 11]}Brand`;
  const brands = [
    [madeUp, ['8', '99', '24'][major % 3]],
    ['Chromium', major],
    ['Google Chrome', major],
  ].map(([name, version]) => `"${name}";v="${version}"`);
  // Where each of the three goes.
  const places = ['012', '021', '102', '120', '201', '210'][major % 6] ?? '012';
  return brands
    .map((brand, index) => ({ brand, place: places[index] ?? '' }))
    .toSorted((a, b) => Number(a.place) - Number(b.place))
    .map(({ brand }) => brand)
    .join(', ');
}

interface Origin {
  /** As the Referer header shows it; null: not at all. */
  readonly referer: string | null;
  readonly site: 'none' | 'same-origin' | 'same-site' | 'cross-site';
}

/** Where a request comes from, by Chrome's default referrer policy, strict-origin-when-cross-origin: the whole address
 *  within an origin, the origin alone to another one, nothing from https to http. Never a fragment or a password. */
function originOf(target: string, from: string | null | undefined): Origin {
  if (!from || !URL.canParse(from)) return { referer: null, site: 'none' };
  const url = new URL(target);
  const source = new URL(from);
  source.username = source.password = source.hash = '';
  if (source.origin === url.origin) return { referer: source.href, site: 'same-origin' };
  const downgrade = source.protocol === 'https:' && url.protocol === 'http:';
  return { referer: downgrade ? null : `${source.origin}/`, site: isSameSite(source, url) ? 'same-site' : 'cross-site' };
}

/** https://html.spec.whatwg.org/multipage/browsers.html#same-site: the scheme counts too, and github.io is no site. */
function isSameSite(a: URL, b: URL): boolean {
  if (a.protocol !== b.protocol) return false;
  const domain = getDomain(a.hostname, { allowPrivateDomains: true });
  return domain === null ? a.hostname === b.hostname : domain === getDomain(b.hostname, { allowPrivateDomains: true });
}

function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function valueOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The policy's spelling of a name stays: lower-case names among Chrome's would show. */
function withOwn(headers: Record<string, string>, own: Readonly<Record<string, string>>): Record<string, string> {
  const merged = { ...headers };
  for (const [name, value] of Object.entries(own)) {
    const known = Object.keys(merged).find((key) => key.toLowerCase() === name.toLowerCase());
    merged[known ?? name] = value;
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
