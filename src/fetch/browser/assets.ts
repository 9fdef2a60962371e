// Which requests of a page are not let out: pictures, fonts and media, which are most of what a page weighs and nothing that
// is read off it, and scripts that watch people. Pure; requests.ts acts on it.
import { getDomain } from '../domain.ts';

export const BLOCKED_KINDS = ['image', 'font', 'media', 'tracker'] as const;

export type BlockedKind = (typeof BLOCKED_KINDS)[number];

/** Chromium's names (https://chromedevtools.github.io/devtools-protocol/tot/Network/#type-ResourceType). */
const KIND_BY_TYPE: Readonly<Record<string, BlockedKind>> = { Image: 'image', Font: 'font', Media: 'media' };

// Analytics, advertising and session recording, by the hosts that their scripts and pixels are from. No host here serves
// what a page shows, solves a challenge, or asks for consent.
const TRACKERS = [
  'google-analytics.com',
  'analytics.google.com',
  'googletagmanager.com',
  'googletagservices.com',
  'googlesyndication.com',
  'googleadservices.com',
  'doubleclick.net',
  'adservice.google.com',
  'connect.facebook.net',
  'bat.bing.com',
  'clarity.ms',
  'ads.linkedin.com',
  'snap.licdn.com',
  'analytics.tiktok.com',
  'static.ads-twitter.com',
  'analytics.twitter.com',
  'ct.pinterest.com',
  'mc.yandex.ru',
  'hotjar.com',
  'hotjar.io',
  'fullstory.com',
  'mouseflow.com',
  'segment.io',
  'cdn.segment.com',
  'mixpanel.com',
  'amplitude.com',
  'heapanalytics.com',
  'scorecardresearch.com',
  'quantserve.com',
  'chartbeat.com',
  'chartbeat.net',
  'js-agent.newrelic.com',
  'nr-data.net',
  'criteo.com',
  'criteo.net',
  'taboola.com',
  'outbrain.com',
  'amazon-adsystem.com',
  'adnxs.com',
  'rubiconproject.com',
  'pubmatic.com',
  'openx.net',
  'casalemedia.com',
  'adsrvr.org',
  'demdex.net',
  'everesttech.net',
  'omtrdc.net',
  'moatads.com',
  'branch.io',
  'matomo.cloud',
  'plausible.io',
] as const;

/** One request, as CDP's `Fetch.requestPaused` tells of it. */
export interface AssetRequest {
  readonly url: string;
  readonly resourceType: string;
}

/** What a request is not let out as; null: let it out.
 *  @param pageUrl Of the page that is crawled: nobody is a tracker on their own site. */
export function blockedKindOf({ url, resourceType }: AssetRequest, pageUrl: string): BlockedKind | null {
  const kind = KIND_BY_TYPE[resourceType];
  if (isTracker(url, pageUrl)) return 'tracker';
  return kind ?? null;
}

function isTracker(url: string, pageUrl: string): boolean {
  const { hostname } = new URL(url);
  if (!TRACKERS.some((tracker) => hostname === tracker || hostname.endsWith(`.${tracker}`))) return false;
  return getDomain(hostname) !== getDomain(pageUrl);
}

/** A pattern of CDP's `Fetch.enable`. */
export interface FetchPattern {
  readonly urlPattern?: string;
  readonly resourceType?: 'Image' | 'Font' | 'Media' | 'Document';
}

/** What has to be looked at, and nothing else: what matches none of them never leaves the browser to be asked about. */
export const ASSET_PATTERNS: readonly FetchPattern[] = [
  { resourceType: 'Image' },
  { resourceType: 'Font' },
  { resourceType: 'Media' },
  ...TRACKERS.flatMap((host) => [{ urlPattern: `*://${host}/*` }, { urlPattern: `*://*.${host}/*` }]),
];
