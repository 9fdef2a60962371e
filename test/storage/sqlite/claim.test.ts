// Requests are claimed host by host: the first in line whose host may be called, and no scan to find it.
import { Request } from '@crawlee/core';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  claimAll,
  claimNext,
  fileIn,
  FULL,
  newFolder,
  OPEN,
  openIn,
  reopenAfterCrash,
  restUntil,
  tally,
  type ClaimsStorage,
} from './fixture.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterEach(() => void vi.useRealTimers());

/** `a1` is page 1 of host a.example. */
const at = (name: string) => new Request({ url: `https://${name[0]}.example/${name.slice(1)}` });
const nameOf = ({ url }: { url: string }) => `${url[8]}${new URL(url).pathname.slice(1)}`;
const A = 'a.example';
const B = 'b.example';

async function start(...names: string[]) {
  const dir = newFolder();
  const storage = openIn(dir);
  const { id: queue } = await storage.requestQueues().getOrCreate('default');
  await add(storage, queue, ...names);
  return { dir, storage, queue };
}

const add = (storage: ClaimsStorage, queue: string, ...names: string[]) =>
  storage.requestQueue(queue).batchAddRequests(names.map(at));

async function next(storage: ClaimsStorage, queue: string, change: Parameters<typeof claimNext>[2] = {}): Promise<string | null> {
  const claimed = await claimNext(storage, queue, change);
  return claimed && nameOf(claimed.request);
}

async function rest(storage: ClaimsStorage, queue: string, change: Parameters<typeof claimNext>[2] = {}): Promise<string[]> {
  return (await claimAll(storage, queue, change)).map(({ request }) => nameOf(request));
}

describe('the order of claims', () => {
  it('is that of adding, over all hosts', async () => {
    const { storage, queue } = await start('a1', 'a2', 'b1', 'c1', 'a3', 'b2');
    expect(await rest(storage, queue)).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
    expect(await next(storage, queue)).toBeNull();
  });

  it('has the forefront of any host before all others', async () => {
    const { storage, queue } = await start('a1', 'b1');
    await storage.requestQueue(queue).addRequest(at('b9'), { forefront: true });
    await storage.requestQueue(queue).addRequest(at('c9'), { forefront: true });
    expect(await rest(storage, queue)).toEqual(['c9', 'b9', 'a1', 'b1']);
  });

  it('gives a request that was reclaimed its old place', async () => {
    const { storage, queue } = await start('a1', 'b1', 'a2', 'b2');
    const first = await claimNext(storage, queue);
    expect(await next(storage, queue)).toBe('b1');
    await storage.reclaim(queue, first!.request, NOW + 1_000);
    expect([await next(storage, queue), storage.nextWake(queue)]).toEqual(['a2', NOW + 1_000]);
    vi.setSystemTime(NOW + 1_000);
    expect(await rest(storage, queue)).toEqual(['a1', 'b2']);
  });

  it('gives what is claimed to nobody else, in its queue alone', async () => {
    const { storage, queue } = await start('a1');
    const { id: other } = await storage.requestQueues().getOrCreate('other');
    await add(storage, other, 'a1', 'a2');
    await storage.rest(queue, A, FULL);
    expect([await next(storage, queue), await rest(storage, other)]).toEqual([null, ['a1', 'a2']]);
    await storage.rest(queue, A, OPEN);
    expect([await next(storage, queue), await next(storage, queue), await next(storage, other)]).toEqual(['a1', null, null]);
  });

  it('tells the host that is claimed, once a claim, and nothing if there is none', async () => {
    const { storage, queue } = await start('a1', 'b1');
    const asked: string[] = [];
    const restAfter = (host: string) => (asked.push(host), OPEN);
    await claimAll(storage, queue, { restAfter });
    expect(asked).toEqual([A, B]);
  });

  it('tells two ports of one name apart', async () => {
    const { storage, queue } = await start();
    const urls = ['http://a.example:81/1', 'http://a.example:82/1', 'http://a.example:81/2'];
    await storage.requestQueue(queue).batchAddRequests(urls.map((url) => new Request({ url })));
    await storage.rest(queue, 'a.example:81', FULL);
    expect((await claimAll(storage, queue)).map(({ request }) => request.url)).toEqual([urls[1]]);
  });
});

describe('a host that rests', () => {
  it('is passed over, and its requests keep their order', async () => {
    const { storage, queue } = await start('a1', 'b1', 'a2', 'b2', 'c1');
    await storage.rest(queue, A, restUntil(NOW + 5_000));
    expect(await rest(storage, queue)).toEqual(['b1', 'b2', 'c1']);
    await add(storage, queue, 'a3', 'b3');
    expect([await rest(storage, queue), storage.nextWake(queue)]).toEqual([['b3'], NOW + 5_000]);
    vi.setSystemTime(NOW + 4_999);
    expect(await next(storage, queue)).toBeNull();
    vi.setSystemTime(NOW + 5_000);
    expect([await rest(storage, queue), storage.nextWake(queue)]).toEqual([['a1', 'a2', 'a3'], null]);
  });

  it('rests after a claim for as long as the claim was told', async () => {
    const { storage, queue } = await start('a1', 'a2', 'a3', 'b1');
    const restAfter = (host: string) => (host === A ? restUntil(NOW + 2_000) : OPEN);
    expect([await rest(storage, queue, { restAfter }), storage.nextWake(queue)]).toEqual([['a1', 'b1'], NOW + 2_000]);
    vi.setSystemTime(NOW + 2_000);
    expect(await rest(storage, queue, { restAfter: () => FULL })).toEqual(['a2']);
    expect(storage.nextWake(queue), 'no time ends a rest without end').toBeNull();
    vi.setSystemTime(NOW + 1e9);
    expect(await next(storage, queue)).toBeNull();
    await storage.rest(queue, A, OPEN);
    expect(await next(storage, queue)).toBe('a3');
  });

  it('keeps its rest while requests are added, reclaimed and deleted', async () => {
    const { storage, queue } = await start('a1', 'a2');
    const a1 = await claimNext(storage, queue, { restAfter: () => restUntil(NOW + 1_000) });
    await add(storage, queue, 'a3');
    await storage.requestQueue(queue).addRequest(at('a0'), { forefront: true });
    await storage.requestQueue(queue).deleteRequest((await storage.requestQueue(queue).listHead()).items[0]!.id);
    await storage.reclaim(queue, a1!.request, 0);
    expect(await next(storage, queue)).toBeNull();
    vi.setSystemTime(NOW + 1_000);
    expect(await rest(storage, queue)).toEqual(['a1', 'a2', 'a3']);
  });

  it('that nothing is known of yet may rest', async () => {
    const { storage, queue } = await start();
    await storage.rest(queue, A, restUntil(NOW + 1_000));
    await add(storage, queue, 'a1');
    expect([await next(storage, queue), storage.nextWake(queue)]).toEqual([null, NOW + 1_000]);
  });

  it('wakes nobody up when it has nothing to fetch', async () => {
    const { storage, queue } = await start('a1', 'b1');
    await storage.rest(queue, B, restUntil(NOW + 9_000));
    await claimNext(storage, queue, { restAfter: () => restUntil(NOW + 1_000) });
    expect(storage.nextWake(queue)).toBe(NOW + 9_000);
  });

  it.each([
    ['a crash', true, false],
    ['a crash while it was closed', true, true],
    ['an orderly exit', false, false],
    ['an orderly exit while it was closed', false, true],
  ])('goes on resting after %s until its time, and is closed no more', async (_, crash, closed) => {
    const { dir, storage, queue } = await start('a1', 'a2', 'b1', 'b2', 'c1');
    const restAfter = (host: string) => (host === A ? { until: NOW + 5_000, closed } : FULL);
    expect(await rest(storage, queue, { restAfter })).toEqual(['a1', 'b1', 'c1']);
    if (!crash) storage.close();
    const again = crash ? reopenAfterCrash(dir).storage : openIn(dir);
    expect([await rest(again, queue), again.nextWake(queue)]).toEqual([['b1', 'b2', 'c1'], NOW + 5_000]);
    vi.setSystemTime(NOW + 5_000);
    expect(await rest(again, queue)).toEqual(['a1', 'a2']);
  });

  it('and is closed meanwhile is called once it is open and its time has come, whichever is first', async () => {
    const { storage, queue } = await start('a1', 'a2');
    await storage.rest(queue, A, { until: NOW + 5_000, closed: true });
    expect(storage.nextWake(queue), 'no time opens it').toBeNull();
    vi.setSystemTime(NOW + 9_000);
    expect(await next(storage, queue)).toBeNull();
    await storage.rest(queue, A, restUntil(NOW + 10_000));
    expect([await next(storage, queue), storage.nextWake(queue)]).toEqual([null, NOW + 10_000]);
    vi.setSystemTime(NOW + 10_000);
    expect(await rest(storage, queue)).toEqual(['a1', 'a2']);
  });

  it('is closed no more when the file was written by a version that kept no time with it', async () => {
    const { dir, storage, queue } = await start('a1');
    await storage.rest(queue, A, FULL);
    storage.close();
    const db = new Database(fileIn(dir));
    db.prepare('UPDATE hosts SET rests_until = ?').run(Number.MAX_SAFE_INTEGER);
    db.close();
    expect(await rest(openIn(dir), queue)).toEqual(['a1']);
  });
});

describe("requests that Crawlee's own queue client takes meanwhile", () => {
  it('are not claimed, and the next of their host has its own place in line', async () => {
    const { storage, queue } = await start('a1', 'b1', 'a2', 'b2', 'c1');
    const own = storage.requestQueue(queue, { clientKey: 'own' });
    const { items } = await own.listAndLockHead({ limit: 2, lockSecs: 60 });
    expect(items.map(nameOf)).toEqual(['a1', 'b1']);
    expect(await rest(storage, queue)).toEqual(['a2', 'b2', 'c1']);
    await own.deleteRequestLock(items[1]!.id);
    await own.deleteRequestLock(items[0]!.id);
    expect(await rest(storage, queue)).toEqual(['a1', 'b1']);
  });

  it('all of a host: the host is passed over until there is another', async () => {
    const { storage, queue } = await start('a1', 'a2', 'b1');
    const own = storage.requestQueue(queue, { clientKey: 'own' });
    const { items } = await own.listAndLockHead({ limit: 2, lockSecs: 60 });
    await own.deleteRequest(items[1]!.id);
    expect(await rest(storage, queue)).toEqual(['b1']);
    await add(storage, queue, 'a3');
    expect(await rest(storage, queue)).toEqual(['a3']);
  });

  it('are handed back to a new place in line', async () => {
    const { storage, queue } = await start('a1', 'b1');
    const own = storage.requestQueue(queue, { clientKey: 'own' });
    const { items } = await own.listAndLockHead({ limit: 2, lockSecs: 60 });
    await own.deleteRequestLock(items[1]!.id, { forefront: true });
    await own.deleteRequestLock(items[0]!.id);
    expect(await rest(storage, queue)).toEqual(['b1', 'a1']);
  });
});

describe('the second pass', () => {
  const postpone = async (storage: ClaimsStorage, queue: string, count: number) => {
    for (let n = 0; n < count; n++) await storage.reclaim(queue, (await claimNext(storage, queue))!.request, Infinity);
  };

  const finish = async (storage: ClaimsStorage, queue: string, name: string) => {
    const { request } = (await claimNext(storage, queue))!;
    expect(nameOf(request)).toBe(name);
    await storage.commit(queue, request, { rows: [], tally: tally() });
  };

  it('holds what was postponed until it begins, and then until its time, in its old order', async () => {
    const { storage, queue } = await start('a1', 'b1', 'a2');
    await postpone(storage, queue, 2);
    vi.setSystemTime(NOW + 1e10);
    await finish(storage, queue, 'a2');
    expect([await next(storage, queue), storage.nextWake(queue)]).toEqual([null, null]);
    const begin = NOW + 1e10 + 60_000;
    expect([storage.startSecondPass(queue, begin), storage.nextWake(queue), await next(storage, queue)]).toEqual([
      2,
      begin,
      null,
    ]);
    vi.setSystemTime(begin);
    expect(await rest(storage, queue)).toEqual(['a1', 'b1']);
  });

  it('takes each request once, and begins with none while others wait for a time of their own', async () => {
    const { storage, queue } = await start('a1', 'b1');
    await postpone(storage, queue, 1);
    const waiting = (await claimNext(storage, queue))!.request;
    await storage.reclaim(queue, waiting, NOW + 1_000);
    expect(storage.startSecondPass(queue, NOW + 5_000)).toBe(0);
    expect(storage.nextWake(queue)).toBe(NOW + 1_000);
    vi.setSystemTime(NOW + 1_000);
    await finish(storage, queue, 'b1');
    expect([storage.startSecondPass(queue, NOW + 5_000), storage.startSecondPass(queue, NOW + 9_000)]).toEqual([1, 0]);
    vi.setSystemTime(NOW + 5_000);
    expect(await rest(storage, queue)).toEqual(['a1']);
  });

  it.each([
    ['a crash', true],
    ['an orderly exit', false],
  ])('is still ahead after %s', async (_, crash) => {
    const { dir, storage, queue } = await start('a1', 'b1');
    await postpone(storage, queue, 1);
    if (!crash) storage.close();
    const again = crash ? reopenAfterCrash(dir).storage : openIn(dir);
    await finish(again, queue, 'b1');
    expect(again.counts(queue)).toEqual({ total: 2, handled: 1 });
    expect([again.startSecondPass(queue, NOW), await rest(again, queue)]).toEqual([1, ['a1']]);
  });
});

describe('redrive', () => {
  const letter = (name: string) => ({ dataset: 'failed', json: JSON.stringify({ name }) });

  /** Fails these pages for good, each with its dead letter, and does the others. */
  async function crawled(names: string[], failing: string[]) {
    const opened = await start(...names);
    const { storage, queue } = opened;
    const ids = new Map<string, string>();
    for (const { request } of await claimAll(storage, queue)) {
      const name = nameOf(request);
      const fails = failing.includes(name);
      ids.set(name, request.id as string);
      request.handledAt = new Date(NOW).toISOString();
      request.retryCount = 3;
      await storage.commit(queue, request, {
        rows: fails ? [letter(name)] : [{ dataset: 'default', json: '{}' }],
        tally: tally({ host: new URL(request.url).host, end: fails ? 'failed' : 'succeeded' }),
      });
    }
    const letters = async (options: { offset?: number; limit?: number } = {}) => {
      const { id } = await storage.datasets().getOrCreate('failed');
      return (await storage.dataset(id).listItems(options)).items.map(({ name }) => name as string);
    };
    return {
      ...opened,
      letters,
      redrive: (name: string) => storage.redrive(queue, { requestId: ids.get(name) as string, url: at(name).url, attempts: [] }),
    };
  }

  it('sends a handled request round once more, as it is revised, with its dead letter gone and the counts true', async () => {
    const { storage, queue, letters, redrive } = await crawled(['a1', 'a2', 'b1'], ['a1', 'b1']);
    expect([storage.counts(queue), await letters()]).toEqual([{ total: 3, handled: 3 }, ['a1', 'b1']]);
    expect(await redrive('a1')).toBe(true);
    expect([storage.counts(queue), await letters()]).toEqual([{ total: 3, handled: 2 }, ['b1']]);
    const ends = () => storage.tallies(queue).map(({ host, end, pages }) => `${host} ${end} ${pages}`);
    expect(ends().toSorted()).toEqual(['a.example succeeded 1', 'b.example failed 1']);

    const claimed = await claimNext(storage, queue, { maxDeaths: 0 });
    expect(claimed).toMatchObject({ request: { url: 'https://a.example/1', retryCount: 0 }, deaths: 0 });
    expect(claimed?.request.handledAt).toBeUndefined();
    expect(await next(storage, queue)).toBeNull();
    await storage.commit(queue, claimed!.request, { rows: [], tally: tally() });
    expect([storage.counts(queue), ends().toSorted()]).toEqual([
      { total: 3, handled: 3 },
      ['a.example succeeded 2', 'b.example failed 1'],
    ]);
  });

  it('is done once: the second one finds nothing to do, and neither does one of a request that was never handled', async () => {
    const { storage, queue, redrive } = await crawled(['a1', 'a2'], ['a1']);
    await add(storage, queue, 'a3');
    const a3 = (await storage.requestQueue(queue).listHead()).items[0]!.id;
    const { url } = at('a3');
    const others = [a3, 'no-such-request'].map((requestId) => ({ requestId, url, attempts: [] }));
    expect([await redrive('a1'), await redrive('a1')]).toEqual([true, false]);
    for (const other of others) expect(await storage.redrive(queue, other)).toBe(false);
    expect(storage.counts(queue)).toEqual({ total: 3, handled: 1 });
    expect(await rest(storage, queue)).toEqual(['a1', 'a3']);
  });

  it.each([
    ['the first', ['a1'], ['b2', 'a2', 'b1']],
    ['one in the middle', ['a2'], ['a1', 'b2', 'b1']],
    ['the last', ['b2'], ['a1', 'a2', 'b1']],
    ['all but one', ['a2', 'a1', 'b2'], ['b1']],
    ['all', ['b1', 'a1', 'b2', 'a2'], []],
  ])('leaves no gap between the other dead letters when %s is taken', async (_, redriven, left) => {
    const names = ['a1', 'a2', 'b1', 'b2'];
    const { dir, queue, letters, redrive } = await crawled(names, names);
    for (const name of redriven) expect(await redrive(name)).toBe(true);
    expect((await letters()).toSorted()).toEqual(left.toSorted());
    // Each offset has a letter of its own: what a reader page by page sees.
    const byOffset = await Promise.all(left.map(async (_, offset) => letters({ offset, limit: 1 })));
    expect(byOffset.flat().toSorted()).toEqual(left.toSorted());
    const again = reopenAfterCrash(dir).storage;
    const { id } = await again.datasets().getOrCreate('failed');
    expect([(await again.dataset(id).get())?.itemCount, again.counts(queue).handled]).toEqual([left.length, 4 - redriven.length]);
    await again.dataset(id).pushItems([{ name: 'new' }]);
    const { items } = await again.dataset(id).listItems({ offset: left.length });
    expect(items).toEqual([{ name: 'new' }]);
  });

  it('leaves a dead letter of the next failure in its place, once', async () => {
    const { storage, queue, letters, redrive } = await crawled(['a1', 'a2'], ['a1', 'a2']);
    await redrive('a1');
    const claimed = await claimNext(storage, queue);
    await storage.commit(queue, claimed!.request, { rows: [letter('a1')], tally: tally({ end: 'failed' }) });
    expect([(await letters()).toSorted(), storage.tallies(queue)[0]?.pages]).toEqual([['a1', 'a2'], 2]);
  });

  it('gives a page that killed the process its place before that, and no death counts any more', async () => {
    const { dir, storage, queue } = await start('a1', 'b1');
    await storage.requestQueue(queue).addRequest(at('c1'), { forefront: true });
    let opened = { dir, storage };
    for (let death = 0; death < 3; death++) {
      for (const { request } of await claimAll(opened.storage, queue)) {
        if (nameOf(request) !== 'b1') await opened.storage.handOut(queue, request.id as string);
      }
      opened = reopenAfterCrash(opened.dir);
    }
    const all = await claimAll(opened.storage, queue);
    expect(all.map(({ request, deaths }) => [nameOf(request), deaths])).toEqual([
      ['b1', 0],
      ['c1', 3],
      ['a1', 3],
    ]);
    for (const { request, deaths } of all) {
      const rows = deaths > 0 ? [letter(nameOf(request))] : [];
      if (deaths === 0) await opened.storage.reclaim(queue, request, 0);
      else await opened.storage.commit(queue, request, { rows, tally: tally({ end: 'failed' }) });
    }
    for (const { request } of all.slice(1)) {
      const { id, url } = request;
      expect(await opened.storage.redrive(queue, { requestId: id as string, url, attempts: [] })).toBe(true);
    }
    const again = await claimAll(opened.storage, queue, { maxDeaths: 0 });
    expect(again.map(({ request, deaths }) => [nameOf(request), deaths])).toEqual([
      ['c1', 0],
      ['a1', 0],
      ['b1', 0],
    ]);
  });
});
