// Conformance: key-value stores. Values keep their type and bytes; keys are listed in order, page by page.
import { Readable } from 'node:stream';

import type { KeyValueStoreClient, StorageClient } from '@crawlee/types';
import { expect } from 'vitest';

import type { Suite } from './suite.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const BINARY_TYPE = 'application/octet-stream';
const BYTES = Buffer.from([0, 255, 128, 10, 13, 0]);
const ODD_KEYS = ["a.b!c-d_e'f(g)", 'page.html', 'Case', 'case', 'ключ 日本 🦦', ' ', 'a/b', '100%', '?x=1&y#z', '__metadata__'];

async function openStore(client: StorageClient, name = 'store'): Promise<KeyValueStoreClient> {
  return client.keyValueStore((await client.keyValueStores().getOrCreate(name)).id);
}

/** A store that holds the keys, each with its own name as its value. */
async function keyed(client: StorageClient, keys: readonly string[]): Promise<KeyValueStoreClient> {
  const store = await openStore(client);
  for (const key of keys) await store.setRecord({ key, value: key });
  return store;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function keyValueStoreChecks({ check, checkReopened }: Suite): void {
  for (const [what, value, contentType, expected, expectedType] of [
    ['an object', { a: [1, 'ä', null] }, undefined, { a: [1, 'ä', null] }, JSON_TYPE],
    ['an array', [1, { b: 2 }], undefined, [1, { b: 2 }], JSON_TYPE],
    ['a number', 42.5, undefined, 42.5, JSON_TYPE],
    ['null', null, undefined, null, JSON_TYPE],
    ['JSON text', '{"a":1}', JSON_TYPE, { a: 1 }, JSON_TYPE],
    ['JSON null', 'null', JSON_TYPE, null, JSON_TYPE],
    ['a string', 'grüße\n', undefined, 'grüße\n', TEXT_TYPE],
    ['an empty string', '', undefined, '', TEXT_TYPE],
    ['HTML', '<p>ä</p>', 'text/html', '<p>ä</p>', 'text/html'],
    ['a Buffer', BYTES, undefined, BYTES, BINARY_TYPE],
    ['an image', BYTES, 'image/png', BYTES, 'image/png'],
    ['a string of a binary type', 'bytes', BINARY_TYPE, Buffer.from('bytes'), BINARY_TYPE],
    ['JSON in a Buffer', Buffer.from('{"a":"ä"}'), JSON_TYPE, { a: 'ä' }, JSON_TYPE],
  ] as const) {
    check(`key-value store: ${what} comes back as it was set`, async ({ client }) => {
      const store = await openStore(client);
      await store.setRecord({ key: 'k', value, ...(contentType && { contentType }) });
      const record = await store.getRecord('k');
      expect(record).toMatchObject({ key: 'k', contentType: expectedType });
      expect(record?.value).toEqual(expected);
      expect(Buffer.isBuffer(record?.value)).toBe(Buffer.isBuffer(expected));
    });
  }

  check('key-value store: a stream is read to its end', async ({ client }) => {
    const store = await openStore(client);
    await store.setRecord({
      key: 'k',
      value: Readable.from([BYTES, BYTES]),
      contentType: 'image/png',
    });
    expect((await store.getRecord('k'))?.value).toEqual(Buffer.concat([BYTES, BYTES]));
  });

  check('key-value store: a value can be read as a Buffer and as a stream', async ({ client }) => {
    const store = await openStore(client);
    await store.setRecord({ key: 'k', value: '{"a":"ä"}', contentType: JSON_TYPE });
    const { value } = (await store.getRecord('k', { buffer: true })) ?? {};
    expect(Buffer.isBuffer(value) && value.toString()).toBe('{"a":"ä"}');
    const stream = (await store.getRecord('k', { stream: true }))?.value as Readable;
    const chunks = await collect(stream as AsyncIterable<string | Buffer>);
    expect(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString()).toBe('{"a":"ä"}');
  });

  check('key-value store: an unknown key is undefined', async ({ client }) => {
    const store = await openStore(client);
    expect(await store.getRecord('nobody')).toBeUndefined();
    expect(await store.recordExists('nobody')).toBe(false);
    await store.deleteRecord('nobody');
  });

  check('key-value store: a record that is set again has its new value and type', async ({ client }) => {
    const store = await openStore(client);
    await store.setRecord({ key: 'k', value: { long: 'x'.repeat(100) } });
    await store.setRecord({ key: 'k', value: 'short' });
    expect(await store.getRecord('k')).toMatchObject({ value: 'short', contentType: TEXT_TYPE });
    expect((await store.listKeys()).items).toEqual([{ key: 'k', size: 5 }]);
  });

  check('key-value store: a deleted record is gone', async ({ client }) => {
    const store = await keyed(client, ['a', 'b']);
    expect(await store.recordExists('a')).toBe(true);
    await store.deleteRecord('a');
    expect(await store.recordExists('a')).toBe(false);
    expect(await store.getRecord('a')).toBeUndefined();
    expect((await store.listKeys()).items.map((item) => item.key)).toEqual(['b']);
  });

  check('key-value store: changing a value that was set or read does not change the store', async ({ client }) => {
    const store = await openStore(client);
    const value = { n: 1 };
    await store.setRecord({ key: 'k', value });
    value.n = 2;
    (await store.getRecord('k'))!.value.n = 3;
    expect((await store.getRecord('k'))?.value).toEqual({ n: 1 });
  });

  check('key-value store: odd keys work and do not meet each other', async ({ client }) => {
    const store = await keyed(client, ODD_KEYS);
    for (const key of ODD_KEYS) expect((await store.getRecord(key))?.value).toBe(key);
    expect(new Set((await store.listKeys()).items.map((item) => item.key))).toEqual(new Set(ODD_KEYS));
  });

  check('key-value store: listKeys is sorted and knows sizes in bytes', async ({ client }) => {
    const store = await openStore(client);
    await store.setRecord({ key: 'b', value: 'ää' });
    await store.setRecord({ key: 'c', value: BYTES });
    await store.setRecord({ key: 'a', value: '{"a":1}', contentType: JSON_TYPE });
    const page = await store.listKeys();
    expect(page).toMatchObject({ count: 3, isTruncated: false });
    expect(page.nextExclusiveStartKey ?? undefined).toBeUndefined();
    expect(page.items).toEqual([
      { key: 'a', size: 7 },
      { key: 'b', size: 4 },
      { key: 'c', size: 6 },
    ]);
  });

  check('key-value store: listKeys pages with limit, exclusiveStartKey and prefix', async ({ client }) => {
    const store = await keyed(client, ['b1', 'a2', 'a1', 'a3', 'c', 'a4', 'A', '_%']);
    const first = await store.listKeys({ prefix: 'a', limit: 3 });
    expect(first).toMatchObject({
      count: 3,
      limit: 3,
      isTruncated: true,
      nextExclusiveStartKey: 'a3',
    });
    const second = await store.listKeys({ prefix: 'a', limit: 3, exclusiveStartKey: 'a3' });
    expect(second).toMatchObject({ count: 1, isTruncated: false, exclusiveStartKey: 'a3' });
    expect([...first.items, ...second.items].map((item) => item.key)).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect((await store.listKeys({ prefix: '_' })).items.map((item) => item.key)).toEqual(['_%']);
    expect(await store.listKeys({ prefix: 'zzz' })).toMatchObject({
      count: 0,
      isTruncated: false,
      items: [],
    });
  });

  check('key-value store: paging names every key once, in any mix of scripts and cases', async ({ client }) => {
    const keys = ['a', 'B', 'b', 'A', 'ä', 'Z', 'z', '1', '_', '日', '🦦', '\uFFFD'];
    const store = await keyed(client, keys);
    const seen: string[] = [];
    let exclusiveStartKey: string | undefined;
    do {
      const page = await store.listKeys({
        limit: 2,
        ...(exclusiveStartKey !== undefined && { exclusiveStartKey }),
      });
      seen.push(...page.items.map((item) => item.key));
      exclusiveStartKey = page.nextExclusiveStartKey;
      expect(page.isTruncated).toBe(exclusiveStartKey !== undefined);
    } while (exclusiveStartKey !== undefined);
    expect(seen).toHaveLength(keys.length);
    expect(new Set(seen)).toEqual(new Set(keys));
  });

  check('key-value store: paging goes on where it was when the start key has been deleted', async ({ client }) => {
    const store = await keyed(client, ['a', 'b', 'c', 'd']);
    const { nextExclusiveStartKey = '' } = await store.listKeys({ limit: 2 });
    await store.deleteRecord(nextExclusiveStartKey);
    const rest = await store.listKeys({ exclusiveStartKey: nextExclusiveStartKey });
    expect(rest.items.map((item) => item.key)).toEqual(['c', 'd']);
  });

  check('key-value store: keys, values and entries can be awaited and iterated', async ({ client, skip }) => {
    const store = await keyed(client, ['b', 'a1', 'a2']);
    if (!store.keys || !store.values || !store.entries) return skip('the client has no keys(), values() or entries()');
    expect(await collect(store.keys())).toEqual(['a1', 'a2', 'b']);
    expect(await collect(store.keys({ prefix: 'a', limit: 1 }))).toEqual(['a1']);
    expect((await store.keys({ prefix: 'a' })).items.map((item) => item.key)).toEqual(['a1', 'a2']);
    expect(await collect(store.values({ limit: 2 }))).toEqual(['a1', 'a2']);
    expect(await store.values({ prefix: 'b' })).toEqual(['b']);
    expect(await collect(store.entries({ exclusiveStartKey: 'a1' }))).toEqual([
      ['a2', 'a2'],
      ['b', 'b'],
    ]);
    expect(await store.entries({ prefix: 'b' })).toEqual([['b', 'b']]);
  });

  checkReopened('key-value store: a reopened one has every value with its type', async ({ client, reopen }) => {
    const before = await keyed(client, ['text', "a.b!c-d_e'f(g)"]);
    await before.setRecord({ key: 'json', value: { a: 'ä' } });
    await before.setRecord({ key: 'bytes', value: BYTES, contentType: 'image/png' });
    const store = await openStore(await reopen());
    expect(await store.getRecord('text')).toMatchObject({
      value: 'text',
      contentType: TEXT_TYPE,
    });
    expect(await store.getRecord("a.b!c-d_e'f(g)")).toMatchObject({
      value: "a.b!c-d_e'f(g)",
      contentType: TEXT_TYPE,
    });
    expect(await store.getRecord('json')).toMatchObject({
      value: { a: 'ä' },
      contentType: JSON_TYPE,
    });
    expect(await store.getRecord('bytes')).toMatchObject({
      value: BYTES,
      contentType: 'image/png',
    });
    expect((await store.listKeys()).count).toBe(4);
  });

  checkReopened('key-value store: a reopened one has the last value, also of another type', async ({ client, reopen }) => {
    const before = await openStore(client);
    await before.setRecord({ key: 'k', value: { old: true } });
    await before.setRecord({ key: 'k', value: 'new' });
    await before.setRecord({ key: 'gone', value: { old: true } });
    await before.setRecord({ key: 'gone', value: 'new' });
    await before.deleteRecord('gone');
    const store = await openStore(await reopen());
    expect((await store.getRecord('k'))?.value).toBe('new');
    expect((await store.listKeys()).items.map((item) => item.key)).toEqual(['k']);
  });

  checkReopened('key-value store: a reopened one has odd keys', async ({ client, reopen }) => {
    await keyed(client, ODD_KEYS);
    const store = await openStore(await reopen());
    for (const key of ODD_KEYS) expect((await store.getRecord(key))?.value).toBe(key);
  });
}
