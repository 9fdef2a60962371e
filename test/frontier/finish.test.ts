// When a frontier is empty, when it is finished, and that no request is ever in two hands.
import { vi, describe, expect, it } from 'vitest';
import fc from 'fast-check';

import type { Request } from '@crawlee/core';

import { add, holdClock, nameOf, NOW, overMemory, overSqlite, sorted, STORES, take } from './fixture.ts';

holdClock();

describe.each(STORES)('over %s', (_, open) => {
  it('it is finished while nothing was ever added', async () => {
    const { frontier } = await open();
    expect([await frontier.isEmpty(), await frontier.isFinished(), await frontier.fetchNextRequest()]).toEqual([
      true,
      true,
      null,
    ]);
  });

  it('it is not finished while a request waits, is in flight or is deferred', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    expect([await frontier.isFinished(), await frontier.isEmpty(), await frontier.isFinished()]).toEqual([false, false, false]);
    const a = await take(frontier);
    expect([await frontier.isEmpty(), await frontier.isFinished()]).toEqual([true, false]);
    frontier.defer(a, NOW + 60_000);
    await frontier.reclaimRequest(a);
    expect([await frontier.isEmpty(), await frontier.isFinished()]).toEqual([true, false]);
    vi.setSystemTime(NOW + 61_000);
    await frontier.markRequestHandled(await take(frontier));
    expect([await frontier.isEmpty(), await frontier.isFinished()]).toEqual([true, true]);
  });

  it('it is not finished while what has just fallen due is being claimed', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    frontier.defer(a, NOW + 1_000);
    await frontier.reclaimRequest(a);
    vi.setSystemTime(NOW + 2_000);
    const [empty, finished] = await Promise.all([frontier.isEmpty(), frontier.isFinished()]);
    expect([empty, finished]).toEqual([false, false]);
  });

  it('it is not finished while its first request is being claimed', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const [request, finished, again] = await Promise.all([
      frontier.fetchNextRequest(),
      frontier.isFinished(),
      frontier.isFinished(),
    ]);
    expect([nameOf(request), finished, again]).toEqual(['a', false, false]);
  });

  it('a link added while it is idle is handed out at once', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    await take(frontier);
    expect(await frontier.isEmpty()).toBe(true);
    await add(frontier, 'b');
    expect([await frontier.isEmpty(), nameOf(await take(frontier))]).toEqual([false, 'b']);
  });

  it('a link added past it, to the queue, is found when the page that added it is done', async () => {
    const { frontier, queue } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    expect(await frontier.isEmpty()).toBe(true);
    await queue.addRequest({ url: 'https://a.example/b', label: 'DETAIL' });
    await frontier.markRequestHandled(a);
    expect(nameOf(await take(frontier))).toBe('b');
  });

  it('calls at the same time get each request once', async () => {
    const { frontier } = await open();
    const names = Array.from({ length: 60 }, (_, n) => String(n));
    await add(frontier, ...names);
    const taken: (string | null)[] = [];
    for (let round = 0; round < 60 && taken.length < 60; round++) {
      const requests = await Promise.all(Array.from({ length: 7 }, () => frontier.fetchNextRequest()));
      taken.push(...requests.filter((request) => request !== null).map(nameOf));
    }
    expect(sorted(taken)).toEqual(sorted(names));
    expect(frontier.inFlight).toBe(60);
  });

  it('is iterated up to what is not due yet', async () => {
    const { frontier } = await open();
    await add(frontier, 'a', 'b', 'c');
    const a = await take(frontier);
    frontier.defer(a, NOW + 60_000);
    await frontier.reclaimRequest(a);
    const taken: (string | null)[] = [];
    for await (const request of frontier) taken.push(nameOf(request));
    expect(taken).toEqual(['b', 'c']);
  });
});

describe('stop()', () => {
  it.each(STORES)('hands nothing out any more, and is finished when what is in flight is (%s)', async (_, open) => {
    const { frontier } = await open();
    await add(frontier, 'a', 'b', 'c');
    const a = await take(frontier);
    await frontier.isEmpty(); // Claims b.
    frontier.stop();
    expect([await frontier.isEmpty(), await frontier.fetchNextRequest(), await frontier.isFinished()]).toEqual([
      true,
      null,
      false,
    ]);
    await frontier.markRequestHandled(a);
    expect([await frontier.isFinished(), frontier.counts()]).toMatchObject([true, { total: 3, handled: 1 }]);
  });

  it.each(STORES)('hands out nothing that was being claimed when it was called (%s)', async (_, open) => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const fetching = frontier.fetchNextRequest();
    frontier.stop();
    expect(await fetching).toBeNull();
  });

  it('leaves all that is not done to the next start, also what was claimed already', async () => {
    const first = await overSqlite();
    await add(first.frontier, 'a', 'b', 'c');
    await first.frontier.markRequestHandled(await take(first.frontier));
    await first.frontier.isEmpty();
    first.frontier.stop();
    first.storage.close();
    const { frontier } = await overSqlite({ dir: first.dir });
    expect([nameOf(await take(frontier)), nameOf(await take(frontier))]).toEqual(['b', 'c']);
  });
});

describe('an arrival that cannot be written', () => {
  it('fails its attempt alone: the page comes again, and the crawl can still finish', async () => {
    let failures = 1;
    const { frontier } = await overSqlite({
      around: ({ arrived }) => ({
        async arrived(claims) {
          if (failures-- > 0) throw new Error('the disk is full');
          await arrived(claims);
        },
      }),
    });
    await add(frontier, 'a');
    const a = await take(frontier);
    await expect(frontier.arrived(a)).rejects.toThrow('the disk is full');
    frontier.defer(a, NOW);
    await frontier.reclaimRequest(a);
    expect(frontier.inFlight).toBe(0);
    const again = await take(frontier);
    await frontier.arrived(again);
    await frontier.markRequestHandled(again);
    expect(await frontier.isFinished()).toBe(true);
  });
});

describe('any interleaving of adding, fetching, failing and finishing', () => {
  it.each([
    ['SQLite', () => overSqlite()],
    ['MemoryStorage', () => overMemory()],
  ])('has each request in one hand at a time, done once, and then it is finished (%s)', { timeout: 20_000 }, async (_, open) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }), async (scheduler, failures) => {
        vi.setSystemTime(NOW);
        const { frontier } = await open();
        const inHand = new Set<string>();
        const done: string[] = [];
        const work = async (request: Request) => {
          const name = nameOf(request) as string;
          expect(inHand.has(name), `${name} is in two hands`).toBe(false);
          inHand.add(name);
          await scheduler.schedule(Promise.resolve(), name);
          const [index, left] = name.split('-').map(Number) as [number, number];
          if (index < failures.length - 1 && request.retryCount === 0) await add(frontier, `${index + 1}-${failures[index + 1]}`);
          inHand.delete(name);
          if (request.retryCount < left) {
            request.retryCount++;
            frontier.defer(request, Date.now());
            await frontier.reclaimRequest(request);
          } else {
            done.push(name);
            await frontier.markRequestHandled(request);
          }
        };
        await add(frontier, `0-${failures[0]}`);
        const worker = async () => {
          for (let idle = 0; idle < 500; idle++) {
            const request = await frontier.fetchNextRequest();
            if (request) await work(request);
            else if (await frontier.isFinished()) return;
            else await scheduler.schedule(Promise.resolve(), 'idle');
          }
          throw new Error('It never finishes');
        };
        await scheduler.waitFor(Promise.all([worker(), worker(), worker()]));
        expect(done.toSorted()).toEqual(failures.map((left, index) => `${index}-${left}`).toSorted());
      }),
      { numRuns: 25 },
    );
  });
});
