// What the main process and its workers say to each other (`--workers`). The main process keeps all that must be one: the
// store, the frontier, limits and figures; a worker fetches, judges, parses and extracts. See docs/decisions/012-workers.md.
import type { RequestSchema } from '@crawlee/types';

import type { DeadLetter } from './dead-letter.ts';
import type { Tier } from './page.ts';
import type { TrafficKey } from './proxy.ts';
import type { PageEnd, StagedRow, StoredRequest } from './run-store.ts';
import type { WireError } from './wire-error.ts';

/** A request for a worker to fetch at once, and how. */
export interface Assignment {
  readonly request: StoredRequest & { label?: string };
  readonly tier: Tier;
  /** When it was claimed, by the store's clock. */
  readonly claimedAt: number;
  /** Whether any page of its label has succeeded. */
  readonly labelWorks: boolean;
}

/** A page that a worker is done with. */
export interface PageResult {
  readonly id: string;
  /** The request as it is to be stored, in JSON. */
  readonly body: string;
  /** The attempts that failed. */
  readonly errorMessages: string[];
  readonly end: PageEnd;
  readonly rows: readonly StagedRow[];
  readonly rejected: number;
  readonly bytes: number;
  /** Links that its handler found; null: it looked for none. */
  readonly links: number | null;
  /** Of a page that failed. */
  readonly letter?: DeadLetter;
}

/** An attempt that is to be repeated. */
export interface PageRetry extends Pick<PageResult, 'id' | 'body' | 'errorMessages'> {
  /** Epoch milliseconds by the machine's clock; Infinity: in the second pass. */
  readonly notBefore: number;
}

export type ToWorker =
  | { readonly type: 'fetch'; readonly assignment: Assignment }
  /** A tier cannot be used any more. */
  | { readonly type: 'tier-lost'; readonly tier: Tier; readonly why: string }
  /** There is nothing left to do. */
  | { readonly type: 'end' };

/** What went through a worker's sockets since it said so last. */
export interface TrafficNews extends TrafficKey {
  readonly sent: number;
  readonly received: number;
  /** What single calls cost, one by one. */
  readonly charges: readonly number[];
}

export type FromWorker =
  | { readonly type: 'ready' }
  /** The answer to a request has begun to arrive: its page may kill the worker from now on. */
  | { readonly type: 'arrived'; readonly id: string }
  | { readonly type: 'done'; readonly page: PageResult }
  | { readonly type: 'again'; readonly page: PageRetry }
  /** The host of a page asks to be left alone. */
  | { readonly type: 'pause'; readonly id: string; readonly until: number }
  /** What its pages in flight are doing. */
  | { readonly type: 'phases'; readonly phases: readonly (readonly [id: string, phase: string])[] }
  | { readonly type: 'traffic'; readonly news: readonly TrafficNews[] }
  /** A proxy refuses or cannot be reached; null: the error said no more than HTTP 407. */
  | { readonly type: 'proxy-fault'; readonly fault: WireError | null }
  | { readonly type: 'tier-lost'; readonly tier: Tier; readonly why: string }
  /** A line of Crawlee's log. */
  | { readonly type: 'log'; readonly line: string };

/** What a worker asks, and what it is answered. */
export interface Questions {
  /** Links, as they are to be stored. Answered when they are on disk; those beyond `--max-requests` are left out. */
  add: {
    asked: { readonly requests: readonly RequestSchema[]; readonly forefront: boolean; readonly room: number };
    answered: { uniqueKey: string; requestId: string; wasAlreadyPresent: boolean; wasAlreadyHandled: boolean }[];
  };
  /** The text of an origin's robots.txt, on behalf of a page and of the one that leads to it; '' if there is none. */
  robots: { asked: { readonly origin: string; readonly id: string; readonly from: string | null }; answered: string };
  /** Sets a host's gap. Answered as `Frontier.setDelay()` does. */
  delay: { asked: { readonly id: string; readonly delayMillis: number }; answered: number | null };
  /** A call of Crawlee's storage client. */
  storage: { asked: StorageCall; answered: unknown };
}

/** A method of the main process's storage client, or of a client that it opens. */
export interface StorageCall {
  readonly kind: 'requestQueue' | 'dataset' | 'keyValueStore';
  /** Null: the collection of its kind. */
  readonly id: string | null;
  /** Of a queue: who holds the locks that it takes. */
  readonly options?: { readonly clientKey?: string };
  readonly method: string;
  readonly args: readonly unknown[];
}
