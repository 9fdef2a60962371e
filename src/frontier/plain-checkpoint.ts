// A frontier's place over any store of Crawlee's (memory, files, the platform): rows are pushed and then the request is
// marked handled, so a kill between the two repeats rows; what waits, rests and figures are this process's own.
import type { Request, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { ClaimOptions, PageTally, Rest, StagedRow } from '../core/checkpoint.ts';
import { LANES, type Lane } from '../core/lane.ts';
import { crawlee } from '../crawlee.ts';
import type { Checkpoint } from './checkpoint.ts';
import { openFigures } from './figures.ts';

export interface PlainOptions {
  /** When a request that another process left in the queue is due (epoch milliseconds; Infinity: in the second pass).
   *  @default at once */
  dueOf?: (request: Request) => number;
  /** Writes a page's rows and marks it handled. @default one after the other, so that a kill between them repeats rows */
  write?: (request: Request, rows: readonly StagedRow[], tally: PageTally) => Promise<void>;
}

export function plainCheckpoint(client: StorageClient, queue: RequestQueue, options: PlainOptions = {}): Checkpoint {
  const { dueOf = () => 0, write = pushAndMark(client, queue) } = options;
  /** Claimed from the queue and waiting for its host or its lane, in order. */
  const held: Record<Lane, Map<string, Map<string, Request>>> = { http: new Map(), browser: new Map() };
  const deferred = new Map<string, { request: Request; notBefore: number; lane: Lane }>();
  const rests = new Map<string, number>();
  const figures = openFigures();
  const inFlight = new Map<string, Lane>();

  const hold = (request: Request, lane: Lane) => {
    const { host } = new URL(request.url);
    const waiting = held[lane].get(host) ?? new Map<string, Request>();
    held[lane].set(host, waiting.set(request.id as string, request));
  };
  const holdDue = (now: number) => {
    for (const [id, { request, notBefore, lane }] of deferred) {
      if (notBefore > now) continue;
      deferred.delete(id);
      hold(request, lane);
    }
  };
  const rest = (host: string, { until, closed }: Rest) =>
    void (until === 0 && !closed ? rests.delete(host) : rests.set(host, closed ? Infinity : until));
  const mayBeCalled = (host: string, now: number) => (rests.get(host) ?? 0) <= now;
  const isHeld = (request: Request) =>
    deferred.has(request.id as string) ||
    LANES.some((lane) => held[lane].get(new URL(request.url).host)?.has(request.id as string) === true);
  const take = (host: string, lane: Lane): Request | null => {
    const waiting = held[lane].get(host);
    const [first] = waiting?.values() ?? [];
    if (!waiting || !first) return null;
    waiting.delete(first.id as string);
    if (waiting.size === 0) held[lane].delete(host);
    return first;
  };
  const findReady = async ({ lane = 'http', laneOf, now }: Pick<ClaimOptions, 'lane' | 'laneOf' | 'now'>) => {
    holdDue(now);
    const belongs = (request: Request) => laneOf?.(request as Request & { id: string }) ?? lane;
    for (const host of held[lane].keys()) {
      while (mayBeCalled(host, now)) {
        const request = take(host, lane);
        if (!request) break;
        const to = belongs(request);
        if (to === lane) return request;
        hold(request, to);
      }
    }
    // What comes new from the queue goes through the HTTP lane.
    if (lane !== 'http') return null;
    for (;;) {
      const request = await queue.fetchNextRequest();
      if (!request) return null;
      // One that is held or in flight comes back when its lock runs out.
      if (isHeld(request) || inFlight.has(request.id as string)) continue;
      const notBefore = dueOf(request);
      if (notBefore > now) {
        deferred.set(request.id as string, { request, notBefore, lane });
        continue;
      }
      const ready = mayBeCalled(new URL(request.url).host, now);
      const to: Lane = ready ? belongs(request) : lane;
      if (ready && to === lane) return request;
      hold(request, to);
    }
  };

  return {
    claimsTogether: false,
    async claim(options) {
      const request = await findReady(options);
      if (!request) return null;
      const { lane = 'http', restAfter } = options;
      const { host } = new URL(request.url);
      rest(host, restAfter(host));
      inFlight.set(request.id as string, lane);
      return { request, deaths: 0 };
    },
    // Crawlee's queue counts what it is given.
    add: async (requests, forefront) => (await queue.addRequests(requests, { forefront })).processedRequests,
    handOut: async () => {},
    // Workers, who have what is written elsewhere, need a store that commits (input/rules.ts).
    async commit(written, rows, tally) {
      const request = written as Request;
      await write(request, rows, tally);
      inFlight.delete(request.id as string);
      figures.add(tally);
    },
    async reclaim(written, notBefore, lane = inFlight.get(written.id as string) ?? 'http') {
      const request = written as Request;
      inFlight.delete(request.id as string);
      deferred.set(request.id as string, { request, notBefore, lane });
    },
    recover: async () => {},
    hasWork: (lane) =>
      lane === 'http' ||
      held[lane].size > 0 ||
      [...inFlight.values()].includes(lane) ||
      [...deferred.values()].some((waiting) => waiting.lane === lane),
    rest: async (host, how) => rest(host, how),
    nextWake() {
      const waitingHosts = LANES.flatMap((lane) => [...held[lane].keys()]).map((host) => rests.get(host) ?? 0);
      let next = Math.min(Infinity, ...waitingHosts);
      for (const { notBefore } of deferred.values()) next = Math.min(next, notBefore);
      return Number.isFinite(next) ? next : null;
    },
    startSecondPass(notBefore) {
      const postponed = [...deferred.values()].filter((waiting) => waiting.notBefore === Infinity);
      for (const waiting of postponed) waiting.notBefore = notBefore;
      return postponed.length;
    },
    isFinished: async () => LANES.every((lane) => held[lane].size === 0) && deferred.size === 0 && (await queue.isFinished()),
    counts() {
      const total = queue.getTotalCount();
      return { total, handled: total - queue.getPendingCount() };
    },
    tallies: figures.tallies,
    counters: figures.counters,
  };
}

function pushAndMark(client: StorageClient, queue: RequestQueue): NonNullable<PlainOptions['write']> {
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
