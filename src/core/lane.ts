// A tier decides how a page is fetched; a lane, which of Crawlee's crawlers does it.
import type { Tier } from './page.ts';

export const LANES = ['http', 'browser'] as const;

/** `http`: CheerioCrawler with the tier's client. `browser`: PlaywrightCrawler. */
export type Lane = (typeof LANES)[number];

export function laneOf(tier: Tier): Lane {
  return tier === 'browser' ? 'browser' : 'http';
}
