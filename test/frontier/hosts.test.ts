// Hosts beside each other: one that rests, is slow or asks for a gap keeps its own requests back and nobody else's.
import type { Request } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { createClock } from '../../src/core/clock.ts';
import { add, afterCrash, holdClock, NOW, overSqlite, STORES, take, type Bench } from './fixture.ts';

holdClock();

/** `b1` is page 1 of b.example. */
const urlOf = (name: string) => `https://${name[0]}.example/${name.slice(1)}`;
const nameOf = (request: { url: string } | null) => request && `${request.url[8]}${new URL(request.url).pathname.slice(1)}`;
const addAll = (bench: Bench, ...names: string[]) => add(bench.frontier, ...names.map(urlOf));

/** Takes all that is handed out now. */
async function takeAll({ frontier }: Bench): Promise<Request[]> {
  const taken: Request[] = [];
  for await (const request of frontier) taken.push(request);
  return taken;
}

const namesOf = (requests: readonly Request[]) => requests.map((request) => String(nameOf(request)));

async function fail({ frontier }: Bench, request: Request, notBefore: number): Promise<void> {
  frontier.defer(request, notBefore);
  await frontier.reclaimRequest(request);
}

describe.each(STORES)('over %s', (_, open) => {
  it("a host that is paused rests with all its requests, while another host's flow", async () => {
    const bench = await open();
    await addAll(bench, 'a1', 'b1', 'a2', 'b2', 'a3');
    const a1 = await take(bench.frontier);
    bench.frontier.pause(a1, NOW + 5_000);
    await fail(bench, a1, NOW + 5_000);
    expect(namesOf(await takeAll(bench))).toEqual(['b1', 'b2']);
    await addAll(bench, 'a4', 'b3');
    expect(namesOf(await takeAll(bench))).toEqual(['b3']);
    vi.setSystemTime(NOW + 4_999);
    expect(await takeAll(bench)).toEqual([]);
    vi.setSystemTime(NOW + 5_000);
    expect(namesOf(await takeAll(bench)).toSorted()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('a shorter pause does not end a longer one', async () => {
    const bench = await open();
    await addAll(bench, 'a1', 'a2', 'a3');
    const [a1, a2] = [await take(bench.frontier), await take(bench.frontier)];
    bench.frontier.pause(a1, NOW + 9_000);
    bench.frontier.pause(a2, NOW + 1_000);
    await fail(bench, a1, NOW);
    await fail(bench, a2, NOW);
    vi.setSystemTime(NOW + 8_999);
    expect(await takeAll(bench)).toEqual([]);
    vi.setSystemTime(NOW + 9_000);
    expect((await takeAll(bench)).length).toBeGreaterThan(0);
  });

  it('a slow host has as many pages in flight as it may, and holds no other up', async () => {
    const bench = await open({ limits: { hostConcurrency: 2 } });
    await addAll(bench, 'a1', 'a2', 'a3', 'a4', 'b1', 'c1');
    const taken = await takeAll(bench);
    expect(namesOf(taken)).toEqual(['a1', 'a2', 'b1', 'c1']);
    for (let n = 2; n < 20; n++) {
      await addAll(bench, `b${n}`);
      await bench.frontier.markRequestHandled(await take(bench.frontier));
    }
    expect(await takeAll(bench)).toEqual([]);
    await bench.frontier.markRequestHandled(taken[0] as Request);
    expect(namesOf(await takeAll(bench))).toEqual(['a3']);
  });

  it('a host of one page at a time gets the next one however the last one ended', async () => {
    const bench = await open({ limits: { hostConcurrency: 1 } });
    await addAll(bench, 'a1', 'a2', 'a3', 'a4');
    const a1 = await take(bench.frontier);
    expect(await takeAll(bench)).toEqual([]);
    await bench.frontier.markRequestHandled(a1);
    const a2 = await take(bench.frontier);
    bench.frontier.giveUp(a2, 'failed');
    await bench.frontier.markRequestHandled(a2);
    const a3 = await take(bench.frontier);
    await fail(bench, a3, NOW + 60_000);
    expect(namesOf(await takeAll(bench))).toEqual(['a4']);
  });

  it('a gap is kept between two pages of one host, and each host has its own', async () => {
    const bench = await open({ limits: { delayMillis: 1_000 } });
    await addAll(bench, 'a1', 'a2', 'b1', 'b2');
    expect(namesOf(await takeAll(bench))).toEqual(['a1', 'b1']);
    vi.setSystemTime(NOW + 999);
    expect(await takeAll(bench)).toEqual([]);
    vi.setSystemTime(NOW + 1_000);
    expect(namesOf(await takeAll(bench)).toSorted()).toEqual(['a2', 'b2']);
  });

  it('a Crawl-delay that becomes known holds back what is not in flight yet', async () => {
    const bench = await open();
    await addAll(bench, 'a1', 'a2', 'b1');
    const a1 = await take(bench.frontier);
    expect(await bench.frontier.setDelay(a1, 3_000)).toBeNull();
    expect(namesOf(await takeAll(bench))).toEqual(['b1']);
    vi.setSystemTime(NOW + 2_999);
    expect(await takeAll(bench)).toEqual([]);
    vi.setSystemTime(NOW + 3_000);
    const [a2] = await takeAll(bench);
    expect(nameOf(a2 ?? null)).toBe('a2');
    expect(await bench.frontier.setDelay(a2 as Request, 3_000)).toBe(NOW);
    expect(bench.frontier.flightOf(a2 as Request).claimedAt).toBeGreaterThan(NOW);
  });

  it('what was claimed before a Crawl-delay was known says so, though it is handed out after', async () => {
    const bench = await open();
    await addAll(bench, 'a1', 'a2');
    const a1 = await take(bench.frontier);
    expect(await bench.frontier.isEmpty()).toBe(false); // Claims a2.
    vi.setSystemTime(NOW + 10);
    expect(await bench.frontier.setDelay(a1, 3_000)).toBeNull();
    vi.setSystemTime(NOW + 20);
    const a2 = await take(bench.frontier);
    const { claimedAt, since } = bench.frontier.flightOf(a2);
    expect([claimedAt, since, await bench.frontier.setDelay(a2, 3_000)]).toEqual([NOW, NOW + 20, NOW + 10]);
  });

  it('a Crawl-delay does not let more pages into flight than the host may have', async () => {
    const bench = await open({ limits: { hostConcurrency: 1 } });
    await addAll(bench, 'a1', 'a2');
    const a1 = await take(bench.frontier);
    await bench.frontier.setDelay(a1, 1_000);
    vi.setSystemTime(NOW + 60_000);
    expect(await takeAll(bench)).toEqual([]);
    await bench.frontier.markRequestHandled(a1);
    expect(namesOf(await takeAll(bench))).toEqual(['a2']);
  });

  it('a page that throttles takes half of the pages in flight from its host, also when it is given up', async () => {
    const bench = await open({ limits: { hostConcurrency: 8 } });
    await addAll(bench, ...Array.from({ length: 20 }, (_, n) => `a${n}`));
    const [first, second] = await takeAll(bench);
    bench.frontier.pause(first as Request, NOW);
    await fail(bench, first as Request, NOW + 60_000);
    const windowOf = async () => (await bench.frontier.snapshot()).hosts[0]?.window;
    expect(await windowOf()).toBe(4);
    bench.frontier.pause(second as Request, NOW);
    bench.frontier.giveUp(second as Request, 'failed');
    await bench.frontier.markRequestHandled(second as Request);
    expect(await windowOf()).toBe(2);
  });

  it('pages that robots.txt forbids do not make a host look slow by comparison', async () => {
    const bench = await open({ limits: { hostConcurrency: 8 } });
    const run = async (names: string[], millis: number, skip: boolean) => {
      await addAll(bench, ...names);
      for (const request of await takeAll(bench)) {
        if (skip) bench.frontier.giveUp(request, 'skipped');
        vi.setSystemTime(Date.now() + millis);
        await bench.frontier.markRequestHandled(request);
      }
    };
    await addAll(bench, 'a0');
    await take(bench.frontier); // A host with nothing in flight is forgotten.
    for (let n = 1; n < 10; n++) await run([`a${n}`], 1, true);
    for (let n = 10; n < 30; n++) await run([`a${n}`], 400, false);
    await addAll(bench, ...Array.from({ length: 10 }, (_, n) => `a${100 + n}`));
    expect(await takeAll(bench)).toHaveLength(7);
  });

  it('a clock that is set back holds up neither a gap, nor a rest, nor a try, said before or after', async () => {
    let passed = 0;
    const clock = createClock({ machine: () => Date.now(), elapsed: () => passed });
    const bench = await open({ limits: { delayMillis: 1_000 }, clock });
    await addAll(bench, 'a1', 'a2', 'b1', 'c1');
    const [, b1, c1] = await takeAll(bench);
    bench.frontier.pause(b1 as Request, NOW + 3_000);
    await fail(bench, b1 as Request, NOW + 3_000);
    const hourBefore = NOW - 3_600_000;
    vi.setSystemTime(hourBefore);
    await fail(bench, c1 as Request, hourBefore + 4_000);
    const takeAt = async (millis: number) => {
      passed = millis;
      vi.setSystemTime(hourBefore + millis);
      const taken = namesOf(await takeAll(bench));
      const { hosts, nextWake } = await bench.frontier.snapshot();
      return { taken, nextWake, b: hosts.find(({ host }) => host === 'b.example')?.restsUntil };
    };
    expect(await takeAt(999)).toEqual({ taken: [], nextWake: hourBefore + 1_000, b: hourBefore + 3_000 });
    expect(await takeAt(1_000)).toMatchObject({ taken: ['a2'] });
    expect(await takeAt(2_999)).toMatchObject({ taken: [] });
    expect(await takeAt(3_000)).toMatchObject({ taken: ['b1'] });
    expect(await takeAt(4_000)).toMatchObject({ taken: ['c1'] });
  });

  it('the snapshot has what is in flight, and the hosts at work', async () => {
    const bench = await open({ limits: { hostConcurrency: 2 } });
    await addAll(bench, 'a1', 'a2', 'list/1', 'b1');
    const a1 = await take(bench.frontier);
    bench.frontier.flightOf(a1).enter('connecting');
    vi.setSystemTime(NOW + 1_500);
    const a2 = await take(bench.frontier);
    bench.frontier.pause(a1, NOW + 9_000);
    await fail(bench, a1, NOW + 4_000);
    bench.frontier.flightOf(a2).enter('handler');
    vi.setSystemTime(NOW + 2_000);
    const { flights, hosts, nextWake: _, ...counts } = await bench.frontier.snapshot();
    expect(counts).toEqual({ total: 4, handled: 0 });
    expect(flights).toEqual([{ url: urlOf('a2'), label: 'DETAIL', tier: 'http', phase: 'handler', ageMillis: 500 }]);
    expect(hosts).toEqual([{ host: 'a.example', inFlight: 1, window: 1, restsUntil: NOW + 9_000 }]);
  });
});

describe('over SQLite', () => {
  it('a pause is kept over a crash', async () => {
    const first = await overSqlite();
    await addAll(first, 'a1', 'a2', 'b1');
    const a1 = await take(first.frontier);
    first.frontier.pause(a1, NOW + 5_000);
    await fail(first, a1, NOW + 1_000);
    const next = await afterCrash(first);
    expect(namesOf(await takeAll(next))).toEqual(['b1']);
    vi.setSystemTime(NOW + 5_000);
    expect(namesOf(await takeAll(next))).toEqual(['a1', 'a2']);
  });

  it('a pause is kept over a crash also while its host has as many pages in flight as it may', async () => {
    const limits = { hostConcurrency: 2 };
    const first = await overSqlite({ limits });
    await addAll(first, 'a1', 'a2', 'a3', 'b1', 'c1');
    const [a1] = await takeAll(first);
    first.frontier.pause(a1 as Request, NOW + 5_000);
    // Half of the places go with it: the page that is still in flight has the one that is left.
    await fail(first, a1 as Request, NOW + 5_000);
    await addAll(first, 'd1'); // By then it is on disk.
    const next = await afterCrash(first, { limits });
    expect(namesOf(await takeAll(next))).toEqual(['b1', 'c1', 'd1']);
    vi.setSystemTime(NOW + 5_000);
    expect(namesOf(await takeAll(next))).toEqual(['a1', 'a2']);
  });

  it('a gap of a host that has one page at a time is kept over a crash during that page', async () => {
    const limits = { hostConcurrency: 1, delayMillis: 10_000 };
    const first = await overSqlite({ limits });
    await addAll(first, 'a1', 'a2');
    await take(first.frontier);
    vi.setSystemTime(NOW + 2_000);
    const next = await afterCrash(first, { limits });
    expect(await takeAll(next)).toEqual([]);
    vi.setSystemTime(NOW + 10_000);
    expect(namesOf(await takeAll(next))).toEqual(['a1']);
  });

  it('the places that pages in flight took at their host are free after a crash', async () => {
    const first = await overSqlite({ limits: { hostConcurrency: 1 } });
    await addAll(first, 'a1', 'a2');
    await take(first.frontier);
    const next = await afterCrash(first, { limits: { hostConcurrency: 1 } });
    expect(namesOf(await takeAll(next))).toEqual(['a1']);
  });
});
