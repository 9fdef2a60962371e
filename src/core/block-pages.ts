// Whether a page is a challenge or a refusal instead of what was asked for. Such a page is next to nothing but that: a
// vendor's name, script or widget alone says nothing, since ordinary pages mention, load and embed them all.
import { VENDORS, type Mark, type Vendor, type Wording } from './block-vendors.ts';
import { WAITS } from './block-waits.ts';
import type { Outline } from './outline.ts';

/** More links than this, and there is a site around it. */
const MAX_LINKS = 20;
const MAX_BARE_LINKS = 4;
/** A challenge without a vendor's own marks is shorter still. */
const MAX_GENERIC_TEXT = 800;
const MAX_GENERIC_LINKS = 8;
/** Up to here, nothing is to be seen. */
const NOTHING = 2;

interface Response {
  /** @default 200 */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly url: string;
}

// Headers that vendors document as a mark of the response itself, not of the site behind them:
// https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
// https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html
// Kasada's is on other answers too, so it counts with a refusal.
const CHALLENGE_HEADERS: readonly { header: string; value: RegExp; vendor: string; status?: readonly number[] }[] = [
  { header: 'cf-mitigated', value: /challenge/i, vendor: 'Cloudflare' },
  { header: 'x-amzn-waf-action', value: /challenge|captcha/i, vendor: 'AWS WAF' },
  { header: 'x-vercel-mitigated', value: /challenge|deny/i, vendor: 'Vercel' },
  { header: 'x-sucuri-block', value: /./, vendor: 'Sucuri' },
  { header: 'x-dd-b', value: /^[12]$/, vendor: 'DataDome' },
  { header: 'x-kpsdk-ct', value: /./, vendor: 'Kasada', status: [403, 429] },
  { header: 'x-kpsdk-r', value: /./, vendor: 'Kasada', status: [403, 429] },
];

/** Addresses that a visitor is sent to instead of the page. */
const ELSEWHERE: readonly { url: RegExp; vendor: string }[] = [
  { url: /^https?:\/\/(?:[\w-]+\.)*google\.[a-z.]+\/sorry\//i, vendor: 'Google' },
  { url: /^https?:\/\/(?:[\w-]+\.)+queue-it\.net\//i, vendor: 'Queue-it' },
  { url: /^https?:\/\/[^/]+\/showcaptcha\?/i, vendor: 'Yandex' },
  { url: /^https?:\/\/[^/]+\/[^?#]*_____tmd_____\/punish/i, vendor: 'Alibaba' },
  { url: /^https?:\/\/(?:validate|captcha)\.perfdrive\.com\//i, vendor: 'Radware' },
  { url: /^https?:\/\/(?:[\w-]+\.)*linkedin\.com\/(?:authwall|checkpoint\/challenge)/i, vendor: 'LinkedIn' },
  { url: /^https?:\/\/[^/]+\/verify\/(?:traffic|captcha)(?:\/error)?\?.*anti_bot/i, vendor: 'Shopee' },
];
/** Accepted, to be done later: with nothing to see, a page is being held back. */
const ACCEPTED = 202;

const ALL = [...VENDORS, ...WAITS];

/** Who blocks, or null for a page that is what it seems.
 *  @param response Its headers, with names in lower case, and its URL after redirects.
 *  @returns A vendor's name, or `a CAPTCHA`, `a waiting room` and `an access check` for a page of nobody known. */
export function blockPageOf({ status = 200, headers, url }: Response, page: Outline): string | null {
  if (page.long || page.links > MAX_LINKS) return null;
  const byHeader = CHALLENGE_HEADERS.find(
    ({ header, value, status: only }) => value.test(String(headers[header] ?? '')) && (only?.includes(status) ?? true),
  );
  if (byHeader) return byHeader.vendor;
  const byAddress = ELSEWHERE.find((elsewhere) => elsewhere.url.test(url));
  if (byAddress) return byAddress.vendor;
  const vendor = ALL.find((known) => isBlockPageOf(known, page))?.name ?? genericBlock(page);
  if (vendor === null && status === ACCEPTED && isEmpty(page)) return 'an access check';
  return vendor;
}

function isEmpty(page: Outline): boolean {
  return page.text.length <= NOTHING && page.links === 0 && page.images === 0 && page.entries === 0 && page.furniture === 0;
}

/** Who reads markup reads about a page, not the page. */
const SHOWS_MARKUP = /^[^{].*<\/?(?:html|head|body|div|p|script|title|h1|form|iframe)\b/s;

function isBlockPageOf({ only = [], also = [], says = [] }: Vendor, page: Outline): boolean {
  if (only.some((mark) => holds(page.code, mark))) return true;
  if (page.furniture > 0 || SHOWS_MARKUP.test(page.text)) return false;
  return (
    says.some((wording) => saysSo(wording, page)) || (also.some((mark) => holds(page.code, mark)) && holdsNothingBut(also, page))
  );
}

function holds(code: string, mark: Mark): boolean {
  return typeof mark === 'string' ? code.includes(mark) : mark.test(code);
}

function saysSo({ title, text = [], code, max, bare = false }: Wording, page: Outline): boolean {
  if (page.text.length > max || (bare && (page.links > MAX_BARE_LINKS || page.entries > 0))) return false;
  if (title && !title.test(page.title)) return false;
  if (code && !code.some((mark) => holds(page.code, mark))) return false;
  return text.every((phrase) => phrase.test(page.text) || phrase.test(page.noscript));
}

const MOUNT = /\sid\s*=\s*["']?[\w-]*(?:app|root|__next|__nuxt|gatsby)\b/;

/** No text, no picture, no link, nowhere else to go, and no script from anywhere else: an application's shell loads its own. */
function holdsNothingBut(marks: readonly Mark[], page: Outline): boolean {
  if (!isEmpty(page) || page.redirects) return false;
  if (page.scriptSources.some((source) => !marks.some((mark) => holds(source, mark)))) return false;
  return !MOUNT.test(page.code);
}

// What pages of nobody known are titled, say and show when they want a human.
const TITLES = [
  /^(?:robot|bot|captcha|human|browser|security) ?(?:check|checkpoint|verification|or not\??)?$/,
  /^(?:are you|you are) (?:an? )?(?:not )?(?:an? )?(?:human|ro?bot)\W*$/,
  /^(?:please )?(?:verify|verifying|confirm|checking|making sure) (?:that )?you(?:'re| are) (?:a |an )?(?:human|not a (?:ro)?bot)\W*$/,
  /^(?:verify|verifying|checking) your (?:browser|connection)\W*$/,
  /^(?:one more step|one moment,? please|client challenge)\W*$/,
  /^(?:you have been |request |access (?:is )?(?:temporarily )?)?(?:blocked|denied|restricted|rejected)$/,
  /^(?:403 )?forbidden$/,
];
const PHRASES = [
  /\b(?:verify|confirm|prove|check|checking|making sure|make sure|ensure|sure)\b[^.]{0,30}\byou(?:'re| are)?\b[^.]{0,30}\b(?:human|not an? (?:automated )?(?:ro)?bot)\b/,
  /\b(?:verify|verifying|checking) (?:your|the) (?:browser|connection)\b/,
  /\bare you (?:an? )?(?:human|robot|bot)\b|\bi(?:'m| am) not a robot\b/,
  /\bunusual (?:traffic|activity)\b|\bsuspicious activity\b|\bautomated (?:access|requests|queries|traffic|tools)\b/,
  /\b(?:solve|complete|enter|pass)\b[^.]{0,30}\b(?:captcha|security check)\b|\bslide to verify\b|\bdrag the slider\b/,
  /\b(?:ip|request|access|connection)\b[^.]{0,40}\b(?:been|was|is) (?:blocked|denied|banned)\b/,
  /\byou have been blocked\b|\byou don't have permission to access\b/,
];
// Widgets themselves; the script that draws them is loaded by pages of every kind.
const WIDGETS = [
  /class\s*=\s*["']?[^"'>]{0,300}\b(?:g-recaptcha|h-captcha|cf-turnstile|geetest|frc-captcha|smart-captcha|slide-?captcha)/,
  /data-sitekey|arkoselabs\.com|funcaptcha\.com/,
  /<(?:iframe|img|form)\b[^>]{0,500}captcha/,
];
/** A widget needs no words, if there are no other words either. */
const MAX_WORDLESS_TEXT = 60;

/** Two of three: a title, a phrase and a widget that ask for a human, on a page to be passed and not to be used. */
function genericBlock(page: Outline): string | null {
  if (page.text.length > MAX_GENERIC_TEXT || page.links > MAX_GENERIC_LINKS) return null;
  if (page.entries > 0 || page.furniture > 0) return null;
  const titled = TITLES.some((title) => title.test(page.title));
  const told = PHRASES.some((phrase) => phrase.test(page.text));
  if (titled && told) return 'an access check';
  if (!WIDGETS.some((widget) => widget.test(page.code))) return null;
  if (told) return 'a CAPTCHA';
  if (MOUNT.test(page.code)) return null;
  // All the title that a page made up by a proxy has is a host or an address.
  const untitled = /^(?:https?:\/\/\S+|[\w-]+(?:\.[\w-]+)+)?$/.test(page.title);
  const wordless = page.text.length <= MAX_WORDLESS_TEXT && page.links === 0 && page.images <= 1;
  return titled || (untitled && wordless) ? 'a CAPTCHA' : null;
}
