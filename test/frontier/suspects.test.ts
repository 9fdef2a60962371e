// A page that may kill the process runs alone, and after its third death it is a dead letter without another fetch.
import { describe, expect, it, vi } from 'vitest';

import { QUIET_MILLIS } from '../../src/core/crash.ts';
import type { DeadLetter } from '../../src/core/dead-letter.ts';

import {
  add,
  afterCrash,
  holdClock,
  nameOf,
  NOW,
  overSqlite,
  rowsOf,
  sorted,
  take,
  takeArrived,
  urlOf,
  type SqliteBench,
  talliesOf,
} from './fixture.ts';

holdClock();

/** Kills the process with these pages in flight: the frontier hands out until it has them all. */
async function dieWith(
  bench: SqliteBench,
  names: readonly string[],
  options: Parameters<typeof afterCrash>[1] = {},
): Promise<SqliteBench> {
  const taken = new Set<string | null>();
  while (!names.every((name) => taken.has(name))) {
    const request = await takeArrived(bench.frontier);
    taken.add(nameOf(request));
    if (!names.includes(nameOf(request) as string)) await bench.frontier.markRequestHandled(request);
  }
  return afterCrash(bench, options);
}

/** A store in which `killer` was in flight at `deaths` deaths. */
async function withKiller(
  deaths: number,
  others: readonly string[] = [],
  options: Parameters<typeof afterCrash>[1] = {},
): Promise<SqliteBench> {
  let bench = await overSqlite();
  await add(bench.frontier, 'killer');
  for (let death = 1; death <= deaths; death++) bench = await dieWith(bench, ['killer'], death === deaths ? options : {});
  await add(bench.frontier, ...others);
  return bench;
}

it('pages that were in flight at no death are handed out together', async () => {
  const { frontier } = await withKiller(0, ['a']);
  expect([nameOf(await take(frontier)), nameOf(await take(frontier))]).toEqual(['killer', 'a']);
});

it('a page that was only waited for is no suspect, however often the process died meanwhile', async () => {
  let bench = await overSqlite();
  await add(bench.frontier, 'slow', 'a');
  for (let death = 0; death < 5; death++) {
    await take(bench.frontier);
    bench = await afterCrash(bench);
  }
  expect([nameOf(await take(bench.frontier)), nameOf(await take(bench.frontier))]).toEqual(['slow', 'a']);
});

describe.each([1, 2])('a page that was in flight at %i of the deaths', (deaths) => {
  it('waits for all others, runs alone, and is done like any other', async () => {
    const { frontier } = await withKiller(deaths, ['a', 'b']);
    const [a, b] = [await take(frontier), await take(frontier)];
    expect([nameOf(a), nameOf(b)]).toEqual(['a', 'b']);
    expect([await frontier.isEmpty(), await frontier.fetchNextRequest()]).toEqual([true, null]);
    await frontier.markRequestHandled(a);
    expect([await frontier.isEmpty(), await frontier.isFinished()]).toEqual([true, false]);
    await frontier.markRequestHandled(b);
    const killer = await take(frontier);
    expect(nameOf(killer)).toBe('killer');

    await add(frontier, 'c');
    expect([await frontier.isEmpty(), await frontier.fetchNextRequest(), await frontier.isFinished()]).toEqual([
      true,
      null,
      false,
    ]);
    await frontier.markRequestHandled(killer);
    expect(nameOf(await take(frontier))).toBe('c');
  });

  it('lets links go first that were found while it waited', async () => {
    const { frontier } = await withKiller(deaths, ['a']);
    const a = await take(frontier);
    expect(await frontier.isEmpty()).toBe(true);
    await add(frontier, 'b');
    await frontier.markRequestHandled(a);
    expect(nameOf(await take(frontier))).toBe('b');
  });

  it('does not keep links from being fetched at once that were found while it waits', async () => {
    const { frontier } = await withKiller(deaths, ['a']);
    await take(frontier);
    expect(await frontier.isEmpty()).toBe(true);
    await add(frontier, 'b');
    expect(nameOf(await frontier.fetchNextRequest())).toBe('b');
  });

  it('still runs alone after a failed attempt', async () => {
    const { frontier } = await withKiller(deaths, ['a']);
    await frontier.markRequestHandled(await take(frontier));
    const killer = await take(frontier);
    frontier.defer(killer, NOW);
    await frontier.reclaimRequest(killer);
    const again = await take(frontier);
    await add(frontier, 'b');
    expect([nameOf(again), await frontier.fetchNextRequest()]).toEqual(['killer', null]);
  });

  it('is not alone in being suspected: each of two runs by itself', async () => {
    let bench = await overSqlite();
    await add(bench.frontier, 'one', 'two');
    bench = await dieWith(bench, ['one', 'two']);
    if (deaths === 2) bench = await dieWith(await dieWith(bench, ['one']), ['two']);
    const { frontier } = bench;
    const first = await take(frontier);
    expect(await frontier.fetchNextRequest()).toBeNull();
    await frontier.markRequestHandled(first);
    const second = await take(frontier);
    expect(sorted([nameOf(first), nameOf(second)])).toEqual(['one', 'two']);
    expect(await frontier.fetchNextRequest()).toBeNull();
  });

  it('handed out at the same time as others is still alone', async () => {
    const { frontier } = await withKiller(deaths, ['a', 'b']);
    const requests = await Promise.all(Array.from({ length: 5 }, () => frontier.fetchNextRequest()));
    const taken = requests.map(nameOf).filter((name) => name !== null);
    for (let time = 0; time < 5; time++) {
      const name = nameOf(await frontier.fetchNextRequest());
      if (name !== null) taken.push(name);
    }
    expect(taken).toEqual(['a', 'b']);
  });
});

describe('a process that has only just begun', () => {
  it('tries a page that was in flight at one death', async () => {
    const { frontier } = await withKiller(1, [], { uptimeMillis: 0 });
    expect(nameOf(await take(frontier))).toBe('killer');
  });

  it.each([2, 3])(
    'leaves one of %i deaths until it has lived for a while: it may be killed by something else',
    async (deaths) => {
      const bench = await withKiller(deaths, ['a'], { uptimeMillis: 0 });
      const { frontier } = bench;
      await frontier.markRequestHandled(await take(frontier));
      vi.setSystemTime(NOW + QUIET_MILLIS - 1);
      expect([await frontier.isEmpty(), await frontier.fetchNextRequest(), await frontier.isFinished()]).toEqual([
        true,
        null,
        false,
      ]);
      vi.setSystemTime(NOW + QUIET_MILLIS);
      if (deaths === 2) await frontier.markRequestHandled(await take(frontier));
      expect([await frontier.isEmpty(), await frontier.isFinished(), frontier.failed]).toEqual([true, true, deaths - 2]);
    },
  );

  it('begins no second pass before it has tried such a page', async () => {
    const begun: number[] = [];
    const options = { uptimeMillis: 0, secondPassDelayMillis: 0, onSecondPass: (requests: number) => begun.push(requests) };
    const { frontier } = await withKiller(2, ['a'], options);
    const a = await take(frontier);
    frontier.defer(a, Infinity);
    await frontier.reclaimRequest(a);
    expect([await frontier.isEmpty(), begun]).toEqual([true, []]);
    vi.setSystemTime(NOW + QUIET_MILLIS);
    const killer = await take(frontier);
    expect([nameOf(killer), begun]).toEqual(['killer', []]);
    await frontier.markRequestHandled(killer);
    expect([await frontier.isEmpty(), begun]).toEqual([true, [1]]);
    expect(nameOf(await take(frontier))).toBe('a');
  });
});

describe('a page that was in flight at three deaths', () => {
  it('is a dead letter, never handed out again, and the crawl finishes with one failure', async () => {
    const letters: DeadLetter[] = [];
    const bench = await withKiller(3, ['a'], { onDeadLetter: (letter) => letters.push(letter) });
    const { frontier } = bench;
    await frontier.markRequestHandled(await take(frontier));
    expect([await frontier.fetchNextRequest(), await frontier.isEmpty(), await frontier.isFinished()]).toEqual([
      null,
      true,
      true,
    ]);
    expect(await rowsOf(bench, 'failed')).toMatchObject([
      {
        url: urlOf('killer'),
        label: 'DETAIL',
        verdict: 'crash',
        status: null,
        requestId: expect.any(String),
        attempts: [{ verdict: 'crash', at: new Date(NOW).toISOString() }],
      },
    ]);
    expect(await rowsOf(bench, 'failed'), 'it is told of').toMatchObject(letters);
    expect([frontier.failed, frontier.counts(), frontier.inFlight]).toMatchObject([1, { total: 2, handled: 2 }, 0]);
    expect(await talliesOf(bench)).toContainEqual(expect.objectContaining({ end: 'failed', pages: 1 }));
  });

  it('has in its dead letter what its earlier attempts met', async () => {
    let bench = await overSqlite();
    await add(bench.frontier, 'killer');
    const killer = await take(bench.frontier);
    const met = { at: '2026-02-03T04:00:00.000Z', tier: 'http', verdict: 'transient', status: null, error: 'ECONNRESET' };
    killer.errorMessages.push(JSON.stringify(met));
    bench.frontier.defer(killer, NOW);
    await bench.frontier.reclaimRequest(killer);
    for (let death = 0; death < 3; death++) bench = await dieWith(bench, ['killer']);
    expect(await bench.frontier.fetchNextRequest()).toBeNull();
    expect(await rowsOf(bench, 'failed')).toMatchObject([{ firstAt: met.at, attempts: [met, { verdict: 'crash' }] }]);
  });

  it('buries several without handing any out, and goes on with the rest', async () => {
    let bench = await overSqlite();
    await add(bench.frontier, 'one', 'two');
    bench = await dieWith(bench, ['one', 'two']);
    for (const name of ['one', 'two', 'one', 'two']) bench = await dieWith(bench, [name]);
    await add(bench.frontier, 'a');
    const a = await take(bench.frontier);
    expect([nameOf(a), await bench.frontier.fetchNextRequest()]).toEqual(['a', null]);
    await bench.frontier.markRequestHandled(a);
    expect([await bench.frontier.fetchNextRequest(), bench.frontier.failed]).toEqual([null, 2]);
    expect(await bench.frontier.isFinished()).toBe(true);
  });
});
