// Where a frontier keeps its place: one interface over a store that commits a page in one transaction and over any other.
import type { Request, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { AtomicStorage, PageTally, QueueCounts, StagedRow, TallySum } from '../core/checkpoint.ts';

/** A queue with the rows and figures that belong to it. */
export interface Checkpoint {
  /** The next request that is due, locked; null if none is. */
  claim(): Promise<Request | null>;
  /** How often the process died while this request was in flight; 0 where the store does not count. */
  deathsOf(requestId: string): number;
  handOut(requestId: string): void;
  commit(request: Request, rows: readonly StagedRow[], tally: PageTally): Promise<void>;
  reclaim(request: Request, notBefore: number): Promise<void>;
  /** When the next waiting request falls due (epoch milliseconds), or null. */
  nextDue(): number | null;
  isFinished(): Promise<boolean>;
  counts(): QueueCounts;
  tallies(): TallySum[];
}

/** Over a store of ours: rows, done mark and figures in one transaction; due times and hand-outs on disk. */
export function atomicCheckpoint(storage: AtomicStorage, queue: RequestQueue): Checkpoint {
  const suspects = storage.suspects(queue.id);
  return {
    claim: () => queue.fetchNextRequest(),
    deathsOf: (requestId) => suspects.get(requestId) ?? 0,
    handOut: (requestId) => storage.handOut(queue.id, requestId),
    commit: (request, rows, tally) => storage.commit(queue.id, request, { rows, tally }),
    reclaim: (request, notBefore) => storage.reclaim(queue.id, request, notBefore),
    nextDue: () => storage.nextDue(queue.id),
    async isFinished() {
      const { total, handled } = storage.counts(queue.id);
      return handled === total;
    },
    counts: () => storage.counts(queue.id),
    tallies: () => storage.tallies(queue.id),
  };
}

/** Over any other store: rows are pushed, then the request is marked handled. A kill between the two repeats rows, and
 *  due times and figures are this process's own. */
export function plainCheckpoint(client: StorageClient, queue: RequestQueue): Checkpoint {
  const waiting = new Map<string, { request: Request; notBefore: number }>();
  const sums = new Map<string, TallySum>();

  const takeDue = (now: number) => {
    for (const [id, { request, notBefore }] of waiting) {
      if (notBefore > now) continue;
      waiting.delete(id);
      return request;
    }
    return null;
  };

  return {
    async claim() {
      const due = takeDue(Date.now());
      if (due) return due;
      for (;;) {
        const request = await queue.fetchNextRequest();
        // A waiting request comes back when its lock runs out; it is still in the map and not due.
        if (!request || !waiting.has(request.id as string)) return request;
      }
    },
    deathsOf: () => 0,
    handOut: () => {},
    async commit(request, rows, tally) {
      for (const { dataset, json } of rows) {
        const { id } = await client.datasets().getOrCreate(dataset);
        await client.dataset(id).pushItems(json);
      }
      await queue.markRequestHandled(request);
      addTally(sums, tally);
    },
    async reclaim(request, notBefore) {
      waiting.set(request.id as string, { request, notBefore });
    },
    nextDue: () => (waiting.size === 0 ? null : Math.min(...[...waiting.values()].map(({ notBefore }) => notBefore))),
    isFinished: async () => waiting.size === 0 && (await queue.isFinished()),
    counts() {
      const total = queue.getTotalCount();
      return { total, handled: total - queue.getPendingCount() };
    },
    tallies: () => [...sums.values()],
  };
}

function addTally(sums: Map<string, TallySum>, { tier, host, end, bytes, millis, rejected }: PageTally): void {
  const key = `${tier} ${host} ${end}`;
  const sum = sums.get(key) ?? { tier, host, end, pages: 0, bytes: 0, millis: 0, rejected: 0 };
  sums.set(key, {
    ...sum,
    pages: sum.pages + 1,
    bytes: sum.bytes + bytes,
    millis: sum.millis + millis,
    rejected: sum.rejected + rejected,
  });
}
