// What a run store is opened with, whichever it is.
import type { RequestQueue } from '@crawlee/core';

import { SurefootError } from '../core/errors.ts';
import type { PaceLimits } from '../core/pace.ts';

export interface RunStoreOptions {
  /** How fast hosts may be called. @default as fast as they answer */
  limits?: PaceLimits;
  /** In [0, 1). @default Math.random */
  random?: () => number;
  /** The run's clock, epoch milliseconds; a shared store goes by its server's. @default Date.now */
  now?: () => number;
  /** Opens Crawlee's own queue, where that holds the requests. */
  openQueue?: () => Promise<RequestQueue>;
}

/** What a store over Crawlee's own queue is opened with: the defaults filled in.
 *  @param place Which store, for the message. @throws {SurefootError} kind `storage`: outside of a crawl there is no queue. */
export function overQueue(
  { limits = { hostConcurrency: Infinity, delayMillis: 0 }, random = Math.random, now = Date.now, openQueue }: RunStoreOptions,
  place: string,
) {
  if (!openQueue) throw new SurefootError('storage', `A run of ${place} is opened inside a crawl alone.`);
  return { limits, random, now, openQueue };
}

/** The failure of a store that tells of each write by itself. */
export const NEVER_FAILS = new Promise<never>(() => {});
