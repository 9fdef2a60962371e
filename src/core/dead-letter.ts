// The record of a request that is given up: what it was, and what each attempt met.
import type { Request } from 'crawlee';

import type { Tier } from './page.ts';
import type { Verdict } from './verdict.ts';

/** One attempt that failed. */
export interface Attempt {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly tier: Tier;
  readonly verdict: Verdict | 'crash';
  readonly error: string;
}

/** A row of the `failed` dataset. */
export interface DeadLetter {
  readonly url: string;
  readonly label: string | null;
  /** The last attempt's verdict and error. */
  readonly verdict: Attempt['verdict'];
  readonly error: string;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly attempts: readonly Attempt[];
}

/** Writes an attempt where Crawlee keeps the messages of a request's errors: it is saved with the request and
 *  survives a restart. Replaces the message with a stack that Crawlee has just pushed. */
export function recordAttempt(request: Request, attempt: Attempt): void {
  request.errorMessages.pop();
  request.errorMessages.push(JSON.stringify(attempt));
}

/** @param last The attempt that ended it, if `recordAttempt` has not seen it. */
export function toDeadLetter(request: Request, last?: Attempt): DeadLetter {
  const attempts = request.errorMessages.map((message) => JSON.parse(message) as Attempt);
  if (last) attempts.push(last);
  const final = attempts.at(-1) as Attempt;
  return {
    url: request.url,
    label: request.label ?? null,
    verdict: final.verdict,
    error: final.error,
    firstAt: attempts[0]?.at ?? final.at,
    lastAt: final.at,
    attempts,
  };
}
