// Hand-outs are counted on disk: a page that kills the process is found out, and an orderly exit is no crash.
import { describe, expect, it } from 'vitest';

import { claim, namesOf, newFolder, openIn, queueWith, reopenAfterCrash, requestFor, tally } from './fixture.ts';
import type { SqliteStorage } from '../../../src/storage/sqlite/client.ts';

interface Opened {
  dir: string;
  storage: SqliteStorage;
}

/** The process dies with these requests in flight. */
async function die(opened: Opened, queue: string, names: readonly string[]): Promise<Opened> {
  const claimed = await claim(opened.storage, queue);
  for (const request of claimed) {
    if (names.includes(namesOf([request])[0] as string)) opened.storage.handOut(queue, request.id as string);
  }
  return reopenAfterCrash(opened.dir);
}

async function start(names: readonly string[]): Promise<{ opened: Opened; queue: string }> {
  const dir = newFolder();
  const storage = openIn(dir);
  return { opened: { dir, storage }, queue: await queueWith(storage, names) };
}

const deathsByName = (storage: SqliteStorage, queue: string, requests: readonly { id?: string; url: string }[]) =>
  new Map(requests.map(({ id, url }) => [url.slice(-1), storage.suspects(queue).get(id as string) ?? 0]));

describe('deaths of the process', () => {
  it('make no suspect of a page that was in flight once', async () => {
    const { opened, queue } = await start(['a', 'b']);
    const { storage } = await die(opened, queue, ['a']);
    expect(storage.suspects(queue)).toEqual(new Map());
    expect(namesOf(await claim(storage, queue))).toEqual(['a', 'b']);
  });

  it('put a page that was in flight twice behind all others, also those added later', async () => {
    const { opened, queue } = await start(['a', 'b', 'c']);
    const once = await die(opened, queue, ['a', 'b']);
    const { storage } = await die(once, queue, ['b', 'c']);
    const b = requestFor('b');
    expect([...storage.suspects(queue).values()]).toEqual([2]);
    await storage.requestQueue(queue).batchAddRequests([requestFor('d')]);
    const claimed = await claim(storage, queue);
    expect(namesOf(claimed)).toEqual(['a', 'c', 'd', 'b']);
    expect(storage.counts(queue)).toEqual({ total: 4, handled: 0 });
    expect(claimed.at(-1)?.uniqueKey).toBe(b.uniqueKey);
  });

  it('are counted for a page at the forefront too', async () => {
    const { opened, queue } = await start(['a', 'b']);
    await opened.storage.requestQueue(queue).addRequest(requestFor('first'), { forefront: true });
    const once = await die(opened, queue, ['first']);
    const { storage } = await die(once, queue, ['first']);
    expect(namesOf(await claim(storage, queue))).toEqual(['a', 'b', 'first']);
  });

  it('go on being counted, and two suspects keep their order', async () => {
    const { opened, queue } = await start(['a', 'b', 'c']);
    let at = opened;
    for (let death = 0; death < 2; death++) at = await die(at, queue, ['a', 'b']);
    at = await die(at, queue, ['b']);
    const claimed = await claim(reopenAfterCrash(at.dir).storage, queue);
    expect(namesOf(claimed)).toEqual(['c', 'a', 'b']);
    expect(deathsByName(at.storage, queue, claimed)).toEqual(
      new Map([
        ['a', 2],
        ['b', 3],
        ['c', 0],
      ]),
    );
  });

  it('are not counted for what was locked ahead but never handed out', async () => {
    const { opened, queue } = await start(['a', 'b']);
    let at = opened;
    for (let death = 0; death < 4; death++) at = await die(at, queue, ['a']);
    const claimed = await claim(reopenAfterCrash(at.dir).storage, queue);
    expect(deathsByName(at.storage, queue, claimed).get('b')).toBe(0);
  });

  it.each<[string, (storage: SqliteStorage, queue: string, request: Parameters<SqliteStorage['commit']>[1]) => Promise<void>]>([
    ['committed', (storage, queue, request) => storage.commit(queue, request, { rows: [], tally: tally() })],
    ['reclaimed', (storage, queue, request) => storage.reclaim(queue, request, 0)],
    ['released by an orderly exit', async (storage) => storage.releaseAll()],
  ])('are not counted for a page that was %s before', async (_, end) => {
    const { opened, queue } = await start(['a']);
    let at = opened;
    for (let death = 0; death < 3; death++) {
      const [a] = await claim(at.storage, queue);
      if (!a) break;
      at.storage.handOut(queue, a.id as string);
      await end(at.storage, queue, a);
      at = reopenAfterCrash(at.dir);
    }
    expect(at.storage.suspects(queue)).toEqual(new Map());
  });

  it('are remembered through an orderly exit in between', async () => {
    const { opened, queue } = await start(['a', 'b']);
    let at = opened;
    for (let death = 0; death < 2; death++) at = await die(at, queue, ['a']);
    await claim(at.storage, queue); // Locked ahead by a crawl that is then ended by Ctrl+C.
    at.storage.releaseAll();
    const { storage } = reopenAfterCrash(at.dir);
    expect([...storage.suspects(queue).values()]).toEqual([2]);
  });
});

describe('releaseAll', () => {
  it('gives back what is locked, in its old place, and leaves due times and done marks', async () => {
    const dir = newFolder();
    const storage = openIn(dir);
    const queue = await queueWith(storage, ['a', 'b', 'c', 'd']);
    const [a, b, c] = await claim(storage, queue, 3);
    const due = Date.now() + 60_000;
    await storage.commit(queue, a!, { rows: [], tally: tally() });
    await storage.reclaim(queue, b!, due);
    storage.handOut(queue, c!.id as string);
    storage.releaseAll();
    const next = reopenAfterCrash(dir).storage;
    expect(next.nextDue(queue)).toBe(due);
    expect(next.counts(queue)).toEqual({ total: 4, handled: 1 });
    expect(namesOf(await claim(next, queue))).toEqual(['c', 'd']);
  });

  it('does nothing on a store that is closed', async () => {
    const storage = openIn(newFolder());
    storage.close();
    expect(() => {
      storage.releaseAll();
      storage.close();
    }).not.toThrow();
  });

  it('is what closing does, so that a closed store has nothing in flight', async () => {
    const dir = newFolder();
    const storage = openIn(dir);
    const queue = await queueWith(storage, ['a']);
    for (let round = 0; round < 3; round++) {
      const opened = openIn(dir);
      const [a] = await claim(opened, queue);
      opened.handOut(queue, a!.id as string);
      opened.close();
    }
    expect(openIn(dir).suspects(queue)).toEqual(new Map());
  });
});
