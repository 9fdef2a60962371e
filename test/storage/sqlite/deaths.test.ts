// Hand-outs are counted on disk: a page that kills the process is found out, and an orderly exit is no crash.
import { describe, expect, it } from 'vitest';

import {
  claim,
  claimAll,
  claimNext,
  namesOf,
  newFolder,
  openIn,
  queueWith,
  reopenAfterCrash,
  requestFor,
  tally,
  type ClaimsStorage,
} from './fixture.ts';

interface Opened {
  dir: string;
  storage: ClaimsStorage;
}

/** The process dies with these requests in flight. */
async function die(opened: Opened, queue: string, names: readonly string[]): Promise<Opened> {
  const claimed = await claim(opened.storage, queue);
  for (const request of claimed) {
    if (names.includes(namesOf([request])[0] as string)) await opened.storage.handOut(queue, request.id as string);
  }
  return reopenAfterCrash(opened.dir);
}

async function start(names: readonly string[]): Promise<{ opened: Opened; queue: string }> {
  const dir = newFolder();
  const storage = openIn(dir);
  return { opened: { dir, storage }, queue: await queueWith(storage, names) };
}

/** Names and deaths, in the order of the claims. Takes all requests: call it last. */
async function deathsByName(storage: ClaimsStorage, queue: string): Promise<[name: string | undefined, deaths: number][]> {
  return (await claimAll(storage, queue)).map(({ request, deaths }) => [namesOf([request])[0], deaths]);
}

describe('deaths of the process', () => {
  it('put a page that was in flight behind all others, though once, and leave what was not in its place', async () => {
    const { opened, queue } = await start(['a', 'b']);
    const { storage } = await die(opened, queue, ['a']);
    expect(namesOf((await claimAll(storage, queue, { maxDeaths: 1 })).map(({ request }) => request))).toEqual(['b', 'a']);
  });

  it('are told with the claim', async () => {
    const { opened, queue } = await start(['a', 'b']);
    const { storage } = await die(opened, queue, ['a']);
    expect(await deathsByName(storage, queue)).toEqual([
      ['b', 0],
      ['a', 1],
    ]);
  });

  it('keep a page that was in flight twice from being claimed beside others', async () => {
    const { opened, queue } = await start(['a', 'b']);
    const once = await die(opened, queue, ['a']);
    const { storage } = await die(once, queue, ['a']);
    const beside = await claimAll(storage, queue, { maxDeaths: 0 });
    expect(namesOf(beside.map(({ request }) => request))).toEqual(['b']);
    expect(await deathsByName(storage, queue)).toEqual([['a', 2]]);
  });

  it('put a page that was in flight twice behind all others, also those added later', async () => {
    const { opened, queue } = await start(['a', 'b', 'c']);
    const once = await die(opened, queue, ['a', 'b']);
    const { storage } = await die(once, queue, ['b', 'c']);
    await storage.requestQueue(queue).batchAddRequests([requestFor('d')]);
    expect(await deathsByName(storage, queue)).toEqual([
      ['d', 0],
      ['a', 1],
      ['c', 1],
      ['b', 2],
    ]);
    expect(storage.counts(queue)).toEqual({ total: 4, handled: 0 });
  });

  it("put it there for Crawlee's own queue client too", async () => {
    const { opened, queue } = await start(['a', 'b', 'c']);
    const once = await die(opened, queue, ['a', 'b']);
    const { storage } = await die(once, queue, ['b', 'c']);
    const claimed = await claim(storage, queue);
    expect(namesOf(claimed)).toEqual(['a', 'c', 'b']);
    expect(claimed.at(-1)?.uniqueKey).toBe(requestFor('b').uniqueKey);
  });

  it('are counted for a page at the forefront too', async () => {
    const { opened, queue } = await start(['a', 'b']);
    await opened.storage.requestQueue(queue).addRequest(requestFor('first'), { forefront: true });
    const once = await die(opened, queue, ['first']);
    const { storage } = await die(once, queue, ['first']);
    expect(await deathsByName(storage, queue)).toEqual([
      ['a', 0],
      ['b', 0],
      ['first', 2],
    ]);
  });

  it('go on being counted, and two suspects keep their order', async () => {
    const { opened, queue } = await start(['a', 'b', 'c']);
    let at = opened;
    for (let death = 0; death < 2; death++) at = await die(at, queue, ['a', 'b']);
    at = await die(at, queue, ['b']);
    expect(await deathsByName(at.storage, queue)).toEqual([
      ['c', 0],
      ['a', 2],
      ['b', 3],
    ]);
  });

  it('are not counted for what was locked ahead but never handed out', async () => {
    const { opened, queue } = await start(['a', 'b']);
    let at = opened;
    for (let death = 0; death < 4; death++) at = await die(at, queue, ['a']);
    expect(await deathsByName(at.storage, queue)).toEqual([
      ['b', 0],
      ['a', 4],
    ]);
  });

  it.each<[string, (storage: ClaimsStorage, queue: string, request: Parameters<ClaimsStorage['commit']>[1]) => Promise<void>]>([
    ['committed', (storage, queue, request) => storage.commit(queue, request, { rows: [], tally: tally() })],
    ['reclaimed', (storage, queue, request) => storage.reclaim(queue, request, 0)],
    ['released by an orderly exit', async (storage) => storage.releaseAll()],
  ])('are not counted for a page that was %s before', async (how, end) => {
    const { opened, queue } = await start(['a']);
    let at = opened;
    for (let death = 0; death < 3; death++) {
      const a = (await claimNext(at.storage, queue))?.request;
      if (!a) break;
      await at.storage.handOut(queue, a.id as string);
      await end(at.storage, queue, a);
      at = reopenAfterCrash(at.dir);
    }
    if (how === 'committed') expect(at.storage.counts(queue)).toEqual({ total: 1, handled: 1 });
    else expect(await deathsByName(at.storage, queue)).toEqual([['a', 0]]);
  });

  it('are remembered through an orderly exit in between', async () => {
    const { opened, queue } = await start(['a', 'b']);
    let at = opened;
    for (let death = 0; death < 2; death++) at = await die(at, queue, ['a']);
    await claim(at.storage, queue); // Locked ahead by a crawl that is then ended by Ctrl+C.
    at.storage.releaseAll();
    const { storage } = reopenAfterCrash(at.dir);
    expect(await deathsByName(storage, queue)).toEqual([
      ['b', 0],
      ['a', 2],
    ]);
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
    await storage.handOut(queue, c!.id as string);
    storage.releaseAll();
    const next = reopenAfterCrash(dir).storage;
    expect(next.nextWake(queue)).toBe(due);
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
      await opened.handOut(queue, a!.id as string);
      opened.close();
    }
    expect(await deathsByName(openIn(dir), queue)).toEqual([['a', 0]]);
  });
});
