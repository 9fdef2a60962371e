// Opens the store that a run keeps its place in: SQLite, the stock files, or memory.
import { existsSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type * as StockStorage from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { RunStore, StoreTraits } from '../core/run-store.ts';
import { withParts } from './parts.ts';
import { openPlainStore } from './plain-store.ts';
import { clearRun } from './run.ts';
import { openSqliteStorage } from './sqlite/client.ts';
import { SQLITE_TRAITS } from './sqlite/run-store.ts';
import { overQueue, type RunStoreOptions } from './store-options.ts';

const SQLITE_FILE = 'crawl.sqlite';

const require = createRequire(import.meta.url);

/** A storage client of Crawlee's, and the run in it. */
export interface OpenStorage {
  readonly client: StorageClient;
  readonly traits: StoreTraits;
  /** Opens the run's queue with the pace of its hosts; once a process. */
  openRun(options?: RunStoreOptions): Promise<RunStore>;
  /** Drops what a run has written: queue, rows, dead letters, state. Stores that a site opened by a name of its own stay. */
  clear(): Promise<void>;
  /** Whether the next process would find what is written: false once somebody has deleted or replaced the file. */
  isThere(): boolean;
  close(): Promise<void>;
}

export interface OpenStorageOptions {
  store: 'sqlite' | 'files' | 'memory';
  storageDir: string;
  /** `--fresh`: a file that cannot be used, be it in its last page, is set aside under another name. @default false */
  fresh?: boolean;
  /** Only look, beside a crawl that may be running. @default false */
  readOnly?: boolean;
}

/** @throws {SurefootError} kind `storage`: the folder cannot be written, or what is there cannot be used. */
export function openStorage({ store, storageDir, fresh = false, readOnly = false }: OpenStorageOptions): OpenStorage {
  if (store !== 'sqlite') return openStock(storageDir, store === 'files');
  const file = join(storageDir, SQLITE_FILE);
  if (readOnly && !existsSync(file)) {
    throw new SurefootError(
      'storage',
      `There is no crawl in ${storageDir} (no ${SQLITE_FILE}). Start one, or name its folder with --storage-dir.`,
    );
  }
  const client = openOrSetAside(file, { fresh, readOnly });
  const { ino } = statSync(file);
  return {
    client,
    traits: SQLITE_TRAITS,
    openRun: (options) => client.openRun(options),
    clear: () => client.purge(),
    isThere: () => statSync(file, { throwIfNoEntry: false })?.ino === ino,
    close: async () => client.close(),
  };
}

/** Crawlee's own files or memory. */
function openStock(localDataDirectory: string, persistStorage: boolean): OpenStorage {
  const { MemoryStorage } = require('@crawlee/memory-storage') as typeof StockStorage;
  const client = withParts(new MemoryStorage({ localDataDirectory, persistStorage }));
  const traits: StoreTraits = {
    exactlyOnce: false,
    durable: persistStorage,
    countsDeaths: false,
    shared: false,
    paidWrites: false,
    lagMillis: 0,
  };
  return {
    client,
    traits,
    async openRun(options = {}) {
      const { openQueue, ...rest } = overQueue(options, "Crawlee's own stores");
      return openPlainStore({ client, queue: await openQueue(), traits, ...rest });
    },
    clear: () => clearRun(client),
    isThere: () => true,
    close: async () => {},
  };
}

function openOrSetAside(file: string, { fresh, readOnly }: { fresh: boolean; readOnly: boolean }) {
  try {
    return openSqliteStorage(file, { readOnly, whole: fresh });
  } catch (error) {
    if (!fresh || !(error instanceof SurefootError) || error.code !== 'unusable-store') throw error;
    // Never deleted: it may be somebody's data.
    const aside = `${file}.set-aside-${Date.now()}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
    }
    return openSqliteStorage(file, { readOnly });
  }
}
