// robots.txt of each host, fetched once: whether a page may be fetched, and how long to wait between two.
// https://www.rfc-editor.org/rfc/rfc9309
import type { Readable } from 'node:stream';

import type { BaseHttpClient, Request } from '@crawlee/core';

import { messageOf } from '../core/errors.ts';
import { TransportError, type TransportFault } from '../core/transport.ts';
import { judgeResponse, VerdictError, verdictOfError } from '../core/verdict.ts';
import type { Route, RoutedRequest } from './clients/tier-client.ts';
import { readBeginning } from './document.ts';
import { readRobots, type RobotsRules } from './robots-rules.ts';

/** The name that a robots.txt may call this crawler by; rules for `*` hold otherwise. */
export const ROBOTS_TOKEN = 'Surefoot';

/** Characters of rules that are kept, and what an origin counts for beside them: 80,000 origins without rules, some
 *  thousands with. */
const KEPT_CHARS = 8_000_000;
const ORIGIN_CHARS = 100;
/** What comes behind is left out: https://www.rfc-editor.org/rfc/rfc9309#section-2.5 */
const MAX_BYTES = 500 * 1024;
/** Of a page in the place of rules: enough to tell a challenge by. */
const MAX_JUDGED_BYTES = 64 * 1024;
/** One that breaks off each time is taken as far as it comes: its pages may be whole. */
const BREAKS = 3;
/** Origins of which that is counted. */
const MAX_BROKEN = 2_000;

/** What is told of the page that asks. */
export type RobotsPage = Pick<Request, 'id' | 'label'> & Partial<Pick<Request, 'headers'>>;

/** How robots.txt is asked for. */
export interface RobotsOptions {
  client: BaseHttpClient;
  headers(url: string): Record<string, string>;
  /** The HTTP tiers that it may be asked by, the cheapest first. @default http alone */
  tiers?: readonly Route['tier'][];
  /** The proxy it goes through: that of the page that asks. @default none */
  way?: (page: RobotsPage | undefined, tier: Route['tier']) => Promise<Pick<RoutedRequest, 'proxyUrl' | 'route' | 'from'>>;
}

/** Fetches each origin's robots.txt once, and gives the rules for a URL, asked for on behalf of a page. */
export function createRobots(options: RobotsOptions) {
  return keepRobots(createReader(options));
}

/** @returns A function that fetches the robots.txt of an origin; '' if there is none: it is not there, it is refused, its
 *  redirects lead nowhere, or no tier's client understands it (RFC 9309, 2.3.1.2 and 2.3.1.3).
 *  It throws a VerdictError, `transient` or `throttled`, where it may be had later: what may not be fetched is not known then
 *  (2.3.1.4). */
function createReader({ client, headers, tiers = ['http'], way = async () => ({}) }: RobotsOptions) {
  /** How often in a row an origin's has broken off. */
  const breaks = new Map<string, number>();

  const takeBroken = (url: string, text: string, error: unknown): string => {
    const times = (breaks.get(url) ?? 0) + 1;
    if (breaks.size >= MAX_BROKEN) breaks.clear();
    breaks.set(url, times);
    if (times < BREAKS) throw notRead(url, messageOf(error));
    return text;
  };

  /** Null: another client may do better. */
  const ask = async (url: string, page: RobotsPage | undefined, tier: Route['tier']): Promise<string | null> => {
    const request: RoutedRequest = { url, headers: headers(url), beginningOnly: true, ...(await way(page, tier)) };
    const answer = await client.stream(request).catch((error: unknown) => afterFault(url, error));
    if (answer === null || answer === '') return answer;
    const { statusCode: status, headers: answered, stream } = answer;
    if (status >= 400) {
      const said = await readBeginning(stream, answered, MAX_JUDGED_BYTES);
      const { verdict } = judgeResponse({ status, headers: answered, url: answer.url }, said, null);
      if (verdict === 'blocked') return null;
      if (status < 500 && verdict !== 'throttled') return '';
      const retryAfter = answered['retry-after']?.toString();
      throw notRead(url, `HTTP ${status}`, verdict === 'throttled' ? verdict : 'transient', { status, retryAfter });
    }
    const { text, error } = await readLines(stream);
    if (error !== null) return faultOf(error) === 'bad-answer' ? null : takeBroken(url, text, error);
    breaks.delete(url);
    const isPage = /^\s*</.test(text);
    return isPage && judgeResponse({ status, headers: answered, url: answer.url }, text, null).verdict === 'blocked'
      ? null
      : text;
  };

  return async (origin: string, page: RobotsPage | undefined): Promise<string> => {
    const url = robotsUrlOf(origin);
    for (const tier of tiers) {
      const text = await ask(url, page, tier);
      if (text !== null) return text;
    }
    return '';
  };
}

/** What no answer at all means: null, if another client may do better; '', if there is none. */
function afterFault(url: string, error: unknown): null | '' {
  // The proxy's fault, not the host's; and what must not be asked need not be asked for its rules either.
  if (verdictOfError(error) === 'proxy' || verdictOfError(error) === 'skipped') throw error;
  const fault = faultOf(error);
  if (fault !== null && OF_REDIRECTS.has(fault)) return '';
  // A tier that cannot be used here says `early`.
  if (fault === 'bad-answer' || verdictOfError(error) === 'early') return null;
  const unread = `${url} cannot be read: ${messageOf(error)}`;
  // Of a host that is not there, or does not answer, its pages would not come either.
  throw fault !== null && OF_THE_HOST.has(fault) ? new VerdictError('transient', unread) : notRead(url, messageOf(error));
}

const OF_THE_HOST: ReadonlySet<TransportFault> = new Set(['dns', 'refused', 'connect-timeout', 'tls']);

const OF_REDIRECTS: ReadonlySet<TransportFault> = new Set(['redirect-loop', 'too-many-redirects', 'bad-redirect']);

function faultOf(error: unknown): TransportFault | null {
  return error instanceof TransportError ? error.fault : null;
}

function notRead(
  url: string,
  why: string,
  verdict: 'transient' | 'throttled' = 'transient',
  response?: ConstructorParameters<typeof VerdictError>[2],
): VerdictError {
  return new VerdictError(verdict, `${url} cannot be read: ${why} (--ignore-robots goes without)`, response);
}

/** As many lines as count, a character a byte, and what broke them off. A rule that is cut would be another one. */
async function readLines(stream: Readable): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const chunk of stream) {
      text += (chunk as Buffer).toString('latin1');
      if (text.length > MAX_BYTES) return { text: wholeLines(text.slice(0, MAX_BYTES)), error: null };
    }
    return { text, error: null };
  } catch (error) {
    return { text: wholeLines(text), error };
  }
}

function wholeLines(text: string): string {
  return text.slice(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1);
}

/** As `createRobots`, over a robots.txt that comes from elsewhere.
 *  @param read Its text; what it throws is thrown, and the next page asks again.
 *  @returns A function that resolves to the rules for a URL. */
export function keepRobots(read: (origin: string, page: RobotsPage | undefined) => Promise<string>) {
  const byOrigin = new Map<string, { rules: Promise<RobotsRules>; chars: number }>();
  let kept = 0;

  const keep = (origin: string, page: RobotsPage | undefined) => {
    const rules = read(origin, page).then((text) => {
      if (byOrigin.get(origin) === entry) {
        entry.chars = ORIGIN_CHARS + text.length;
        kept += entry.chars;
        makeRoom();
      }
      return readRobots(text, ROBOTS_TOKEN);
    });
    const entry = { rules, chars: 0 };
    // A failure is not kept: the page comes again, and so does the question.
    rules.catch(() => byOrigin.delete(origin));
    return entry;
  };
  /** Forgets what was not asked for the longest. */
  const makeRoom = () => {
    for (const [origin, { chars }] of byOrigin) {
      if (kept <= KEPT_CHARS) return;
      byOrigin.delete(origin);
      kept -= chars;
    }
  };

  return async (pageUrl: string, page?: RobotsPage): Promise<RobotsRules> => {
    const { origin } = new URL(pageUrl);
    const entry = byOrigin.get(origin) ?? keep(origin, page);
    // Now it is the last in line to be forgotten.
    byOrigin.delete(origin);
    byOrigin.set(origin, entry);
    return entry.rules;
  };
}

function robotsUrlOf(origin: string): string {
  return `${origin}/robots.txt`;
}
