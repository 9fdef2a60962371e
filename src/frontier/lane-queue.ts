// Opens the request queue of a lane, with its caches bounded.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Configuration, RequestQueue } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';

/** Entries that Crawlee's queue keeps in memory. Its own limit is 2,000,000 requests with all their data, and a table of
 *  a million seen ids: memory would grow with the crawl. A miss costs one read of an index. */
const CACHE_SIZE = 2_000;

/** The part of RequestQueue (3.18.1) that grows. It is protected, and no option bounds it. */
interface Caches {
  requestCache: { maxLength: number };
}

/** Its table of seen ids has all of its places before anything is in it, 16 MB and 0.07 s for each queue, and Crawlee makes it
 *  in the queue's constructor; so the class is another one, for all queues of this process. */
const require = createRequire(import.meta.url);
const tables = require(join(dirname(require.resolve('@crawlee/core')), 'storages/request_dedup_cache.js')) as {
  RequestDeduplicationCache: new (size: number) => object;
};
tables.RequestDeduplicationCache = class extends tables.RequestDeduplicationCache {
  constructor() {
    super(CACHE_SIZE);
  }
};

/** @param name The lane's queue; Crawlee's default one if left out. The same object is what a handler gets from
 *  `RequestQueue.open()`. */
export async function openLaneQueue(config: Configuration, name?: string): Promise<RequestQueue> {
  const queue = await crawlee.RequestQueue.open(name ?? null, { config });
  (queue as unknown as Caches).requestCache.maxLength = CACHE_SIZE;
  return queue;
}
