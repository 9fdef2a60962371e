// Opens the store that a run keeps its place in: SQLite, the stock files, or memory.
import { existsSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type * as StockStorage from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';

import { isAtomic, type AtomicStorage } from '../core/checkpoint.ts';
import { SurefootError } from '../core/errors.ts';
import type { CloudTraits } from './cloud.ts';
import { withParts } from './parts.ts';
import { openSqliteStorage } from './sqlite/client.ts';

const SQLITE_FILE = 'crawl.sqlite';

const require = createRequire(import.meta.url);

export interface OpenStorage {
  readonly client: StorageClient;
  /** The same client where it commits pages in one transaction; null for the stock ones. */
  readonly atomic: AtomicStorage | null;
  /** Set for the Apify platform's client (cloud.ts): rows are journaled, and each run has stores of its own. */
  readonly cloud?: CloudTraits;
  close(): void;
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
  if (store !== 'sqlite') {
    const { MemoryStorage } = require('@crawlee/memory-storage') as typeof StockStorage;
    const client = withParts(new MemoryStorage({ localDataDirectory: storageDir, persistStorage: store === 'files' }));
    return { client, atomic: null, close: () => {} };
  }
  const file = join(storageDir, SQLITE_FILE);
  if (readOnly && !existsSync(file)) {
    throw new SurefootError(
      'storage',
      `There is no crawl in ${storageDir} (no ${SQLITE_FILE}). Start one, or name its folder with --storage-dir.`,
    );
  }
  const client = openOrSetAside(file, { fresh, readOnly });
  return { client, atomic: isAtomic(client) ? client : null, close: () => client.close() };
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
