// The port between the frontier and a store: what is committed with a page, and what only a transactional store can do.
import type { Request } from 'crawlee';
import type { StorageClient } from '@crawlee/types';

import type { Tier } from './page.ts';

/** The dataset that holds records (Crawlee's default one), and the two beside it. */
export const DATASETS = { items: 'default', rejected: 'rejected', failed: 'failed' } as const;

/** One row waiting for its page to be committed. */
export interface StagedRow {
  /** Dataset id or name. */
  readonly dataset: string;
  /** The row, serialised: what is staged can no longer change. */
  readonly json: string;
}

/** How a page ended. `missing` (404, 410) and `skipped` are no failures. */
export type PageEnd = 'succeeded' | 'failed' | 'missing' | 'skipped';

/** What one finished page adds to the run's figures. */
export interface PageTally {
  readonly end: PageEnd;
  readonly tier: Tier;
  readonly host: string;
  /** Bytes of the decoded body; 0 when none arrived. */
  readonly bytes: number;
  /** From hand-out to commit. */
  readonly millis: number;
  /** Rows that failed the site's schema. */
  readonly rejected: number;
}

/** Sums of tallies for one (tier, host, end). */
export interface TallySum extends Omit<PageTally, 'millis'> {
  readonly pages: number;
  readonly millis: number;
}

/** A queue's counts. Always true: they change in the same transaction as the requests. */
export interface QueueCounts {
  readonly total: number;
  readonly handled: number;
}

/** A storage client that commits a page in one transaction. SQLite has it; over any other client the frontier falls
 *  back to "push the rows, then mark the request handled" (frontier/checkpoint.ts). */
export interface AtomicStorage extends StorageClient {
  /** Rows, done mark and figures in one transaction. Rows are keyed by (request, index): a repeat replaces, never adds. */
  commit(queueId: string, request: Request, page: { rows: readonly StagedRow[]; tally: PageTally }): Promise<void>;
  /** Back to the queue in its old place, not to be handed out before `notBefore` (epoch milliseconds). */
  reclaim(queueId: string, request: Request, notBefore: number): Promise<void>;
  /** Counts a hand-out that has no outcome yet; `commit`, `reclaim` and `releaseAll` forget it. One that is still there
   *  when the store is opened again was in flight when a process died. */
  handOut(queueId: string, requestId: string): void;
  /** Requests that were in flight at two or more deaths of the process, with the number of deaths. They wait behind all
   *  others. */
  suspects(queueId: string): ReadonlyMap<string, number>;
  /** Gives every request that this process holds back to the queue, untouched: an orderly exit is no crash. Synchronous,
   *  so that it also works in the last moments of a process. */
  releaseAll(): void;
  /** When the next waiting request falls due (epoch milliseconds), or null if none waits. */
  nextDue(queueId: string): number | null;
  counts(queueId: string): QueueCounts;
  tallies(queueId: string): TallySum[];
}

/** Whether a storage client can commit a page in one transaction. */
export function isAtomic(client: StorageClient): client is AtomicStorage {
  return 'commit' in client && 'handOut' in client;
}
