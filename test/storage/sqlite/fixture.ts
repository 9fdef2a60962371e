// A store in a folder of its own for each test, and what a process that is killed leaves of it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Request, type RequestOptions } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';
import { onTestFinished } from 'vitest';

import type { Lane } from '../../../src/core/lane.ts';
import type { Rest } from '../../../src/core/pace.ts';
import { toBody, type PageTally, type Redriven, type StagedRow, type TallySum } from '../../../src/core/run-store.ts';
import { openParts, toStorage, type SqliteStorage } from '../../../src/storage/sqlite/client.ts';
import { NEVER } from '../../../src/storage/sqlite/due-times.ts';
import { fromBody } from '../../../src/storage/sqlite/request-queue.ts';

export function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'surefoot-storage-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

export const fileIn = (dir: string) => join(dir, 'crawl.sqlite');

/** A storage client with the claims below its run store, page by page: how hosts rest is the test's to say. */
export interface ClaimsStorage extends SqliteStorage {
  claim(queue: string, options: ClaimOptions): Promise<Claimed<RequestOptions> | null>;
  handOut(queue: string, id: string): Promise<void>;
  commit(queue: string, request: Request, page: { rows: readonly StagedRow[]; tally: PageTally }): Promise<void>;
  reclaim(queue: string, request: Request, notBefore: number, lane?: Lane): Promise<void>;
  recover(queue: string, ids: readonly string[]): Promise<void>;
  rest(queue: string, host: string, rest: Rest): Promise<void>;
  nextWake(queue: string): number | null;
  hasWork(queue: string, lane: Lane): boolean;
  startSecondPass(queue: string, at: number): number;
  redrive(queue: string, letter: Redriven): Promise<boolean>;
  releaseAll(): void;
  counts(queue: string): { total: number; handled: number };
  tallies(queue: string): TallySum[];
  counters(queue: string): Record<string, number>;
}

export interface ClaimOptions {
  lane?: Lane;
  now: number;
  lockMillis: number;
  owner: string;
  maxDeaths: number;
  restAfter(host: string): Rest;
}

export interface Claimed<Requested> {
  readonly request: Requested;
  readonly deaths: number;
}

export function openIn(dir: string): ClaimsStorage {
  const parts = openParts(fileIn(dir));
  const storage = toStorage(parts);
  onTestFinished(() => storage.close());
  const { connection, stores, claims, dueTimes, figures } = parts;
  const { group, transaction } = connection;
  const keyOf = (queue: string) => stores.keyOf('queue', queue);
  const lanes = new Map<string, Lane>();
  return {
    ...storage,
    async claim(queue, { lane = 'http', now, lockMillis, owner, maxDeaths, restAfter }) {
      return group(() => {
        const store = keyOf(queue);
        dueTimes.wake(store, now);
        const locked = claims.lockNext(store, lane, maxDeaths, now + lockMillis, owner);
        if (!locked) return null;
        lanes.set(locked.id, lane);
        const rest = restAfter(locked.host);
        if (rest.closed || rest.until > 0) claims.restHost(store, locked.host, rest);
        return { request: { ...fromBody(locked.body), id: locked.id } as unknown as RequestOptions, deaths: locked.deaths };
      });
    },
    handOut: (queue, id) => group(() => claims.arrived(keyOf(queue), id)),
    async commit(queue, request, { rows, tally }) {
      await group(() => {
        if (claims.finish(keyOf(queue), request.id as string, toBody(request), rows)) figures.add(keyOf(queue), tally);
      });
    },
    async reclaim(queue, request, notBefore, lane = lanes.get(request.id as string) ?? 'http') {
      await group(() => {
        claims.putBack(keyOf(queue), request.id as string, toBody(request), Math.min(notBefore, NEVER), lane);
      });
    },
    recover: (queue, ids) =>
      group(() => {
        for (const id of ids) claims.recover(keyOf(queue), id);
      }),
    rest: (queue, host, rest) => group(() => claims.restHost(keyOf(queue), host, rest)),
    nextWake: (queue) => dueTimes.next(keyOf(queue)),
    hasWork: (queue, lane) => lane === 'http' || claims.hasBrowserWork(keyOf(queue)),
    startSecondPass: (queue, at) => transaction(() => claims.startSecondPass(keyOf(queue), Date.now(), at)),
    redrive: async (queue, letter) => (await (await storage.openRun({ queueId: queue })).redrive([letter])) === 1,
    releaseAll: () => transaction(claims.releaseAll),
    counts(queue) {
      const { total = 0, handled = 0 } = stores.find('queue', queue) ?? {};
      return { total, handled };
    },
    tallies: (queue) => figures.tallies(keyOf(queue)),
    counters: (queue) => figures.counters(keyOf(queue)),
  };
}

/** What is on disk at this moment, opened as the next process would. The first one goes on undisturbed. */
export function reopenAfterCrash(dir: string): { dir: string; storage: ClaimsStorage } {
  const remains = join(newFolder(), 'remains');
  cpSync(dir, remains, { recursive: true });
  return { dir: remains, storage: openIn(remains) };
}

export function requestFor(name: string): Request {
  return new Request({ url: `https://a.example/${name}` });
}

/** The default queue's id, with requests in it. */
export async function queueWith(storage: StorageClient, names: readonly string[] = []): Promise<string> {
  const { id } = await storage.requestQueues().getOrCreate('default');
  if (names.length > 0) await storage.requestQueue(id).batchAddRequests(names.map(requestFor));
  return id;
}

/** Locks the next requests as Crawlee's own queue does. In the order of the queue. */
export async function claim(storage: StorageClient, queueId: string, limit = 25): Promise<Request[]> {
  const queue = storage.requestQueue(queueId, { clientKey: 'test' });
  const { items } = await queue.listAndLockHead({ limit, lockSecs: 60 });
  const stored = await Promise.all(items.map(({ id }) => queue.getRequest(id)));
  return stored.map((request) => new Request(request as unknown as RequestOptions));
}

/** How a host rests. */
export const OPEN: Rest = { until: 0, closed: false };
export const FULL: Rest = { until: 0, closed: true };
export const restUntil = (until: number): Rest => ({ until, closed: false });

/** The frontier's claim: with nothing else in flight, and no host rests, unless it says otherwise. */
export async function claimNext(
  storage: ClaimsStorage,
  queueId: string,
  change: Partial<ClaimOptions> = {},
): Promise<Claimed<Request> | null> {
  const options = { now: Date.now(), lockMillis: 60_000, owner: 'test', maxDeaths: Infinity, restAfter: () => OPEN, ...change };
  const claimed = await storage.claim(queueId, options);
  return claimed && { request: new Request(claimed.request), deaths: claimed.deaths };
}

/** Claims all there is to claim. In the order of the claims. */
export async function claimAll(
  storage: ClaimsStorage,
  queueId: string,
  change: Partial<ClaimOptions> = {},
): Promise<Claimed<Request>[]> {
  const all: Claimed<Request>[] = [];
  for (let next = await claimNext(storage, queueId, change); next; next = await claimNext(storage, queueId, change))
    all.push(next);
  return all;
}

export const namesOf = (requests: readonly Request[]) => requests.map(({ url }) => url.slice('https://a.example/'.length));

export function tally(change: Partial<PageTally> = {}): PageTally {
  return { end: 'succeeded', tier: 'http', host: 'a.example', bytes: 100, millis: 10, rejected: 0, ...change };
}

export async function rowsOf(storage: StorageClient, dataset: string): Promise<unknown[]> {
  const { id } = await storage.datasets().getOrCreate(dataset);
  return (await storage.dataset(id).listItems()).items;
}

export const row = (dataset: string, value: unknown) => ({ dataset, json: JSON.stringify(value) });
