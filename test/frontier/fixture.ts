// A frontier over a store of its own, opened as crawl.ts opens it, with a clock that stands still.
import { Configuration, log, type Request, type RequestQueue } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { afterEach, beforeEach, vi } from 'vitest';

import type { Site } from '../../src/core/site.ts';
import { atomicCheckpoint, plainCheckpoint, type Checkpoint } from '../../src/frontier/checkpoint.ts';
import { Frontier } from '../../src/frontier/frontier.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/client.ts';
import { newFolder, openIn, reopenAfterCrash } from '../storage/sqlite/fixture.ts';

export const NOW = Date.parse('2026-02-03T04:05:06.000Z');

export const site: Pick<Site, 'name' | 'labelOf' | 'routes'> = {
  name: 'test',
  labelOf: ({ pathname }) => (pathname.startsWith('/list') ? 'LIST' : 'DETAIL'),
  routes: { LIST: async () => {}, DETAIL: async () => {} },
};

export interface Bench {
  readonly client: StorageClient;
  readonly queue: RequestQueue;
  readonly checkpoint: Checkpoint;
  readonly frontier: Frontier;
}

interface BenchOptions {
  maxRequests?: number;
  /** Puts something between the frontier and its store. */
  around?: (checkpoint: Checkpoint) => Partial<Checkpoint>;
}

async function bench(client: StorageClient, atomic: SqliteStorage | null, { maxRequests, around }: BenchOptions): Promise<Bench> {
  const queue = await openLaneQueue(new Configuration({ storageClient: client, purgeOnStart: false }));
  const inner = atomic ? atomicCheckpoint(atomic, queue) : plainCheckpoint(client, queue);
  const checkpoint = { ...inner, ...around?.(inner) };
  return { client, queue, checkpoint, frontier: new Frontier({ queue, checkpoint, site, maxRequests }) };
}

export interface SqliteBench extends Bench {
  readonly dir: string;
  readonly storage: SqliteStorage;
}

export async function overSqlite(options: BenchOptions & { dir?: string } = {}): Promise<SqliteBench> {
  const dir = options.dir ?? newFolder();
  const storage = openIn(dir);
  return { ...(await bench(storage, storage, options)), dir, storage };
}

/** The frontier of the next process, after this one was killed. */
export async function afterCrash({ dir }: SqliteBench, options: BenchOptions = {}): Promise<SqliteBench> {
  const next = reopenAfterCrash(dir);
  return { ...(await bench(next.storage, next.storage, options)), ...next };
}

export async function overMemory(options: BenchOptions = {}): Promise<Bench> {
  return bench(new MemoryStorage({ persistStorage: false }), null, options);
}

/** Both kinds of store that a frontier works over. */
export const STORES: [name: string, open: (options?: BenchOptions) => Promise<Bench>][] = [
  ['SQLite', overSqlite],
  ['MemoryStorage', overMemory],
];

/** Time stands still but for `vi.setSystemTime()`; timers run as ever. */
export function holdClock(): void {
  log.setLevel(log.LEVELS.OFF);
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export const urlOf = (name: string) => `https://a.example/${name}`;

export const nameOf = (request: { url: string } | null) => request && request.url.slice(urlOf('').length);

/** In an order of their own, where that of the hand-outs is left open. */
export const sorted = (names: readonly (string | null)[]) => names.map(String).toSorted();

export async function add(frontier: Frontier, ...names: string[]): Promise<void> {
  await frontier.addRequestsBatched(names.map(urlOf));
}

/** The next request, which there must be. */
export async function take(frontier: Frontier): Promise<Request> {
  const request = await frontier.fetchNextRequest();
  if (!request) throw new Error('The frontier hands nothing out');
  return request;
}

export async function rowsOf({ client }: Bench, dataset: string): Promise<unknown[]> {
  const { id } = await client.datasets().getOrCreate(dataset);
  return (await client.dataset(id).listItems()).items;
}
