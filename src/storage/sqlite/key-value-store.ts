// Crawlee's key-value store client on the `records` table.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { KeyValueStoreClient, KeyValueStoreClientListOptions, KeyValueStoreInfo, KeyValueStoreRecord } from '@crawlee/types';

import { SurefootError } from '../../core/errors.ts';
import { keyedLists } from './keyed-lists.ts';
import type { StoreInfo, Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

interface Line {
  key: string;
  content_type: string;
  value: Buffer;
}

export function openKeyValueStores({ db, transaction }: Connection, stores: Stores) {
  const upsert = db.prepare(
    `INSERT INTO records (store, key, content_type, value) VALUES (?, ?, ?, ?)
     ON CONFLICT (store, key) DO UPDATE SET content_type = excluded.content_type, value = excluded.value`,
  );
  const read = db.prepare('SELECT key, content_type, value FROM records WHERE store = ? AND key = ?');
  const has = db.prepare('SELECT 1 FROM records WHERE store = ? AND key = ?');
  const remove = db.prepare('DELETE FROM records WHERE store = ? AND key = ?');
  const keysAfter = db.prepare(
    'SELECT key, length(value) AS size FROM records WHERE store = ?1 AND key > ?2 AND substr(key, 1, length(?3)) = ?3 ORDER BY key LIMIT ?4',
  );

  const client = (idOrName: string): KeyValueStoreClient => {
    const store = () => stores.keyOf('key-value store', idOrName);
    const listKeys = ({ limit = 1_000, exclusiveStartKey, prefix = '' }: KeyValueStoreClientListOptions) => {
      const lines = keysAfter.all(store(), exclusiveStartKey ?? '', prefix, limit + 1) as { key: string; size: number }[];
      const items = lines.slice(0, limit).map(({ key, size }) => ({ key, size }));
      const isTruncated = lines.length > limit;
      return {
        count: items.length,
        limit,
        isTruncated,
        items,
        ...(exclusiveStartKey === undefined ? {} : { exclusiveStartKey }),
        ...(isTruncated && { nextExclusiveStartKey: items.at(-1)?.key as string }),
      };
    };
    const getRecord: KeyValueStoreClient['getRecord'] = async (key, options = {}) => {
      const line = read.get(store(), key) as Line | undefined;
      if (!line) return undefined;
      const value = Buffer.from(line.value);
      return { key, contentType: line.content_type, value: toValue(value, line.content_type, options) };
    };

    return {
      async get() {
        const info = stores.find('key-value store', idOrName);
        return info && toKeyValueStoreInfo(info);
      },
      async update({ name }) {
        return toKeyValueStoreInfo(transaction(() => stores.rename('key-value store', idOrName, name)));
      },
      async delete() {
        transaction(() => stores.delete('key-value store', idOrName));
      },
      async listKeys(options = {}) {
        return listKeys(options);
      },
      ...keyedLists(listKeys, getRecord),
      async recordExists(key) {
        return has.get(store(), key) !== undefined;
      },
      getRecord,
      async setRecord(record) {
        if (!record.key) throw new SurefootError('storage', 'A record of a key-value store needs a key that is not empty.');
        const { contentType, bytes } = await toBytes(record);
        const key = store();
        transaction(() => upsert.run(key, record.key, contentType, bytes));
      },
      async deleteRecord(key) {
        const from = store();
        transaction(() => remove.run(from, key));
      },
    };
  };

  return { client };
}

/** A record as bytes, with the content type that Crawlee would give it. */
async function toBytes({ key, value, contentType }: KeyValueStoreRecord): Promise<{ contentType: string; bytes: Buffer }> {
  const given: unknown = value;
  if (given instanceof Readable) return { contentType: contentType ?? 'application/octet-stream', bytes: await buffer(given) };
  if (given instanceof ArrayBuffer) return { contentType: contentType ?? 'application/octet-stream', bytes: Buffer.from(given) };
  if (ArrayBuffer.isView(given)) {
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    return { contentType: contentType ?? 'application/octet-stream', bytes };
  }
  if (typeof given === 'string') return { contentType: contentType ?? 'text/plain; charset=utf-8', bytes: Buffer.from(given) };
  const json = JSON.stringify(given);
  if (json === undefined)
    throw new SurefootError('storage', `The value of record "${key}" cannot be written as JSON (${typeof given}).`);
  return { contentType: contentType ?? 'application/json; charset=utf-8', bytes: Buffer.from(json) };
}

/** JSON as a value, text as a string, anything else as bytes, as the platform's client does. */
function toValue(bytes: Buffer, contentType: string, { buffer: raw, stream }: { buffer?: boolean; stream?: boolean }): unknown {
  if (stream) return Readable.from([bytes]);
  if (raw) return bytes;
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json' || type.endsWith('+json')) return JSON.parse(bytes.toString());
  return type.startsWith('text/') || type.endsWith('xml') ? bytes.toString() : bytes;
}

export function toKeyValueStoreInfo({ key: _, handled: __, total: ___, ...rest }: StoreInfo): KeyValueStoreInfo {
  return rest;
}
