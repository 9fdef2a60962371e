// The checkpoint over a store that has no transactions: what it keeps itself, for as long as the process lives.
import { Dataset, type Request } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { add, claim, holdClock, nameOf, NOW, overMemory, rowsOf, take } from './fixture.ts';

holdClock();

const tally = { end: 'succeeded', tier: 'http', host: 'a.example', bytes: 10, millis: 5, rejected: 1 } as const;

describe('plainCheckpoint', () => {
  it('writes the rows before the done mark', async () => {
    const bench = await overMemory();
    await add(bench.frontier, 'a');
    const a = await claim(bench);
    const seen: unknown[] = [];
    const markRequestHandled = bench.queue.markRequestHandled.bind(bench.queue);
    vi.spyOn(bench.queue, 'markRequestHandled').mockImplementation(async (request) => {
      seen.push(...(await rowsOf(bench, 'default')));
      return markRequestHandled(request);
    });
    await bench.checkpoint.commit(a!, [{ dataset: 'default', json: '{"n":1}' }], tally);
    expect(seen).toEqual([{ n: 1 }]);
    expect(bench.checkpoint.counts()).toEqual({ total: 1, handled: 1 });
  });

  it('has all rows of pages that end together, and of a handler that opens the same dataset meanwhile', async () => {
    const bench = await overMemory();
    const names = Array.from({ length: 10 }, (_, index) => `page-${index}`);
    await add(bench.frontier, ...names);
    const pages: Request[] = [];
    for (let page = await claim(bench); page; page = await claim(bench)) pages.push(page);
    const [own] = await Promise.all([
      Dataset.open(undefined, { config: bench.queue.config }),
      ...pages.map(async (page) => {
        const json = JSON.stringify({ name: nameOf(page) });
        const rows = ['default', 'rejected', 'default'].map((dataset) => ({ dataset, json }));
        await bench.checkpoint.commit(page, rows, tally);
      }),
    ]);
    const twice = names.flatMap((name) => [{ name }, { name }]);
    expect(await rowsOf(bench, 'default')).toHaveLength(twice.length);
    expect((await own.getData()).items).toEqual(expect.arrayContaining(twice));
    expect(await rowsOf(bench, 'rejected')).toHaveLength(names.length);
  });

  it('adds figures up', async () => {
    const { checkpoint, frontier } = await overMemory();
    await add(frontier, 'a', 'b', 'c');
    for (const end of ['succeeded', 'failed', 'succeeded'] as const) {
      await checkpoint.commit((await claim({ checkpoint }))!, [], { ...tally, end });
    }
    expect(checkpoint.tallies()).toEqual([
      { ...tally, end: 'succeeded', pages: 2, bytes: 20, millis: 10, rejected: 2 },
      { ...tally, end: 'failed', pages: 1 },
    ]);
  });

  it('knows when the next of several falls due', async () => {
    const { checkpoint, frontier } = await overMemory();
    await add(frontier, 'a', 'b');
    expect(checkpoint.nextWake()).toBeNull();
    await checkpoint.reclaim((await claim({ checkpoint }))!, NOW + 9_000);
    await checkpoint.reclaim((await claim({ checkpoint }))!, NOW + 4_000);
    expect([checkpoint.nextWake(), await claim({ checkpoint }), await checkpoint.isFinished()]).toEqual([
      NOW + 4_000,
      null,
      false,
    ]);
    vi.setSystemTime(NOW + 4_000);
    expect([nameOf(await claim({ checkpoint })), await claim({ checkpoint }), checkpoint.nextWake()]).toEqual([
      'b',
      null,
      NOW + 9_000,
    ]);
  });

  it('does not hand out a request again while it waits, though its lock has run out', async () => {
    const { checkpoint, frontier, queue } = await overMemory();
    queue.requestLockSecs = 60;
    await add(frontier, 'a', 'b');
    await checkpoint.reclaim((await claim({ checkpoint }))!, NOW + 30 * 60_000);
    vi.setSystemTime(NOW + 2 * 60_000);
    expect([nameOf(await claim({ checkpoint })), await claim({ checkpoint })]).toEqual(['b', null]);
    vi.setSystemTime(NOW + 30 * 60_000);
    expect(nameOf(await claim({ checkpoint }))).toBe('a');
  });

  it('does not hand out a request twice whose lock runs out in flight, after a wait', async () => {
    const { frontier, queue } = await overMemory();
    queue.requestLockSecs = 60;
    await add(frontier, 'a');
    const a = await take(frontier);
    frontier.defer(a, NOW + 119_000);
    await frontier.reclaimRequest(a);
    vi.setSystemTime(NOW + 119_000);
    expect(nameOf(await take(frontier))).toBe('a');
    vi.setSystemTime(NOW + 122_000); // Three seconds in flight; the lock, prolonged once, was taken two minutes ago.
    expect(nameOf(await frontier.fetchNextRequest())).toBeNull();
  });
});
