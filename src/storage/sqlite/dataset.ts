// Crawlee's dataset client on the `rows` table. A row's place in its dataset never changes, so reading from an offset is
// a seek, and a row that belongs to a page is keyed by (request, index), so that a repeated page replaces its rows.
import type { DatasetClient, DatasetClientListOptions, DatasetInfo, Dictionary, PaginatedList } from '@crawlee/types';

import { SurefootError } from '../../core/errors.ts';
import { toRows } from '../rows.ts';
import { pagedList, type Part } from './paged-list.ts';
import type { StoreInfo, Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

export function openDatasets({ db, transaction }: Connection, stores: Stores) {
  const insert = db.prepare('INSERT INTO rows (store, pos, request, idx, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const replace = db.prepare('UPDATE rows SET body = ? WHERE store = ? AND request = ? AND idx = ?');
  const reader = (from: string, order: string) => {
    const rows = `FROM rows WHERE store = ?1 AND ${from} ORDER BY ${order}`;
    // How many rows fit is told by their sizes, for which SQLite reads no body.
    const sizes = `SELECT pos, octet_length(body) AS size ${rows} LIMIT ?3`;
    const fitting = `SELECT COUNT(*) FROM (SELECT SUM(size) OVER (ORDER BY ${order}) - size AS before FROM (${sizes})) WHERE before < ?4`;
    const all = db.prepare(`SELECT body ${rows} LIMIT ?3`);
    const within = db.prepare(`SELECT body ${rows} LIMIT (${fitting})`);
    return (store: number, start: number, limit: number, maxBytes: number | undefined) =>
      (maxBytes === undefined ? all.all(store, start, limit) : within.all(store, start, limit, maxBytes)) as { body: string }[];
  };
  const read = reader('pos > ?2', 'pos');
  const readBackwards = reader('pos <= ?2', 'pos DESC');

  const placeOf = db.prepare('SELECT pos FROM rows WHERE store = ? AND request = ? LIMIT 1');
  const takeOut = db.prepare('DELETE FROM rows WHERE store = ? AND pos = ?');
  const move = db.prepare('UPDATE rows SET pos = ? WHERE store = ? AND pos = ?');

  /** Adds rows; those of a request replace the ones it wrote before. Called inside a transaction. */
  const write = (store: number, bodies: readonly string[], request: string | null) => {
    const first = stores.nextSeq(store);
    let added = 0;
    for (const [index, body] of bodies.entries()) {
      const { changes } = insert.run(store, first + added, request, request === null ? null : index, body);
      if (changes > 0) added++;
      else replace.run(body, store, request, index);
    }
    if (added > 0) stores.advance(store, { seq: added, total: added });
  };

  /** Takes a request's rows out. The last row takes each one's place: places have no gaps. Called inside a transaction. */
  const remove = (store: number, request: string) => {
    for (;;) {
      const row = placeOf.get(store, request) as { pos: number } | undefined;
      if (!row) return;
      takeOut.run(store, row.pos);
      const last = stores.nextSeq(store) - 1;
      if (last !== row.pos) move.run(row.pos, store, last);
      stores.advance(store, { seq: -1, total: -1 });
    }
  };

  const client = <Data extends Dictionary>(idOrName: string): DatasetClient<Data> => {
    const key = () => stores.keyOf('dataset', idOrName);
    const page = <Item>(
      options: DatasetClientListOptions & Part,
      toItem: (row: Data, index: number) => Item,
    ): PaginatedList<Item> => {
      const { offset = 0, limit = Number.MAX_SAFE_INTEGER, desc = false, maxBytes } = options;
      const store = key();
      const total = stores.find('dataset', idOrName)?.total ?? 0;
      // Places start at 1 and have no gaps.
      const lines = desc ? readBackwards(store, total - offset, limit, maxBytes) : read(store, offset, limit, maxBytes);
      const items = lines.map(({ body }, index) => toItem(JSON.parse(body) as Data, offset + index));
      return { total, count: items.length, offset, limit, desc, items };
    };
    return {
      async get() {
        const info = stores.find('dataset', idOrName);
        return info && toDatasetInfo(info);
      },
      async update({ name } = {}) {
        return toDatasetInfo(transaction(() => stores.rename('dataset', idOrName, name)));
      },
      async delete() {
        transaction(() => stores.delete('dataset', idOrName));
      },
      async downloadItems() {
        throw new SurefootError(
          'storage',
          'A local dataset has no downloadItems(). Read it with getData(), or by the `export` command.',
        );
      },
      listItems(options = {}) {
        return pagedList(options, (part) => page(part, (row) => row));
      },
      listEntries(options = {}) {
        return pagedList(options, (part) => page(part, (row, index): [number, Data] => [index, row]));
      },
      async pushItems(items) {
        const bodies = toRows(items);
        transaction(() => write(key(), bodies, null));
      },
    };
  };

  return { client, write, remove };
}

export function toDatasetInfo({ key: _, handled: __, total, ...rest }: StoreInfo): DatasetInfo {
  return { ...rest, itemCount: total };
}
