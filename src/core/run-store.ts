// The port between a crawl and its store: plain data both ways and all of it asynchronous, so that a store can as well be on
// another machine and be shared by several. docs/decisions/015-run-store.md
import type { ProcessedRequest, RequestSchema } from '@crawlee/types';

import type { DeadLetter } from './dead-letter.ts';
import type { Lane } from './lane.ts';
import type { HostLanding, HostSpeed } from './pace.ts';
import type { Tier } from './page.ts';

/** What Crawlee's queue and key-value store are called where nobody names one: a run's own. */
export const OWN_STORE = 'default';

/** The dataset that holds records (Crawlee's default one), and the two beside it. */
export const DATASETS = { items: 'default', rejected: 'rejected', failed: 'failed' } as const;

/** A request as it is stored. */
export type StoredRequest = RequestSchema & { id: string };

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

/** What a store promises beyond the port's own words. */
export interface StoreTraits {
  /** Rows stand exactly once, wherever a process is killed. Without it a kill between a page's rows and its done mark repeats
   *  the rows. */
  readonly exactlyOnce: boolean;
  /** What is settled is there for the next process. */
  readonly durable: boolean;
  /** Deaths of a process are counted against the pages that were in flight (core/crash.ts), and dead letters can be redriven. */
  readonly countsDeaths: boolean;
  /** Several machines may have it open at the same time. Then its clock is the server's, and a lease can be lost. */
  readonly shared: boolean;
  /** Each write is a call that somebody pays for: what can be done without is not written, what is saved is saved seldom. */
  readonly paidWrites: boolean;
  /** How long a listing may be behind what was written, in milliseconds; 0: not at all. */
  readonly lagMillis: number;
}

/** A hand-out: a request that one owner has until it settles it. */
export interface Claim {
  /** The request's id. */
  readonly id: string;
  /** Name and port. */
  readonly host: string;
  /** The lane that it was claimed for. */
  readonly lane: Lane;
  /** When it was made, by the store's clock: to be compared with what `slow` answers, and with nothing else. */
  readonly at: number;
  /** Names this hand-out, where several machines share the store: what is settled under another name is refused. */
  readonly lease: string;
}

export interface ClaimedPage extends Claim {
  readonly request: StoredRequest;
  /** How often a process died while it was in flight. */
  readonly deaths: number;
  /** It may be requested in so many milliseconds: its turn at its host was reserved ahead. 0: at once. */
  readonly startsIn: number;
}

/** What is to be claimed. */
export interface Want {
  readonly lane: Lane;
  /** Pages at most. */
  readonly room: number;
  /** A page that was in flight at more deaths of a process than this is not claimed. Infinity: any. */
  readonly maxDeaths: number;
  /** Longer than the slowest page. */
  readonly leaseMillis: number;
}

/** Where a run stands. Every answer brings it, as the answer has left it. */
export interface Standing {
  /** Requests that are known. */
  readonly total: number;
  readonly handled: number;
  /** Whether the browser lane has any request that is not handled. */
  readonly browser: boolean;
}

export interface Claims {
  /** In the order of the line, each host as often as its pace allows. None says nothing of what is left: others may have it,
   *  or hold what was to be read. */
  readonly pages: readonly ClaimedPage[];
  /** When there may be something to claim again without anybody doing anything: the next request falls due, the next host
   *  that has work may be called, a lease runs out. Milliseconds from now; null: nothing waits for a time. Only true when no
   *  page was claimed. */
  readonly wakesIn: number | null;
  readonly standing: Standing;
}

/** What became of a hand-out. Bodies are requests as they are to be stored, in JSON (`toBody`). */
export type Outcome =
  /** Rows, done mark, figures and the host's pace, together or not at all. Rows are keyed by (request, index): a repeat
   *  replaces, never adds. */
  | {
      readonly kind: 'done';
      readonly body: string;
      readonly rows: readonly StagedRow[];
      readonly tally: PageTally;
      readonly landing: HostLanding;
    }
  /** As `done`, with the letter as a row of the dataset `failed` in the place of rows. */
  | {
      readonly kind: 'dead';
      readonly body: string;
      readonly letter: DeadLetter;
      readonly tally: PageTally;
      readonly landing: HostLanding;
    }
  /** Back in its old place, in this lane, not to be claimed for so many milliseconds, or before `startSecondPass`. */
  | {
      readonly kind: 'again';
      readonly body: string;
      readonly after: number | 'second pass';
      readonly lane: Lane;
      readonly landing: HostLanding;
    }
  /** Claimed and never requested: back in its old place, in this lane. Its host gets the turn back. */
  | { readonly kind: 'moved'; readonly lane: Lane }
  /** Whoever worked on it has died, and not the process that claimed it: back in line at once. If its answer had begun to
   *  arrive, a death is counted, and it waits behind all others. */
  | { readonly kind: 'lost' };

export interface Settlement {
  readonly claim: Claim;
  readonly outcome: Outcome;
}

export interface Settled {
  /** Ids of pages that were no longer this owner's: nothing of them was written. */
  readonly refused: readonly string[];
  readonly standing: Standing;
}

export interface AddOptions {
  /** Before all that waits, instead of behind it. */
  readonly forefront: boolean;
  /** New ones at most. */
  readonly room: number;
  /** Requests known at most, over all restarts and machines. */
  readonly limit: number;
}

export interface Added {
  /** What is known now, in the order of asking. What is beyond a limit is not among it; nor need it be what was known before,
   *  once the limit is reached. */
  readonly processed: readonly ProcessedRequest[];
  readonly standing: Standing;
}

/** The figures of a run, over all restarts and machines. */
export interface Totals extends Standing {
  readonly tallies: readonly TallySum[];
  /** Sums of all tallies' counters. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What is to be redriven of a dead letter: its request, and what its tally had added to the figures. */
export type Redriven = Pick<DeadLetter, 'requestId' | 'url' | 'attempts' | 'bytes' | 'millis'>;

/** A run's queue, rows, figures and the pace of its hosts, opened for one owner.
 *
 *  Times go over it as durations in milliseconds; whose clock they are measured by is the store's own affair. The pace of
 *  each host is the store's to keep and core/pace.ts's to decide: claims ask it, settlements tell it, in the same transaction.
 *  A call resolves when what it has written would survive the death of the process, and rejects when nothing of it was
 *  written: it may be repeated as it was. Calls that are made at the same time may be gathered into one transaction; one that
 *  cannot be written takes no other along. What is claimed is nobody else's before it is settled or its lease is lost. */
export interface RunStore {
  readonly traits: StoreTraits;
  /** Rejects when nothing can be written any more, whatever is tried: the crawl must end. Until then it stays open. */
  readonly failure: Promise<never>;
  /** The first requests in line that are due, of hosts that may be called. */
  claim(want: Want): Promise<Claims>;
  /** Says that the answers to pages have begun to arrive: from here on a page can kill its process. A death counts against
   *  these alone; `settle` and `release` forget it. */
  arrived(claims: readonly Claim[]): Promise<void>;
  /** All of these, or none. */
  settle(pages: readonly Settlement[]): Promise<Settled>;
  /** Adds requests; one that is known (by its unique key) is left as it is.
   *  @param requests With a `uniqueKey` and an absolute http(s) URL. */
  add(requests: readonly RequestSchema[], options: AddOptions): Promise<Added>;
  /** Calls no host before a time that it has asked for. A longer rest that it has stands. */
  rest(host: string, millis: number): Promise<void>;
  /** Keeps a gap between two claims of a host (its Crawl-delay), if it is longer than the one that is kept.
   *  @returns Since when it is kept, by the store's clock as `Claim.at`; null: from now on. */
  slow(host: string, gapMillis: number): Promise<number | null>;
  /** To be called every `RENEW_MILLIS` while a crawl goes on: renews this owner's leases, gives back what dead owners had,
   *  and saves what is only in memory.
   *  @returns False if this owner was taken for dead: nothing that it had claimed before is its own any more, and it goes on
   *  under a new name. */
  renew(): Promise<boolean>;
  /** Whether every known request is handled, asked of the store itself. */
  isFinished(): Promise<boolean>;
  totals(): Promise<Totals>;
  /** Hosts that are not at full speed or have pages in flight, those with the most pages in flight first.
   *  @param limit So many at most. */
  hosts(limit: number): Promise<readonly HostSpeed[]>;
  /** Makes the requests that wait for the second pass due in a time, unless anything else waits or is in flight anywhere.
   *  @returns How many there are; 0 also where another machine has begun it. */
  startSecondPass(afterMillis: number): Promise<number>;
  /** Sends handled requests round again as if they had never been tried, and takes their dead letters out of `failed` and
   *  their tallies out of the figures. One that is not handled (any more) is left alone.
   *  @returns How many went. */
  redrive(letters: readonly Redriven[]): Promise<number>;
  /** Gives back what this owner holds, untouched: an orderly exit is no crash. */
  release(): Promise<void>;
}

/** How often `RunStore.renew` is called. A lease lasts several times as long. */
export const RENEW_MILLIS = 2_000;

/** What is stored of a request: all of it but its id, which is a column. `toJSON` of `userData` keeps Crawlee's `__crawlee`. */
export function toBody(request: RequestSchema): string {
  return JSON.stringify({ ...request, id: undefined });
}

/** A dead letter as a row, with what its tally has of it. */
export function toLetterRow({ letter, tally }: Extract<Outcome, { kind: 'dead' }>): StagedRow {
  const { bytes, millis } = tally;
  return { dataset: DATASETS.failed, json: JSON.stringify({ ...letter, bytes, millis: Math.round(millis) }) };
}

/** A handled request as if it had never been tried. */
export function toUntried({ handledAt: _, ...request }: RequestSchema): RequestSchema {
  return { ...request, retryCount: 0, noRetry: false, errorMessages: [] };
}
