// Conformance: what holds for all three kinds of store, as Crawlee's StorageManager opens, finds, renames and drops them.
import type { StorageClient } from '@crawlee/types';
import { expect } from 'vitest';

import type { Suite } from './suite.ts';

interface StoreInfo {
  id: string;
  name?: string;
  createdAt: Date;
  modifiedAt: Date;
  accessedAt: Date;
}

interface Kind {
  readonly stores: (client: StorageClient) => {
    getOrCreate(name?: string): Promise<StoreInfo>;
    list(): Promise<{ total: number; count: number; items: StoreInfo[] }>;
  };
  readonly store: (
    client: StorageClient,
    id: string,
  ) => {
    get(): Promise<StoreInfo | undefined>;
    update(fields: { name?: string }): Promise<Partial<StoreInfo> | undefined>;
    delete(): Promise<void>;
  };
  /** Puts one thing into the store. */
  readonly fill: (client: StorageClient, id: string) => Promise<unknown>;
  /** How many things it holds. */
  readonly size: (client: StorageClient, id: string) => Promise<number | undefined>;
}

export const KINDS: Readonly<Record<'dataset' | 'key-value store' | 'queue', Kind>> = {
  dataset: {
    stores: (client) => client.datasets(),
    store: (client, id) => client.dataset(id),
    fill: (client, id) => client.dataset(id).pushItems({ a: 1 }),
    size: async (client, id) => (await client.dataset(id).get())?.itemCount,
  },
  'key-value store': {
    stores: (client) => client.keyValueStores(),
    store: (client, id) => client.keyValueStore(id),
    fill: (client, id) => client.keyValueStore(id).setRecord({ key: 'a', value: 1 }),
    size: async (client, id) => (await client.keyValueStore(id).listKeys()).count,
  },
  queue: {
    stores: (client) => client.requestQueues(),
    store: (client, id) => client.requestQueue(id),
    fill: (client, id) => client.requestQueue(id).addRequest({ url: 'https://example.com/', uniqueKey: 'a' }),
    size: async (client, id) => (await client.requestQueue(id).get())?.totalRequestCount,
  },
};

export function collectionChecks({ check, checkReopened }: Suite): void {
  for (const [kind, { stores, store, fill, size }] of Object.entries(KINDS)) {
    check(`${kind}: an unknown store is undefined and get() does not create it`, async ({ client }) => {
      expect(await store(client, 'nobody').get()).toBeUndefined();
      expect((await stores(client).list()).total).toBe(0);
    });

    check(`${kind}: the same store is reached by name and by id`, async ({ client }) => {
      const created = await stores(client).getOrCreate('books');
      await fill(client, created.id);
      expect(created).toMatchObject({ name: 'books', id: expect.any(String) });
      expect(await store(client, 'books').get()).toMatchObject({ id: created.id, name: 'books' });
      expect(await store(client, created.id).get()).toMatchObject({
        id: created.id,
        name: 'books',
      });
      expect(await stores(client).getOrCreate('books')).toMatchObject({ id: created.id });
      expect(await stores(client).getOrCreate(created.id)).toMatchObject({
        id: created.id,
        name: 'books',
      });
      expect(await size(client, 'books')).toBe(1);
    });

    check(`${kind}: unnamed stores are different ones, found by id`, async ({ client }) => {
      const [one, two] = [await stores(client).getOrCreate(), await stores(client).getOrCreate()];
      expect(one.id).not.toBe(two.id);
      expect(one.name ?? undefined).toBeUndefined();
      await fill(client, one.id);
      expect(await size(client, one.id)).toBe(1);
      expect(await size(client, two.id)).toBe(0);
    });

    check(`${kind}: one name asked for several times at once makes one store`, async ({ client }) => {
      const created = await Promise.all([1, 2, 3].map(() => stores(client).getOrCreate('books')));
      expect(new Set(created.map((info) => info.id)).size).toBe(1);
      expect((await stores(client).list()).total).toBe(1);
    });

    check(`${kind}: list() names every store, with dates`, async ({ client }) => {
      const names = ['first', 'second', 'third'];
      for (const name of names) await stores(client).getOrCreate(name);
      const { total, count, items } = await stores(client).list();
      expect({ total, count }).toEqual({ total: 3, count: 3 });
      expect(items.map((item) => String(item.name)).toSorted()).toEqual(names);
      for (const item of items) {
        for (const date of [item.createdAt, item.modifiedAt, item.accessedAt]) expect(date).toBeInstanceOf(Date);
      }
    });

    check(`${kind}: a renamed store keeps its id and its content`, async ({ client }) => {
      const { id } = await stores(client).getOrCreate('old');
      await fill(client, id);
      expect(await store(client, id).update({ name: 'new' })).toMatchObject({ id, name: 'new' });
      expect(await store(client, 'new').get()).toMatchObject({ id, name: 'new' });
      expect(await store(client, 'old').get()).toBeUndefined();
      expect(await size(client, id)).toBe(1);
    });

    check(`${kind}: a name that is taken is refused`, async ({ client }) => {
      await stores(client).getOrCreate('taken');
      const { id } = await stores(client).getOrCreate('free');
      await expect(store(client, id).update({ name: 'taken' })).rejects.toThrow();
      expect(await store(client, id).get()).toMatchObject({ name: 'free' });
    });

    check(`${kind}: writing into a store that does not exist is refused`, async ({ client }) => {
      await expect(fill(client, 'nobody')).rejects.toThrow();
      await expect(store(client, 'nobody').update({ name: 'new' })).rejects.toThrow();
      expect((await stores(client).list()).total).toBe(0);
    });

    check(`${kind}: a deleted store is gone and can be created again, empty`, async ({ client }) => {
      const { id } = await stores(client).getOrCreate('books');
      const other = await stores(client).getOrCreate('films');
      await fill(client, id);
      await fill(client, other.id);
      await store(client, id).delete();
      expect(await store(client, id).get()).toBeUndefined();
      expect(await store(client, 'books').get()).toBeUndefined();
      const again = await stores(client).getOrCreate('books');
      expect(await size(client, again.id)).toBe(0);
      expect(await size(client, other.id)).toBe(1);
    });

    check(`${kind}: a store can be deleted by its name`, async ({ client }) => {
      await stores(client).getOrCreate('books');
      await store(client, 'books').delete();
      expect(await store(client, 'books').get()).toBeUndefined();
    });

    check(`${kind}: deleting an unknown store does nothing`, async ({ client }) => {
      await stores(client).getOrCreate('books');
      await store(client, 'nobody').delete();
      expect((await stores(client).list()).total).toBe(1);
    });

    checkReopened(`${kind}: a reopened store has its id, name and date of creation`, async ({ client, reopen }) => {
      const { id, createdAt } = await stores(client).getOrCreate('books');
      await fill(client, id);
      const later = await reopen();
      expect(await store(later, 'books').get()).toMatchObject({ id, name: 'books', createdAt });
      expect(await size(later, id)).toBe(1);
    });

    checkReopened(`${kind}: list() names every store of an earlier session`, async ({ client, reopen }) => {
      for (const name of ['first', 'second']) await fill(client, (await stores(client).getOrCreate(name)).id);
      const { items } = await stores(await reopen()).list();
      expect(items.map((item) => String(item.name)).toSorted()).toEqual(['first', 'second']);
    });

    checkReopened(`${kind}: a deleted store stays deleted`, async ({ client, reopen }) => {
      const { id } = await stores(client).getOrCreate('books');
      await fill(client, id);
      await store(client, id).delete();
      expect(await store(await reopen(), 'books').get()).toBeUndefined();
    });
  }
}
