// The record of a request that is given up: what it was, and what each attempt met.
import type { Request } from 'crawlee';

import { attemptsOf, type Attempt } from './attempts.ts';

/** The verdicts that a dead letter can have; `crash`: its page killed the process. */
export const FAILING_VERDICTS = ['throttled', 'blocked', 'transient', 'needs-browser', 'fatal', 'crash'] as const;

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
