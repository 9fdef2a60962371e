// A frontier over a store of its own, opened as crawl.ts opens it, with a clock that stands still.
import { Configuration, log, type Request, type RequestQueue } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { afterEach, beforeEach, vi } from 'vitest';

import { createClock } from '../../src/core/clock.ts';
import { QUIET_MILLIS } from '../../src/core/crash.ts';
import type { Site } from '../../src/core/site.ts';
import type { PaceLimits } from '../../src/core/pace.ts';
import type { RunStore } from '../../src/core/run-store.ts';
import { Frontier } from '../../src/frontier/frontier.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import type { FrontierOptions } from '../../src/frontier/options.ts';
import { openPlainStore } from '../../src/storage/plain-store.ts';
import { newFolder, openIn, reopenAfterCrash, type ClaimsStorage } from '../storage/sqlite/fixture.ts';

export const NOW = Date.parse('2026-02-03T04:05:06.000Z');

export const site: Pick<Site, 'name' | 'labelOf' | 'routes' | 'fragments'> = {
  name: 'test',
  labelOf: ({ pathname }) => (pathname.startsWith('/list') ? 'LIST' : 'DETAIL'),
  routes: { LIST: async () => {}, DETAIL: async () => {} },
};

export interface Bench {
  readonly client: StorageClient;
  readonly queue: RequestQueue;
  readonly store: RunStore;
  readonly frontier: Frontier;
}

interface BenchOptions extends Pick<
  FrontierOptions,
  | 'maxRequests'
  | 'concurrency'
  | 'secondPassDelayMillis'
  | 'onSecondPass'
  | 'onDeadLetter'
  | 'ladder'
  | 'onBrowserNeeded'
  | 'onLearnt'
  | 'clock'
> {
  /** How long the process has lived. @default long enough to be trusted with pages that may kill it */
  uptimeMillis?: number;
  fragments?: Site['fragments'];
  /** @default as many pages at once as a test takes, without a gap */
  limits?: Partial<PaceLimits>;
  /** Puts something between the frontier and its store. */
  around?: (store: RunStore) => Partial<RunStore>;
}

/** Promises nothing beyond the port's own words. */
export const PLAIN_TRAITS = {
  exactlyOnce: false,
  durable: false,
  countsDeaths: false,
  shared: false,
  paidWrites: false,
  lagMillis: 0,
} as const;

async function bench(client: StorageClient, sqlite: ClaimsStorage | null, options: BenchOptions): Promise<Bench> {
  const { limits: given, around, uptimeMillis = QUIET_MILLIS, fragments = 'drop', ...rest } = options;
  const queue = await openLaneQueue(new Configuration({ storageClient: client, purgeOnStart: false }));
  const now = Date.now();
  vi.setSystemTime(now - uptimeMillis);
  // Nothing passes but by `vi.setSystemTime()`.
  const clock = options.clock ?? createClock({ machine: () => Date.now(), elapsed: () => 0 });
  const limits = { hostConcurrency: 1_000, delayMillis: 0, ...given };
  const common = { limits, random: () => 0, now: clock.now };
  const inner = sqlite
    ? await sqlite.openRun({ ...common, queueId: queue.id })
    : openPlainStore({ client, queue, traits: PLAIN_TRAITS, ...common });
  const store = { ...inner, ...around?.(inner) };
  const frontier = await Frontier.open({ store, site: { ...site, fragments }, hasGaps: limits.delayMillis > 0, ...rest, clock });
  vi.setSystemTime(now);
  return { client, queue, store, frontier };
}

export interface SqliteBench extends Bench {
  readonly dir: string;
  readonly storage: ClaimsStorage;
}

export async function overSqlite(options: BenchOptions & { dir?: string } = {}): Promise<SqliteBench> {
  const dir = options.dir ?? newFolder();
  const storage = openIn(dir);
  const { dir: _, ...rest } = options;
  return { ...(await bench(storage, storage, rest)), dir, storage };
}

/** The frontier of the next process, after this one was killed. */
export async function afterCrash({ dir }: SqliteBench, options: BenchOptions = {}): Promise<SqliteBench> {
  const next = reopenAfterCrash(dir);
  return { ...(await bench(next.storage, next.storage, options)), ...next };
}

export async function overMemory(options: BenchOptions = {}): Promise<Bench> {
  // A folder of its own: it reads what `apify run` has left in the project's, though it writes nothing.
  return bench(new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() }), null, options);
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

/** Figures as the store has them. */
export const talliesOf = async ({ store }: Pick<Bench, 'store'>) => (await store.totals()).tallies;

export async function add(frontier: Frontier, ...names: string[]): Promise<void> {
  await frontier.addRequestsBatched(names.map((name) => (name.includes('//') ? name : urlOf(name))));
}

/** The next request, which there must be. */
export async function take(frontier: Frontier): Promise<Request> {
  const request = await frontier.fetchNextRequest();
  if (!request) throw new Error('The frontier hands nothing out');
  return request;
}

/** The next request, whose answer has begun to arrive: from here on a death of the process counts against it. */
export async function takeArrived(frontier: Frontier): Promise<Request> {
  const request = await take(frontier);
  await frontier.arrived(request);
  return request;
}

export async function rowsOf({ client }: Bench, dataset: string): Promise<unknown[]> {
  const { id } = await client.datasets().getOrCreate(dataset);
  return (await client.dataset(id).listItems()).items;
}
