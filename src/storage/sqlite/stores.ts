// The rows of `stores`: every queue, dataset and key-value store, found by id or by name.
import { randomUUID } from 'node:crypto';

import { SurefootError } from '../../core/errors.ts';
import type { Connection } from './transactions.ts';

export type StoreKind = 'queue' | 'dataset' | 'key-value store';

/** One line of `stores`, in Crawlee's words. */
export interface StoreInfo {
  readonly key: number;
  readonly id: string;
  readonly name?: string;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly accessedAt: Date;
  readonly total: number;
  readonly handled: number;
}

/** All stores of one connection. */
export interface Stores {
  find(kind: StoreKind, idOrName: string): StoreInfo | undefined;
  /** The key of a store that is made if there is none. Called inside a transaction. */
  keyOrCreate(kind: StoreKind, name: string): number;
  /** The store's key; cached, because every call of every client begins with it.
   *  @throws {SurefootError} kind `storage`: there is no such store. */
  keyOf(kind: StoreKind, idOrName: string): number;
  getOrCreate(kind: StoreKind, name?: string): StoreInfo;
  list(kind: StoreKind): StoreInfo[];
  /** Called inside a transaction. */
  rename(kind: StoreKind, idOrName: string, name: string | undefined): StoreInfo;
  /** Called inside a transaction. */
  delete(kind: StoreKind, idOrName: string): void;
  /** The next place in line, and the new counts. Called inside the transaction that uses them. */
  advance(key: number, by: { seq?: number; total?: number; handled?: number }): void;
  nextSeq(key: number): number;
  /** Called inside a transaction: what this one has added is in it. */
  countsOf(key: number): { total: number; handled: number };
}

interface Line {
  key: number;
  id: string;
  name: string | null;
  created_at: number;
  modified_at: number;
  total: number;
  handled: number;
}

const COLUMNS = 'key, id, name, created_at, modified_at, total, handled';

export function openStores({ db, onUndo, ledger }: Connection): Stores {
  const keys = new Map<string, number>();
  // One of them may have been made by what was undone.
  onUndo(() => keys.clear());
  const byIdOrName = db.prepare(`SELECT ${COLUMNS} FROM stores WHERE kind = ?1 AND id = ?2
                                 UNION ALL SELECT ${COLUMNS} FROM stores WHERE kind = ?1 AND name = ?2`);
  const insert = db.prepare(`INSERT INTO stores (kind, id, name, created_at, modified_at) VALUES (?, ?, ?, ?, ?)`);
  const advanceBy = db.prepare(
    'UPDATE stores SET next_seq = next_seq + ?, total = total + ?, handled = handled + ?, modified_at = ? WHERE key = ?',
  );
  const figuresOf = db.prepare('SELECT next_seq, total, handled FROM stores WHERE key = ?').raw();
  const figures = ledger.open<readonly [key: number]>({
    write([key], [seq, total, handled]) {
      advanceBy.run(seq, total, handled, Date.now(), key);
    },
    read: ([key]) => figuresOf.get(key) as [number, number, number],
  });

  /** With what the transaction has added to it so far. */
  const withFigures = (line: Line) => {
    const [, total = 0, handled = 0] = figures.pending().find(({ key: [key] }) => key === line.key)?.by ?? [];
    return toInfo({ ...line, total: line.total + total, handled: line.handled + handled });
  };
  const find = (kind: StoreKind, idOrName: string) => {
    const line = byIdOrName.get(kind, idOrName) as Line | undefined;
    return line && withFigures(line);
  };
  const existing = (kind: StoreKind, idOrName: string) => {
    const info = find(kind, idOrName);
    if (!info) throw new SurefootError('storage', `There is no ${kind} "${idOrName}". Open it first; it may have been dropped.`);
    return info;
  };

  const getOrCreate = (kind: StoreKind, name?: string): StoreInfo => {
    const found = name === undefined ? undefined : find(kind, name);
    if (found) return found;
    const id = randomUUID().replaceAll('-', '').slice(0, 17);
    const now = Date.now();
    insert.run(kind, id, name ?? null, now, now);
    return existing(kind, id);
  };

  return {
    find,
    keyOf(kind, idOrName) {
      const cacheKey = `${kind}:${idOrName}`;
      let key = keys.get(cacheKey);
      if (key === undefined) {
        key = existing(kind, idOrName).key;
        keys.set(cacheKey, key);
      }
      return key;
    },
    keyOrCreate(kind, name) {
      const cacheKey = `${kind}:${name}`;
      let key = keys.get(cacheKey);
      if (key === undefined) {
        key = getOrCreate(kind, name).key;
        keys.set(cacheKey, key);
      }
      return key;
    },
    getOrCreate,
    list(kind) {
      return (db.prepare(`SELECT ${COLUMNS} FROM stores WHERE kind = ? ORDER BY key`).all(kind) as Line[]).map(withFigures);
    },
    rename(kind, idOrName, name) {
      const info = existing(kind, idOrName);
      if (!name || name === info.name) return info;
      if (find(kind, name)) throw new SurefootError('storage', `There is a ${kind} "${name}" already. Choose another name.`);
      db.prepare('UPDATE stores SET name = ?, modified_at = ? WHERE key = ?').run(name, Date.now(), info.key);
      keys.clear();
      return existing(kind, info.id);
    },
    delete(kind, idOrName) {
      const info = find(kind, idOrName);
      if (info) db.prepare('DELETE FROM stores WHERE key = ?').run(info.key);
      keys.clear();
    },
    advance(key, { seq = 0, total = 0, handled = 0 }) {
      figures.add([key], [seq, total, handled]);
    },
    nextSeq(key) {
      return figures.now([key])[0] as number;
    },
    countsOf(key) {
      const [, total = 0, handled = 0] = figures.now([key]);
      return { total, handled };
    },
  };
}

function toInfo(line: Line): StoreInfo {
  const modifiedAt = new Date(line.modified_at);
  return {
    key: line.key,
    id: line.id,
    ...(line.name === null ? {} : { name: line.name }),
    createdAt: new Date(line.created_at),
    modifiedAt,
    accessedAt: modifiedAt, // Reads are not recorded: they would turn each of them into a write.
    total: line.total,
    handled: line.handled,
  };
}
