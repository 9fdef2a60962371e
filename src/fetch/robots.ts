// robots.txt of each host, fetched once: whether a page may be fetched, and how long to wait between two.
// https://www.rfc-editor.org/rfc/rfc9309
import type { BaseHttpClient, Request } from '@crawlee/core';
import robotsParser from 'robots-parser';

import { messageOf } from '../core/errors.ts';
import { VerdictError, verdictOfError, verdictOfStatus } from '../core/verdict.ts';
import type { RoutedRequest } from './clients/tier-client.ts';

/** The name that a robots.txt may call this crawler by; rules for `*` hold otherwise. */
export const ROBOTS_TOKEN = 'Surefoot';

/** Origins whose rules are kept. */
const MAX_ORIGINS = 2_000;
/** Rules beyond this size are not read (RFC 9309, 2.5, asks for 500 KiB at least). */
const MAX_BYTES = 512 * 1024;

export interface RobotsRules {
  /** The file's text; '' if there is none. */
  readonly text: string;
  isAllowed(url: string): boolean;
  /** Crawl-delay, in milliseconds; 0 when there is none. */
  readonly delayMillis: number;
}

/** What is told of the page that asks. */
export type RobotsPage = Pick<Request, 'id' | 'label'> & Partial<Pick<Request, 'headers'>>;

/** How robots.txt is asked for. */
export interface RobotsOptions {
  client: BaseHttpClient;
  headers(url: string): Record<string, string>;
  /** The proxy it goes through: that of the page that asks. @default none */
  way?: (page: RobotsPage | undefined) => Promise<Pick<RoutedRequest, 'proxyUrl' | 'route' | 'from'>>;
}

/** Fetches each origin's robots.txt once, and gives the rules for a URL, asked for on behalf of a page. */
export function createRobots(options: RobotsOptions) {
  return keepRobots(createReader(options));
}

/** @returns A function that fetches the robots.txt of an origin; '' if there is none.
 *  It throws a VerdictError, `transient`, when it cannot be had: what may not be fetched is not known then. */
function createReader({ client, headers, way = async () => ({}) }: RobotsOptions) {
  return async (origin: string, page: RobotsPage | undefined): Promise<string> => {
    const url = robotsUrlOf(origin);
    const request: RoutedRequest & { responseType: 'text' } = {
      url,
      headers: headers(url),
      responseType: 'text',
      ...(await way(page)),
    };
    const {
      statusCode: status,
      headers: answered,
      body,
    } = await client.sendRequest(request).catch((error: unknown) => {
      // The proxy's fault, not the host's.
      // What must not be asked need not be asked for its rules either.
      if (verdictOfError(error) === 'proxy' || verdictOfError(error) === 'skipped') throw error;
      throw new VerdictError('transient', `${url} cannot be read: ${messageOf(error)} (--ignore-robots goes without)`);
    });
    const retryAfter = answered['retry-after']?.toString();
    const verdict = verdictOfStatus(status, retryAfter !== undefined);
    if (verdict === 'throttled' || status >= 500) {
      throw new VerdictError(
        verdict === 'throttled' ? verdict : 'transient',
        `${url} cannot be read: HTTP ${status} (--ignore-robots goes without)`,
        { status, retryAfter },
      );
    }
    // 2.3.1.3: what is not there forbids nothing.
    return status >= 400 ? '' : body.slice(0, MAX_BYTES);
  };
}

/** As `createRobots`, over a robots.txt that comes from elsewhere.
 *  @param read Its text; what it throws is thrown, and the next page asks again.
 *  @returns A function that resolves to the rules for a URL. */
export function keepRobots(read: (origin: string, page: RobotsPage | undefined) => Promise<string>) {
  const byOrigin = new Map<string, Promise<RobotsRules>>();

  return async (pageUrl: string, page?: RobotsPage): Promise<RobotsRules> => {
    const { origin } = new URL(pageUrl);
    let rules = byOrigin.get(origin);
    if (!rules) {
      rules = read(origin, page).then((text) => toRules(robotsUrlOf(origin), text));
      byOrigin.set(origin, rules);
      // A failure is not kept: the page comes again, and so does the question.
      rules.catch(() => byOrigin.delete(origin));
      const [oldest] = byOrigin.keys();
      if (byOrigin.size > MAX_ORIGINS && oldest !== undefined) byOrigin.delete(oldest);
    }
    return rules;
  };
}

function robotsUrlOf(origin: string): string {
  return `${origin}/robots.txt`;
}

// Its types describe an ES module; it is a CommonJS one that is the function.
const parse = robotsParser as unknown as typeof robotsParser.default;

function toRules(url: string, text: string): RobotsRules {
  const robots = parse(url, text);
  const seconds = robots.getCrawlDelay(ROBOTS_TOKEN) ?? 0;
  return {
    text,
    isAllowed: (pageUrl) => robots.isAllowed(pageUrl, ROBOTS_TOKEN) ?? true,
    delayMillis: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0,
  };
}
