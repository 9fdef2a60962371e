// Crawlee's queue with bounded caches: memory does not grow with the crawl, and nothing is lost by it.
import { Configuration, log, RequestQueue } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import { newFolder, openIn, tally } from '../storage/sqlite/fixture.ts';

interface Inside {
  requestCache: { length(): number };
  requestSeenCache: { keys: unknown[]; ids: unknown[] };
  recentlyHandledRequestsCache: { length(): number };
  queueHeadIds: { length(): number };
}

const sizesOf = (queue: RequestQueue) => {
  const { requestCache, requestSeenCache, recentlyHandledRequestsCache, queueHeadIds } = queue as unknown as Inside;
  return {
    requests: requestCache.length(),
    seen: requestSeenCache.keys.length,
    ids: requestSeenCache.ids.length,
    handled: recentlyHandledRequestsCache.length(),
    head: queueHeadIds.length(),
  };
};

const requests = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({ url: `https://a.example/${from + n}`, label: 'DETAIL' }));

describe('openLaneQueue', () => {
  it('leaves no queue with a table of a million places, also none that a handler opens', async () => {
    const config = new Configuration({ storageClient: openIn(newFolder()), purgeOnStart: false });
    expect(sizesOf(await RequestQueue.open('of-a-handler', { config }))).toMatchObject({ seen: 2_000, ids: 2_000 });
  });

  it('keeps at most 2,000 entries in every cache through 20,000 adds and 6,000 hand-outs, and hands each out once', async () => {
    log.setLevel(log.LEVELS.OFF);
    const storage = openIn(newFolder());
    const queue = await openLaneQueue(new Configuration({ storageClient: storage, purgeOnStart: false }));
    const seen = new Set<string>();
    for (let batch = 0; batch < 20; batch++) {
      await queue.addRequests(requests(1_000, batch * 1_000));
      for (const size of Object.values(sizesOf(queue))) expect(size).toBeLessThanOrEqual(2_000);
    }
    await queue.addRequests(requests(3_000));
    expect(storage.counts(queue.id)).toEqual({ total: 20_000, handled: 0 });
    for (let n = 0; n < 6_000; n++) {
      const request = await queue.fetchNextRequest();
      seen.add(request?.url ?? 'none');
      if (n % 10 === 0) await storage.commit(queue.id, request!, { rows: [], tally: tally() });
      if (n % 1_000 === 0) for (const size of Object.values(sizesOf(queue))) expect(size).toBeLessThanOrEqual(2_000);
    }
    expect([seen.size, seen.has('none')]).toEqual([6_000, false]);
    for (const size of Object.values(sizesOf(queue))) expect(size).toBeLessThanOrEqual(2_000);
  });

  it('is the queue that a handler gets from RequestQueue.open(), by its name or as the default', async () => {
    const config = new Configuration({ storageClient: openIn(newFolder()), purgeOnStart: false });
    expect(await RequestQueue.open(null, { config })).toBe(await openLaneQueue(config));
    expect(await RequestQueue.open('browser', { config })).toBe(await openLaneQueue(config, 'browser'));
    expect((await openLaneQueue(config, 'browser')).id).not.toBe((await openLaneQueue(config)).id);
  });

  it('opened again knows what it knew', async () => {
    const config = new Configuration({ storageClient: openIn(newFolder()), purgeOnStart: false });
    const queue = await openLaneQueue(config);
    await queue.addRequests(requests(3));
    const again = await openLaneQueue(config);
    expect(again).toBe(queue);
    const { processedRequests } = await again.addRequests(requests(4));
    expect(processedRequests.filter(({ wasAlreadyPresent }) => wasAlreadyPresent)).toHaveLength(3);
  });
});
