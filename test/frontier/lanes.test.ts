// Which lane a request is handed out in, and by which tier: what its tries have shown, what the ladder remembers.
import type { Request } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { recordAttempt } from '../../src/core/attempts.ts';
import { createLadder } from '../../src/core/ladder.ts';
import type { Tier } from '../../src/core/page.ts';
import { openBrowserLane } from '../../src/frontier/browser-lane.ts';
import type { Frontier } from '../../src/frontier/frontier.ts';
import { add, afterCrash, holdClock, nameOf, NOW, overSqlite, STORES, take } from './fixture.ts';

holdClock();

const TIERS: readonly Tier[] = ['http', 'impersonate', 'browser'];
const ladderOf = (memory = {}) => createLadder({ tiers: TIERS, memory });
/** What makes the pages of a host start in the browser. */
const BROWSER_FIRST = {
  'a.example DETAIL': { start: 'browser', from: 'http', why: 'needs-browser', recent: [], pagesSinceProbe: 0, probedAt: 0 },
} as const;

/** A try that failed, and the tier that it goes on with. */
async function fail(frontier: Frontier, request: Request, next?: Tier, notBefore = Date.now()): Promise<void> {
  const { tier } = frontier.flightOf(request);
  request.errorMessages.push('a stack');
  const attempt = { at: new Date(NOW).toISOString(), tier, verdict: 'blocked', status: 403, error: 'HTTP 403' } as const;
  recordAttempt(request, next === undefined ? attempt : { ...attempt, next });
  frontier.defer(request, notBefore);
  await frontier.reclaimRequest(request);
}

const browserOf = (frontier: Frontier) => openBrowserLane(frontier, { idleMillis: 5_000 });

describe.each(STORES)('over %s', (_, open) => {
  it('a request climbs within the HTTP lane, and then to the browser lane alone', async () => {
    const needed = vi.fn<() => void>();
    const { frontier } = await open({ ladder: ladderOf(), onBrowserNeeded: needed });
    const browser = browserOf(frontier);
    await add(frontier, 'x');
    const first = await take(frontier);
    expect(frontier.flightOf(first).tier).toBe('http');
    await fail(frontier, first, 'impersonate');
    const second = await take(frontier);
    expect(frontier.flightOf(second).tier).toBe('impersonate');
    expect(needed).not.toHaveBeenCalled();
    await fail(frontier, second, 'browser');
    expect(needed).toHaveBeenCalled();
    expect(await frontier.fetchNextRequest()).toBeNull();
    expect(await frontier.isFinished()).toBe(false);
    const third = await browser.fetchNextRequest();
    expect(nameOf(third)).toBe('x');
    expect(frontier.flightOf(third as Request).tier).toBe('browser');
    await browser.markRequestHandled(third as Request);
    expect([await frontier.isFinished(), await browser.isFinished()]).toEqual([true, true]);
  });

  it('a page that fails for another reason goes on in the tier and the lane it was in', async () => {
    const { frontier } = await open({ ladder: ladderOf(BROWSER_FIRST) });
    const browser = browserOf(frontier);
    await add(frontier, 'x');
    expect(await frontier.fetchNextRequest()).toBeNull();
    await fail(frontier, (await browser.fetchNextRequest()) as Request);
    expect(await frontier.fetchNextRequest()).toBeNull();
    expect(nameOf(await browser.fetchNextRequest())).toBe('x');
  });

  it('pages that the ladder starts in the browser are moved there, and those of other labels stay', async () => {
    const { frontier } = await open({ ladder: ladderOf(BROWSER_FIRST) });
    const browser = browserOf(frontier);
    await add(frontier, 'x', 'list', 'y');
    expect(nameOf(await take(frontier))).toBe('list');
    expect(await frontier.fetchNextRequest()).toBeNull();
    expect([nameOf(await browser.fetchNextRequest()), nameOf(await browser.fetchNextRequest())]).toEqual(['x', 'y']);
    expect(await browser.fetchNextRequest()).toBeNull();
  });

  it('pages that wait in the browser lane come back when the ladder learns that a cheaper tier does', async () => {
    const ladder = ladderOf(structuredClone(BROWSER_FIRST));
    const { frontier } = await open({ ladder });
    const browser = browserOf(frontier);
    await add(frontier, 'x', 'y');
    expect(await frontier.fetchNextRequest()).toBeNull();
    const rendered = (await browser.fetchNextRequest()) as Request;
    frontier.flightOf(rendered).rendering(false);
    await browser.markRequestHandled(rendered);
    expect(await browser.fetchNextRequest()).toBeNull();
    const back = await take(frontier);
    expect([nameOf(back), frontier.flightOf(back).tier]).toEqual(['y', 'http']);
  });

  it('more pages than one claim moves are all moved, and none is lost', async () => {
    const { frontier } = await open({ ladder: ladderOf(BROWSER_FIRST) });
    const browser = browserOf(frontier);
    await add(frontier, ...Array.from({ length: 250 }, (_, index) => `p${index}`), 'list');
    expect(nameOf(await take(frontier))).toBe('list');
    const seen = new Set<string | null>();
    for await (const request of browser) seen.add(nameOf(request));
    expect(seen.size).toBe(250);
  });

  it('the second pass waits for what the other lane has not begun with, whichever lane looks', async () => {
    const begun: number[] = [];
    const { frontier } = await open({ ladder: ladderOf(), onSecondPass: (requests) => begun.push(requests) });
    const browser = browserOf(frontier);
    await add(frontier, 'x', 'y');
    await fail(frontier, await take(frontier), undefined, Infinity);
    expect([await browser.isEmpty(), begun], 'y waits for the HTTP lane').toEqual([true, []]);
    await fail(frontier, await take(frontier), 'browser');
    expect([await frontier.isEmpty(), begun], 'y waits for the browser lane').toEqual([true, []]);
    await browser.markRequestHandled((await browser.fetchNextRequest()) as Request);
    expect([await frontier.isEmpty(), begun]).toEqual([true, [1]]);
  });

  it('a host that rests does so in both lanes', async () => {
    const { frontier } = await open({ ladder: ladderOf(BROWSER_FIRST) });
    const browser = browserOf(frontier);
    await add(frontier, 'list', 'x', 'y');
    const list = await take(frontier);
    expect(await frontier.fetchNextRequest()).toBeNull();
    frontier.pause(list, NOW + 60_000);
    expect(await browser.fetchNextRequest()).toBeNull();
    vi.setSystemTime(NOW + 60_000);
    expect(nameOf(await browser.fetchNextRequest())).toBe('x');
  });

  it('the browser lane is finished when it has had nothing to do for a while, and not before the HTTP lane is', async () => {
    const { frontier } = await open({ ladder: ladderOf() });
    await add(frontier, 'x');
    const held = await take(frontier);
    const browser = browserOf(frontier);
    expect(await browser.isFinished()).toBe(false);
    vi.setSystemTime(NOW + 4_999);
    expect(await browser.isFinished()).toBe(false);
    vi.setSystemTime(NOW + 5_000);
    expect(await browser.isFinished()).toBe(true);
    // Something to do begins the while anew.
    await fail(frontier, held, 'browser', NOW + 20_000);
    expect(await browser.isFinished()).toBe(false);
    vi.setSystemTime(NOW + 15_000);
    expect(await browser.isFinished()).toBe(false);
  });

  it('a finished page counts its climbs with its commit, and teaches the ladder', async () => {
    const ladder = ladderOf();
    const learnt = vi.fn<() => void>();
    const bench = await open({ ladder, onLearnt: learnt });
    const { frontier, store } = bench;
    await add(frontier, 'x', 'y');
    await fail(frontier, await take(frontier), 'impersonate');
    const y = await take(frontier);
    await frontier.markRequestHandled(nameOf(y) === 'x' ? y : await take(frontier));
    const { counters, tallies } = await store.totals();
    expect(counters).toMatchObject({ 'climb http impersonate blocked': 1 });
    expect(tallies).toMatchObject([{ tier: 'impersonate', end: 'succeeded', pages: 1 }]);
    expect(learnt).toHaveBeenCalledOnce();
    expect(ladder.start('a.example', 'DETAIL', NOW)).toBe('impersonate');
  });
});

it('lanes, and the tiers that requests have climbed to, outlive a kill', async () => {
  const bench = await overSqlite({ ladder: ladderOf() });
  await add(bench.frontier, 'x', 'y');
  await fail(bench.frontier, await take(bench.frontier), 'browser');
  const needed = vi.fn<() => void>();
  const { frontier } = await afterCrash(bench, { ladder: ladderOf(), onBrowserNeeded: needed });
  expect(frontier.hasWork('browser')).toBe(true);
  expect(nameOf(await take(frontier))).toBe('y');
  expect(await frontier.fetchNextRequest()).toBeNull();
  expect(nameOf(await browserOf(frontier).fetchNextRequest())).toBe('x');
});

it('a page that must be alone is so over both lanes', async () => {
  let bench = await overSqlite({ ladder: ladderOf() });
  await add(bench.frontier, 'x', 'y');
  await fail(bench.frontier, await take(bench.frontier), 'browser');
  const browser = browserOf(bench.frontier);
  await bench.frontier.arrived((await browser.fetchNextRequest()) as Request);
  bench = await afterCrash(bench, { ladder: ladderOf() });
  const next = browserOf(bench.frontier);
  const y = await take(bench.frontier);
  expect(await next.fetchNextRequest(), 'beside another page').toBeNull();
  await bench.frontier.markRequestHandled(y);
  expect(nameOf(await next.fetchNextRequest())).toBe('x');
  await add(bench.frontier, 'z');
  expect(await bench.frontier.fetchNextRequest(), 'beside the suspect').toBeNull();
});

it('a page that must be alone, claimed while nothing was in flight, waits for the page that the other lane had ahead', async () => {
  const first = await overSqlite({ ladder: ladderOf() });
  await add(first.frontier, 'x', 'y');
  await fail(first.frontier, await take(first.frontier), 'browser');
  await first.frontier.arrived((await browserOf(first.frontier).fetchNextRequest()) as Request);
  const { frontier } = await afterCrash(first, { ladder: ladderOf() });
  const browser = browserOf(frontier);
  expect([await frontier.isEmpty(), await browser.isEmpty()], 'both have one ahead').toEqual([false, false]);
  const y = await take(frontier);
  expect([await browser.isEmpty(), await browser.fetchNextRequest()]).toEqual([true, null]);
  await frontier.markRequestHandled(y);
  expect(nameOf(await browser.fetchNextRequest())).toBe('x');
});
