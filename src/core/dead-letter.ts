// The record of a request that is given up: what it was, and what each attempt met.
import type { Request } from 'crawlee';

import type { ClimbReason } from './ladder.ts';
import type { Tier } from './page.ts';
import type { SkipRule, Verdict } from './verdict.ts';

/** The verdicts that a dead letter can have; `crash`: its page killed the process. */
export const FAILING_VERDICTS = ['throttled', 'blocked', 'transient', 'needs-browser', 'fatal', 'crash'] as const;

/** One attempt that failed. */
export interface Attempt {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly tier: Tier;
  readonly verdict: Verdict | 'crash';
  /** HTTP status, if an answer came. */
  readonly status: number | null;
  readonly error: string;
  /** The tier of the next try, if that is another one. */
  readonly next?: Tier;
  /** It was the last of the first pass: the next failure ends the request. */
  readonly endOfPass?: true;
  /** Why the page was skipped. */
  readonly rule?: SkipRule;
}

/** A row of the `failed` dataset. */
export interface DeadLetter {
  readonly url: string;
  /** The request's id in its queue; `retry-failed` finds it by that. */
  readonly requestId: string;
  readonly label: string | null;
  /** The last attempt's verdict and error. */
  readonly verdict: Attempt['verdict'];
  readonly status: number | null;
  readonly error: string;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly attempts: readonly Attempt[];
  /** The decoded body's size, and how long the last attempt took from hand-out to commit: what its tally has of it. */
  readonly bytes?: number;
  readonly millis?: number;
}

/** A request that has used up its first pass, and why. */
export interface PutOff extends Pick<DeadLetter, 'url' | 'label' | 'error'> {}

/** Writes an attempt where Crawlee keeps the messages of a request's errors: it is saved with the request and
 *  survives a restart. Replaces the message with a stack that Crawlee has just pushed. */
export function recordAttempt(request: Request, attempt: Attempt): void {
  request.errorMessages.pop();
  request.errorMessages.push(JSON.stringify(attempt));
}

/** The attempts among a request's messages: a handler may have left messages of its own there. */
export function attemptsOf({ errorMessages }: Pick<Request, 'errorMessages'>): Attempt[] {
  return errorMessages.flatMap((message) => {
    try {
      const attempt = JSON.parse(message) as Partial<Attempt> | null;
      return attempt?.at && attempt.verdict ? [attempt as Attempt] : [];
    } catch {
      return [];
    }
  });
}

/** The steps up the ladder among a request's attempts. What is `fatal` climbs for a bad answer alone. */
export function climbsOf(request: Pick<Request, 'errorMessages'>): { from: Tier; to: Tier; why: ClimbReason }[] {
  return attemptsOf(request).flatMap(({ tier, next, verdict }) =>
    next === undefined ? [] : [{ from: tier, to: next, why: verdict === 'fatal' ? 'bad-answer' : (verdict as ClimbReason) }],
  );
}

/** @param last The attempt that ended it, if `recordAttempt` has not seen it. */
export function toDeadLetter(request: Pick<Request, 'id' | 'url' | 'label' | 'errorMessages'>, last?: Attempt): DeadLetter {
  const attempts = attemptsOf(request);
  if (last) attempts.push(last);
  const final = attempts.at(-1) as Attempt;
  return {
    url: request.url,
    requestId: request.id as string,
    label: request.label ?? null,
    verdict: final.verdict,
    status: final.status,
    error: final.error,
    firstAt: attempts[0]?.at ?? final.at,
    lastAt: final.at,
    attempts,
  };
}
