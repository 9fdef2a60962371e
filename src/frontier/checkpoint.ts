// Where a frontier keeps its place: one interface over a store that does it in transactions (here) and over any other
// (plain-checkpoint.ts).
import type { Request, RequestQueue } from '@crawlee/core';
import type { ProcessedRequest, RequestSchema } from '@crawlee/types';

import type { Lane } from '../core/lane.ts';
import type {
  AtomicStorage,
  Claimed,
  ClaimOptions,
  PageTally,
  QueueCounts,
  Rest,
  StagedRow,
  TallySum,
  Written,
} from '../core/checkpoint.ts';
import type { StoredRequest } from '../core/worker-messages.ts';

/** A queue with the rows and figures that belong to it. See AtomicStorage for what each call promises. */
export interface Checkpoint {
  /** Claims that are made at the same time know of each other: each finds the hosts as the one before has left them. */
  readonly claimsTogether: boolean;
  claim(options: Omit<ClaimOptions, 'lockMillis' | 'owner'>): Promise<Claimed<Request | StoredRequest> | null>;
  /** Adds requests as they are to be stored; one that is known is left as it is. On disk when it resolves. */
  add(requests: RequestSchema[], forefront: boolean): Promise<ProcessedRequest[]>;
  handOut(requestId: string): Promise<void>;
  commit(request: Written, rows: readonly StagedRow[], tally: PageTally): Promise<void>;
  reclaim(request: Written, notBefore: number, lane?: Lane): Promise<void>;
  recover(requestIds: readonly string[]): Promise<void>;
  hasWork(lane: Lane): boolean;
  rest(host: string, rest: Rest): Promise<void>;
  nextWake(): number | null;
  startSecondPass(notBefore: number): number;
  isFinished(): Promise<boolean>;
  counts(): QueueCounts;
  tallies(): TallySum[];
  counters(): Record<string, number>;
}

/** Over a store of ours: rows, done mark and figures in one transaction; due times, rests and hand-outs on disk. */
export function atomicCheckpoint(storage: AtomicStorage, queue: RequestQueue): Checkpoint {
  return {
    claimsTogether: true,
    async claim(options) {
      const { clientKey: owner, requestLockSecs } = queue;
      return storage.claim(queue.id, { ...options, lockMillis: requestLockSecs * 1_000, owner });
    },
    add: async (requests, forefront) =>
      (await storage.requestQueue(queue.id).batchAddRequests(requests, { forefront })).processedRequests,
    handOut: (requestId) => storage.handOut(queue.id, requestId),
    commit: (request, rows, tally) => storage.commit(queue.id, request, { rows, tally }),
    reclaim: (request, notBefore, lane) => storage.reclaim(queue.id, request, notBefore, lane),
    recover: (requestIds) => storage.recover(queue.id, requestIds),
    hasWork: (lane) => storage.hasWork(queue.id, lane),
    rest: (host, rest) => storage.rest(queue.id, host, rest),
    nextWake: () => storage.nextWake(queue.id),
    startSecondPass: (notBefore) => storage.startSecondPass(queue.id, notBefore),
    async isFinished() {
      const { total, handled } = storage.counts(queue.id);
      return handled === total;
    },
    counts: () => storage.counts(queue.id),
    tallies: () => storage.tallies(queue.id),
    counters: () => storage.counters(queue.id),
  };
}
