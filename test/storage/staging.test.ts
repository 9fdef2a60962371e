// Inside a page every write to a dataset belongs to the page; outside of it, and to any other store, nothing changes.
import { Configuration, Dataset, KeyValueStore } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { describe, expect, it } from 'vitest';

import { VerdictError } from '../../src/core/verdict.ts';
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
  /** Runs a handler until its page need not go round again, as the frontier has it: what another round staged is dropped. */
  const runPage = async (stageRows: StageRows, handler: () => Promise<unknown>, drop = () => {}): Promise<unknown> => {
    try {
      return await staging.duringPage(stageRows, handler);
    } catch (error) {
      if (!(error instanceof VerdictError && error.verdict === 'early')) throw error;
      drop();
      return runPage(stageRows, handler, drop);
    }
  };
  const openPage = () => {
    const rows: unknown[] = [];
    const take: StageRows = (_, bodies) => rows.push(...bodies.map((body) => JSON.parse(body) as unknown));
    const run = (handler: () => Promise<unknown>) => runPage(take, handler, () => void rows.splice(0));
    return { rows, run };
  };
  return {
    ...staging,
    staged,
    stage,
    runPage,
    openPage,
    inCrawl: <T>(work: () => Promise<T>) => Configuration.storage.run(config, work),
  };
}

describe.each(Object.entries(CLIENTS))('over %s', (_, open) => {
  it('stages what is pushed inside a page, from any depth, and writes nothing', async () => {
    const { runPage, stage, staged, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      const dataset = await Dataset.open();
      const named = await Dataset.open('named');
      await runPage(stage, async () => {
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
    const { staged, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      await Dataset.pushData([{ n: 1 }, { n: 2 }]);
      expect((await (await Dataset.open()).getData()).items).toEqual([{ n: 1 }, { n: 2 }]);
    });
    expect(staged).toEqual([]);
  });

  it('keeps pages that run at the same time apart', async () => {
    const { runPage, inCrawl } = stageOf(open());
    const rows: Record<number, string[]> = {};
    await inCrawl(() =>
      Promise.all(
        Array.from({ length: 10 }, (_, page) =>
          runPage(
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

  it('fetches a page once where no dataset is written to, and twice at the most where one is', async () => {
    const { openPage, inCrawl } = stageOf(open());
    const [quiet, first, second] = [openPage(), openPage(), openPage()];
    const runs = { quiet: 0, first: 0, second: 0 };
    await inCrawl(async () => {
      await quiet.run(async () => void runs.quiet++);
      for (const page of ['first', 'second'] as const) {
        await { first, second }[page].run(async () => {
          runs[page]++;
          await Dataset.pushData({ page, n: 1 });
          await Dataset.pushData({ page, n: 2 });
        });
      }
      expect((await (await Dataset.open()).getData()).items).toEqual([]);
    });
    expect(runs).toEqual({ quiet: 1, first: 2, second: 1 });
    expect([first.rows, second.rows]).toEqual(['first', 'second'].map((page) => [1, 2].map((n) => ({ page, n }))));
  });

  it('sends every page under way round again when the first row comes, whatever its handler made of it, and writes nothing', async () => {
    const { openPage, inCrawl } = stageOf(open());
    const [waiting, pushing, failing] = [openPage(), openPage(), openPage()];
    const runs = { waiting: 0, pushing: 0, failing: 0 };
    let resolve = () => {};
    const pushed = new Promise<void>((done) => {
      resolve = done;
    });
    await inCrawl(async () => {
      const ends = await Promise.allSettled([
        waiting.run(async () => {
          runs.waiting++;
          await pushed;
          await Dataset.pushData({ n: 1 });
        }),
        pushing.run(async () => {
          runs.pushing++;
          await Dataset.pushData({ n: 2 }).catch(() => {});
          resolve();
        }),
        failing.run(async () => {
          runs.failing++;
          await pushed;
          throw new Error('boom');
        }),
      ]);
      expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect((await (await Dataset.open()).getData()).items).toEqual([]);
    });
    expect(runs).toEqual({ waiting: 2, pushing: 2, failing: 2 });
    expect([waiting.rows, pushing.rows, failing.rows]).toEqual([[{ n: 1 }], [{ n: 2 }], []]);
  });

  it('refuses a row that comes after its page is over, and writes nothing', async () => {
    const { openPage, inCrawl } = stageOf(open());
    await inCrawl(async () => {
      await openPage().run(async () => {});
      await expect(Dataset.pushData({ n: 1 })).rejects.toThrow('Await every pushData() in a handler.');
      expect((await (await Dataset.open()).getData()).items).toEqual([]);
    });
  });

  it('stages a row as it was when it was pushed', async () => {
    const { runPage, stage, staged, inCrawl } = stageOf(open());
    await inCrawl(() =>
      runPage(stage, async () => {
        const story = { n: 1, deep: { list: [1] } };
        await Dataset.pushData(story);
        story.n = 2;
        story.deep.list.push(2);
      }),
    );
    expect(staged.map(([, row]) => row)).toEqual([{ n: 1, deep: { list: [1] } }]);
  });

  it('gives an error of the stage to the handler that pushed', async () => {
    const { runPage, inCrawl } = stageOf(open());
    const refuse = () => {
      throw new Error('the page is over');
    };
    await expect(inCrawl(() => runPage(refuse, () => Dataset.pushData({ n: 1 })))).rejects.toThrow('the page is over');
  });

  it.each([[[1]], ['text'], [null]])('refuses a row that is no object: %j', async (row) => {
    const { client, runPage, stage, staged } = stageOf(open());
    const { id } = await client.datasets().getOrCreate('default');
    await expect(runPage(stage, () => client.dataset(id).pushItems([row] as never))).rejects.toThrow();
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
