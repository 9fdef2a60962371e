// Crawlee's StorageClient on one SQLite file, and what the frontier needs beyond it: a page committed in one transaction.
import type { PaginatedList, StorageClient } from '@crawlee/types';

import { DATASETS, OWN_STORE, type RunStore } from '../../core/run-store.ts';
import type { RunStoreOptions } from '../store-options.ts';
import { openClaims, recoverFromDeath } from './claims.ts';
import { openDatasets, toDatasetInfo } from './dataset.ts';
import { openDueTimes } from './due-times.ts';
import { openFigures } from './figures.ts';
import { openKeyValueStores, toKeyValueStoreInfo } from './key-value-store.ts';
import { openRequestQueues, toQueueInfo } from './request-queue.ts';
import { openRunStore } from './run-store.ts';
import { openDatabase } from './schema.ts';
import { openStores, type StoreKind } from './stores.ts';

/** A storage client over one file, held open until `close()`. */
export interface SqliteStorage extends StorageClient {
  /** @param queueId The id of a queue that is there. @default the one named `default`, which is made if there is none */
  openRun(options?: RunStoreOptions & { queueId?: string }): Promise<RunStore>;
  /** Drops what a run has written, all of it or nothing. Stores that a site opened by a name of its own stay. */
  purge(): Promise<void>;
  /** Gives back what this process still holds, and closes the file. Throws nothing. */
  close(): void;
}

/** Opens (or creates) the file as its only writer; storage/lock.ts sees to that. Locks that a dead process left are
 *  void at once, and a request that has now been in flight at two deaths goes behind all others.
 *  @param options.readOnly Look only: locks stay as they are. For `status` and `export` beside a running crawl.
 *  @param options.whole Reads all of the file for damage first; a large one takes a while.
 *  @throws {SurefootError} kind `storage`: see openDatabase(). */
export function openSqliteStorage(file: string, options: { readOnly?: boolean; whole?: boolean } = {}): SqliteStorage {
  return toStorage(openParts(file, options), options);
}

/** What a storage client and a run store on one file are made of. */
export function openParts(file: string, options: { readOnly?: boolean; whole?: boolean } = {}) {
  const connection = openDatabase(file, options);
  const stores = openStores(connection);
  const dueTimes = openDueTimes(connection);
  const queues = openRequestQueues(connection, stores, dueTimes);
  const datasets = openDatasets(connection, stores);
  const keyValueStores = openKeyValueStores(connection, stores);

  const claims = openClaims(connection, { stores, datasets, dueTimes });
  const figures = openFigures(connection);
  if (!options.readOnly) recoverFromDeath(connection);
  return { connection, stores, dueTimes, queues, datasets, keyValueStores, claims, figures };
}

export function toStorage(parts: ReturnType<typeof openParts>, options: { readOnly?: boolean } = {}): SqliteStorage {
  const { connection, stores, queues, datasets, keyValueStores, claims } = parts;
  const { db, transaction, flush } = connection;

  const collection = <Info>(kind: StoreKind, toInfo: (info: ReturnType<typeof stores.getOrCreate>) => Info) => ({
    async list(): Promise<PaginatedList<Info>> {
      const items = stores.list(kind).map(toInfo);
      return { total: items.length, count: items.length, offset: 0, limit: items.length, desc: false, items };
    },
    async getOrCreate(name?: string): Promise<Info> {
      return toInfo(transaction(() => stores.getOrCreate(kind, name)));
    },
  });

  return {
    requestQueues: () => collection('queue', toQueueInfo),
    requestQueue: (id, { clientKey = 'anonymous' } = {}) => queues.client(id, clientKey),
    datasets: () => collection('dataset', toDatasetInfo),
    dataset: (id) => datasets.client(id),
    keyValueStores: () => collection('key-value store', toKeyValueStoreInfo),
    keyValueStore: (id) => keyValueStores.client(id),
    async purge() {
      transaction(() => {
        for (const kind of ['queue', 'key-value store'] as const) stores.delete(kind, OWN_STORE);
        for (const name of Object.values(DATASETS)) stores.delete('dataset', name);
      });
    },

    async openRun({ queueId, ...runOptions } = {}) {
      const id = queueId ?? transaction(() => stores.getOrCreate('queue', OWN_STORE)).id;
      return openRunStore(id, parts, runOptions);
    },
    close() {
      if (!db.open) return;
      flush();
      try {
        if (options.readOnly) return;
        transaction(claims.releaseAll);
        // All of it is in the one file then, and can be copied; libsql does not do this on close.
        db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      } catch {
        // The disk is full, or somebody else has the file: nothing is lost by that. The next one to open it gives back what
        // is locked and reads the log, and whoever closes because of an error is to tell that one.
      } finally {
        db.close();
      }
    },
  };
}
