// What every run store promises (src/core/run-store.ts), whatever it is made of. A store that promises more or less says so by
// its traits and by `keepsPlaces`; nothing else may differ.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import type { DeadLetter } from '../../../src/core/dead-letter.ts';
import type { HostLanding, PaceLimits } from '../../../src/core/pace.ts';
import {
  toBody,
  type ClaimedPage,
  type Outcome,
  type PageTally,
  type RunStore,
  type StoreTraits,
  type Want,
} from '../../../src/core/run-store.ts';

export interface OpenedStore {
  readonly store: RunStore;
  /** The rows of a dataset, in their order. */
  rowsOf(dataset: string): Promise<unknown[]>;
  /** The next process of the run, after this one was killed or has left in order. */
  next(how: 'killed' | 'left'): Promise<OpenedStore>;
  /** Lets time pass, by the store's clock. */
  pass(millis: number): Promise<void>;
}

export interface StoreCase {
  readonly name: string;
  readonly traits: StoreTraits;
  /** Whether a page that goes round again is where it was in the line. Where not, it is behind. */
  readonly keepsPlaces: boolean;
  /** Opens a new store for a test, and closes it at its end. */
  open(limits: PaceLimits): Promise<OpenedStore>;
}

/** Long enough to be met by a machine that is busy, where `pass` has to wait. */
const A_WHILE = 600;
const GOOD: HostLanding = { how: 'good', millis: 10 };
const BAD: HostLanding = { how: 'bad', millis: null };

/** `a1` is page 1 of host a.example. */
const urlOf = (name: string) => `https://${name[0]}.example/${name.slice(1)}`;
const nameOf = ({ url }: { url: string }) => `${url[8]}${new URL(url).pathname.slice(1)}`;
const namesOf = (pages: readonly ClaimedPage[]) => pages.map(({ request }) => nameOf(request));
const requestOf = (name: string) => JSON.parse(toBody(new Request({ url: urlOf(name), label: 'DETAIL' }))) as never;

function tallyOf({ host }: ClaimedPage, change: Partial<PageTally> = {}): PageTally {
  return { end: 'succeeded', tier: 'http', host, bytes: 100, millis: 10, rejected: 0, ...change };
}

function doneWith(page: ClaimedPage, rows: object[] = [], change: Partial<PageTally> = {}): Outcome {
  const staged = rows.map((row) => ({ dataset: 'default', json: JSON.stringify(row) }));
  const body = toBody({ ...page.request, handledAt: new Date(0).toISOString() });
  return { kind: 'done', body, rows: staged, tally: tallyOf(page, change), landing: GOOD };
}

const againAfter = (page: ClaimedPage, after: number | 'second pass', change: object = {}): Outcome => ({
  kind: 'again',
  body: toBody({ ...page.request, ...change }),
  after,
  lane: page.lane,
  landing: BAD,
});

function letterOf({ id, request }: ClaimedPage): DeadLetter {
  const at = new Date(0).toISOString();
  const attempt = { at, tier: 'http', verdict: 'fatal', status: 500, error: 'HTTP 500' } as const;
  const { verdict, status, error } = attempt;
  const ends = { firstAt: at, lastAt: at, attempts: [attempt] };
  return { url: request.url, requestId: id, label: 'DETAIL', verdict, status, error, ...ends };
}

const deadWith = (page: ClaimedPage, letter = letterOf(page)): Outcome => ({
  kind: 'dead',
  body: toBody({ ...page.request, retryCount: 3, errorMessages: ['x'], handledAt: letter.lastAt }),
  letter,
  tally: tallyOf(page, { end: 'failed', bytes: 70, millis: 30 }),
  landing: BAD,
});

export function describeRunStore({ name, traits, keepsPlaces, open }: StoreCase): void {
  const start = async (names: readonly string[], limits: Partial<PaceLimits> = {}) => {
    const opened = await open({ hostConcurrency: 100, delayMillis: 0, ...limits });
    await add(opened.store, names);
    return opened;
  };
  const add = (store: RunStore, names: readonly string[], change: Partial<Parameters<RunStore['add']>[1]> = {}) =>
    store.add(names.map(requestOf), { forefront: false, room: Infinity, limit: Infinity, ...change });
  const claim = (store: RunStore, change: Partial<Want> = {}) =>
    store.claim({ lane: 'http', room: 100, maxDeaths: Infinity, leaseMillis: 60_000, ...change });
  const claimNames = async (store: RunStore, change: Partial<Want> = {}) => namesOf((await claim(store, change)).pages);
  const one = async (store: RunStore, change: Partial<Want> = {}): Promise<ClaimedPage> => {
    const [page] = (await claim(store, { room: 1, ...change })).pages;
    if (!page) throw new Error('Nothing was claimed.');
    return page;
  };
  const settle = (store: RunStore, page: ClaimedPage, outcome: Outcome) => store.settle([{ claim: page, outcome }]);
  const totalsOf = async (store: RunStore) => {
    const { total, handled, tallies, counters } = await store.totals();
    return { total, handled, pages: tallies.reduce((sum, { pages }) => sum + pages, 0), counters };
  };

  describe(`${name}: claims`, () => {
    it('have the traits that the store is listed with', async () => {
      expect((await start([])).store.traits).toEqual(traits);
    });

    it('come in the order of adding, over all hosts, as many as there is room for', async () => {
      const { store } = await start(['a1', 'a2', 'b1', 'c1', 'a3']);
      expect(await claimNames(store, { room: 3 })).toEqual(['a1', 'a2', 'b1']);
      expect(await claimNames(store)).toEqual(['c1', 'a3']);
      expect(await claim(store)).toMatchObject({ pages: [], wakesIn: null, standing: { total: 5, handled: 0 } });
    });

    it('bring the request, whole, and say which lane and host they are of', async () => {
      const { store } = await start([]);
      await store.add([{ ...(requestOf('a1') as object), userData: { n: 1 } } as never], {
        forefront: false,
        room: 1,
        limit: 1,
      });
      expect(await one(store)).toMatchObject({
        host: 'a.example',
        lane: 'http',
        deaths: 0,
        startsIn: 0,
        request: { url: urlOf('a1'), userData: { n: 1 } },
      });
    });

    it('that are made at once never have one page twice', async () => {
      const names = Array.from({ length: 30 }, (_, n) => `${'abc'[n % 3]}${n}`);
      const { store } = await start(names);
      const found = await Promise.all(Array.from({ length: 8 }, () => claimNames(store, { room: 5 })));
      expect(found.flat().toSorted()).toEqual(names.toSorted());
    });

    it('of a request before all others are for what was added to the forefront', async () => {
      const { store } = await start(['a1', 'b1']);
      await add(store, ['c1'], { forefront: true });
      expect(await claimNames(store, { room: 1 })).toEqual(['c1']);
    });
  });

  describe(`${name}: the pace of a host`, () => {
    it('keeps its pages in flight below the limit, and lets others go first', async () => {
      const { store } = await start(['a1', 'a2', 'a3', 'b1'], { hostConcurrency: 2 });
      const { pages } = await claim(store);
      expect(namesOf(pages)).toEqual(['a1', 'a2', 'b1']);
      expect((await claim(store)).pages).toEqual([]);
      await settle(store, pages[0]!, doneWith(pages[0]!));
      expect(await claimNames(store)).toEqual(['a3']);
    });

    it('is halved by a page that was throttled', async () => {
      const { store } = await start(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], { hostConcurrency: 4 });
      const { pages } = await claim(store);
      expect(pages).toHaveLength(4);
      for (const [index, page] of pages.entries()) {
        const landing: HostLanding = index === 0 ? { how: 'throttled', millis: null } : BAD;
        await settle(store, page, { ...againAfter(page, 60_000), landing } as Outcome);
      }
      expect(await claimNames(store)).toHaveLength(2);
      expect(await store.hosts(10)).toMatchObject([{ host: 'a.example', inFlight: 2, window: 2 }]);
    });

    it('has a gap between two claims, which a claim that finds none tells of', async () => {
      const { store, pass } = await start(['a1', 'a2', 'b1'], { delayMillis: A_WHILE });
      expect(namesOf((await claim(store)).pages.filter(({ startsIn }) => startsIn === 0))).toEqual(['a1', 'b1']);
      const { pages, wakesIn } = await claim(store);
      if (!traits.shared) {
        expect(pages).toEqual([]);
        expect(wakesIn).toBeGreaterThan(0);
        expect(wakesIn).toBeLessThanOrEqual(A_WHILE * 1.25);
        await pass(A_WHILE * 1.25 + 1);
        expect(await claimNames(store)).toEqual(['a2']);
      }
    });

    it('has the gap that it asks for from then on: who claimed before can tell', async () => {
      const { store, pass } = await start(['a1', 'a2', 'a3']);
      const before = await one(store);
      expect(await store.slow('a.example', A_WHILE)).toBeNull();
      const since = await store.slow('a.example', A_WHILE);
      expect(since).toBeGreaterThanOrEqual(before.at);
      expect(await store.slow('a.example', 1)).toBe(since);
      expect((await claim(store)).pages.filter(({ startsIn }) => startsIn === 0)).toEqual([]);
      await pass(A_WHILE * 1.25 + 1);
      expect((await claim(store)).pages[0]?.at).toBeGreaterThan(since as number);
    });

    it('is none while it rests, whatever lands, and a shorter rest does not cut a longer one', async () => {
      const { store, pass } = await start(['a1', 'a2', 'b1']);
      const a1 = await one(store);
      await store.rest('a.example', A_WHILE);
      await store.rest('a.example', 1);
      await settle(store, a1, doneWith(a1));
      expect(await claimNames(store)).toEqual(['b1']);
      const { wakesIn } = await claim(store);
      expect(wakesIn).toBeGreaterThan(0);
      expect(wakesIn).toBeLessThanOrEqual(A_WHILE);
      expect(await store.hosts(10)).toContainEqual(expect.objectContaining({ host: 'a.example', inFlight: 0 }));
      await pass(A_WHILE + 1);
      expect(await claimNames(store)).toEqual(['a2']);
    });

    it('is shown for so many hosts at most, the busiest first', async () => {
      const { store } = await start(['a1', 'b1', 'b2', 'c1']);
      await claim(store);
      expect(await store.hosts(2)).toMatchObject([{ host: 'b.example', inFlight: 2, restsFor: 0 }, { inFlight: 1 }]);
    });
  });

  describe(`${name}: a page that is done`, () => {
    it('leaves its rows in order, its figures and its done mark', async () => {
      const { store, rowsOf } = await start(['a1', 'a2']);
      const page = await one(store);
      const outcome = doneWith(page, [{ n: 1 }, { n: 2 }], { counters: { climbs: 2 }, rejected: 1 });
      expect(await settle(store, page, outcome)).toMatchObject({ refused: [], standing: { total: 2, handled: 1 } });
      expect(await rowsOf('default')).toEqual([{ n: 1 }, { n: 2 }]);
      expect((await store.totals()).tallies).toEqual([
        { end: 'succeeded', tier: 'http', host: 'a.example', bytes: 100, millis: 10, rejected: 1, pages: 1 },
      ]);
      expect(await totalsOf(store)).toEqual({ total: 2, handled: 1, pages: 1, counters: { climbs: 2 } });
      expect(await store.isFinished()).toBe(false);
    });

    it('may be settled with others', async () => {
      const { store, rowsOf } = await start(['a1', 'b1', 'c1']);
      const { pages } = await claim(store);
      await store.settle(pages.map((page, n) => ({ claim: page, outcome: doneWith(page, [{ n }]) })));
      expect((await rowsOf('default')).length).toBe(3);
      expect([await totalsOf(store), await store.isFinished()]).toMatchObject([{ handled: 3, pages: 3 }, true]);
    });

    it('that is settled twice is done once', async () => {
      const { store, rowsOf } = await start(['a1']);
      const page = await one(store);
      await settle(store, page, doneWith(page, [{ n: 1 }]));
      await settle(store, page, doneWith(page, [{ n: 1 }]));
      expect([await rowsOf('default'), await totalsOf(store)]).toMatchObject([[{ n: 1 }], { handled: 1, pages: 1 }]);
    });

    it('for good leaves its dead letter, with what its tally has of it', async () => {
      const { store, rowsOf } = await start(['a1']);
      const page = await one(store);
      await settle(store, page, deadWith(page));
      expect(await rowsOf('failed')).toEqual([{ ...letterOf(page), bytes: 70, millis: 30 }]);
      expect((await store.totals()).tallies).toMatchObject([{ end: 'failed', pages: 1 }]);
      expect(await store.isFinished()).toBe(true);
    });
  });

  describe(`${name}: a page that goes round again`, () => {
    it('does so not before its time, as it was left', async () => {
      const { store, pass } = await start(['a1', 'a2']);
      const page = await one(store);
      await settle(store, page, againAfter(page, A_WHILE, { retryCount: 2 }));
      expect(await claimNames(store)).toEqual(['a2']);
      const { wakesIn } = await claim(store);
      expect(wakesIn).toBeGreaterThan(0);
      expect(wakesIn).toBeLessThanOrEqual(A_WHILE);
      await pass(A_WHILE + 1);
      expect(await one(store)).toMatchObject({ id: page.id, request: { retryCount: 2 } });
    });

    it.runIf(keepsPlaces)('is where it was in the line', async () => {
      const { store } = await start(['a1', 'b1', 'a2']);
      const page = await one(store);
      await settle(store, page, againAfter(page, 0));
      expect(await claimNames(store)).toEqual(['a1', 'b1', 'a2']);
    });

    it('in another lane is claimed there alone', async () => {
      const { store } = await start(['a1']);
      const page = await one(store);
      const { standing } = await settle(store, page, { ...againAfter(page, 0), lane: 'browser' } as Outcome);
      expect(standing.browser).toBe(true);
      expect(await claimNames(store)).toEqual([]);
      const there = await one(store, { lane: 'browser' });
      expect(there).toMatchObject({ id: page.id, lane: 'browser' });
      expect((await settle(store, there, doneWith(there))).standing.browser).toBe(false);
    });

    it('in the second pass waits for that to begin, which it does when nothing else is left', async () => {
      const { store, pass } = await start(['a1', 'b1']);
      const [a1, b1] = (await claim(store)).pages as [ClaimedPage, ClaimedPage];
      await settle(store, a1, againAfter(a1, 'second pass'));
      expect(await claim(store)).toMatchObject({ pages: [], wakesIn: null });
      expect(await store.startSecondPass(A_WHILE), 'b1 is in flight').toBe(0);
      await settle(store, b1, againAfter(b1, A_WHILE));
      expect(await store.startSecondPass(A_WHILE), 'b1 waits for its time').toBe(0);
      await pass(A_WHILE + 1);
      const again = await one(store);
      await settle(store, again, doneWith(again));
      expect([await store.isFinished(), await store.startSecondPass(A_WHILE), await store.startSecondPass(A_WHILE)]).toEqual([
        false,
        1,
        0,
      ]);
      expect(await claimNames(store)).toEqual([]);
      await pass(A_WHILE + 1);
      expect(await claimNames(store)).toEqual(['a1']);
    });
  });

  describe(`${name}: a page that is given back`, () => {
    it('without a request goes to its lane, and its host gets its turn back', async () => {
      const { store } = await start(['a1'], { hostConcurrency: 1, delayMillis: 60_000 });
      const page = await one(store);
      const { standing } = await settle(store, page, { kind: 'moved', lane: 'browser' });
      expect(standing).toMatchObject({ browser: true, handled: 0 });
      expect([await claimNames(store), await claimNames(store, { lane: 'browser' })]).toEqual([[], ['a1']]);
    });

    it('because its worker died comes back at once, and its host has its place back', async () => {
      const { store } = await start(['a1', 'b1'], { hostConcurrency: 1 });
      const page = await one(store);
      await settle(store, page, { kind: 'lost' });
      expect((await claimNames(store)).toSorted()).toEqual(['a1', 'b1']);
    });

    it.runIf(traits.countsDeaths)('and whose answer had begun to arrive is suspected, behind all others', async () => {
      const { store } = await start(['a1', 'b1', 'c1']);
      const [a1, b1] = (await claim(store, { room: 2 })).pages as [ClaimedPage, ClaimedPage];
      await store.arrived([a1]);
      await store.settle([a1, b1].map((page) => ({ claim: page, outcome: { kind: 'lost' } })));
      expect(await claimNames(store, { maxDeaths: 0 })).toEqual(['b1', 'c1']);
      expect(await one(store)).toMatchObject({ id: a1.id, deaths: 1 });
    });
  });

  describe(`${name}: adding`, () => {
    it('leaves what is known as it is, and says so', async () => {
      const { store } = await start(['a1']);
      const { processed, standing } = await add(store, ['a2', 'a1', 'a2']);
      expect(processed.map(({ wasAlreadyPresent }) => wasAlreadyPresent)).toEqual([false, true, true]);
      expect(standing).toMatchObject({ total: 2, handled: 0 });
      const page = await one(store);
      await settle(store, page, doneWith(page));
      expect((await add(store, ['a1'])).processed).toMatchObject([{ wasAlreadyPresent: true, requestId: page.id }]);
    });

    it('takes no more new ones than there is room for; known ones take none', async () => {
      const { store } = await start(['a1']);
      const { processed } = await add(store, ['a1', 'a2', 'a3', 'a4'], { room: 2 });
      expect(processed).toHaveLength(3);
      expect(await claimNames(store)).toEqual(['a1', 'a2', 'a3']);
    });

    it('by several at once keeps to the limit of the run', async () => {
      const { store } = await start(['a1']);
      await Promise.all(['b', 'c', 'd'].map((host) => add(store, [`${host}1`, `${host}2`, `${host}3`, 'a1'], { limit: 6 })));
      expect(await totalsOf(store)).toMatchObject({ total: 6 });
      const { processed } = await add(store, ['e1', 'a1'], { limit: 6 });
      expect(processed.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent)).toEqual([]);
    });
  });

  describe.runIf(traits.countsDeaths)(`${name}: a dead letter that is redriven`, () => {
    it('leaves neither its row nor its figures, and its request goes round as if it had never been tried', async () => {
      const { store, rowsOf } = await start(['a1', 'a2']);
      const [a1, a2] = (await claim(store)).pages as [ClaimedPage, ClaimedPage];
      await store.settle([a1, a2].map((page) => ({ claim: page, outcome: deadWith(page) })));
      const [letter] = (await rowsOf('failed')) as [DeadLetter];
      expect([await store.redrive([letter]), await store.redrive([letter])]).toEqual([1, 0]);
      expect(await rowsOf('failed')).toMatchObject([{ requestId: a2.id }]);
      expect((await store.totals()).tallies).toMatchObject([{ end: 'failed', pages: 1, bytes: 70, millis: 30 }]);
      const again = await one(store, { maxDeaths: 0 });
      expect(again).toMatchObject({ id: a1.id, request: { retryCount: 0, errorMessages: [] } });
      expect(again.request['handledAt']).toBeUndefined();
      await settle(store, again, doneWith(again));
      expect(await totalsOf(store)).toMatchObject({ handled: 2, pages: 2 });
    });
  });

  describe.runIf(traits.durable && traits.exactlyOnce)(`${name}: the next process`, () => {
    it.each(['killed', 'left'] as const)('finds what was settled before the last one was %s, and all else to do', async (how) => {
      const first = await start(['a1', 'b1', 'c1', 'd1']);
      const [a1, b1, c1] = (await claim(first.store, { room: 3 })).pages as [ClaimedPage, ClaimedPage, ClaimedPage];
      await settle(first.store, a1, doneWith(a1, [{ n: 1 }]));
      await settle(first.store, b1, againAfter(b1, 'second pass', { retryCount: 1 }));
      await settle(first.store, c1, againAfter(c1, A_WHILE));
      const { store, rowsOf, pass } = await first.next(how);
      expect([await rowsOf('default'), await totalsOf(store)]).toMatchObject([[{ n: 1 }], { total: 4, handled: 1, pages: 1 }]);
      expect(await claimNames(store)).toEqual(['d1']);
      await pass(A_WHILE + 1);
      const { pages } = await claim(store);
      expect(namesOf(pages)).toEqual(['c1']);
    });

    it('knows until when a host rests, and that none of its pages is in flight', async () => {
      const first = await start(['a1', 'a2', 'b1'], { hostConcurrency: 1 });
      await claim(first.store);
      await first.store.rest('a.example', A_WHILE);
      await first.store.renew();
      const { store, pass } = await first.next('killed');
      expect(await claimNames(store)).toEqual(['b1']);
      await pass(A_WHILE + 1);
      expect((await claimNames(store)).length).toBe(1);
    });

    it.runIf(traits.countsDeaths)('suspects a page of a kill alone, and only once its answer had begun to arrive', async () => {
      const first = await start(['a1', 'b1']);
      const { pages } = await claim(first.store);
      await first.store.arrived([pages[0]!]);
      const killed = await first.next('killed');
      const again = (await claim(killed.store)).pages;
      expect(again.map((page) => [nameOf(page.request), page.deaths])).toEqual([
        ['b1', 0],
        ['a1', 1],
      ]);
      await killed.store.arrived(again);
      await killed.store.release();
      const left = await killed.next('left');
      expect((await claim(left.store)).pages.map(({ deaths }) => deaths)).toEqual([0, 1]);
    });
  });
}
