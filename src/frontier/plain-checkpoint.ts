// A frontier's place over any store of Crawlee's (memory, files, the platform): rows are pushed and then the request is
// marked handled, so a kill between the two repeats rows; what waits, rests and figures are this process's own.
import type { Request, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { PageTally, StagedRow } from '../core/checkpoint.ts';
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
  /** Claimed from the queue and waiting for its host, in order. */
  const byHost = new Map<string, Map<string, Request>>();
  const deferred = new Map<string, { request: Request; notBefore: number }>();
  const rests = new Map<string, number>();
  const figures = openFigures();
  const inFlight = new Set<string>();

  const hold = (request: Request) => {
    const { host } = new URL(request.url);
    const waiting = byHost.get(host) ?? new Map<string, Request>();
    byHost.set(host, waiting.set(request.id as string, request));
  };
  const holdDue = (now: number) => {
    for (const [id, { request, notBefore }] of deferred) {
      if (notBefore > now) continue;
      deferred.delete(id);
      hold(request);
    }
  };
  const rest = (host: string, until: number) => void (until === 0 ? rests.delete(host) : rests.set(host, until));
  const mayBeCalled = (host: string, now: number) => (rests.get(host) ?? 0) <= now;
  const isHeld = (request: Request) =>
    deferred.has(request.id as string) || byHost.get(new URL(request.url).host)?.has(request.id as string) === true;
  const take = (host: string): Request | null => {
    const waiting = byHost.get(host);
    const [first] = waiting?.values() ?? [];
    if (!waiting || !first) return null;
    waiting.delete(first.id as string);
    if (waiting.size === 0) byHost.delete(host);
    return first;
  };
  const findReady = async (now: number): Promise<Request | null> => {
    holdDue(now);
    for (const host of byHost.keys()) {
      if (mayBeCalled(host, now)) return take(host);
    }
    for (;;) {
      const request = await queue.fetchNextRequest();
      if (!request) return null;
      // One that is held or in flight comes back when its lock runs out.
      if (isHeld(request) || inFlight.has(request.id as string)) continue;
      const notBefore = dueOf(request);
      if (notBefore > now) {
        deferred.set(request.id as string, { request, notBefore });
        continue;
      }
      if (mayBeCalled(new URL(request.url).host, now)) return request;
      hold(request);
    }
  };

  return {
    async claim({ now, restAfter }) {
      const request = await findReady(now);
      if (!request) return null;
      const { host } = new URL(request.url);
      rest(host, restAfter(host));
      inFlight.add(request.id as string);
      return { request, deaths: 0 };
    },
    handOut: () => {},
    async commit(request, rows, tally) {
      await write(request, rows, tally);
      inFlight.delete(request.id as string);
      figures.add(tally);
    },
    async reclaim(request, notBefore) {
      inFlight.delete(request.id as string);
      deferred.set(request.id as string, { request, notBefore });
    },
    rest,
    nextWake() {
      const waitingHosts = [...byHost.keys()].map((host) => rests.get(host) ?? 0);
      let next = Math.min(Infinity, ...waitingHosts);
      for (const { notBefore } of deferred.values()) next = Math.min(next, notBefore);
      return Number.isFinite(next) ? next : null;
    },
    startSecondPass(notBefore) {
      const postponed = [...deferred.values()].filter((waiting) => waiting.notBefore === Infinity);
      for (const waiting of postponed) waiting.notBefore = notBefore;
      return postponed.length;
    },
    isFinished: async () => byHost.size === 0 && deferred.size === 0 && (await queue.isFinished()),
    counts() {
      const total = queue.getTotalCount();
      return { total, handled: total - queue.getPendingCount() };
    },
    tallies: figures.tallies,
  };
}

function pushAndMark(client: StorageClient, queue: RequestQueue): NonNullable<PlainOptions['write']> {
  return async (request, rows) => {
    for (const { dataset, json } of rows) {
      const { id } = await client.datasets().getOrCreate(dataset);
      await client.dataset(id).pushItems(json);
    }
    await queue.markRequestHandled(request);
  };
}
