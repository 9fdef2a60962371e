// A store in a folder of its own for each test, and what a process that is killed leaves of it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Request, type RequestOptions } from '@crawlee/core';
import { onTestFinished } from 'vitest';

import type { Claimed, ClaimOptions, PageTally, Rest } from '../../../src/core/checkpoint.ts';
import { openSqliteStorage, type SqliteStorage } from '../../../src/storage/sqlite/client.ts';

export function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'surefoot-storage-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

export const fileIn = (dir: string) => join(dir, 'crawl.sqlite');

export function openIn(dir: string): SqliteStorage {
  const storage = openSqliteStorage(fileIn(dir));
  onTestFinished(() => storage.close());
  return storage;
}

/** What is on disk at this moment, opened as the next process would. The first one goes on undisturbed. */
export function reopenAfterCrash(dir: string): { dir: string; storage: SqliteStorage } {
  const remains = join(newFolder(), 'remains');
  cpSync(dir, remains, { recursive: true });
  return { dir: remains, storage: openIn(remains) };
}

export function requestFor(name: string): Request {
  return new Request({ url: `https://a.example/${name}` });
}

/** The default queue's id, with requests in it. */
export async function queueWith(storage: SqliteStorage, names: readonly string[] = []): Promise<string> {
  const { id } = await storage.requestQueues().getOrCreate('default');
  if (names.length > 0) await storage.requestQueue(id).batchAddRequests(names.map(requestFor));
  return id;
}

/** Locks the next requests as Crawlee's own queue does. In the order of the queue. */
export async function claim(storage: SqliteStorage, queueId: string, limit = 25): Promise<Request[]> {
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
  storage: SqliteStorage,
  queueId: string,
  change: Partial<ClaimOptions> = {},
): Promise<Claimed<Request> | null> {
  const options = { now: Date.now(), lockMillis: 60_000, owner: 'test', maxDeaths: Infinity, restAfter: () => OPEN, ...change };
  const claimed = await storage.claim(queueId, options);
  return claimed && { request: new Request(claimed.request), deaths: claimed.deaths };
}

/** Claims all there is to claim. In the order of the claims. */
export async function claimAll(
  storage: SqliteStorage,
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

export async function rowsOf(storage: SqliteStorage, dataset: string): Promise<unknown[]> {
  const { id } = await storage.datasets().getOrCreate(dataset);
  return (await storage.dataset(id).listItems()).items;
}

export const row = (dataset: string, value: unknown) => ({ dataset, json: JSON.stringify(value) });
