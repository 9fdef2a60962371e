// The frontier: an IRequestManager around Crawlee's RequestQueue that knows due times, stages what a page pushes and
// commits it with the page. Each lane has one; its crawler gets it as `requestQueue`.
import {
  Request,
  RequestState,
  type AddRequestsBatchedOptions,
  type AddRequestsBatchedResult,
  type IRequestManager,
  type RequestQueue,
  type RequestQueueOperationInfo,
  type RequestQueueOperationOptions,
  type RequestsLike,
  type Source,
} from '@crawlee/core';
import type { Dictionary, ProcessedRequest } from '@crawlee/types';

import { DATASETS, type PageEnd, type QueueCounts } from '../core/checkpoint.ts';
import { handOutAfter, MAX_DEATHS } from '../core/crash.ts';
import { toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import type { Site } from '../core/site.ts';
import type { Checkpoint } from './checkpoint.ts';
import { openFlight, type Flight, type OpenFlight } from './flight.ts';

/** Requests added in one transaction. */
const BATCH_SIZE = 1_000;
/** An idle frontier looks at the store at least this often, in case somebody else has added to it. */
const MAX_IDLE_MILLIS = 1_000;

export interface FrontierOptions {
  queue: RequestQueue;
  checkpoint: Checkpoint;
  site: Pick<Site, 'name' | 'labelOf' | 'routes'>;
  /** Requests known at most, over all restarts; further ones are not added. @default no limit */
  maxRequests?: number | undefined;
  /** @default Date.now */
  now?: () => number;
}

export class Frontier implements IRequestManager {
  /** Written by Crawlee. */
  internalTimeoutMillis = 0;

  readonly #queue: RequestQueue;
  readonly #checkpoint: Checkpoint;
  readonly #site: FrontierOptions['site'];
  readonly #maxRequests: number;
  readonly #now: () => number;
  readonly #flights = new Map<string, OpenFlight>();
  readonly #dueTimes = new Map<string, number>();
  #failed: number;
  #next: Request | null = null;
  #claiming: Promise<void> | null = null;
  #idleUntil = 0;
  #alone = false;
  #stopped = false;

  constructor({ queue, checkpoint, site, maxRequests = Infinity, now = Date.now }: FrontierOptions) {
    this.#queue = queue;
    this.#checkpoint = checkpoint;
    this.#site = site;
    this.#maxRequests = maxRequests;
    this.#now = now;
    this.#failed = checkpoint.tallies().reduce((sum, { end, pages }) => (end === 'failed' ? sum + pages : sum), 0);
  }

  /** Written by Crawlee: a lock outlives the slowest handler. */
  set requestLockSecs(seconds: number) {
    this.#queue.requestLockSecs = seconds;
  }

  /** No further hand-outs; pages in flight go on. The frontier is then finished as soon as they are. */
  stop(): void {
    this.#stopped = true;
  }

  /** The attempt under way at a request that was handed out. */
  flightOf(request: Request): Flight {
    return this.#openFlightOf(request);
  }

  /** Sends a failed attempt round again, not before a time (epoch milliseconds). What it staged is dropped. */
  defer(request: Request, notBefore: number): void {
    this.#openFlightOf(request).abandon(null, []);
    this.#dueTimes.set(request.id as string, notBefore);
  }

  /** Ends a request without its rows; a dead letter, if given, is committed with the done mark. */
  giveUp(request: Request, end: PageEnd, deadLetter?: DeadLetter): void {
    const rows = deadLetter ? [{ dataset: DATASETS.failed, json: JSON.stringify(deadLetter) }] : [];
    this.#openFlightOf(request).abandon(end, rows);
  }

  counts(): QueueCounts {
    return this.#checkpoint.counts();
  }

  /** Pages that were given up, over all restarts. */
  get failed(): number {
    return this.#failed;
  }

  /** Pages in flight. */
  get inFlight(): number {
    return this.#flights.size;
  }

  // -- what the crawler calls -----------------------------------------------------------------------------------------

  async isEmpty(): Promise<boolean> {
    if (this.#stopped || this.#alone) return true;
    if (!this.#next && this.#now() >= this.#idleUntil) await this.#claim();
    return this.#next === null || !this.#mayFly(this.#next);
  }

  async isFinished(): Promise<boolean> {
    if (this.#flights.size > 0) return false;
    return this.#stopped || (this.#next === null && (await this.#checkpoint.isFinished()));
  }

  async fetchNextRequest<T extends Dictionary = Dictionary>(): Promise<Request<T> | null> {
    if (await this.isEmpty()) return null;
    // Another call may have taken it meanwhile; Crawlee asks again.
    const request = this.#next as Request<T> | null;
    if (!request || this.#alone || !this.#mayFly(request)) return null;
    this.#next = null;
    const id = request.id as string;
    this.#alone = handOutAfter(this.#checkpoint.deathsOf(id)) === 'alone';
    this.#flights.set(id, openFlight(request, this.#now()));
    this.#checkpoint.handOut(id);
    return request;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request> {
    for (;;) {
      const request = await this.fetchNextRequest();
      if (!request) return;
      yield request;
    }
  }

  /** Commits a page: its rows, its done mark and its figures in one transaction. Crawlee calls this for pages that failed
   *  for good as well; `giveUp()` has said so before. */
  async markRequestHandled(request: Request): Promise<void> {
    const flight = this.#openFlightOf(request);
    flight.close();
    request.handledAt ??= new Date(this.#now()).toISOString();
    const end = flight.end ?? (request.state === RequestState.SKIPPED ? 'skipped' : 'succeeded');
    await this.#checkpoint.commit(request, flight.rows, {
      end,
      tier: 'http',
      host: new URL(request.url).host,
      bytes: flight.bytes,
      millis: this.#now() - flight.since,
      rejected: flight.rejected,
    });
    // Only now: a commit that failed is tried again, with the same rows.
    if (end === 'failed') this.#failed++;
    this.#land(request);
  }

  async reclaimRequest(request: Request): Promise<RequestQueueOperationInfo> {
    const id = request.id as string;
    await this.#checkpoint.reclaim(request, this.#dueTimes.get(id) ?? this.#now());
    this.#dueTimes.delete(id);
    this.#land(request);
    return { requestId: id, uniqueKey: request.uniqueKey, wasAlreadyPresent: true, wasAlreadyHandled: false, forefront: false };
  }

  async addRequest(source: Source, options: RequestQueueOperationOptions = {}): Promise<RequestQueueOperationInfo> {
    const { addedRequests } = await this.addRequestsBatched([source], options);
    const [added] = addedRequests;
    if (!added)
      throw new SurefootError('input', `${source.url} was not added: the limit of ${this.#maxRequests} requests is reached.`);
    return { ...added, forefront: options.forefront ?? false };
  }

  /** Adds requests and resolves when all of them are on disk: Crawlee's own queue leaves all but the first 1,000 to the
   *  background, where a page could be done before its links are known. */
  async addRequestsBatched(requests: RequestsLike, options: AddRequestsBatchedOptions = {}): Promise<AddRequestsBatchedResult> {
    const { forefront = false, maxNewRequests = Infinity } = options;
    const addedRequests: ProcessedRequest[] = [];
    const requestsOverLimit: Source[] = [];
    let batch: Request[] = [];
    let budget = maxNewRequests;
    const flush = async () => {
      while (batch.length > 0) {
        const room = Math.min(budget, this.#maxRequests - this.counts().total);
        const part = batch.splice(0, Math.max(0, Math.min(batch.length, room)));
        if (part.length === 0) break;
        const { processedRequests } = await this.#queue.addRequests(part, { forefront });
        budget -= processedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length;
        addedRequests.push(...processedRequests);
      }
      requestsOverLimit.push(...batch.map(({ url }) => ({ url })));
      batch = [];
    };
    for await (const source of requests) {
      batch.push(this.#toRequest(source));
      if (batch.length === BATCH_SIZE) await flush();
    }
    await flush();
    this.#idleUntil = 0;
    return { addedRequests, waitForAllRequestsToBeAdded: Promise.resolve([]), requestsOverLimit };
  }

  async handledCount(): Promise<number> {
    return this.counts().handled;
  }

  getTotalCount(): number {
    return this.counts().total;
  }

  getPendingCount(): number {
    const { total, handled } = this.counts();
    return total - handled;
  }

  // -- inside ---------------------------------------------------------------------------------------------------------

  #openFlightOf(request: Request): OpenFlight {
    const flight = this.#flights.get(request.id as string);
    if (!flight)
      throw new SurefootError('site', `${request.url} is not in flight: it was not handed out by this frontier, or is done.`);
    return flight;
  }

  /** A page that may kill the process waits until it is alone. */
  #mayFly(request: Request): boolean {
    return this.#flights.size === 0 || handOutAfter(this.#checkpoint.deathsOf(request.id as string)) === 'with-others';
  }

  /** Looks for the next request; callers at the same time share one look. */
  async #claim(): Promise<void> {
    this.#claiming ??= this.#claimNext().finally(() => {
      this.#claiming = null;
    });
    await this.#claiming;
  }

  async #claimNext(): Promise<void> {
    for (;;) {
      const request = await this.#checkpoint.claim();
      if (!request) {
        const now = this.#now();
        this.#idleUntil = Math.min(this.#checkpoint.nextDue() ?? Infinity, now + MAX_IDLE_MILLIS);
        return;
      }
      if (handOutAfter(this.#checkpoint.deathsOf(request.id as string)) !== 'dead-letter') {
        this.#next = request;
        return;
      }
      await this.#bury(request);
    }
  }

  /** Makes a page that killed the process a dead letter, without fetching it again. */
  async #bury(request: Request): Promise<void> {
    this.#flights.set(request.id as string, openFlight(request, this.#now()));
    const error = `The process died ${MAX_DEATHS} times while this page was in flight, the last time with no other page.`;
    const last = { at: new Date(this.#now()).toISOString(), tier: 'http', verdict: 'crash', error } as const;
    this.giveUp(request, 'failed', toDeadLetter(request, last));
    await this.markRequestHandled(request);
  }

  #land(request: Request): void {
    this.#flights.delete(request.id as string);
    this.#alone = false;
    // The page may have added links past this frontier, through RequestQueue.open().
    this.#idleUntil = 0;
  }

  #toRequest(source: string | Source): Request {
    const given = typeof source === 'string' ? { url: source } : source;
    if (given.url === undefined || !URL.canParse(given.url) || !/^https?:/i.test(given.url)) {
      throw new SurefootError(
        'site',
        `Site "${this.#site.name}" added a link that is no absolute http(s) URL: ${String(given.url)}.`,
      );
    }
    const request = given instanceof Request ? given : new Request({ ...given, url: given.url });
    request.label ??= this.#site.labelOf(new URL(request.url));
    if (!Object.hasOwn(this.#site.routes, request.label)) {
      const known = Object.keys(this.#site.routes).join(', ');
      throw new SurefootError(
        'site',
        `Site "${this.#site.name}" has no route ${request.label} (for ${request.url}). It has ${known}.`,
      );
    }
    return request;
  }
}
