// Crawlee's dataset client on the `rows` table. A row's place in its dataset never changes, so reading from an offset is
// a seek, and a row that belongs to a page is keyed by (request, index), so that a repeated page replaces its rows.
import type { DatasetClient, DatasetClientListOptions, DatasetInfo, Dictionary, PaginatedList } from '@crawlee/types';

import { SurefootError } from '../../core/errors.ts';
import { toRows } from '../rows.ts';
import { pagedList } from './paged-list.ts';
import type { StoreInfo, Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

export function openDatasets({ db, transaction }: Connection, stores: Stores) {
  const insert = db.prepare('INSERT INTO rows (store, pos, request, idx, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const replace = db.prepare('UPDATE rows SET body = ? WHERE store = ? AND request = ? AND idx = ?');
  const read = db.prepare('SELECT body FROM rows WHERE store = ? AND pos > ? ORDER BY pos LIMIT ?');
  const readBackwards = db.prepare('SELECT body FROM rows WHERE store = ? AND pos <= ? ORDER BY pos DESC LIMIT ?');

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
    const page = <Item>(options: DatasetClientListOptions, toItem: (row: Data, index: number) => Item): PaginatedList<Item> => {
      const { offset = 0, limit = Number.MAX_SAFE_INTEGER, desc = false } = options;
      const store = key();
      const total = stores.find('dataset', idOrName)?.total ?? 0;
      // Places start at 1 and have no gaps.
      const lines = desc ? readBackwards.all(store, total - offset, limit) : read.all(store, offset, limit);
      const items = (lines as { body: string }[]).map(({ body }, index) => toItem(JSON.parse(body) as Data, offset + index));
      return { total, count: items.length, offset, limit, desc, items };
    };
    return {
      async get() {
        const info = stores.find('dataset', idOrName);
        return info && toDatasetInfo(info);
      },
      async update({ name } = {}) {
        return toDatasetInfo(stores.rename('dataset', idOrName, name));
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
