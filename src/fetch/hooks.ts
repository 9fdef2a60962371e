// Before a request: robots.txt, pace and headers. After it: what the response means.
import type { Request, Session } from '@crawlee/core';

import { RENDERING, SERVICES, type Page, type Tier } from '../core/page.ts';
import type { ProxyMode } from '../core/proxy.ts';
import type { Site } from '../core/site.ts';
import { judgeResponse, judgeText, VerdictError, type JudgedResponse, type Verdict } from '../core/verdict.ts';
import type { Route } from './clients/tier-client.ts';
import type { HeaderedRequest } from './headers.ts';
import { readBeginning } from './document.ts';
import type { LaneWork } from './lane-crawler.ts';
import type { LinkedDocument } from './links/base.ts';
import { refreshOf } from './links/refresh.ts';
import { kindOf } from './media-type.ts';
import type { RobotsPage } from './robots.ts';
import type { RobotsRules } from './robots-rules.ts';

/** Of a response that is no page: enough to tell a challenge by. */
const MAX_JUDGED_BYTES = 256 * 1024;

/** What a request is prepared with. */
export interface Preparation {
  lane: {
    flightOf(request: Request): {
      readonly claimedAt: number;
      readonly tier: Tier;
      enter(phase: 'robots' | 'connecting' | 'waiting'): void;
    };
    /** Sets the gap that a host asks for. @returns Since when it is known (epoch milliseconds), null if only now. */
    setDelay(request: Request, delayMillis: number): number | null | Promise<number | null>;
  };
  robots: ((url: string, page: RobotsPage) => Promise<RobotsRules>) | null;
  /** @param url Where the request goes: to its own address, or to where a redirect has led. */
  headers(request: Request, session: Session | undefined, url?: string): Record<string, string>;
  /** How requests of a label leave this machine. @default 'none' for all */
  modeOf?: ((label: string | undefined) => ProxyMode) | undefined;
}

/** Asks for robots.txt and waits for nothing else. Both lanes begin a page with it.
 *  @throws {VerdictError} `skipped`: forbidden. `early`: claimed before its host's gap was known. `transient`: robots.txt
 *  cannot be read. */
export function createEntry({ lane, robots }: Pick<Preparation, 'lane' | 'robots'>) {
  return async (request: Request): Promise<void> => {
    const flight = lane.flightOf(request);
    if (robots) {
      flight.enter('robots');
      const rules = await robots(request.url, request);
      throwIfForbidden(rules, request.url);
      if (rules.delayMillis > 0) {
        const known = await lane.setDelay(request, rules.delayMillis);
        // Claimed together with the first page of its host, before the gap was known: it goes back in line.
        if (known !== null && flight.claimedAt <= known)
          throw new VerdictError('early', `Crawl-delay of ${rules.delayMillis} ms`);
      }
    }
    flight.enter('connecting');
  };
}

/** Asks for the robots.txt of where a redirect leads, before it is followed; undefined: nothing is asked for. Of a page that
 *  has set out, no gap is asked any more.
 *  @throws {VerdictError} `skipped`, or `transient`. */
export function createHopJudge(robots: Preparation['robots']) {
  if (!robots) return undefined;
  return async (url: string, from: string, { id, label }: Request): Promise<void> => {
    throwIfForbidden(await robots(url, { ...(id !== undefined && { id }), label, headers: { Referer: from } }), url);
  };
}

function throwIfForbidden(rules: RobotsRules, url: string): void {
  if (!rules.isAllowed(url)) throw new VerdictError('skipped', `robots.txt forbids ${url}`);
}

/** A page that has been read, in either lane. */
interface ReadPage {
  readonly request: Request;
  readonly answer: JudgedResponse;
  readonly document: LinkedDocument;
}

/** Where a page sends its reader, if the site does not want to read it there.
 *  @throws {VerdictError} `skipped`: robots.txt forbids it. */
export function createRefresh({ site, robots }: Pick<Preparation, 'robots'> & { site: Site }) {
  const judgeHop = createHopJudge(robots);
  return async ({ request, answer, document }: ReadPage): Promise<string | null> => {
    if (site.refresh === 'ignore') return null;
    const next = refreshOf({ document, headers: answer.headers, url: answer.url });
    if (next === null) return null;
    // What stands in its way is for the lane to deal with: a challenge leads back to itself.
    const { verdict } = judgeText(answer, document.text, () => document.$);
    if (verdict === 'blocked' || verdict === 'throttled') return null;
    await judgeHop?.(next, answer.url, request);
    return next;
  };
}

/** What a request of the HTTP lane is sent with. */
export function createPreparation({ lane, robots, headers, modeOf = () => 'none' }: Preparation): LaneWork['prepare'] {
  const enter = createEntry({ lane, robots });
  const judgeHop = createHopJudge(robots);
  return async ({ request, session }) => {
    await enter(request);
    const flight = lane.flightOf(request);
    const tier = flight.tier as Route['tier'];
    // The services of these tiers have addresses of their own.
    const proxy = SERVICES.includes(tier) ? 'none' : modeOf(request.label);
    return {
      headersAt: (url) => headers(request, session, url),
      route: { tier, proxy, sessionId: session?.id ?? '' },
      from: ledFrom(request),
      onSent: () => flight.enter('waiting'),
      ...(judgeHop && { onHop: async (url, from) => judgeHop(url, from, request) }),
    };
  };
}

/** The page that a request was found on, as page.ts stores it; null for one that a person asked for. */
export function ledFrom({ headers = {} }: Partial<Pick<Request, 'headers'>>): string | null {
  const { Referer: referer } = headers;
  return referer !== undefined && URL.canParse(referer) ? referer : null;
}

/** The judge of a response by its status and, where that is no success, by what its body says. */
export function createJudge(lane: { arrived(request: Request): Promise<void> }): LaneWork['judge'] {
  return async ({ request, proxyInfo }, { status, headers, url, stream }) => {
    await lane.arrived(request);
    const answer = { status, headers, url };
    // Through a tunnel, as to any https page, only the target itself can have said so: it must not stop the crawl.
    if (status === 407 && (!proxyInfo || url.startsWith('https:'))) {
      stream.destroy();
      throw new VerdictError('blocked', 'HTTP 407, and not from the proxy', { status });
    }
    if (status >= 400) {
      const beginning = await readBeginning(stream, headers, MAX_JUDGED_BYTES);
      throwUnlessOk(judgeResponse(answer, beginning, null), answer);
    }
    const type = headers['content-type'];
    if (kindOf(type) === 'other') {
      stream.destroy();
      throw new VerdictError('fatal', `It is ${String(type).split(';', 1)[0]}, no page.`, { status });
    }
  };
}

/** Judges a parsed page: a challenge or a shell that came with 200, and what the site itself says of it. */
export function judgePage(page: Page, site: Site, inVain: () => boolean = () => false): void {
  const { response, request, tier } = page;
  const scripts = () => (RENDERING.includes(tier) ? 'ran' : inVain() ? 'in-vain' : 'to-run');
  // What its site has waited for is there.
  const isAwaited = tier === 'browser' && Object.hasOwn(site.browser?.waitFor ?? {}, request.label ?? '');
  throwUnlessOk(judgeText(response, page.html, isAwaited ? null : () => page.$, scripts), response);
  const verdict = site.judge?.(page) ?? null;
  if (verdict !== null) throwUnlessOk({ verdict, reason: `The site's own rule calls this page ${verdict}.` }, page.response);
}

function throwUnlessOk({ verdict, reason }: { verdict: Verdict; reason: string }, { status, headers }: Page['response']): void {
  if (verdict === 'ok') return;
  const retryAfter = headers['retry-after'];
  throw new VerdictError(verdict, reason, { status, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter });
}

/** A request as the header policy takes it. The Referer that was stored with it is the whole address of the page it was
 *  found on; how much of it is sent is the policy's to say. What the site adds is never stored.
 *  @param to Where it goes: headers stored with it are for its own host, and a site says what each host may see. */
export function toHeadered({ url, headers = {} }: Request, site: Pick<Site, 'headers'>, to = url): HeaderedRequest {
  const { Referer: referer = null, ...stored } = headers;
  const own = to === url || new URL(to).origin === new URL(url).origin ? stored : {};
  return { url: to, referer, headers: { ...own, ...site.headers?.(new URL(to)) } };
}
