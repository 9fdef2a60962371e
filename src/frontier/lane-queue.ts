// Opens the request queue of a lane, with its caches bounded.
import type { Configuration, RequestQueue } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';

/** Requests that Crawlee's queue keeps in memory. Its own limit is 2,000,000 with all their data: memory would grow with the
 *  crawl. A miss costs one read of an index. Its table of seen ids is bounded in crawlee.ts. */
const CACHE_SIZE = 2_000;

/** The part of RequestQueue (3.18.1) that grows. It is protected, and no option bounds it. */
interface Caches {
  requestCache: { maxLength: number };
}

/** @param name The lane's queue; Crawlee's default one if left out. The same object is what a handler gets from
 *  `RequestQueue.open()`. */
export async function openLaneQueue(config: Configuration, name?: string): Promise<RequestQueue> {
  const queue = await crawlee.RequestQueue.open(name ?? null, { config });
  (queue as unknown as Caches).requestCache.maxLength = CACHE_SIZE;
  return queue;
}
