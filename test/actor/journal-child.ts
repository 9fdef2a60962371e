// Takes pages from a queue and commits each through the journal until none is left; dies by SIGKILL where it is told to.
// Environment: STORE_DIR (Crawlee's own files) or the platform's variables; DIE_AT, such as `after push 2`.
import { Configuration, Request } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { Actor } from 'apify';

import { toBody } from '../../src/core/run-store.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import { openJournaledStore } from '../../src/storage/journaled-store.ts';
import { withOwnStores } from '../../src/storage/own-stores.ts';

const {
  STORE_DIR,
  DIE_AT = '',
  ACTOR_DEFAULT_DATASET_ID: dataset = '',
  ACTOR_DEFAULT_KEY_VALUE_STORE_ID: keyValueStore = '',
} = process.env;
const requestQueue = process.env['ACTOR_DEFAULT_REQUEST_QUEUE_ID'] ?? '';
const AT_ONCE = 3;

const seen = new Map<string, number>();

/** Runs one step of a commit, and dies before or after it if this is the one. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const time = (seen.get(name) ?? 0) + 1;
  seen.set(name, time);
  if (DIE_AT === `before ${name} ${time}`) process.kill(process.pid, 'SIGKILL');
  const result = await work();
  if (DIE_AT === `after ${name} ${time}`) process.kill(process.pid, 'SIGKILL');
  return result;
}

/** A client whose writes are steps. */
function withSteps(client: StorageClient): StorageClient {
  const wrap = <T extends object>(
    inner: T,
    method: string,
    nameOf: (argument: { key?: string; handledAt?: unknown }) => string | null,
  ): T =>
    new Proxy(inner, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: [{ key?: string }]) => {
          const call = () => value.apply(target, args) as Promise<unknown>;
          const name = property === method ? nameOf(args[0]) : null;
          return name === null ? call() : step(name, call);
        };
      },
    });
  return new Proxy(client, {
    get(target, property) {
      if (property === 'dataset') return (id: string) => wrap(target.dataset(id), 'pushItems', () => 'push');
      if (property === 'keyValueStore')
        return (id: string) =>
          wrap(target.keyValueStore(id), 'setRecord', ({ key }) => (key === 'SUREFOOT_JOURNAL' ? 'note' : null));
      if (property === 'requestQueue')
        return (id: string, options?: object) =>
          wrap(target.requestQueue(id, options), 'updateRequest', ({ handledAt }) => (handledAt ? 'mark' : null));
      return bound(target, property);
    },
  });
}

function bound(target: object, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

/** Crawlee's own files give a store another id in each process; by their names they are found again. */
function byName(client: StorageClient): StorageClient {
  const collection = (inner: { getOrCreate(name?: string): Promise<{ id: string }> }) =>
    new Proxy(inner, {
      get: (target, property) =>
        property === 'getOrCreate'
          ? async (name: string) => ({ ...(await target.getOrCreate(name)), id: name })
          : (Reflect.get(target, property) as unknown),
    });
  return new Proxy(client, {
    get(target, property) {
      if (property === 'datasets') return () => collection(target.datasets());
      if (property === 'requestQueues') return () => collection(target.requestQueues());
      if (property === 'requestQueue') {
        return (name: string, options?: object) => {
          const inner = target.requestQueue(name, options);
          const get = async () => {
            const info = await inner.get();
            return info && { ...info, id: name };
          };
          return new Proxy(inner, {
            get: (queue, key) => (key === 'get' ? get : bound(queue, key)),
          });
        };
      }
      return bound(target, property);
    },
  });
}

async function openPlatform(): Promise<StorageClient> {
  await Actor.init({ gracefulShutdown: false });
  const defaults = { dataset, keyValueStore, requestQueue };
  return withOwnStores(Actor.newClient() as unknown as StorageClient, { defaults, chosen: {}, datasets: {} });
}

const inner = STORE_DIR ? byName(new MemoryStorage({ localDataDirectory: STORE_DIR })) : await openPlatform();
const client = withSteps(inner);
const config = new Configuration({ storageClient: client, purgeOnStart: false });

const store = await openJournaledStore({
  client,
  store: 'default',
  traits: { exactlyOnce: true, durable: true, countsDeaths: false, shared: false, paidWrites: true, lagMillis: 20 },
  limits: { hostConcurrency: 100, delayMillis: 0 },
  random: Math.random,
  now: Date.now,
  async openQueue() {
    const queue = await openLaneQueue(config);
    // Whoever asks whether it is finished locks its head, for as long as this says.
    queue.requestLockSecs = 1;
    return queue;
  },
});
await store.add(
  Array.from({ length: 12 }, (_, page) => JSON.parse(toBody(new Request({ url: `https://a.example/${page}` }))) as Request),
  { forefront: false, room: Infinity, limit: Infinity },
);

/** What the parent counts: pages that were worked on. */
const fetched = (url: string) => process.stdout.write(`${url}\n`);

async function work(): Promise<void> {
  while (!(await store.isFinished())) {
    const [page] = (await store.claim({ lane: 'http', room: 1, maxDeaths: Infinity, leaseMillis: 1_000 })).pages;
    if (!page) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    const { url } = page.request;
    fetched(url);
    const rows = [1, 2].map((part) => ({ dataset: 'default', json: JSON.stringify({ url, part }) }));
    const tally = { end: 'succeeded', tier: 'http', host: 'a.example', bytes: 1, millis: 1, rejected: 0 } as const;
    const body = toBody({ ...page.request, handledAt: new Date().toISOString() });
    await store.settle([{ claim: page, outcome: { kind: 'done', body, rows, tally, landing: { how: 'good', millis: 1 } } }]);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
const { tallies, total, handled } = await store.totals();
process.stdout.write(`finished ${JSON.stringify(tallies)} ${JSON.stringify({ total, handled })}\n`);
process.exit(0);
