// Acts on a failed attempt: round again at a due time, or given up. The only place that does.
import type { Request } from '@crawlee/core';

import { backoff } from '../core/backoff.ts';
import { recordAttempt, toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { messageOf } from '../core/errors.ts';
import { VerdictError, verdictOfError } from '../core/verdict.ts';

/** What an outcome does to the frontier. */
export interface Recourse {
  defer(request: Request, notBefore: number): void;
  giveUp(request: Request, end: 'failed' | 'missing', deadLetter?: DeadLetter): void;
}

export interface OutcomeOptions {
  recourse: Recourse;
  /** Told of every request that is given up. */
  onDeadLetter?: (letter: DeadLetter) => void;
  now?: () => number;
  random?: () => number;
}

/** The crawler's `errorHandler`: records the attempt with the request and decides what becomes of it. Crawlee then puts it
 *  back or marks it handled, as `request.noRetry` says. */
export function createErrorHandler({ recourse, onDeadLetter, now = Date.now, random = Math.random }: OutcomeOptions) {
  return (request: Request, error: unknown): void => {
    const verdict = verdictOfError(error);
    if (verdict === 'missing') {
      request.noRetry = true;
      recourse.giveUp(request, 'missing');
      return;
    }
    const at = now();
    recordAttempt(request, { at: new Date(at).toISOString(), tier: 'http', verdict, error: describe(error) });
    const retryAfter = error instanceof VerdictError ? error.retryAfter : undefined;
    const wait = backoff(verdict, request.errorMessages.length, { retryAfter, now: at, random: random() });
    if (wait === null) {
      const letter = toDeadLetter(request);
      request.noRetry = true;
      recourse.giveUp(request, 'failed', letter);
      onDeadLetter?.(letter);
      return;
    }
    // Crawlee sets it for a content type it does not know; here the verdict alone decides.
    request.noRetry = false;
    recourse.defer(request, at + wait);
  };
}

/** The message, and for an error from a handler the line in src/routes/ that threw it. */
function describe(error: unknown): string {
  const where = error instanceof Error ? /[\\/](src[\\/]routes[\\/][^\s)]+)/.exec(error.stack ?? '')?.[1] : undefined;
  const message = messageOf(error).replaceAll(/\s+/g, ' ').trim();
  return where === undefined ? message : `${message} (${where})`;
}
