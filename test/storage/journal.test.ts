// The journal within one process. Its promises over deaths are in test/actor/journal.test.ts.
import { Configuration, type Request, type RequestQueue } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import type { DatasetClient, StorageClient } from '@crawlee/types';
import { describe, expect, it } from 'vitest';

import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import { openJournal } from '../../src/storage/journal.ts';
import { newFolder } from './sqlite/fixture.ts';

const tally = {
  end: 'succeeded',
  tier: 'http',
  host: 'a.example',
  bytes: 1,
  millis: 1,
  rejected: 0,
  counters: { climbs: 2 },
} as const;

/** Told of each push: its number, and the rows. What it throws, the push throws, before or after it is carried out. */
type OnPush = (push: number, rows: unknown[]) => { before?: Error; after?: Error } | undefined;

async function open({ pages = 4, onPush = () => undefined }: { pages?: number; onPush?: OnPush } = {}) {
  const client = new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() });
  let pushes = 0;
  const once = new Proxy(client, {
    get(target, property) {
      if (property !== 'dataset') return Reflect.get(target, property) as unknown;
      return (id: string) => {
        const pushItems: DatasetClient['pushItems'] = async (items) => {
          const fate = onPush(++pushes, JSON.parse(items as unknown as string) as unknown[]);
          if (fate?.before) throw fate.before;
          await target.dataset(id).pushItems(items);
          if (fate?.after) throw fate.after;
        };
        return { pushItems };
      };
    },
  }) as StorageClient;
  const journal = await openJournal({ client, once, store: 'default', settleMillis: 0 });
  const queue = await openLaneQueue(new Configuration({ storageClient: client, purgeOnStart: false }));
  await queue.addRequests(Array.from({ length: pages }, (_, page) => ({ url: `https://a.example/${page}` })));
  const requests: Request[] = [];
  for (let request = await queue.fetchNextRequest(); request; request = await queue.fetchNextRequest()) requests.push(request);
  const rows = async (dataset = 'default') =>
    (await client.dataset((await client.datasets().getOrCreate(dataset)).id).listItems()).items;
  return { client, journal, queue, requests, rows };
}

const pageOf = (queue: RequestQueue, request: Request | undefined, ...datasets: string[]) => ({
  queue,
  request: request as Request,
  rows: datasets.map((dataset) => ({ dataset, json: JSON.stringify({ url: request?.url }) })),
  tally,
});

describe('a commit', () => {
  it('writes rows of several datasets, marks the page and counts it', async () => {
    const { journal, queue, requests, rows } = await open();
    await journal.commit(pageOf(queue, requests[0], 'default', 'rejected', 'default'));
    expect([await rows(), await rows('rejected')]).toMatchObject([{ length: 2 }, { length: 1 }]);
    expect((await queue.getRequest(requests[0]?.id ?? ''))?.handledAt).toBeTypeOf('string');
    await journal.commit(pageOf(queue, requests[1]));
    expect(journal.figures(queue.id).save()).toEqual({
      sums: [{ tier: 'http', host: 'a.example', end: 'succeeded', pages: 2, bytes: 2, millis: 2, rejected: 0 }],
      counters: { climbs: 4 },
    });
  });

  it('of several pages at once is one push a batch', async () => {
    const pushed: number[] = [];
    const { journal, queue, requests } = await open({ pages: 20, onPush: (_, rows) => void pushed.push(rows.length) });
    await Promise.all(requests.map((request) => journal.commit(pageOf(queue, request, 'default'))));
    expect(pushed).toEqual([1, 19]);
  });

  it('that is asked for twice while it is under way writes once', async () => {
    const { journal, queue, requests, rows } = await open();
    const page = pageOf(queue, requests[0], 'default');
    await Promise.all([journal.commit(page), journal.commit(page)]);
    expect(await rows()).toHaveLength(1);
  });

  it.each([
    ['was not carried out', { before: new Error('socket hang up') }],
    ['was carried out, though the answer was lost', { after: new Error('socket hang up') }],
  ])('tries a push again that %s, and has each row once', async (_, fate) => {
    const { journal, queue, requests, rows } = await open({ onPush: (push) => (push === 1 ? fate : undefined) });
    await Promise.all(requests.map((request) => journal.commit(pageOf(queue, request, 'default', 'default'))));
    expect(await rows()).toHaveLength(8);
  });

  it('that cannot be written ends the journal: nothing is noted over it, and nobody waits for ever', async () => {
    const { client, journal, queue, requests, rows } = await open({ onPush: () => ({ before: new Error('no space left') }) });
    const failure = journal.failure.catch(String);
    const results = await Promise.allSettled(requests.map((request) => journal.commit(pageOf(queue, request, 'default'))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    await expect(journal.commit(pageOf(queue, requests[0], 'default'))).rejects.toThrow('no space left');
    expect(await failure).toContain('no space left. Resurrect the run to go on.');
    // The next process completes what was noted: the first batch, and that alone.
    const next = await openJournal({ client, store: 'default', settleMillis: 0 });
    expect(await rows()).toEqual([{ url: requests[0]?.url }]);
    expect(next.figures(queue.id).tallies()).toMatchObject([{ pages: 1 }]);
  });
});

it('forty thousand rows of one page take seconds of CPU, not the half minute of a list that is copied with each', async () => {
  const { journal, queue, requests, rows } = await open({ pages: 1 });
  const many = Array.from({ length: 40_000 }, (_, n) => ({ dataset: 'default', json: `{"n":${n}}` }));
  const before = process.cpuUsage();
  await journal.commit({ queue, request: requests[0] as Request, rows: many, tally });
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(8);
  expect(await rows()).toHaveLength(many.length);
}, 60_000);
