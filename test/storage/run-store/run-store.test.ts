// The run stores of this repository, each held to the port.
import { Configuration } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { onTestFinished } from 'vitest';

import type { PaceLimits } from '../../../src/core/pace.ts';
import type { RunStore, StoreTraits } from '../../../src/core/run-store.ts';
import { openLaneQueue } from '../../../src/frontier/lane-queue.ts';
import { openJournaledStore } from '../../../src/storage/journaled-store.ts';
import { openPlainStore } from '../../../src/storage/plain-store.ts';
import { openSqliteStorage } from '../../../src/storage/sqlite/client.ts';
import { SQLITE_TRAITS } from '../../../src/storage/sqlite/run-store.ts';
import { fileIn, newFolder, reopenAfterCrash } from '../sqlite/fixture.ts';
import { describeRunStore, type OpenedStore } from './suite.ts';

/** A clock that stands still but for `pass`. */
function standing() {
  let at = Date.parse('2026-02-03T04:05:06.000Z');
  return {
    now: () => at,
    async pass(millis: number) {
      at += millis;
    },
  };
}
type Clock = ReturnType<typeof standing>;

async function rowsIn(client: StorageClient, dataset: string): Promise<unknown[]> {
  const { id } = await client.datasets().getOrCreate(dataset);
  return (await client.dataset(id).listItems()).items;
}

async function overSqlite(dir: string, limits: PaceLimits, clock: Clock): Promise<OpenedStore> {
  const storage = openSqliteStorage(fileIn(dir));
  onTestFinished(() => storage.close());
  return {
    store: await storage.openRun({ limits, random: () => 0.5, now: clock.now }),
    rowsOf: (dataset) => rowsIn(storage, dataset),
    async next(how) {
      if (how === 'killed') return overSqlite(reopenAfterCrash(dir).dir, limits, clock);
      storage.close();
      return overSqlite(dir, limits, clock);
    },
    pass: clock.pass,
  };
}

describeRunStore({
  name: 'SQLite',
  traits: SQLITE_TRAITS,
  keepsPlaces: true,
  open: (limits) => overSqlite(newFolder(), limits, standing()),
});

const NONE: StoreTraits = {
  exactlyOnce: false,
  durable: false,
  countsDeaths: false,
  shared: false,
  paidWrites: false,
  lagMillis: 0,
};

const newMemory = () => new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() });
const queueOf = (client: StorageClient) => openLaneQueue(new Configuration({ storageClient: client, purgeOnStart: false }));

/** The next process over a storage client that outlives this one, as a platform's does. */
function over(client: StorageClient, clock: Clock, open: () => Promise<RunStore>): () => Promise<OpenedStore> {
  const opened = async (): Promise<OpenedStore> => ({
    store: await open(),
    rowsOf: (dataset) => rowsIn(client, dataset),
    next: opened,
    pass: clock.pass,
  });
  return opened;
}

describeRunStore({
  name: "Crawlee's memory",
  traits: NONE,
  keepsPlaces: false,
  open(limits) {
    const [client, clock] = [newMemory(), standing()];
    const common = { client, traits: NONE, limits, random: () => 0.5, now: clock.now };
    return over(client, clock, async () => openPlainStore({ ...common, queue: await queueOf(client) }))();
  },
});

/** As the platform's client: what a dead process had locked can be unlocked. This one does so with whatever is written. */
function unlocking(client: StorageClient): StorageClient {
  const ids = new Set<string>();
  const requestQueue: StorageClient['requestQueue'] = (id, options) => {
    const queue = client.requestQueue(id, options);
    const batchAddRequests: typeof queue.batchAddRequests = async (...args) => {
      const added = await queue.batchAddRequests(...args);
      for (const { requestId } of added.processedRequests) ids.add(requestId);
      return added;
    };
    const unlockRequests = async () => {
      for (const each of ids) {
        const request = await queue.getRequest(each);
        if (request && !request['handledAt']) await queue.updateRequest(request as never);
      }
    };
    return new Proxy(queue, {
      get(target, property) {
        if (property === 'batchAddRequests') return batchAddRequests;
        if (property === 'unlockRequests') return unlockRequests;
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return new Proxy(client, {
    get(target, property) {
      if (property === 'requestQueue') return requestQueue;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const JOURNALED: StoreTraits = { ...NONE, exactlyOnce: true, durable: true };

describeRunStore({
  name: 'the journal',
  traits: JOURNALED,
  keepsPlaces: false,
  open(limits) {
    const [client, clock] = [unlocking(newMemory()), standing()];
    const common = { client, traits: JOURNALED, store: 'default', limits, random: () => 0.5, now: clock.now };
    return over(client, clock, () => openJournaledStore({ ...common, openQueue: () => queueOf(client) }))();
  },
});
