// Opens the request queue of a lane, with its caches bounded.
import type { Configuration, RequestQueue } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';

/** Entries that Crawlee's queue keeps in memory. Its own limit is 2,000,000 requests with all their data, and a table of
 *  a million seen ids: memory would grow with the crawl. A miss costs one read of an index. */
const CACHE_SIZE = 2_000;

/** The parts of RequestQueue (3.18.1) that grow. They are protected, and no option bounds them. */
interface Caches {
  requestCache: { maxLength: number };
  requestSeenCache: { size: number; clear(): void };
}

/** @param name The lane's queue; Crawlee's default one if left out. The same object is what a handler gets from
 *  `RequestQueue.open()`. */
export async function openLaneQueue(config: Configuration, name?: string): Promise<RequestQueue> {
  const queue = await crawlee.RequestQueue.open(name ?? null, { config });
  const { requestCache, requestSeenCache } = queue as unknown as Caches;
  requestCache.maxLength = CACHE_SIZE;
  requestSeenCache.size = CACHE_SIZE;
  requestSeenCache.clear();
  return queue;
}
