// Requests that used up their tries go round once more: when all else is done, after a rest, and not before.
import type { Request } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { add, afterCrash, holdClock, nameOf, NOW, overSqlite, STORES, take, takeArrived, type Bench } from './fixture.ts';

holdClock();

async function postpone({ frontier }: Bench, request: Request): Promise<void> {
  frontier.defer(request, Infinity);
  await frontier.reclaimRequest(request);
}

const look = async ({ frontier }: Bench) => [await frontier.isEmpty(), await frontier.isFinished()];

describe.each(STORES)('over %s', (_, open) => {
  /** A bench that says when its second pass begins, and of how many. */
  async function openCounting(secondPassDelayMillis = 5_000) {
    const begun: number[] = [];
    return { bench: await open({ secondPassDelayMillis, onSecondPass: (requests) => begun.push(requests) }), begun };
  }

  it('it begins only when all else is done and nothing is in flight, after its rest, in the old order', async () => {
    const { bench, begun } = await openCounting();
    const { frontier } = bench;
    await add(frontier, 'a', 'b', 'c', 'd');
    await postpone(bench, await take(frontier));
    await postpone(bench, await take(frontier));
    const [c, d] = [await take(frontier), await take(frontier)];
    frontier.defer(c, NOW + 60_000);
    await frontier.reclaimRequest(c);
    expect([await look(bench), begun], 'one is in flight').toEqual([[true, false], []]);
    await frontier.markRequestHandled(d);
    expect([await look(bench), begun], 'one waits for its time').toEqual([[true, false], []]);
    vi.setSystemTime(NOW + 60_000);
    const again = await take(frontier);
    expect([nameOf(again), await look(bench), begun], 'its last try is in flight').toEqual(['c', [true, false], []]);
    await frontier.markRequestHandled(again);
    expect([await look(bench), begun]).toEqual([[true, false], [2]]);
    vi.setSystemTime(NOW + 64_999);
    expect([await look(bench), begun]).toEqual([[true, false], [2]]);
    vi.setSystemTime(NOW + 65_000);
    const round = [await take(frontier), await take(frontier)];
    expect(round.map(nameOf)).toEqual(['a', 'b']);
    for (const request of round) await frontier.markRequestHandled(request);
    expect([await look(bench), begun]).toEqual([[true, true], [2]]);
  });

  it('it does not begin while a host rests that has something to fetch', async () => {
    const { bench, begun } = await openCounting();
    const { frontier } = bench;
    await add(frontier, 'a', 'b', 'https://b.example/1');
    await postpone(bench, await take(frontier));
    const b = await take(frontier);
    frontier.pause(b, NOW + 30_000);
    frontier.defer(b, NOW);
    await frontier.reclaimRequest(b);
    await frontier.markRequestHandled(await take(frontier));
    expect([await look(bench), begun]).toEqual([[true, false], []]);
    vi.setSystemTime(NOW + 30_000);
    await frontier.markRequestHandled(await take(frontier));
    expect([await look(bench), begun]).toEqual([[true, false], [1]]);
  });

  it('links that are found in it are fetched like any other, and what fails among them has a pass of its own', async () => {
    const { bench, begun } = await openCounting(1_000);
    const { frontier } = bench;
    await add(frontier, 'a');
    await postpone(bench, await take(frontier));
    await look(bench);
    vi.setSystemTime(NOW + 1_000);
    const a = await take(frontier);
    await add(frontier, 'b');
    await frontier.markRequestHandled(a);
    await postpone(bench, await take(frontier));
    await look(bench);
    vi.setSystemTime(NOW + 2_000);
    expect([nameOf(await take(frontier)), begun]).toEqual(['b', [1, 1]]);
  });

  it('without a rest it begins at once', async () => {
    const { bench, begun } = await openCounting(0);
    await add(bench.frontier, 'a');
    await postpone(bench, await take(bench.frontier));
    expect(await bench.frontier.isFinished()).toBe(false);
    await look(bench);
    expect([nameOf(await take(bench.frontier)), begun]).toEqual(['a', [1]]);
  });

  it('a crawl without failures has none', async () => {
    const { bench, begun } = await openCounting();
    await add(bench.frontier, 'a');
    await bench.frontier.markRequestHandled(await take(bench.frontier));
    expect([await look(bench), begun]).toEqual([[true, true], []]);
  });

  it('one that was stopped has none either', async () => {
    const { bench, begun } = await openCounting();
    await add(bench.frontier, 'a', 'b');
    await postpone(bench, await take(bench.frontier));
    const b = await take(bench.frontier);
    bench.frontier.stop();
    await bench.frontier.markRequestHandled(b);
    expect([await look(bench), begun]).toEqual([[true, true], []]);
  });

  it('a page that lands with links while the store is asked makes it wait, and its links are found at once', async () => {
    let ask = () => {};
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    let answer = () => {};
    const mayAnswer = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let slow = false;
    const begun: number[] = [];
    const bench = await open({
      onSecondPass: (requests) => begun.push(requests),
      around: (store) => ({
        async claim(want) {
          const claimed = await store.claim(want);
          if (slow) {
            slow = false;
            ask();
            await mayAnswer;
          }
          return claimed;
        },
      }),
    });
    const { frontier } = bench;
    await add(frontier, 'a', 'b');
    await postpone(bench, await take(frontier));
    const b = await take(frontier);
    slow = true;
    const looking = frontier.isEmpty();
    await asked;
    await add(frontier, 'c');
    await frontier.markRequestHandled(b);
    answer();
    expect([await looking, begun]).toEqual([false, []]);
    expect(nameOf(await take(frontier))).toBe('c');
  });
});

describe('over SQLite', () => {
  it.each([
    ['a crash', true],
    ['an orderly exit', false],
  ])('postponed requests stay postponed after %s, and their pass is still to come', async (_, crash) => {
    const first = await overSqlite();
    await add(first.frontier, 'a', 'b');
    await postpone(first, await take(first.frontier));
    if (!crash) first.storage.close();
    const begun: number[] = [];
    const options = { secondPassDelayMillis: 5_000, onSecondPass: (requests: number) => begun.push(requests) };
    const next = crash ? await afterCrash(first, options) : await overSqlite({ dir: first.dir, ...options });
    const b = await take(next.frontier);
    expect([nameOf(b), await next.frontier.fetchNextRequest()]).toEqual(['b', null]);
    await next.frontier.markRequestHandled(b);
    expect([await look(next), begun]).toEqual([[true, false], [1]]);
    vi.setSystemTime(NOW + 5_000);
    expect(nameOf(await take(next.frontier))).toBe('a');
  });

  it('a pass that has begun is not begun again after a crash', async () => {
    const first = await overSqlite({ secondPassDelayMillis: 5_000 });
    await add(first.frontier, 'a');
    await postpone(first, await take(first.frontier));
    await look(first);
    const begun: number[] = [];
    const next = await afterCrash(first, { onSecondPass: (requests) => begun.push(requests) });
    expect([await look(next), begun]).toEqual([[true, false], []]);
    vi.setSystemTime(NOW + 5_000);
    await next.frontier.markRequestHandled(await take(next.frontier));
    expect([await look(next), begun]).toEqual([[true, true], []]);
  });

  it('a page that may kill the process is fetched before it, alone', async () => {
    let bench = await overSqlite();
    await add(bench.frontier, 'killer');
    for (let death = 0; death < 2; death++) {
      await takeArrived(bench.frontier);
      bench = await afterCrash(bench, { secondPassDelayMillis: 0 });
    }
    await add(bench.frontier, 'a', 'b');
    await postpone(bench, await take(bench.frontier));
    await bench.frontier.markRequestHandled(await take(bench.frontier));
    const killer = await take(bench.frontier);
    expect(nameOf(killer)).toBe('killer');
    await bench.frontier.markRequestHandled(killer);
    await look(bench);
    expect(nameOf(await take(bench.frontier))).toBe('a');
  });
});
