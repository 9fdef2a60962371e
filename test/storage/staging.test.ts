// Inside a page every write to a dataset belongs to the page; outside of it, and to any other store, nothing changes.
import { Configuration, Dataset, KeyValueStore } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { describe, expect, it } from 'vitest';

import { isAtomic } from '../../src/core/checkpoint.ts';
import { stageDatasets, type StageRows } from '../../src/storage/staging.ts';
import { newFolder, openIn } from './sqlite/fixture.ts';

const CLIENTS: Record<string, () => StorageClient> = {
  SQLite: () => openIn(newFolder()),
  MemoryStorage: () => new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() }),
};

function stageOf(client: StorageClient) {
  const staging = stageDatasets(client);
  const config = new Configuration({ storageClient: staging.client, purgeOnStart: false });
  const staged: [dataset: string, row: unknown][] = [];
  const stage: StageRows = (dataset, rows) => staged.push(...rows.map((row): [string, unknown] => [dataset, JSON.parse(row)]));
  return { ...staging, staged, stage, inCrawl: <T>(work: () => Promise<T>) => Configuration.storage.run(config, work) };
}

describe.each(Object.entries(CLIENTS))('over %s', (_, open) => {
  it('stages what is pushed inside a page, from any depth, and writes nothing', async () => {
    const { duringPage, stage, staged, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      const dataset = await Dataset.open();
      const named = await Dataset.open('named');
      await duringPage(stage, async () => {
        await Dataset.pushData({ n: 1 });
        await dataset.pushData([{ n: 2 }, { n: 3 }]);
        await Promise.all([named.pushData({ n: 4 }), (async () => (await Dataset.open()).pushData({ n: 5 }))()]);
      });
      expect(staged.toSorted(([, a], [, b]) => (a as { n: number }).n - (b as { n: number }).n)).toEqual([
        [dataset.id, { n: 1 }],
        [dataset.id, { n: 2 }],
        [dataset.id, { n: 3 }],
        [named.id, { n: 4 }],
        [dataset.id, { n: 5 }],
      ]);
      expect([(await dataset.getData()).items, (await named.getData()).items]).toEqual([[], []]);
    });
  });

  it('writes at once what is pushed outside a page', async () => {
    const { duringPage, stage, staged, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      await duringPage(stage, async () => {});
      await Dataset.pushData([{ n: 1 }, { n: 2 }]);
      expect((await (await Dataset.open()).getData()).items).toEqual([{ n: 1 }, { n: 2 }]);
    });
    expect(staged).toEqual([]);
  });

  it('keeps pages that run at the same time apart', async () => {
    const { duringPage, inCrawl } = stageOf(open());
    const rows: Record<number, string[]> = {};
    await inCrawl(() =>
      Promise.all(
        Array.from({ length: 10 }, (_, page) =>
          duringPage(
            (_dataset, json) => (rows[page] ??= []).push(...json),
            async () => {
              for (let n = 0; n < 3; n++) {
                await new Promise((resolve) => setTimeout(resolve, (page * 7 + n * 5) % 4));
                await Dataset.pushData({ page, n });
              }
            },
          ),
        ),
      ),
    );
    for (let page = 0; page < 10; page++) {
      expect(rows[page]?.map((row) => JSON.parse(row) as unknown)).toEqual([0, 1, 2].map((n) => ({ page, n })));
    }
  });

  it('stages a row as it was when it was pushed', async () => {
    const { duringPage, stage, staged, inCrawl } = stageOf(open());
    await inCrawl(() =>
      duringPage(stage, async () => {
        const story = { n: 1, deep: { list: [1] } };
        await Dataset.pushData(story);
        story.n = 2;
        story.deep.list.push(2);
      }),
    );
    expect(staged.map(([, row]) => row)).toEqual([{ n: 1, deep: { list: [1] } }]);
  });

  it('gives an error of the stage to the handler that pushed', async () => {
    const { duringPage, inCrawl } = stageOf(open());
    const refuse = () => {
      throw new Error('the page is over');
    };
    await expect(inCrawl(() => duringPage(refuse, () => Dataset.pushData({ n: 1 })))).rejects.toThrow('the page is over');
  });

  it.each([[[1]], ['text'], [null]])('refuses a row that is no object: %j', async (row) => {
    const { client, duringPage, stage, staged } = stageOf(open());
    const { id } = await client.datasets().getOrCreate('default');
    await expect(duringPage(stage, () => client.dataset(id).pushItems([row] as never))).rejects.toThrow();
    expect(staged).toEqual([]);
  });

  it('gives back what the handler returns, and throws what it throws', async () => {
    const { duringPage, stage } = stageOf(open());
    expect(await duringPage(stage, async () => 42)).toBe(42);
    await expect(duringPage(stage, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
  });

  it('leaves reading datasets, key-value stores and queues as they are, inside a page too', async () => {
    const { client, duringPage, stage, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      await Dataset.pushData({ n: 1 });
      await duringPage(stage, async () => {
        expect((await (await Dataset.open()).getData()).items).toEqual([{ n: 1 }]);
        expect(await (await Dataset.open()).getInfo()).toMatchObject({ itemCount: 1 });
        await KeyValueStore.setValue('state', { seen: 1 });
      });
      expect(await KeyValueStore.getValue('state')).toEqual({ seen: 1 });
    });
    const { id } = await client.requestQueues().getOrCreate('default');
    await client.requestQueue(id).addRequest({ url: 'https://a.example/', uniqueKey: 'a' });
    expect(await client.requestQueue(id).get()).toMatchObject({ totalRequestCount: 1 });
  });
});

it('the client around an atomic one is atomic too', () => {
  expect(isAtomic(stageDatasets(openIn(newFolder())).client)).toBe(true);
  expect(isAtomic(stageDatasets(new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() })).client)).toBe(
    false,
  );
});

it('Crawlee cannot purge what a run goes on with, whatever the environment says', async () => {
  const { client } = stageDatasets(openIn(newFolder()));
  process.env['CRAWLEE_PURGE_ON_START'] = '1';
  try {
    const config = new Configuration({ storageClient: client, purgeOnStart: false });
    const { id } = await client.keyValueStores().getOrCreate('default');
    await client.keyValueStore(id).setRecord({ key: 'KEPT', value: 'here' });
    await Configuration.storage.run(config, () => Dataset.open());
    expect((await client.keyValueStore(id).getRecord('KEPT'))?.value).toBe('here');
  } finally {
    delete process.env['CRAWLEE_PURGE_ON_START'];
  }
});
