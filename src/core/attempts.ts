// The attempts at a request that failed: written with it and read back from it. The only place that knows how.
import type { Request } from 'crawlee';

import type { ClimbReason } from './ladder.ts';
import type { Tier } from './page.ts';
import type { SkipRule, Verdict } from './verdict.ts';

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
