// What a run store is opened with, whichever it is.
import type { RequestQueue } from '@crawlee/core';

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

/** The failure of a store that tells of each write by itself. */
export const NEVER_FAILS = new Promise<never>(() => {});
