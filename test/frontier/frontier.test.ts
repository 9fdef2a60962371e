// A page's way through the frontier: handed out, staged, then committed, sent round again or given up.
import { RequestState } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { recordAttempt } from '../../src/core/attempts.ts';
import { createLadder } from '../../src/core/ladder.ts';
import { SurefootError } from '../../src/core/errors.ts';
import { add, holdClock, nameOf, NOW, overSqlite, rowsOf, STORES, take, talliesOf, urlOf } from './fixture.ts';

holdClock();

describe.each(STORES)('over %s', (_, open) => {
  it('a page that is done has its rows, in order, and its figures', async () => {
    const bench = await open();
    const { frontier } = bench;
    await add(frontier, 'a');
    const a = await take(frontier);
    const flight = frontier.flightOf(a);
    flight.stage('default', '{"n":1}');
    flight.stage('other', '{"n":2}');
    flight.stage('default', '{"n":3}');
    flight.reject();
    flight.measure(1_234);
    expect(await rowsOf(bench, 'default')).toEqual([]);
    vi.setSystemTime(NOW + 250);
    await frontier.markRequestHandled(a);
    expect([await rowsOf(bench, 'default'), await rowsOf(bench, 'other')]).toEqual([[{ n: 1 }, { n: 3 }], [{ n: 2 }]]);
    expect(await talliesOf(bench)).toEqual([
      { tier: 'http', host: 'a.example', end: 'succeeded', pages: 1, bytes: 1_234, millis: 250, rejected: 1 },
    ]);
    expect([frontier.counts(), frontier.failed, frontier.inFlight]).toMatchObject([{ total: 1, handled: 1 }, 0, 0]);
    expect(a.handledAt).toBe(new Date(NOW + 250).toISOString());
  });

  it('a failed attempt leaves no row, no rejected row and no figure; the next one starts empty', async () => {
    const bench = await open();
    const { frontier } = bench;
    await add(frontier, 'a');
    const first = await take(frontier);
    frontier.flightOf(first).stage('default', '{"attempt":1}');
    frontier.flightOf(first).reject();
    frontier.flightOf(first).measure(999);
    frontier.defer(first, NOW);
    await frontier.reclaimRequest(first);
    expect([await rowsOf(bench, 'default'), await talliesOf(bench)]).toEqual([[], []]);

    const second = await take(frontier);
    frontier.flightOf(second).stage('default', '{"attempt":2}');
    await frontier.markRequestHandled(second);
    expect(await rowsOf(bench, 'default')).toEqual([{ attempt: 2 }]);
    expect(await talliesOf(bench)).toMatchObject([{ pages: 1, bytes: 0, rejected: 0 }]);
  });

  it('a row pushed after its attempt is over is refused, and cannot reach the next attempt', async () => {
    const bench = await open();
    const { frontier } = bench;
    await add(frontier, 'a');
    const a = await take(frontier);
    const early = frontier.flightOf(a);
    frontier.defer(a, NOW);
    const push = () => early.stage('default', '{"attempt":1}');
    expect(push).toThrow(SurefootError);
    await frontier.reclaimRequest(a);
    expect(push).toThrow(/https:\/\/a\.example\/a.*Await every pushData\(\) in the DETAIL handler/);

    const again = await take(frontier);
    const late = frontier.flightOf(again);
    expect(push).toThrow(SurefootError);
    early.reject();
    early.measure(5);
    late.stage('default', '{"attempt":2}');
    const committed = frontier.markRequestHandled(again);
    expect(() => late.stage('default', '{"late":true}')).toThrow(SurefootError);
    await committed;
    expect(() => late.stage('default', '{"late":true}')).toThrow(SurefootError);
    expect(await rowsOf(bench, 'default')).toEqual([{ attempt: 2 }]);
    expect(await talliesOf(bench)).toMatchObject([{ bytes: 0, rejected: 0 }]);
  });

  it('a page that is given up leaves its dead letter alone', async () => {
    const bench = await open();
    const { frontier } = bench;
    await add(frontier, 'a', 'b');
    const letter = { url: 'https://a.example/a' } as Parameters<typeof frontier.giveUp>[2];
    const a = await take(frontier);
    frontier.flightOf(a).stage('default', '{"n":1}');
    frontier.giveUp(a, 'failed', letter);
    expect(() => frontier.flightOf(a).stage('default', '{"n":2}')).toThrow(SurefootError);
    a.state = RequestState.ERROR;
    await frontier.markRequestHandled(a);
    const b = await take(frontier);
    frontier.giveUp(b, 'missing');
    await frontier.markRequestHandled(b);
    expect([await rowsOf(bench, 'default'), await rowsOf(bench, 'failed')]).toMatchObject([[], [{ url: 'https://a.example/a' }]]);
    expect((await talliesOf(bench)).map(({ end, pages }) => [end, pages])).toEqual([
      ['failed', 1],
      ['missing', 1],
    ]);
    expect(frontier.failed).toBe(1);
    expect(await frontier.isFinished()).toBe(true);
  });

  it('a page that Crawlee skips counts as skipped', async () => {
    const bench = await open();
    const { frontier } = bench;
    await add(frontier, 'a');
    const a = await take(frontier);
    a.state = RequestState.SKIPPED;
    await frontier.markRequestHandled(a);
    expect(await talliesOf(bench)).toMatchObject([{ end: 'skipped', pages: 1 }]);
  });

  it('a deferred page is not handed out before its time, and then at once', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    a.retryCount = 2;
    frontier.defer(a, NOW + 5_000);
    await frontier.reclaimRequest(a);
    for (const millis of [0, 1, 999, 1_000, 1_001, 4_999]) {
      vi.setSystemTime(NOW + millis);
      expect([await frontier.isEmpty(), await frontier.fetchNextRequest(), await frontier.isFinished()]).toEqual([
        true,
        null,
        false,
      ]);
    }
    vi.setSystemTime(NOW + 5_000);
    expect(await frontier.isEmpty()).toBe(false);
    expect(await take(frontier)).toMatchObject({ url: 'https://a.example/a', retryCount: 2 });
  });

  it('a page that waits holds up no other', async () => {
    const { frontier } = await open();
    await add(frontier, 'a', 'b', 'c');
    const a = await take(frontier);
    frontier.defer(a, NOW + 60_000);
    await frontier.reclaimRequest(a);
    expect([nameOf(await take(frontier)), nameOf(await take(frontier))]).toEqual(['b', 'c']);
    await add(frontier, 'd');
    expect(nameOf(await take(frontier))).toBe('d');
  });

  it('a page that was never deferred comes again at once', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    const info = await frontier.reclaimRequest(a);
    expect(info).toMatchObject({ requestId: a.id, wasAlreadyPresent: true, wasAlreadyHandled: false });
    expect(nameOf(await take(frontier))).toBe('a');
  });

  it('what was deferred keeps what its attempts have left', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    a.errorMessages.push('{"attempt":1}');
    a.userData['note'] = 'ä';
    a.crawlDepth = 3;
    frontier.defer(a, NOW + 1);
    await frontier.reclaimRequest(a);
    vi.setSystemTime(NOW + 2_000);
    const again = await take(frontier);
    expect(again).toMatchObject({ errorMessages: ['{"attempt":1}'], userData: { note: 'ä' }, crawlDepth: 3, label: 'DETAIL' });
  });

  it('only what is in flight can be staged for, deferred, given up or done', async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const a = await take(frontier);
    await frontier.markRequestHandled(a);
    expect(() => frontier.flightOf(a)).toThrow(/a\.example\/a is not in flight/);
    expect(() => frontier.defer(a, NOW)).toThrow(SurefootError);
    expect(() => frontier.giveUp(a, 'failed')).toThrow(SurefootError);
    await expect(frontier.markRequestHandled(a)).rejects.toThrow(SurefootError);
    expect(frontier.counts()).toMatchObject({ total: 1, handled: 1 });
  });

  it('a commit that fails is tried again with the same rows', async () => {
    let failures = 2;
    const bench = await open({
      around: ({ settle }) => ({
        async settle(pages) {
          if (failures-- > 0) throw new Error('the disk is full');
          return settle(pages);
        },
      }),
    });
    const { frontier } = bench;
    await add(frontier, 'a');
    const a = await take(frontier);
    frontier.flightOf(a).stage('default', '{"n":1}');
    for (let time = 0; time < 2; time++) await expect(frontier.markRequestHandled(a)).rejects.toThrow('the disk is full');
    expect(await frontier.isFinished()).toBe(false);
    await frontier.markRequestHandled(a);
    expect(await rowsOf(bench, 'default')).toEqual([{ n: 1 }]);
    expect(await frontier.isFinished()).toBe(true);
  });

  it('a page whose commit failed for good goes round again and can still be done', async () => {
    let failures = 4; // Crawlee tries a commit four times.
    const bench = await open({
      around: ({ settle }) => ({
        async settle(pages) {
          if (failures-- > 0) throw new Error('the disk is full');
          return settle(pages);
        },
      }),
    });
    const { frontier } = bench;
    await add(frontier, 'a');
    const a = await take(frontier);
    for (let time = 0; time < 4; time++) await expect(frontier.markRequestHandled(a)).rejects.toThrow('the disk is full');
    frontier.defer(a, NOW + 1_000);
    await frontier.reclaimRequest(a);
    vi.setSystemTime(NOW + 5_000);
    const again = await take(frontier);
    expect(again.handledAt).toBeUndefined();
    frontier.flightOf(again).stage('default', '{"n":2}');
    await frontier.markRequestHandled(again);
    expect(await rowsOf(bench, 'default')).toEqual([{ n: 2 }]);
  });
});

it('a settlement that fails loses no figure, and teaches the ladder nothing before it is written', async () => {
  let failures = 2;
  const ladder = createLadder({ tiers: ['http', 'impersonate'] });
  const refused = vi.spyOn(ladder, 'refused');
  const { frontier, store } = await overSqlite({
    ladder,
    around: ({ settle }) => ({
      async settle(pages) {
        if (failures-- > 0) throw new Error('the disk is full');
        return settle(pages);
      },
    }),
  });
  await add(frontier, 'a');
  const first = await take(frontier);
  const blocked = { tier: 'http', verdict: 'blocked', status: 403, error: 'HTTP 403', next: 'impersonate' } as const;
  recordAttempt(first, { at: new Date(NOW).toISOString(), ...blocked });
  frontier.defer(first, NOW);
  await expect(frontier.reclaimRequest(first)).rejects.toThrow('the disk is full');
  expect(refused).not.toHaveBeenCalled();
  failures = 0;
  await frontier.reclaimRequest(first);
  expect(refused).toHaveBeenCalledOnce();

  const again = await take(frontier);
  frontier.count('images');
  failures = 1;
  await expect(frontier.markRequestHandled(again)).rejects.toThrow('the disk is full');
  await frontier.markRequestHandled(again);
  expect((await store.totals()).counters).toEqual({
    images: 1,
    'climb http impersonate blocked': 1,
    [`works DETAIL impersonate 0 ${urlOf('a')}`]: 1,
  });
});

it('what was given up is counted over restarts', async () => {
  const first = await overSqlite();
  await add(first.frontier, 'a', 'b');
  const a = await take(first.frontier);
  first.frontier.giveUp(a, 'failed');
  await first.frontier.markRequestHandled(a);
  first.storage.close();
  const next = await overSqlite({ dir: first.dir });
  expect([next.frontier.failed, next.frontier.counts()]).toMatchObject([1, { total: 2, handled: 1 }]);
  expect(nameOf(await take(next.frontier))).toBe('b');
});

it.each(STORES)(
  'over %s, a start URL that is missing is kept with its status, and a link that is missing is not',
  async (_, open) => {
    const { frontier, store } = await open();
    await frontier.addRequestsBatched([{ url: urlOf('start') }, { url: urlOf('link'), crawlDepth: 1 }]);
    for (let page = 0; page < 2; page++) {
      const request = await take(frontier);
      recordAttempt(request, {
        at: '2026-02-03T04:05:06.000Z',
        tier: 'http',
        verdict: 'missing',
        status: 410,
        error: 'HTTP 410',
      });
      frontier.giveUp(request, 'missing');
      await frontier.markRequestHandled(request);
    }
    expect((await store.totals()).counters).toEqual({ 'missing-starts': 1, [`missing-start 410 ${urlOf('start')}`]: 1 });
  },
);
