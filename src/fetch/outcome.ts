// Acts on a failed attempt: up the ladder, round again at a due time, into the second pass, or given up. The only place
// that does.
import type { Request } from '@crawlee/core';

import { backoff, THROTTLED_TRIES } from '../core/backoff.ts';
import { attemptsOf, recordAttempt, type Attempt } from '../core/attempts.ts';
import { toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { isSiteBug, messageOf, placeInSite } from '../core/errors.ts';
import type { Cause } from '../core/ladder.ts';
import { SERVICES, type Tier } from '../core/page.ts';
import { TransportError } from '../core/transport.ts';
import { VerdictError, verdictOfError, type SkipRule, type Verdict } from '../core/verdict.ts';

/** What an outcome does to the frontier. */
export interface Recourse {
  /** @param notBefore Epoch milliseconds; Infinity: when all else is done. */
  defer(request: Request, notBefore: number): void;
  /** Rests the request's whole host. */
  pause(request: Request, until: number): void;
  giveUp(request: Request, end: 'failed' | 'missing' | 'skipped', deadLetter?: DeadLetter): void;
  /** `labelWorks`: whether any page of the label had succeeded when this one was handed out. */
  flightOf(request: Request): { readonly tier: Tier; readonly labelWorks: boolean };
}

/** What an outcome asks of the rest of the crawl. */
export interface Ways {
  /** The tier after a failed try; null: no higher one would help. */
  climb(from: Tier, cause: Cause): Tier | null;
  /** Whether rendering has shown nothing more of a host's pages of a label. @default false */
  rendersInVain?(host: string, label: string): boolean;
  /** Told that the way out is closed: the proxy refuses, or cannot be reached. */
  onProxyFault(fault: TransportError | null): void;
  /** Told that the service of a tier refuses its credentials: it cannot be used any more.
   *  @returns Whether it was the last tier: the crawl stops for it, to be resumed. */
  onTierGone(tier: Tier, why: string): boolean;
  /** Why a tier that would help is not there, to be told with a page that needed it; '' if that is not so. */
  whyNoTier(cause: Cause): string;
}

export interface OutcomeOptions {
  recourse: Recourse;
  /** @default a ladder of one tier, and proxies that never fail */
  ways?: Ways | undefined;
  /** What a server's Retry-After may ask for at most. */
  maxRetryAfterMillis: number;
  /** Whether requests that used up their tries go round once more when all else is done. */
  secondPass: boolean;
  /** Takes secrets out of what is stored of an error. */
  redact: (text: string) => string;
  /** Told of every request that is given up. */
  onDeadLetter: (letter: DeadLetter) => void;
  now?: () => number;
  random?: () => number;
}

const NO_WAYS: Ways = { climb: () => null, onProxyFault: () => {}, onTierGone: () => false, whyNoTier: () => '' };
/** An attempt that met a proxy's fault comes again soon, unless the run has stopped for it by then. */
const PROXY_REST_MILLIS = 2_000;

/** The crawler's `errorHandler`: records the attempt with the request and decides what becomes of it. Crawlee then puts it
 *  back or marks it handled, as `request.noRetry` says.
 *  @returns The verdict, for the session. */
export function createErrorHandler(options: OutcomeOptions): (request: Request, error: unknown) => Exclude<Verdict, 'ok'> {
  const { recourse, ways = NO_WAYS, maxRetryAfterMillis, secondPass, redact, onDeadLetter } = options;
  const { now = Date.now, random = Math.random } = options;
  return (request, error) => {
    const { tier, labelWorks } = recourse.flightOf(request);
    const fault = error instanceof TransportError ? error : null;
    const said = verdictOfError(error);
    // The services of these tiers are proxies of their own: one that refuses is as good as a tier that is not there.
    const isService = SERVICES.includes(tier);
    const isGone = isService && said === 'proxy' && fault?.fault !== 'proxy-unreachable';
    const verdict = said === 'proxy' && isService ? (isGone ? 'blocked' : 'transient') : said;
    // Crawlee sets it for a content type it does not know; here the verdict alone decides.
    request.noRetry = false;
    const at = now();
    const { retryAfter, status = null, rule = ruleOfFault(fault) } = error instanceof VerdictError ? error : {};
    if (verdict === 'missing' || verdict === 'skipped') {
      request.noRetry = true;
      const skipped = { at: new Date(at).toISOString(), tier, verdict, status, error: redact(describe(error)) } as const;
      recordAttempt(request, { ...skipped, ...(rule && { rule }) });
      recourse.giveUp(request, verdict);
      return verdict;
    }
    const isLast = isGone && ways.onTierGone(tier, fault?.message ?? `The service of the tier ${tier} refuses.`);
    if (verdict === 'early' || verdict === 'proxy' || isLast) {
      request.errorMessages.pop(); // The page itself was not tried.
      if (verdict === 'proxy') ways.onProxyFault(fault);
      recourse.defer(request, verdict === 'early' ? at : at + PROXY_REST_MILLIS);
      return verdict;
    }
    const before = pushedByCrawlee(request);
    const isSecondPass = before.some(({ endOfPass }) => endOfPass);
    const cause = fault?.fault === 'bad-answer' ? fault.fault : verdict;
    const next = isSecondPass ? null : ways.climb(tier, cause);
    // Each tier has its own tries.
    const tries = before.length - before.findLastIndex((attempt) => attempt.next !== undefined);
    const isBug = !labelWorks && isSiteBug(error);
    const wait = (failures: number) =>
      backoff(verdict, failures, { retryAfter, maxRetryAfterMillis, isBug, now: at, random: random() });

    const again = next !== null ? 0 : isSecondPass || isGone ? null : wait(tries);
    if (verdict === 'throttled') recourse.pause(request, at + (again ?? wait(Math.min(tries, THROTTLED_TRIES - 1)) ?? 0));
    const mayGoRound = secondPass && !isSecondPass && !isGone && !isBug && again === null && mayPass(verdict);
    const why = again === null && !mayGoRound ? ways.whyNoTier(cause) : '';
    const text = redact([describe(error), why].filter(Boolean).join(' '));
    const attempt: Attempt = { at: new Date(at).toISOString(), tier, verdict, status, error: text };
    recordAttempt(request, {
      ...attempt,
      ...(next !== null && { next }),
      ...(mayGoRound && { endOfPass: true }),
    });

    if (again !== null) recourse.defer(request, at + again);
    else if (mayGoRound) recourse.defer(request, Infinity);
    else {
      const letter = toDeadLetter(request);
      request.noRetry = true;
      recourse.giveUp(request, 'failed', letter);
      onDeadLetter(letter);
    }
    return verdict;
  };
}

function ruleOfFault(error: TransportError | null): SkipRule | undefined {
  return error?.fault === 'private-address' ? 'private-net' : undefined;
}

/** What time may mend. */
function mayPass(verdict: Verdict): boolean {
  return verdict === 'transient' || verdict === 'throttled' || verdict === 'blocked';
}

/** The attempts before this one: Crawlee has pushed this one's error already, with its stack. */
function pushedByCrawlee({ errorMessages }: Request) {
  return attemptsOf({ errorMessages: errorMessages.slice(0, -1) });
}

/** The message, and for an error from a handler the line in src/routes/ that threw it. */
function describe(error: unknown): string {
  const where = placeInSite(error);
  const message = messageOf(error).replaceAll(/\s+/g, ' ').trim();
  return where === null ? message : `${message} (${where})`;
}
