// When to try again: two schedules on purpose, because a server that breaks and one that throttles want different things.
import type { Verdict } from './verdict.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Waits of 1, 2 and 4 s, plus up to a quarter of that; three retries. */
const TRANSIENT = { firstMillis: SECOND, retries: 3, jitter: 0.25 };
/** Of a handler with a bug: twice more, for the page may have come in half. */
const BUG_RETRIES = 2;
/** What Retry-After says, else 30 s doubling up to 8 minutes; six tries. */
const THROTTLED = { firstMillis: 30 * SECOND, retries: 5, jitter: 0 };
/** A server may ask for half an hour at most, if nothing else is set. */
const MAX_RETRY_AFTER_MILLIS = 30 * MINUTE;

/** Tries that a throttled request has in one pass. */
export const THROTTLED_TRIES = THROTTLED.retries + 1;

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/;

/** How long to wait before the next attempt, in milliseconds; null: give the request up.
 *  @param failures Attempts that failed so far, this one included; from 1.
 *  @param options.retryAfter The header as it was sent, for `throttled`.
 *  @param options.maxRetryAfterMillis What Retry-After may ask for at most. @default half an hour
 *  @param options.isBug Whether the handler's own code is at fault, and has never yet worked for a page of this label.
 *  @param options.now Epoch milliseconds. @param options.random In [0, 1). */
export function backoff(
  verdict: Exclude<Verdict, 'ok'>,
  failures: number,
  options: { retryAfter?: string | undefined; maxRetryAfterMillis?: number; isBug?: boolean; now: number; random: number },
): number | null {
  if (verdict !== 'transient' && verdict !== 'throttled' && verdict !== 'blocked') return null;
  const { firstMillis, retries, jitter } = verdict === 'throttled' ? THROTTLED : TRANSIENT;
  if (failures > (options.isBug ? BUG_RETRIES : retries)) return null;
  const asked = verdict === 'throttled' ? parseRetryAfter(options.retryAfter, options.now) : null;
  if (asked !== null) return Math.min(asked, options.maxRetryAfterMillis ?? MAX_RETRY_AFTER_MILLIS);
  return Math.round(firstMillis * 2 ** (failures - 1) * (1 + jitter * options.random));
}

/** Retry-After is a number of seconds or an HTTP date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). A date
 *  in the past means now; nonsense means nothing.
 *  @returns Milliseconds from now, or null. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const value = header?.trim();
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value) * SECOND;
  // Date.parse alone would read "5.5", "-1" or "wait 5" as a date, and the oldest of the three forms, which does not say
  // GMT, in the local time zone.
  const date = HTTP_DATE.test(value) ? Date.parse(value.endsWith('GMT') ? value : `${value} GMT`) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
