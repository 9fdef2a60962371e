// Conformance: datasets. Rows come back in the order of pushing, all of them, whichever way they are asked for.
import type { DatasetClient, StorageClient } from '@crawlee/types';
import { expect } from 'vitest';

import type { Suite } from './suite.ts';

async function openDataset(client: StorageClient, name = 'rows'): Promise<DatasetClient> {
  return client.dataset((await client.datasets().getOrCreate(name)).id);
}

/** A dataset with the rows { n: 0 } to { n: count - 1 }. */
async function numbered(client: StorageClient, count: number): Promise<DatasetClient> {
  const dataset = await openDataset(client);
  await dataset.pushItems(Array.from({ length: count }, (_, n) => ({ n })));
  return dataset;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const UNICODE = {
  text: 'ä ß 日本 🦦 \u2028 "quoted" \\ \u0000',
  nested: { list: [1, null, { deep: true }], empty: {} },
};

export function datasetChecks({ check, checkReopened }: Suite): void {
  check('dataset: pushItems takes an object, an array, a JSON string and an array of JSON strings', async ({ client }) => {
    const dataset = await openDataset(client);
    await dataset.pushItems({ n: 0 });
    await dataset.pushItems([{ n: 1 }, { n: 2 }]);
    await dataset.pushItems('{"n":3}');
    await dataset.pushItems('[{"n":4},{"n":5}]');
    await dataset.pushItems(['{"n":6}', '{"n":7}']);
    await dataset.pushItems([]);
    const { items, total } = await dataset.listItems();
    expect(items).toEqual(Array.from({ length: 8 }, (_, n) => ({ n })));
    expect(total).toBe(8);
    expect((await dataset.get())?.itemCount).toBe(8);
  });

  for (const [what, bad] of Object.entries({
    'a number': '5',
    null: 'null',
    'text that is no JSON': '{"cut',
    'an array inside an array': ['{"n":1}', '[{"n":2}]'],
    'a good row and a bad one': ['{"n":1}', '"text"'],
  })) {
    check(`dataset: ${what} is refused and nothing of it is stored`, async ({ client }) => {
      const dataset = await openDataset(client);
      await expect(dataset.pushItems(bad)).rejects.toThrow();
      expect(await dataset.listItems()).toMatchObject({ total: 0, items: [] });
    });
  }

  check('dataset: a row comes back as it was pushed', async ({ client }) => {
    const dataset = await openDataset(client);
    await dataset.pushItems(JSON.stringify(UNICODE));
    await dataset.pushItems([UNICODE]);
    expect((await dataset.listItems()).items).toEqual([UNICODE, UNICODE]);
  });

  check('dataset: changing a row that was pushed or read does not change the dataset', async ({ client }) => {
    const dataset = await openDataset(client);
    const row = { n: 1 };
    await dataset.pushItems(row);
    row.n = 2;
    const [read] = (await dataset.listItems()).items;
    if (read) read['n'] = 3;
    expect((await dataset.listItems()).items).toEqual([{ n: 1 }]);
  });

  check('dataset: equal rows are kept, each of them', async ({ client }) => {
    const dataset = await openDataset(client);
    for (let round = 0; round < 3; round++) await dataset.pushItems({ same: true });
    expect((await dataset.listItems()).items).toHaveLength(3);
  });

  check('dataset: rows pushed at the same time are all kept', async ({ client }) => {
    const dataset = await openDataset(client);
    await Promise.all(Array.from({ length: 10 }, (_, n) => dataset.pushItems([{ n }, { n: n + 10 }])));
    const { items } = await dataset.listItems();
    expect(items.map((item) => Number(item['n'])).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  for (const [options, expected] of [
    [{}, [0, 1, 2, 3, 4]],
    [{ limit: 2 }, [0, 1]],
    [{ offset: 3 }, [3, 4]],
    [{ offset: 1, limit: 3 }, [1, 2, 3]],
    [{ offset: 3, limit: 10 }, [3, 4]],
    [{ offset: 9 }, []],
    [{ desc: true }, [4, 3, 2, 1, 0]],
    [{ desc: true, limit: 2 }, [4, 3]],
    [{ desc: true, offset: 1, limit: 3 }, [3, 2, 1]],
    [{ desc: true, offset: 3, limit: 10 }, [1, 0]],
    [{ desc: true, offset: 3 }, [1, 0]],
  ] as const) {
    check(`dataset: listItems(${JSON.stringify(options)}) of five rows`, async ({ client }) => {
      const dataset = await numbered(client, 5);
      const page = await dataset.listItems(options);
      expect(page.items.map((item) => item['n'])).toEqual(expected);
      expect(page).toMatchObject({
        total: 5,
        count: expected.length,
        offset: 'offset' in options ? options.offset : 0,
      });
      // `Dataset.forEach` goes on at offset + limit.
      expect(page.limit).toBeGreaterThanOrEqual('limit' in options ? options.limit : 5);
      expect(page.desc ?? false).toBe('desc' in options);
      expect((await collect(dataset.listItems(options))).map((item) => item['n'])).toEqual(expected);
    });
  }

  check('dataset: listEntries counts the rows from the offset', async ({ client, skip }) => {
    const dataset = await numbered(client, 4);
    if (!dataset.listEntries) return skip('the client has no listEntries()');
    const expected = [2, 3].map((n) => [n, { n }]);
    expect((await dataset.listEntries({ offset: 2 })).items).toEqual(expected);
    expect(await collect(dataset.listEntries({ offset: 2 }))).toEqual(expected);
  });

  check('dataset: an empty one lists nothing', async ({ client }) => {
    const dataset = await openDataset(client);
    expect(await dataset.listItems()).toMatchObject({ total: 0, count: 0, items: [] });
    expect(await collect(dataset.listItems())).toEqual([]);
  });

  check('dataset: each one has its own rows', async ({ client }) => {
    const [one, two] = [await openDataset(client, 'one'), await openDataset(client, 'two')];
    await one.pushItems({ n: 1 });
    await two.pushItems({ n: 2 });
    expect((await one.listItems()).items).toEqual([{ n: 1 }]);
    expect((await two.listItems()).items).toEqual([{ n: 2 }]);
  });

  checkReopened('dataset: a reopened one has all rows in order and goes on after them', async ({ client, reopen }) => {
    await (await numbered(client, 12)).pushItems(UNICODE);
    const dataset = await openDataset(await reopen());
    await dataset.pushItems({ n: 'last' });
    const { items, total } = await dataset.listItems();
    expect(items).toEqual([...Array.from({ length: 12 }, (_, n) => ({ n })), UNICODE, { n: 'last' }]);
    expect(total).toBe(14);
    expect((await dataset.get())?.itemCount).toBe(14);
  });
}
