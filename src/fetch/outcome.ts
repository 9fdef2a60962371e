// Acts on a failed attempt: round again at a due time, into the second pass, or given up. The only place that does.
import type { Request } from '@crawlee/core';

import { backoff, THROTTLED_TRIES } from '../core/backoff.ts';
import { attemptsOf, recordAttempt, toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { messageOf } from '../core/errors.ts';
import { VerdictError, verdictOfError, type Verdict } from '../core/verdict.ts';

/** What an outcome does to the frontier. */
export interface Recourse {
  /** @param notBefore Epoch milliseconds; Infinity: when all else is done. */
  defer(request: Request, notBefore: number): void;
  /** Rests the request's whole host. */
  pause(request: Request, until: number): void;
  giveUp(request: Request, end: 'failed' | 'missing' | 'skipped', deadLetter?: DeadLetter): void;
}

export interface OutcomeOptions {
  recourse: Recourse;
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

/** The crawler's `errorHandler`: records the attempt with the request and decides what becomes of it. Crawlee then puts it
 *  back or marks it handled, as `request.noRetry` says.
 *  @returns The verdict, for the session. */
export function createErrorHandler(options: OutcomeOptions): (request: Request, error: unknown) => Exclude<Verdict, 'ok'> {
  const { recourse, maxRetryAfterMillis, secondPass, redact, onDeadLetter, now = Date.now, random = Math.random } = options;
  return (request, error) => {
    const verdict = verdictOfError(error);
    // Crawlee sets it for a content type it does not know; here the verdict alone decides.
    request.noRetry = false;
    if (verdict === 'missing' || verdict === 'skipped') {
      request.noRetry = true;
      recourse.giveUp(request, verdict);
      return verdict;
    }
    const at = now();
    if (verdict === 'early') {
      request.errorMessages.pop(); // Nothing was tried.
      recourse.defer(request, at);
      return verdict;
    }
    const { retryAfter, status = null } = error instanceof VerdictError ? error : {};
    const before = pushedByCrawlee(request);
    const isSecondPass = before.some(({ endOfPass }) => endOfPass);
    const tries = before.length + 1;
    const wait = (failures: number) => backoff(verdict, failures, { retryAfter, maxRetryAfterMillis, now: at, random: random() });

    const again = isSecondPass ? null : wait(tries);
    if (verdict === 'throttled') recourse.pause(request, at + (again ?? wait(Math.min(tries, THROTTLED_TRIES - 1)) ?? 0));
    const mayGoRound = secondPass && !isSecondPass && again === null && mayPass(verdict);
    const attempt = { at: new Date(at).toISOString(), tier: 'http', verdict, status, error: redact(describe(error)) } as const;
    recordAttempt(request, mayGoRound ? { ...attempt, endOfPass: true } : attempt);

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
  const where = error instanceof Error ? /[\\/](src[\\/]routes[\\/][^\s)]+)/.exec(error.stack ?? '')?.[1] : undefined;
  const message = messageOf(error).replaceAll(/\s+/g, ' ').trim();
  return where === undefined ? message : `${message} (${where})`;
}
