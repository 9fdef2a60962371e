// Crawlee's StorageClient on one SQLite file, and what the frontier needs beyond it: a page committed in one transaction.
import type { PaginatedList, StorageClient } from '@crawlee/types';

import type { AtomicStorage, PageTally, StagedRow, TallySum } from '../../core/checkpoint.ts';
import { openDatasets, toDatasetInfo } from './dataset.ts';
import { openKeyValueStores, toKeyValueStoreInfo } from './key-value-store.ts';
import { openRequestQueues, SUSPECT_BAND, toBody, toQueueInfo } from './request-queue.ts';
import { openDatabase, STATE } from './schema.ts';
import { openStores, type StoreKind } from './stores.ts';

/** A storage client over one file, held open until `close()`. */
export interface SqliteStorage extends StorageClient, AtomicStorage {
  /** Gives back what this process still holds, and closes the file. */
  close(): void;
}

/** Opens (or creates) the file as its only writer; storage/lock.ts sees to that. Locks that a dead process left are
 *  void at once, and a request that has now been in flight at two deaths goes behind all others.
 *  @param options.readOnly Look only: locks stay as they are. For `status` and `export` beside a running crawl.
 *  @throws {SurefootError} kind `storage`: see openDatabase(). */
export function openSqliteStorage(file: string, options: { readOnly?: boolean } = {}): SqliteStorage {
  const connection = openDatabase(file);
  const { db, transaction } = connection;
  const stores = openStores(connection);
  const queues = openRequestQueues(connection, stores);
  const datasets = openDatasets(connection, stores);
  const keyValueStores = openKeyValueStores(connection, stores);

  if (!options.readOnly) {
    db.prepare(
      `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL,
         seq = CASE WHEN hand_outs >= 2 AND seq < ${SUSPECT_BAND} THEN seq + 2 * ${SUSPECT_BAND} ELSE seq END
       WHERE state = ${STATE.locked}`,
    ).run();
  }

  const markHandled = db.prepare(
    `UPDATE requests SET state = ${STATE.handled}, body = ?, lock_until = NULL, locked_by = NULL, due_at = 0, hand_outs = 0
     WHERE store = ? AND id = ? AND state <> ${STATE.handled}`,
  );
  const putBack = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, lock_until = NULL, locked_by = NULL, due_at = ?, hand_outs = 0
     WHERE store = ? AND id = ?`,
  );
  const countHandOut = db.prepare('UPDATE requests SET hand_outs = hand_outs + 1 WHERE store = ? AND id = ?');
  const suspected = db.prepare(
    `SELECT id, hand_outs FROM requests WHERE store = ? AND state = ${STATE.waiting} AND due_at = 0 AND seq > ${SUSPECT_BAND}`,
  );
  const release = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, hand_outs = 0 WHERE state = ${STATE.locked}`,
  );
  const soonest = db.prepare(
    `SELECT due_at FROM requests WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 ORDER BY due_at LIMIT 1`,
  );
  const addTally = db.prepare(
    `INSERT INTO tallies (store, tier, host, page_end, pages, bytes, millis, rejected) VALUES (?, ?, ?, ?, 1, ?, ?, ?)
     ON CONFLICT (store, tier, host, page_end) DO UPDATE SET pages = pages + 1, bytes = bytes + excluded.bytes,
       millis = millis + excluded.millis, rejected = rejected + excluded.rejected`,
  );
  const readTallies = db.prepare(
    'SELECT tier, host, page_end AS "end", pages, bytes, millis, rejected FROM tallies WHERE store = ? ORDER BY pages DESC',
  );

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
        for (const kind of ['queue', 'dataset', 'key-value store'] as const) stores.delete(kind, 'default');
      });
    },

    async commit(queueId, request, { rows, tally }) {
      const queue = stores.keyOf('queue', queueId);
      transaction(() => {
        for (const [key, bodies] of byStore(rows, (dataset) => stores.getOrCreate('dataset', dataset).key)) {
          datasets.write(key, bodies, request.id as string);
        }
        const { changes } = markHandled.run(toBody(request), queue, request.id);
        if (changes === 0) return; // Handled already: its rows were replaced, its figures stand.
        stores.advance(queue, { handled: 1 });
        addTally.run(queue, tally.tier, tally.host, tally.end, tally.bytes, Math.round(tally.millis), tally.rejected);
      });
    },
    async reclaim(queueId, request, notBefore) {
      const queue = stores.keyOf('queue', queueId);
      transaction(() => putBack.run(toBody(request), notBefore, queue, request.id));
    },
    handOut(queueId, requestId) {
      countHandOut.run(stores.keyOf('queue', queueId), requestId);
    },
    suspects(queueId) {
      const lines = suspected.all(stores.keyOf('queue', queueId)) as { id: string; hand_outs: number }[];
      return new Map(lines.map(({ id, hand_outs: deaths }) => [id, deaths]));
    },
    releaseAll() {
      if (db.open) release.run();
    },
    nextDue(queueId) {
      const line = soonest.get(stores.keyOf('queue', queueId)) as { due_at: number } | undefined;
      return line?.due_at ?? null;
    },
    counts(queueId) {
      const info = stores.find('queue', queueId);
      return { total: info?.total ?? 0, handled: info?.handled ?? 0 };
    },
    tallies(queueId) {
      return readTallies.all(stores.keyOf('queue', queueId)) as (TallySum & PageTally)[];
    },
    close() {
      if (!db.open) return;
      if (!options.readOnly) {
        release.run();
        // One file is left, small enough to be copied; libsql does not do this on close.
        db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      }
      db.close();
    },
  };
}

/** Rows by the key of their dataset: a handler may name one dataset by its id here and by its name there. */
function byStore(rows: readonly StagedRow[], keyOf: (dataset: string) => number): Map<number, string[]> {
  const grouped = new Map<number, string[]>();
  for (const { dataset, json } of rows) {
    const key = keyOf(dataset);
    const bodies = grouped.get(key);
    if (bodies) bodies.push(json);
    else grouped.set(key, [json]);
  }
  return grouped;
}
