// What is written in one turn of the event loop is one transaction, and its figures are written once, at its end. A unit
// that throws takes its own figures back and nobody else's; whoever reads figures meanwhile sees what is true by then.
import Database from 'libsql';
import { describe, expect, it, vi } from 'vitest';

import {
  claimAll,
  claimNext,
  fileIn,
  FULL,
  namesOf,
  newFolder,
  OPEN,
  openIn,
  queueWith,
  requestFor,
  restUntil,
  row,
  rowsOf,
  tally,
  type ClaimsStorage,
} from './fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

async function claimed(dir = newFolder()) {
  const storage = openIn(dir);
  const queue = await queueWith(storage, NAMES);
  const requests = (await claimAll(storage, queue)).map(({ request }) => request);
  return { dir, storage, queue, requests };
}

function figuresOf(storage: ClaimsStorage, queue: string) {
  const tallies = storage.tallies(queue).map(({ pages, bytes }) => ({ pages, bytes }));
  return { counts: storage.counts(queue), tallies, counters: storage.counters(queue) };
}

const page = (n: number) => ({ rows: [row('default', { n })], tally: tally({ bytes: n, counters: { climbs: 0.1 * n } }) });

describe('commits that are made together', () => {
  it('add their figures up', async () => {
    const { storage, queue, requests } = await claimed();
    await Promise.all(requests.map(async (request, n) => storage.commit(queue, request, page(n))));
    expect(figuresOf(storage, queue)).toEqual({
      counts: { total: 4, handled: 4 },
      tallies: [{ pages: 4, bytes: 6 }],
      counters: { climbs: expect.closeTo(0.6) as number },
    });
    expect(await rowsOf(storage, 'default')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('write each figure once', async () => {
    const run = vi.spyOn(
      (new Database(':memory:').prepare('SELECT 1') as object).constructor.prototype as { run(): void },
      'run',
    );
    try {
      const { storage, queue, requests } = await claimed();
      await storage.commit(queue, requests[0]!, page(0));
      run.mockClear();
      await Promise.all(requests.slice(1).map(async (request, n) => storage.commit(queue, request, page(n + 1))));
      const alone = (['BEGIN', 'COMMIT', 'queue', 'dataset', 'tallies', 'counters'] as const).length;
      const each = (['SAVEPOINT', 'row', 'done', 'RELEASE'] as const).length;
      expect(run).toHaveBeenCalledTimes(alone + 3 * each);
    } finally {
      run.mockRestore();
    }
  });

  it.each([
    ['a row', `BEFORE INSERT ON rows WHEN NEW.body LIKE '%"n":2%'`],
    ['the done mark', `BEFORE UPDATE OF state ON requests WHEN NEW.state = 2 AND NEW.body LIKE '%/c"%'`],
  ])('take nothing of one along of which %s cannot be written, nor its figures', async (_, when) => {
    const { dir, storage, queue, requests } = await claimed();
    const other = new Database(fileIn(dir));
    other.exec(`CREATE TRIGGER refuse ${when} BEGIN SELECT RAISE(ABORT, 'no'); END`);
    const commit = async (n: number) => storage.commit(queue, requests[n]!, page(n));
    const ends = await Promise.allSettled([0, 1, 2, 3].map(commit));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(figuresOf(storage, queue)).toEqual({
      counts: { total: 4, handled: 3 },
      tallies: [{ pages: 3, bytes: 4 }],
      counters: { climbs: expect.closeTo(0.4) as number },
    });
    other.exec('DROP TRIGGER refuse');
    other.close();
    await commit(2);
    expect(await rowsOf(storage, 'default'), 'places have no gaps').toEqual([{ n: 0 }, { n: 1 }, { n: 3 }, { n: 2 }]);
    expect(figuresOf(storage, queue).tallies).toEqual([{ pages: 4, bytes: 6 }]);
  });

  it('take nothing of one along whose figures are no numbers', async () => {
    const { storage, queue, requests } = await claimed();
    const ends = await Promise.allSettled(
      requests.map(async (request, n) =>
        storage.commit(queue, request, { ...page(n), tally: tally({ bytes: n === 1 ? NaN : n }) }),
      ),
    );
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(figuresOf(storage, queue)).toMatchObject({ counts: { handled: 3 }, tallies: [{ pages: 3, bytes: 5 }] });
    expect(await rowsOf(storage, 'default')).toEqual([{ n: 0 }, { n: 2 }, { n: 3 }]);
  });

  it('are all undone when the figures of all cannot be written, and can be made again', async () => {
    const { dir, storage, queue, requests } = await claimed();
    const other = new Database(fileIn(dir));
    other.exec(`CREATE TRIGGER refuse BEFORE INSERT ON tallies BEGIN SELECT RAISE(ABORT, 'no'); END`);
    const all = async () => Promise.allSettled(requests.map(async (request, n) => storage.commit(queue, request, page(n))));
    expect((await all()).map(({ status }) => status)).toEqual(requests.map(() => 'rejected'));
    expect(figuresOf(storage, queue)).toEqual({ counts: { total: 4, handled: 0 }, tallies: [], counters: {} });
    other.exec('DROP TRIGGER refuse');
    other.close();
    await all();
    expect(figuresOf(storage, queue)).toMatchObject({ counts: { handled: 4 }, tallies: [{ pages: 4, bytes: 6 }] });
    expect(await rowsOf(storage, 'default')).toHaveLength(4);
  });

  it('are counted by whoever asks in the same transaction', async () => {
    const { storage, queue, requests } = await claimed();
    await storage.commit(queue, requests[0]!, page(1));
    const seen: unknown[] = [];
    const asks = () => (seen.push(figuresOf(storage, queue)), OPEN);
    await Promise.all([
      storage.commit(queue, requests[1]!, page(2)),
      storage.requestQueue(queue).addRequest(requestFor('e')),
      claimNext(storage, queue, { restAfter: asks }),
    ]);
    const expected = { counts: { total: 5, handled: 2 }, tallies: [{ pages: 2, bytes: 3 }] };
    expect(seen).toMatchObject([expected]);
    expect(figuresOf(storage, queue)).toMatchObject(expected);
  });
});

describe('somebody else who writes to the file', () => {
  /** A transaction of another program, until it is told to end. */
  const lockOut = (dir: string) => {
    const other = new Database(fileIn(dir));
    other.exec('BEGIN IMMEDIATE');
    return () => {
      other.exec('ROLLBACK');
      other.close();
    };
  };

  it('is waited for by what is asked of the store, with the event loop having turns', async () => {
    const { dir, storage, queue, requests } = await claimed();
    const end = lockOut(dir);
    const ends = Promise.all(requests.map(async (request, n) => storage.commit(queue, request, page(n))));
    // Not before SQLite itself has given up for the first time.
    setTimeout(() => setImmediate(end), 1_000);
    await ends;
    expect(figuresOf(storage, queue)).toMatchObject({ counts: { handled: 4 }, tallies: [{ pages: 4, bytes: 6 }] });
  });

  it('is named where it must be done at once, after a while', async () => {
    const { dir, storage, queue } = await claimed();
    const end = lockOut(dir);
    expect(() => storage.startSecondPass(queue, 0)).toThrow(
      /^\[storage\] Another program keeps .*crawl\.sqlite locked \(database is locked\)\. Close what has it open/,
    );
    end();
  }, 30_000);

  it('does not keep it from being closed, nor takes an error the place of the one that led there', async () => {
    const { dir, storage, queue, requests } = await claimed();
    const end = lockOut(dir);
    const failed = storage.commit(queue, requests[0]!, page(0));
    expect(() => storage.close()).not.toThrow();
    await expect(failed).rejects.toThrow(/Another program keeps/);
    end();
    expect(openIn(dir).counts(queue)).toEqual({ total: 4, handled: 0 });
  }, 30_000);
});

describe('claims that are made together', () => {
  it('find what is added, put back or may be called again between them', async () => {
    const { storage, queue, requests } = await claimed();
    const now = Date.now();
    const next = async () => {
      const found = await claimNext(storage, queue, { now });
      return found && namesOf([found.request])[0];
    };
    const found = await Promise.all([
      next(),
      next(),
      storage.reclaim(queue, requests[1]!, 0),
      next(),
      next(),
      storage.requestQueue(queue).addRequest(requestFor('e')),
      storage.rest(queue, 'a.example', FULL),
      next(),
      storage.rest(queue, 'a.example', OPEN),
      next(),
      next(),
    ]);
    expect(found.filter((one) => one === null || typeof one === 'string')).toEqual([null, null, 'b', null, null, 'e', null]);
  });
});

describe('what falls due', () => {
  const now = Date.now();
  const next = async (storage: ClaimsStorage, queue: string, after: number) =>
    (await claimNext(storage, queue, { now: now + after }))?.request.url.at(-1) ?? null;

  it('is found at its time, also after looks that found nothing', async () => {
    const { storage, queue, requests } = await claimed();
    await storage.reclaim(queue, requests[0]!, now + 100);
    await storage.reclaim(queue, requests[1]!, now + 50);
    expect([await next(storage, queue, 0), await next(storage, queue, 50), await next(storage, queue, 99)]).toEqual([
      null,
      'b',
      null,
    ]);
    await storage.reclaim(queue, requests[2]!, now + 99);
    expect([await next(storage, queue, 99), await next(storage, queue, 100), await next(storage, queue, 200)]).toEqual([
      'c',
      'a',
      null,
    ]);
  });

  it('is the rest of a host that had nothing to fetch when it began, too', async () => {
    const { storage, queue } = await claimed();
    await storage.rest(queue, 'a.example', restUntil(now + 100));
    expect(await next(storage, queue, 0)).toBeNull();
    await storage.requestQueue(queue).addRequest(requestFor('e'));
    expect([await next(storage, queue, 99), await next(storage, queue, 100)]).toEqual([null, 'e']);
  });

  it('is not missed where the look that woke it was undone', async () => {
    const { dir, storage, queue, requests } = await claimed();
    await storage.reclaim(queue, requests[0]!, now + 50);
    const other = new Database(fileIn(dir));
    other.exec(`CREATE TRIGGER refuse BEFORE UPDATE OF state ON requests BEGIN SELECT RAISE(ABORT, 'no'); END`);
    await expect(next(storage, queue, 50)).rejects.toThrow('no');
    other.exec('DROP TRIGGER refuse');
    other.close();
    expect(await next(storage, queue, 50)).toBe('a');
  });

  it('is ready once it was locked by its id and unlocked', async () => {
    const { storage, queue, requests } = await claimed();
    await storage.reclaim(queue, requests[0]!, now + 1e6);
    const own = storage.requestQueue(queue, { clientKey: 'own' });
    await own.prolongRequestLock(requests[0]!.id as string, { lockSecs: 60 });
    expect(await next(storage, queue, 0)).toBeNull();
    await own.deleteRequestLock(requests[0]!.id as string);
    expect(await next(storage, queue, 1)).toBe('a');
  });
});
