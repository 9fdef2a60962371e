// The run store (core/run-store.ts) over any storage client of Crawlee's (memory, files): rows are pushed and then the request
// is marked handled, so a kill between the two repeats rows; what waits, rests and figures are this process's own.
import type { Request, RequestQueue } from '@crawlee/core';
import type { ProcessedRequest, RequestSchema, StorageClient } from '@crawlee/types';

import { LANES, type Lane } from '../core/lane.ts';
import type { PaceLimits } from '../core/pace.ts';
import {
  toLetterRow,
  type AddOptions,
  type ClaimedPage,
  type PageTally,
  type RunStore,
  type Settlement,
  type StagedRow,
  type StoredRequest,
  type StoreTraits,
} from '../core/run-store.ts';
import { crawlee } from '../crawlee.ts';
import { openHostPaces, type HostPaces, type PaceMemory } from './host-paces.ts';
import { openFigures, type Figures } from './run-figures.ts';
import { NEVER_FAILS } from './store-options.ts';

export interface PlainOptions {
  readonly client: StorageClient;
  readonly queue: RequestQueue;
  readonly traits: StoreTraits;
  readonly limits: PaceLimits;
  readonly random: () => number;
  readonly now: () => number;
}

/** What a store that keeps more than this one does in its place. */
export interface PlainHooks {
  /** @default nothing */
  readonly pace?: PaceMemory;
  /** When a request that another process left in the queue is due (epoch milliseconds; Infinity: in the second pass).
   *  @default at once */
  dueOf?(request: StoredRequest): number;
  /** Keeps when a request is due. @default nowhere */
  putOff?(request: StoredRequest, notBefore: number): Promise<void>;
  /** Writes a page's rows and marks it handled. @default one after the other, so that a kill between them repeats rows */
  write?(request: Request, rows: readonly StagedRow[], tally: PageTally): Promise<void>;
  /** Pages and figures that are on record. @default this process's own */
  figures?(): Figures;
}

export interface PlainStore extends RunStore {
  readonly paces: HostPaces;
}

export function openPlainStore(options: PlainOptions, hooks: PlainHooks = {}): PlainStore {
  const { client, queue, traits, limits, random, now } = options;
  const { dueOf = () => 0, putOff = async () => {}, write = pushAndMark(client, queue) } = hooks;
  const paces = openHostPaces(limits, random, hooks.pace);
  /** Claimed from the queue and waiting for its host or its lane, in order. */
  const held: Record<Lane, Map<string, Map<string, StoredRequest>>> = { http: new Map(), browser: new Map() };
  const deferred = new Map<string, { request: StoredRequest; notBefore: number; lane: Lane }>();
  const inFlight = new Map<string, ClaimedPage>();
  const figures = openFigures();

  const hold = (request: StoredRequest, lane: Lane) => {
    const { host } = new URL(request.url);
    const waiting = held[lane].get(host) ?? new Map<string, StoredRequest>();
    held[lane].set(host, waiting.set(request.id, request));
  };
  const holdDue = (at: number) => {
    for (const [id, { request, notBefore, lane }] of deferred) {
      if (notBefore > at) continue;
      deferred.delete(id);
      hold(request, lane);
    }
  };
  const restsFor = (host: string, at: number) => {
    const { until, closed } = paces.restOf(host, at);
    return closed ? Infinity : Math.max(0, until - at);
  };
  const isHeld = ({ id, url }: StoredRequest) =>
    deferred.has(id) || inFlight.has(id) || LANES.some((lane) => held[lane].get(new URL(url).host)?.has(id) === true);
  const take = (host: string, lane: Lane): StoredRequest | null => {
    const waiting = held[lane].get(host);
    const [first] = waiting?.values() ?? [];
    if (!waiting || !first) return null;
    waiting.delete(first.id);
    if (waiting.size === 0) held[lane].delete(host);
    return first;
  };
  const findReady = async (lane: Lane, at: number): Promise<StoredRequest | null> => {
    holdDue(at);
    for (const host of held[lane].keys()) {
      const request = restsFor(host, at) === 0 ? take(host, lane) : null;
      if (request) return request;
    }
    // What comes new from the queue goes through the HTTP lane.
    if (lane !== 'http') return null;
    for (;;) {
      const fetched = await queue.fetchNextRequest();
      if (!fetched) return null;
      const request = toStored(fetched);
      // One that is held or in flight comes back when its lock runs out.
      if (isHeld(request)) continue;
      const notBefore = dueOf(request);
      if (notBefore > at) deferred.set(request.id, { request, notBefore, lane });
      else if (restsFor(new URL(request.url).host, at) === 0) return request;
      else hold(request, lane);
    }
  };
  const standing = () => {
    const total = queue.getTotalCount();
    const handled = hooks.figures ? pagesOf(hooks.figures()) : total - queue.getPendingCount();
    const browser =
      held.browser.size > 0 ||
      [...inFlight.values()].some(({ lane }) => lane === 'browser') ||
      [...deferred.values()].some(({ lane }) => lane === 'browser');
    // A platform's counts may be some seconds behind; what is on record is not.
    return { total: Math.max(total, handled), handled, browser };
  };
  const wakesIn = (at: number) => {
    const hosts = LANES.flatMap((lane) => [...held[lane].keys()]).map((host) => restsFor(host, at));
    let next = Math.min(Infinity, ...hosts);
    for (const { notBefore } of deferred.values()) next = Math.min(next, Math.max(0, notBefore - at));
    return Number.isFinite(next) ? next : null;
  };
  const settleOne = async ({ claim: { id, host, at }, outcome }: Settlement) => {
    const claimed = inFlight.get(id)?.request;
    if (!claimed) return;
    if (outcome.kind === 'done' || outcome.kind === 'dead') {
      const rows = outcome.kind === 'done' ? outcome.rows : [toLetterRow(outcome)];
      await write(fromStored({ ...(JSON.parse(outcome.body) as StoredRequest), id }), rows, outcome.tally);
      // Crawlee asks again when it has waited for long, while the first call is still under way.
      if (!inFlight.delete(id)) return;
      figures.add(outcome.tally);
    } else if (outcome.kind === 'again') {
      const request = { ...(JSON.parse(outcome.body) as StoredRequest), id };
      const notBefore = outcome.after === 'second pass' ? Infinity : now() + outcome.after;
      await putOff(request, notBefore);
      deferred.set(id, { request, notBefore, lane: outcome.lane });
    } else {
      hold(claimed, outcome.kind === 'moved' ? outcome.lane : (inFlight.get(id)?.lane ?? 'http'));
    }
    inFlight.delete(id);
    if (outcome.kind === 'moved') paces.standDown(host, at, now());
    else paces.land(host, outcome.kind === 'lost' ? { how: 'bad', millis: null } : outcome.landing, now());
  };

  return {
    traits,
    failure: NEVER_FAILS,
    paces,
    async claim({ lane, room, leaseMillis }) {
      queue.requestLockSecs = leaseMillis / 1_000;
      const pages: ClaimedPage[] = [];
      while (pages.length < room) {
        const at = now();
        const request = await findReady(lane, at);
        if (!request) break;
        const { host } = new URL(request.url);
        const page: ClaimedPage = { id: request.id, host, lane, at, lease: '', deaths: 0, startsIn: 0, request };
        paces.takeOff(host, at);
        inFlight.set(request.id, page);
        pages.push(page);
      }
      return { pages, wakesIn: pages.length === 0 ? wakesIn(now()) : null, standing: standing() };
    },
    arrived: async () => {},
    async settle(pages) {
      await Promise.all(pages.map(settleOne));
      return { refused: [], standing: standing() };
    },
    add: inTurn(async (requests, how: AddOptions) => {
      const left = requests.map((request) => new crawlee.Request(request));
      const known = new Map<string, ProcessedRequest>();
      for (let room = how.room; left.length > 0;) {
        const part = left.splice(0, Math.max(0, Math.min(left.length, room, how.limit - queue.getTotalCount())));
        if (part.length === 0) break;
        // Crawlee's queue counts what it is given.
        const added = await queue.addRequests(part, { forefront: how.forefront });
        room -= added.processedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length;
        for (const processed of added.processedRequests) known.set(processed.uniqueKey, processed);
      }
      return { processed: inOrder(requests, known), standing: standing() };
    }),
    async rest(host, millis) {
      paces.pause(host, now() + millis, now());
    },
    slow: async (host, gapMillis) => paces.slow(host, gapMillis, now()),
    renew: async () => true,
    isFinished: async () => LANES.every((lane) => held[lane].size === 0) && deferred.size === 0 && (await queue.isFinished()),
    async totals() {
      const { tallies, counters } = hooks.figures?.() ?? figures;
      return { ...standing(), tallies: tallies(), counters: counters() };
    },
    hosts: async (limit) => paces.speeds(limit, now()),
    async startSecondPass(afterMillis) {
      const waiting = [...deferred.values()];
      const isLast = inFlight.size === 0 && LANES.every((lane) => held[lane].size === 0);
      if (!isLast || waiting.some(({ notBefore }) => notBefore !== Infinity)) return 0;
      for (const one of waiting) one.notBefore = now() + afterMillis;
      return waiting.length;
    },
    // What it handed out is only in the memory of this process.
    redrive: async () => 0,
    release: async () => {},
  };
}

/** One call after the other: several at once would each find the same room. */
function inTurn<Args extends unknown[], T>(work: (...args: Args) => Promise<T>): (...args: Args) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return async (...args) => {
    const now = before.then(async () => work(...args));
    before = Promise.allSettled([now]);
    return now;
  };
}

/** Crawlee's queue tells of what it knew first. */
function inOrder(requests: readonly RequestSchema[], known: ReadonlyMap<string, ProcessedRequest>): ProcessedRequest[] {
  const told = new Set<string>();
  return requests.flatMap(({ uniqueKey }) => {
    const processed = known.get(uniqueKey);
    const again = told.has(uniqueKey);
    told.add(uniqueKey);
    return processed ? [again ? { ...processed, wasAlreadyPresent: true } : processed] : [];
  });
}

function pagesOf(figures: Figures): number {
  return figures.tallies().reduce((sum, { pages }) => sum + pages, 0);
}

/** Plain data, as it would be stored: Crawlee's `userData` hides a part of itself. */
function toStored(request: Request): StoredRequest {
  return JSON.parse(JSON.stringify(request)) as StoredRequest;
}

function fromStored(request: StoredRequest): Request {
  return new crawlee.Request(request);
}

function pushAndMark(client: StorageClient, queue: RequestQueue): NonNullable<PlainHooks['write']> {
  return async (request, rows) => {
    for (const { dataset, json } of rows) {
      // By Crawlee's lock, which a handler's `Dataset.open()` takes too: the stock stores, asked twice at once for a dataset
      // that is new, make two, and only one of them is ever read again.
      const { id } = await crawlee.Dataset.open(dataset, { config: queue.config });
      await client.dataset(id).pushItems(json);
    }
    await queue.markRequestHandled(request);
  };
}
