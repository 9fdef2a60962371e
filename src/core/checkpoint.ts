// The port between the frontier and a store: what is committed with a page, and what only a transactional store can do.
import type { Request } from 'crawlee';
import type { RequestSchema, StorageClient } from '@crawlee/types';

import type { Lane } from './lane.ts';
import type { Tier } from './page.ts';
import type { StoredRequest } from './worker-messages.ts';

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
  /** Further figures by name, each added to what the run has of it, such as climbs from tier to tier. */
  readonly counters?: Readonly<Record<string, number>>;
}

/** Sums of tallies for one (tier, host, end). */
export interface TallySum extends Omit<PageTally, 'millis' | 'counters'> {
  readonly pages: number;
  readonly millis: number;
}

/** A queue's counts. Always true: they change in the same transaction as the requests. */
export interface QueueCounts {
  readonly total: number;
  readonly handled: number;
}

/** How a host rests. Both may be so at once, and what it has asked for outlasts the other. */
export interface Rest {
  /** Until when it is not called (epoch milliseconds; 0: that is over, or was never so). Kept over restarts. */
  readonly until: number;
  /** Whether it has as many pages in flight as it may: then it is not called before it is said to be open again, whatever the
   *  time. A restart ends this, for none of them is in flight then. */
  readonly closed: boolean;
}

/** How a claim is made. */
export interface ClaimOptions {
  /** Only what is in this lane is claimed. @default 'http' */
  readonly lane?: Lane;
  /** Asked of a request that is about to be claimed: the lane that it belongs in now. One that belongs in another is moved
   *  there, and the next one is looked at; after a hundred the claim ends without any. @default the lane it is in */
  laneOf?(request: RequestSchema & { id: string }): Lane;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Longer than the slowest page. */
  readonly lockMillis: number;
  /** Who holds the lock. */
  readonly owner: string;
  /** A page that was in flight at more deaths of the process than this is not claimed. */
  readonly maxDeaths: number;
  /** Asked for the host of the request that is claimed: how it rests after this hand-out. */
  restAfter(host: string): Rest;
}

/** What is stored of a request: all of it but its id, which is a column. `toJSON` of `userData` keeps Crawlee's `__crawlee`. */
export function toBody(request: RequestSchema): string {
  return JSON.stringify({ ...request, id: undefined });
}

/** A request to be written: Crawlee's, or what is to be stored of one that is in another process. */
export type Written = Request | { readonly id: string; readonly body: string };

/** A request that was claimed, and how often the process died while it was in flight. */
export interface Claimed<Requested> {
  readonly request: Requested;
  readonly deaths: number;
}

/** A storage client that commits a page in one transaction and hands requests out host by host. SQLite has it; over any
 *  other client the frontier does so itself, in memory (frontier/plain-checkpoint.ts). */
export interface AtomicStorage extends StorageClient {
  /** The first request in line that is due and whose host may be called, locked; null if there is none. */
  claim(queueId: string, options: ClaimOptions): Promise<Claimed<StoredRequest> | null>;
  /** Notes that a request's page is being worked on, from the first byte of its answer on; `commit`, `reclaim` and
   *  `releaseAll` forget it. One that is still noted when the store is opened again was in flight when a process died: it
   *  waits behind all others then. A page that is only waited for cannot kill the process, and is no suspect. */
  handOut(queueId: string, requestId: string): Promise<void>;
  /** Rows, done mark and figures in one transaction. Rows are keyed by (request, index): a repeat replaces, never adds. */
  commit(queueId: string, request: Written, page: { rows: readonly StagedRow[]; tally: PageTally }): Promise<void>;
  /** Back to the queue in its old place, not to be handed out before `notBefore` (epoch milliseconds; Infinity:
   *  not before `startSecondPass`).
   *  @param lane Where it goes on. @default the lane it is in */
  reclaim(queueId: string, request: Written, notBefore: number, lane?: Lane): Promise<void>;
  /** Gives back what a dead process of this crawl had, at once. A death counts against those noted by `handOut`. */
  recover(queueId: string, requestIds: readonly string[]): Promise<void>;
  /** Whether a lane has any request that is not handled. */
  hasWork(queueId: string, lane: Lane): boolean;
  /** Sets how a host rests. Claims that are made from now on know of it. */
  rest(queueId: string, host: string, rest: Rest): Promise<void>;
  /** When the next waiting request falls due or the next resting host may be called, or null. */
  nextWake(queueId: string): number | null;
  /** Makes the requests that were reclaimed until Infinity due at a time, unless others wait: a lane that has not begun yet
   *  has work to do. @returns How many there are. */
  startSecondPass(queueId: string, notBefore: number): number;
  /** Sends a handled request round again, from the lowest tier, and takes its row out of a dataset (the dead letters) and
   *  its failure out of a tier's figures.
   *  @param tier The one it failed in. @default 'http'
   *  @param revise What is to be stored of the request. @returns False if it is not handled (any more). */
  redrive(
    queueId: string,
    requestId: string,
    dataset: string,
    revise: (request: RequestSchema) => RequestSchema,
    tier?: Tier,
  ): boolean;
  /** Gives every request that this process holds back to the queue, untouched: an orderly exit is no crash. Synchronous,
   *  so that it also works in the last moments of a process. */
  releaseAll(): void;
  counts(queueId: string): QueueCounts;
  tallies(queueId: string): TallySum[];
  /** Sums of all tallies' counters. */
  counters(queueId: string): Record<string, number>;
}

/** Whether a storage client can commit a page in one transaction. */
export function isAtomic(client: StorageClient): client is AtomicStorage {
  return 'commit' in client && 'claim' in client;
}
