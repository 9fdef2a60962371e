// The run store over Crawlee's own clients: what is its own affair. Its promises are in run-store/.
import { Configuration, Dataset } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import { describe, expect, it, vi } from 'vitest';

import { toBody, type ClaimedPage, type Outcome } from '../../src/core/run-store.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import { openPlainStore } from '../../src/storage/plain-store.ts';
import { holdClock, NOW, PLAIN_TRAITS } from '../frontier/fixture.ts';
import { newFolder } from './sqlite/fixture.ts';

holdClock();

const LEASE = 60_000;
const GOOD = { how: 'good', millis: 1 } as const;

async function open(...names: string[]) {
  const client = new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() });
  const queue = await openLaneQueue(new Configuration({ storageClient: client, purgeOnStart: false }));
  const limits = { hostConcurrency: 100, delayMillis: 0 };
  const store = openPlainStore({ client, queue, traits: PLAIN_TRAITS, limits, random: () => 0, now: Date.now });
  await queue.addRequests(names.map((name) => ({ url: `https://a.example/${name}` })));
  const claim = async () => (await store.claim({ lane: 'http', room: 1, maxDeaths: 0, leaseMillis: LEASE })).pages[0] ?? null;
  const claimed = async () => {
    const page = await claim();
    if (!page) throw new Error('Nothing was claimed.');
    return page;
  };
  const rowsOf = async (dataset: string) => {
    const { id } = await client.datasets().getOrCreate(dataset);
    return (await client.dataset(id).listItems()).items;
  };
  const again = (page: ClaimedPage, after: number) =>
    store.settle([{ claim: page, outcome: { kind: 'again', body: toBody(page.request), after, lane: 'http', landing: GOOD } }]);
  return { queue, store, claim, claimed, rowsOf, again };
}

const nameOf = (page: ClaimedPage | null) => page && page.request.url.slice('https://a.example/'.length);

function doneWith({ request }: ClaimedPage, rows: { dataset: string; json: string }[]): Outcome {
  const tally = { end: 'succeeded', tier: 'http', host: 'a.example', bytes: 10, millis: 5, rejected: 1 } as const;
  return { kind: 'done', body: toBody({ ...request, handledAt: new Date(NOW).toISOString() }), rows, tally, landing: GOOD };
}

describe('the plain store', () => {
  it('writes the rows before the done mark', async () => {
    const { queue, store, claimed, rowsOf } = await open('a');
    const page = await claimed();
    const seen: unknown[] = [];
    const markRequestHandled = queue.markRequestHandled.bind(queue);
    vi.spyOn(queue, 'markRequestHandled').mockImplementation(async (request) => {
      seen.push(...(await rowsOf('default')));
      return markRequestHandled(request);
    });
    await store.settle([{ claim: page, outcome: doneWith(page, [{ dataset: 'default', json: '{"n":1}' }]) }]);
    expect(seen).toEqual([{ n: 1 }]);
  });

  it('has all rows of pages that end together, and of a handler that opens the same dataset meanwhile', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `page-${index}`);
    const { queue, store, claimed, rowsOf } = await open(...names);
    const pages: ClaimedPage[] = [];
    while (pages.length < names.length) pages.push(await claimed());
    const [own] = await Promise.all([
      Dataset.open(undefined, { config: queue.config }),
      ...pages.map(async (page) => {
        const json = JSON.stringify({ name: nameOf(page) });
        const rows = ['default', 'rejected', 'default'].map((dataset) => ({ dataset, json }));
        await store.settle([{ claim: page, outcome: doneWith(page, rows) }]);
      }),
    ]);
    const twice = names.flatMap((name) => [{ name }, { name }]);
    expect(await rowsOf('default')).toHaveLength(twice.length);
    expect((await own.getData()).items).toEqual(expect.arrayContaining(twice));
    expect(await rowsOf('rejected')).toHaveLength(names.length);
  });

  it('does not hand out a request again while it waits, though its lock has run out', async () => {
    const { claim, claimed, again } = await open('a', 'b');
    await again(await claimed(), 30 * LEASE);
    vi.setSystemTime(NOW + 2 * LEASE);
    expect([nameOf(await claim()), await claim()]).toEqual(['b', null]);
    vi.setSystemTime(NOW + 30 * LEASE);
    expect(nameOf(await claim())).toBe('a');
  });

  it('does not hand out a request twice whose lock runs out in flight, after a wait', async () => {
    const { claim, claimed, again } = await open('a');
    await again(await claimed(), 2 * LEASE - 1_000);
    vi.setSystemTime(NOW + 2 * LEASE - 1_000);
    expect(nameOf(await claim())).toBe('a');
    vi.setSystemTime(NOW + 2 * LEASE + 2_000); // Three seconds in flight; the lock, prolonged once, was taken two minutes ago.
    expect(await claim()).toBeNull();
  });
});
