// What the crawlers of all lanes and all processes are made with: headers, robots.txt, sessions, and what becomes of a failure.
import type { BaseHttpClient, Log, Request } from '@crawlee/cheerio';

import type { Site } from '../core/site.ts';
import type { Cookie } from '../fetch/cookie-file.ts';
import { sessionsWithCookies } from '../fetch/cookies.ts';
import { createFollowedSessions } from '../fetch/followed-sessions.ts';
import { createHeaderPolicy, type HeaderPolicy } from '../fetch/headers.ts';
import { ledFrom, toHeadered } from '../fetch/hooks.ts';
import type { HttpCrawlerOptions } from '../fetch/http-crawler.ts';
import { createRobots } from '../fetch/robots.ts';
import type { Settings } from '../input/schema.ts';
import type { ProxyProvider } from '../proxy/provider.ts';

const SECOND = 1_000;

export interface CommonOptions extends Required<
  Pick<HttpCrawlerOptions, 'robots' | 'ways' | 'modeOf' | 'duringPage' | 'hold' | 'redact' | 'onDeadLetter'>
> {
  settings: Settings;
  site: Site;
  proxies: ProxyProvider | null;
  cookies: readonly Cookie[];
  /** This program's version. */
  version: string;
  log: Log;
}

export function toCommon(options: CommonOptions) {
  const { settings, site, proxies, cookies, version, robots, ways, modeOf, duringPage, hold, redact, onDeadLetter, log } =
    options;
  const policy = openPolicy(settings, version);
  // A session that was logged in is retired by a refusal alone (fetch/http-crawler.ts), not for its age or after three pages
  // that are missing: no other one is logged in. One behind a proxy lives as long as a sticky address.
  const createSession = sessionsWithCookies(
    cookies,
    cookies.length > 0
      ? { maxUsageCount: 1e9, maxAgeSecs: 1e9, maxErrorScore: 1e9 }
      : proxies
        ? { maxUsageCount: 1e9, maxAgeSecs: sessionSecs(settings) }
        : {},
  );
  return {
    site,
    headers: (request, session, url) => policy({ request: toHeadered(request, site, url), sessionId: session?.id ?? '' }),
    robots,
    createSession,
    // Of all lanes of this process.
    followed: site.session === 'follow' ? createFollowedSessions(createSession) : null,
    duringPage,
    hold,
    ways,
    ...(proxies && { proxyConfiguration: proxies.configuration }),
    modeOf,
    maxRetryAfterMillis: settings.maxRetryAfter * SECOND,
    secondPass: settings.secondPassDelay > 0,
    redact,
    onDeadLetter,
    log,
  } satisfies Partial<HttpCrawlerOptions>;
}

export interface RobotsWay extends Pick<CommonOptions, 'settings' | 'proxies' | 'version'> {
  client: BaseHttpClient;
  modeOf: NonNullable<HttpCrawlerOptions['modeOf']>;
}

/** Null: robots.txt is not asked for. */
export function openRobots({ settings, client, proxies, version, modeOf }: RobotsWay) {
  if (settings.ignoreRobots) return null;
  const policy = openPolicy(settings, version);
  return createRobots({
    client,
    headers: (url) => policy({ request: { url }, sessionId: '' }),
    tiers: settings.tiers.includes('impersonate') ? ['http', 'impersonate'] : ['http'],
    way: async (page, tier) => {
      const proxyUrl = await proxies?.configuration.newUrl('robots', { ...(page && { request: page as Request }) });
      const from = page ? ledFrom(page) : null;
      const route = { tier, proxy: proxyUrl ? modeOf(page?.label) : 'none', sessionId: 'robots' } as const;
      return { from, route, ...(proxyUrl && { proxyUrl }) };
    },
  });
}

function openPolicy({ headers: mode, contact }: Settings, version: string): HeaderPolicy {
  return createHeaderPolicy({ mode, ...(contact !== undefined && { contact }), version });
}

/** How long a session lives: a sticky address, no longer than the gateway keeps it. */
function sessionSecs({ sessionMinutes = 10 }: Settings): number {
  return sessionMinutes * 60;
}
