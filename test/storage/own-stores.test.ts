// On a platform where names are the account's, a run keeps to its own stores.
import { MemoryStorage } from '@crawlee/memory-storage';
import { expect, it } from 'vitest';

import { withOwnStores } from '../../src/storage/own-stores.ts';
import { newFolder } from './sqlite/fixture.ts';

/** MemoryStorage with stores that have no name, as the platform makes them when a run begins. */
async function open() {
  const client = new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() });
  const defaults = {
    dataset: (await client.datasets().getOrCreate('d')).id,
    keyValueStore: (await client.keyValueStores().getOrCreate('k')).id,
    requestQueue: (await client.requestQueues().getOrCreate('q')).id,
  };
  const chosen = (await client.datasets().getOrCreate('named-by-the-input')).id;
  return { client, defaults, chosen };
}

it("the default stores are the run's, by name and by id", async () => {
  const { client, defaults } = await open();
  const own = await withOwnStores(client, { defaults, chosen: {}, datasets: {} });
  expect(await own.datasets().getOrCreate('default')).toEqual({ id: defaults.dataset });
  expect(await own.keyValueStores().getOrCreate('default')).toEqual({ id: defaults.keyValueStore });
  expect(await own.requestQueues().getOrCreate('default')).toEqual({ id: defaults.requestQueue });
  expect((await own.dataset('default').get())?.id).toBe(defaults.dataset);
});

it('what the input names stands in the place of the default, by all its names', async () => {
  const { client, defaults, chosen } = await open();
  const own = await withOwnStores(client, { defaults, chosen: { dataset: chosen }, datasets: {} });
  await own.dataset(defaults.dataset).pushItems({ n: 1 });
  await own.dataset('default').pushItems({ n: 2 });
  await own.dataset((await own.datasets().getOrCreate(defaults.dataset)).id).pushItems({ n: 3 });
  expect((await client.dataset(chosen).listItems()).items).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

it('dead letters and lanes have stores without a name, which the next process finds', async () => {
  const { client, defaults } = await open();
  const stores = { defaults, chosen: {}, datasets: {} };
  const own = await withOwnStores(client, stores);
  const failed = await own.datasets().getOrCreate('failed');
  const lane = await own.requestQueues().getOrCreate('browser');
  const next = await withOwnStores(client, stores);
  expect([await next.datasets().getOrCreate('failed'), await next.requestQueues().getOrCreate('browser')]).toEqual([
    { id: failed.id },
    { id: lane.id },
  ]);
  const names = [...(await client.datasets().list()).items, ...(await client.requestQueues().list()).items].map(
    ({ name }) => name,
  );
  expect(names).not.toContain('failed');
  expect(names).not.toContain('browser');
});

it('datasets that the platform has made for the run are used', async () => {
  const { client, defaults, chosen } = await open();
  const own = await withOwnStores(client, { defaults, chosen: {}, datasets: { failed: chosen } });
  expect(await own.datasets().getOrCreate('failed')).toEqual({ id: chosen });
});

it('what a site opens by a name of its own is shared between runs, and found again by its id', async () => {
  const { client, defaults } = await open();
  const own = await withOwnStores(client, { defaults, chosen: {}, datasets: {} });
  const reviews = await own.datasets().getOrCreate('reviews');
  expect(reviews.name).toBe('reviews');
  expect(await own.datasets().getOrCreate(reviews.id)).toEqual({ id: reviews.id });
});
