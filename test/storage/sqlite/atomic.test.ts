// A page in one transaction: its rows, its done mark and its figures are all there, or none of them is.
import Database from 'libsql';
import { describe, expect, it, vi } from 'vitest';

import {
  fileIn,
  claim,
  namesOf,
  newFolder,
  openIn,
  queueWith,
  reopenAfterCrash,
  requestFor,
  row,
  rowsOf,
  tally,
} from './fixture.ts';

describe('commit', () => {
  it('writes rows, done mark, counts and figures', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a', 'b']);
    const [a, b] = await claim(storage, queue);
    await storage.commit(queue, a!, { rows: [row('default', { n: 1 }), row('failed', { n: 2 })], tally: tally({ rejected: 2 }) });
    expect(await rowsOf(storage, 'default')).toEqual([{ n: 1 }]);
    expect(await rowsOf(storage, 'failed')).toEqual([{ n: 2 }]);
    expect(storage.counts(queue)).toEqual({ total: 2, handled: 1 });
    await storage.commit(queue, b!, { rows: [], tally: tally({ bytes: 11, millis: 4.6 }) });
    expect(storage.counts(queue)).toEqual({ total: 2, handled: 2 });
    expect(storage.tallies(queue)).toMatchObject([
      { tier: 'http', host: 'a.example', end: 'succeeded', pages: 2, bytes: 111, millis: 15, rejected: 2 },
    ]);
    expect(await claim(storage, queue)).toEqual([]);
  });

  it('keeps sums apart by tier, host and end', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a', 'b', 'c', 'd']);
    const ends = [{}, { end: 'failed' }, { host: 'b.example' }, { end: 'failed' }] as const;
    for (const [index, request] of (await claim(storage, queue)).entries()) {
      await storage.commit(queue, request, { rows: [], tally: tally(ends[index]) });
    }
    expect(storage.tallies(queue).map(({ host, end, pages }) => [host, end, pages])).toEqual([
      ['a.example', 'failed', 2],
      ['a.example', 'succeeded', 1],
      ['b.example', 'succeeded', 1],
    ]);
  });

  it('leaves nothing of a page of which one row cannot be written', async () => {
    const dir = newFolder();
    const storage = openIn(dir);
    const queue = await queueWith(storage, ['a']);
    const [a] = await claim(storage, queue);
    const other = new Database(fileIn(dir));
    other.exec(`CREATE TRIGGER refuse BEFORE INSERT ON rows WHEN NEW.body LIKE '%"n":3%' BEGIN SELECT RAISE(ABORT, 'no'); END`);
    const page = { rows: [row('default', { n: 1 }), row('new', { n: 2 }), row('new', { n: 3 })], tally: tally() };
    await expect(storage.commit(queue, a!, page)).rejects.toThrow('no');
    expect(storage.counts(queue)).toEqual({ total: 1, handled: 0 });
    expect(storage.tallies(queue)).toEqual([]);
    expect((await storage.datasets().list()).items).toEqual([]);
    expect((await reopenAfterCrash(dir).storage.datasets().list()).items).toEqual([]);

    other.exec('DROP TRIGGER refuse');
    other.close();
    await storage.commit(queue, a!, page);
    expect([await rowsOf(storage, 'default'), await rowsOf(storage, 'new')]).toEqual([[{ n: 1 }], [{ n: 2 }, { n: 3 }]]);
    expect(storage.counts(queue)).toEqual({ total: 1, handled: 1 });
  });

  it.each([
    ['the figures', 'tallies'],
    ['the done mark', 'requests'],
    ['the counts', 'stores'],
  ])('takes the rows back when %s cannot be written', async (_, table) => {
    const dir = newFolder();
    const storage = openIn(dir);
    const queue = await queueWith(storage, ['a']);
    await rowsOf(storage, 'default');
    const [a] = await claim(storage, queue);
    const other = new Database(fileIn(dir));
    for (const event of ['INSERT', 'UPDATE'])
      other.exec(`CREATE TRIGGER no_${event} BEFORE ${event} ON ${table} BEGIN SELECT RAISE(ABORT, 'no'); END`);
    await expect(storage.commit(queue, a!, { rows: [row('default', { n: 1 })], tally: tally() })).rejects.toThrow('no');
    for (const event of ['INSERT', 'UPDATE']) other.exec(`DROP TRIGGER no_${event}`);
    other.close();
    expect([await rowsOf(storage, 'default'), storage.counts(queue).handled, storage.tallies(queue)]).toEqual([[], 0, []]);
    await storage.commit(queue, a!, { rows: [row('default', { n: 1 })], tally: tally() });
    expect([await rowsOf(storage, 'default'), storage.counts(queue).handled]).toEqual([[{ n: 1 }], 1]);
  });

  it('adds no row, no count and no figure when it is repeated; the last rows stand', async () => {
    const dir = newFolder();
    const first = openIn(dir);
    const queue = await queueWith(first, ['a', 'b']);
    const [a, b] = await claim(first, queue);
    await first.commit(queue, a!, { rows: [row('default', { n: 1 }), row('default', { n: 2 })], tally: tally() });
    await first.commit(queue, b!, { rows: [row('default', { n: 3 })], tally: tally() });
    const { storage } = reopenAfterCrash(dir);
    await storage.commit(queue, a!, {
      rows: [row('default', { n: 10 }), row('default', { n: 20 })],
      tally: tally({ bytes: 999 }),
    });
    expect(await rowsOf(storage, 'default')).toEqual([{ n: 10 }, { n: 20 }, { n: 3 }]);
    expect(storage.counts(queue)).toEqual({ total: 2, handled: 2 });
    expect(storage.tallies(queue)).toMatchObject([{ pages: 2, bytes: 200 }]);
  });

  it('puts rows for a dataset named by its id and by its name into one dataset, in order', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a']);
    const { id } = await storage.datasets().getOrCreate('stories');
    const [a] = await claim(storage, queue);
    const rows = [row(id, { n: 1 }), row('stories', { n: 2 }), row('other', { n: 3 }), row(id, { n: 4 })];
    await storage.commit(queue, a!, { rows, tally: tally() });
    await storage.commit(queue, a!, { rows, tally: tally() });
    expect(await rowsOf(storage, 'stories')).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }]);
    expect(await rowsOf(storage, 'other')).toEqual([{ n: 3 }]);
    expect((await storage.datasets().list()).total).toBe(2);
  });

  it('keeps rows of pages and rows that were pushed past them apart, without gaps', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a', 'b']);
    const { id } = await storage.datasets().getOrCreate('default');
    const [a, b] = await claim(storage, queue);
    await storage.commit(queue, a!, { rows: [row(id, { n: 1 })], tally: tally() });
    await storage.dataset(id).pushItems([{ n: 2 }, { n: 3 }]);
    await storage.commit(queue, a!, { rows: [row(id, { n: 0 })], tally: tally() });
    await storage.commit(queue, b!, { rows: [row(id, { n: 4 })], tally: tally() });
    expect((await storage.dataset(id).listItems({ offset: 1, limit: 2 })).items).toEqual([{ n: 2 }, { n: 3 }]);
    expect((await storage.dataset(id).listItems()).items).toEqual([{ n: 0 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  it('keeps the request as the handler left it, and the figures, over a restart', async () => {
    const dir = newFolder();
    const first = openIn(dir);
    const queue = await queueWith(first, ['a']);
    const [a] = await claim(first, queue);
    a!.userData['note'] = 'ä';
    a!.handledAt = '2026-02-03T04:05:06.000Z';
    await first.commit(queue, a!, { rows: [], tally: tally({ end: 'failed' }) });
    first.close();
    const storage = openIn(dir);
    expect(await storage.requestQueue(queue).getRequest(a!.id!)).toMatchObject({
      userData: { note: 'ä' },
      handledAt: '2026-02-03T04:05:06.000Z',
    });
    expect(storage.tallies(queue)).toMatchObject([{ end: 'failed', pages: 1 }]);
  });
});

describe('reclaim', () => {
  it('keeps place and due time over a restart, and nextWake() says when', async () => {
    const dir = newFolder();
    const first = openIn(dir);
    const queue = await queueWith(first, ['a', 'b', 'c']);
    const [a, b] = await claim(first, queue);
    const now = Date.now();
    a!.retryCount = 3;
    await first.reclaim(queue, a!, now + 60_000);
    await first.reclaim(queue, b!, now + 30_000);
    expect(first.nextWake(queue)).toBe(now + 30_000);
    first.close();

    const storage = openIn(dir);
    expect(storage.nextWake(queue)).toBe(now + 30_000);
    expect(namesOf(await claim(storage, queue))).toEqual(['c']);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 60_000);
    try {
      const claimed = await claim(storage, queue);
      expect(namesOf(claimed)).toEqual(['a', 'b']);
      expect(claimed[0]!.retryCount).toBe(3);
      expect(storage.nextWake(queue)).toBeNull();
    } finally {
      clock.mockRestore();
    }
  });

  it('holds a request until its due time, and not a millisecond longer', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a']);
    const [a] = await claim(storage, queue);
    const due = Date.now() + 5_000;
    await storage.reclaim(queue, a!, due);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(due - 1);
    try {
      expect(await claim(storage, queue)).toEqual([]);
      clock.mockReturnValue(due);
      expect(namesOf(await claim(storage, queue))).toEqual(['a']);
    } finally {
      clock.mockRestore();
    }
  });

  it('takes a time in the past as now', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a', 'b']);
    const [a] = await claim(storage, queue, 1);
    await storage.reclaim(queue, a!, Date.now() - 1);
    expect(namesOf(await claim(storage, queue))).toEqual(['a', 'b']);
  });

  it('is forgotten when the page is committed after all', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a']);
    const [a] = await claim(storage, queue);
    await storage.reclaim(queue, a!, Date.now() + 60_000);
    await storage.commit(queue, a!, { rows: [], tally: tally() });
    expect([storage.nextWake(queue), storage.counts(queue)]).toEqual([null, { total: 1, handled: 1 }]);
  });
});

describe('purge', () => {
  it('drops the default stores with their figures, and nothing else', async () => {
    const storage = openIn(newFolder());
    const queue = await queueWith(storage, ['a']);
    const [a] = await claim(storage, queue);
    await storage.commit(queue, a!, { rows: [row('default', { n: 1 }), row('mine', { n: 2 })], tally: tally() });
    await storage.purge();
    const fresh = await queueWith(storage);
    expect(fresh).not.toBe(queue);
    expect([storage.counts(fresh), storage.tallies(fresh), storage.nextWake(fresh)]).toEqual([
      { total: 0, handled: 0 },
      [],
      null,
    ]);
    expect([await rowsOf(storage, 'default'), await rowsOf(storage, 'mine')]).toEqual([[], [{ n: 2 }]]);
    await storage.requestQueue(fresh).addRequest(requestFor('a'));
    expect(namesOf(await claim(storage, fresh))).toEqual(['a']);
  });
});
