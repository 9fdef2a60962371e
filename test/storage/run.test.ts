// The run's record lives in the store, and clearing the store takes it along, or first.
import { MemoryStorage } from '@crawlee/memory-storage';
import type { StorageClient } from '@crawlee/types';
import { describe, expect, it, vi } from 'vitest';

import type { RunRecord } from '../../src/core/run.ts';
import { clearRun, readRun, writeRun } from '../../src/storage/run.ts';
import { newFolder, openIn, requestFor } from './sqlite/fixture.ts';

const RUN: RunRecord = {
  input: { site: 'hackernews', startUrls: ['https://a.example/ä?x=1#y'], maxRequests: 5 },
  startedAt: '2026-02-03T04:05:06.000Z',
  finishedAt: null,
  demoPort: 4711,
};

/** A store for two processes, one after the other. In memory there never is a run to clear. */
const STORES: Record<string, (dir: string) => { client: StorageClient; end: () => Promise<void> | void }> = {
  SQLite: (dir) => {
    const client = openIn(dir);
    return { client, end: () => client.close() };
  },
  'MemoryStorage on disk': (dir) => {
    const client = new MemoryStorage({ localDataDirectory: dir, persistStorage: true });
    return { client, end: () => client.teardown() };
  },
};

async function fill(client: StorageClient): Promise<void> {
  const { id } = await client.requestQueues().getOrCreate('default');
  await client.requestQueue(id).batchAddRequests(['a', 'b'].map(requestFor));
  for (const name of ['default', 'rejected', 'failed', 'mine']) {
    const dataset = await client.datasets().getOrCreate(name);
    await client.dataset(dataset.id).pushItems({ name });
  }
  for (const name of ['default', 'mine']) {
    const store = await client.keyValueStores().getOrCreate(name);
    await client.keyValueStore(store.id).setRecord({ key: 'state', value: { name } });
  }
}

/** What is there: requests, and rows and records by store. */
async function contentOf(client: StorageClient) {
  const queue = await client.requestQueues().getOrCreate('default');
  const rows: Record<string, number> = {};
  for (const name of ['default', 'rejected', 'failed', 'mine']) {
    const { id } = await client.datasets().getOrCreate(name);
    rows[name] = (await client.dataset(id).listItems()).items.length;
  }
  const records: Record<string, boolean> = {};
  for (const name of ['default', 'mine']) {
    const { id } = await client.keyValueStores().getOrCreate(name);
    records[name] = (await client.keyValueStore(id).getRecord('state')) !== undefined;
  }
  return {
    requests: (await client.requestQueue(queue.id).listHead({ limit: 10 })).items.length,
    rows,
    records,
    run: await readRun(client),
  };
}

const CLEARED = {
  requests: 0,
  rows: { default: 0, rejected: 0, failed: 0, mine: 1 },
  records: { default: false, mine: true },
  run: null,
};

describe.each(Object.entries(STORES))('over %s', (_, open) => {
  it('there is no record at first, and the last one that was written after', async () => {
    const dir = newFolder();
    const first = open(dir);
    expect(await readRun(first.client)).toBeNull();
    await writeRun(first.client, RUN);
    await writeRun(first.client, { ...RUN, finishedAt: '2026-02-03T05:00:00.000Z' });
    await first.end();
    const { client, end } = open(dir);
    expect(await readRun(client)).toEqual({ ...RUN, finishedAt: '2026-02-03T05:00:00.000Z' });
    await end();
  });

  it('the next start reads the record, drops what the run has written, and leaves what a site named itself', async () => {
    const dir = newFolder();
    const first = open(dir);
    await writeRun(first.client, RUN);
    await fill(first.client);
    await first.end();

    const { client, end } = open(dir);
    expect(await readRun(client)).toEqual(RUN);
    await clearRun(client);
    await writeRun(client, { ...RUN, demoPort: null });
    expect(await contentOf(client)).toEqual({ ...CLEARED, run: { ...RUN, demoPort: null } });
    await end();
  });

  it('clearRun does nothing to an empty store', async () => {
    const { client, end } = open(newFolder());
    await clearRun(client);
    expect(await readRun(client)).toBeNull();
    await end();
  });
});

describe('clearRun, killed half-way', () => {
  it('has taken the record first where not all goes at once, so that the next start does it again', async () => {
    const dir = newFolder();
    const open = STORES['MemoryStorage on disk']!;
    const { client, end } = open(dir);
    await writeRun(client, RUN);
    await fill(client);
    const dropped: string[] = [];
    vi.spyOn(client, 'dataset').mockImplementation(() => {
      dropped.push('a dataset');
      throw new Error('killed');
    });
    await expect(clearRun(client)).rejects.toThrow('killed');
    expect(dropped).toHaveLength(1);
    await end();
    const next = open(dir);
    expect(await readRun(next.client)).toBeNull();
    await clearRun(next.client);
    expect(await contentOf(next.client)).toEqual(CLEARED);
    await next.end();
  });
});
