// What the browser says of itself. Its own headers are the best there are, as long as they do not say "Headless": a name
// or version that disagrees with the engine shows in a hundred places. Pure; visit.ts hands it to the browser.
import { brandsOf, CHROME_MAJOR } from '../headers.ts';

/** Of CDP: https://chromedevtools.github.io/devtools-protocol/tot/Emulation/#method-setUserAgentOverride */
export interface UserAgentOverride {
  userAgent: string;
  acceptLanguage: string;
  /** Left out, no client hints are sent, which is right for a crawler that says who it is. */
  userAgentMetadata?: {
    brands: { brand: string; version: string }[];
    fullVersionList: { brand: string; version: string }[];
    platform: string;
    platformVersion: string;
    architecture: string;
    bitness: string;
    model: string;
    mobile: boolean;
    wow64: boolean;
  };
}

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/** The system as Chrome's User-Agent names it, whatever the real version and processor (frozen since Chrome 107), and as its
 *  client hints do. The one of this machine: fonts, graphics and `navigator.platform` tell it anyway. */
const SYSTEMS = {
  linux: { system: 'X11; Linux x86_64', platform: 'Linux', platformVersion: '' },
  darwin: { system: 'Macintosh; Intel Mac OS X 10_15_7', platform: 'macOS', platformVersion: '15.0.0' },
  win32: { system: 'Windows NT 10.0; Win64; x64', platform: 'Windows', platformVersion: '15.0.0' },
} as const;

function systemOf({ platform }: Machine) {
  return platform === 'darwin' || platform === 'win32' ? SYSTEMS[platform] : SYSTEMS.linux;
}

/** The User-Agent of a Chrome with a window. @param version `156.0.8078.79`, or its beginning. */
export function chromeUserAgent(version: string, machine: Machine): string {
  const { system } = systemOf(machine);
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${majorOf(version)}.0.0.0 Safari/537.36`;
}

/** @param headers What the header policy (headers.ts) gives for the request. A Chrome of the policy's becomes the Chrome that
 *  this browser is; any other User-Agent is sent as it is, and without client hints.
 *  @param version The browser's own. */
export function userAgentOverride(
  headers: Readonly<Record<string, string>>,
  version: string,
  machine: Machine,
): UserAgentOverride {
  const asked = valueOf(headers, 'user-agent');
  const acceptLanguage = languagesOf(valueOf(headers, 'accept-language') ?? '');
  if (asked !== undefined && !POLICYS_CHROME.test(asked)) return { userAgent: asked, acceptLanguage };
  const brands = [...brandsOf(majorOf(version)).matchAll(/"([^"]*)";v="(\d+)"/g)].map(([, brand = '', version = '']) => ({
    brand,
    version,
  }));
  const { platform, platformVersion } = systemOf(machine);
  return {
    userAgent: chromeUserAgent(version, machine),
    acceptLanguage,
    userAgentMetadata: {
      brands,
      fullVersionList: brands.map((entry) => ({
        brand: entry.brand,
        version: entry.brand.startsWith('Not') ? `${entry.version}.0.0.0` : version,
      })),
      platform,
      platformVersion,
      architecture: machine.arch.startsWith('arm') ? 'arm' : 'x86',
      bitness: '64',
      model: '',
      mobile: false,
      wow64: false,
    },
  };
}

const POLICYS_CHROME = new RegExp(`^Mozilla/5\\.0 \\([^)]*\\) .* Chrome/${CHROME_MAJOR}\\.0\\.0\\.0 Safari/537\\.36$`);

/** What Chromium sends by itself and in its own way; `sec-*` too. */
const BROWSERS_OWN = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'connection',
  'cookie',
  'host',
  'referer',
  'upgrade-insecure-requests',
  'user-agent',
]);

/** The policy's headers that a browser does not send by itself: Authorization and the like, From of a polite crawler. */
export function extraHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !BROWSERS_OWN.has(name.toLowerCase()) && !/^sec-/i.test(name)),
  );
}

export function valueOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** `en-US,en;q=0.9` → `en-US,en`: Chromium adds the weights itself. */
function languagesOf(acceptLanguage: string): string {
  const languages = acceptLanguage.split(',').map((part) => part.split(';', 1)[0]?.trim() ?? '');
  return languages.filter(Boolean).join(',') || 'en-US,en';
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10) || CHROME_MAJOR;
}
