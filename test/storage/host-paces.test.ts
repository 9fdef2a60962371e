import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Landing } from '../../src/core/pace.ts';
import { openHostPaces } from '../../src/storage/host-paces.ts';
import { FULL, OPEN, restUntil } from './sqlite/fixture.ts';

const HOST = 'a.example';
const pace = (hostConcurrency = 4, delayMillis = 0) => openHostPaces({ hostConcurrency, delayMillis }, () => 0.5);
const windowOf = (of: ReturnType<typeof pace>) => of.speeds(50, 0).find(({ host }) => host === HOST)?.window;

describe('a host may be called until it has as many pages in flight as it may', () => {
  it('rests until a page lands then, and no longer', () => {
    const four = pace(4);
    expect([1, 2, 3, 4].map((now) => four.takeOff(HOST, now))).toEqual([OPEN, OPEN, OPEN, FULL]);
    expect(four.land(HOST, { how: 'good', millis: 10 }, 5)).toEqual(OPEN);
    expect(four.takeOff(HOST, 6)).toEqual(FULL);
  });

  it('whatever other hosts do', () => {
    const one = pace(1);
    expect(one.takeOff('slow.example', 1)).toEqual(FULL);
    expect(one.takeOff(HOST, 1)).toEqual(FULL);
    expect(one.land(HOST, { how: 'good', millis: 1 }, 2)).toEqual(OPEN);
  });
});

describe('a gap between two pages', () => {
  it('is kept, with up to a quarter more', () => {
    expect(pace(4, 1_000).takeOff(HOST, 50)).toEqual(restUntil(50 + 1_125));
  });

  it('of Crawl-delay wins when it is longer, and is said to be new only once', () => {
    const slow = pace(4, 1_000);
    slow.takeOff(HOST, 0);
    expect(slow.slow(HOST, 5_000, 10)).toBeNull();
    expect(slow.slow(HOST, 5_000, 20)).toBe(10);
    expect(slow.land(HOST, { how: 'good', millis: 10 }, 100)).toEqual(restUntil(5_010));
    expect(slow.takeOff(HOST, 5_010)).toEqual(restUntil(5_010 + 5_625));
    expect(slow.slow('b.example', 500, 30)).toBe(0);
  });
});

describe('a host that throttles', () => {
  it('rests as a whole until the time it asks for', () => {
    const asked = pace(4);
    asked.takeOff(HOST, 0);
    asked.takeOff(HOST, 0);
    expect(asked.pause(HOST, 9_000, 0)).toEqual(restUntil(9_000));
    expect(asked.pause(HOST, 5_000, 0), 'a shorter rest does not cut the longer one').toEqual(restUntil(9_000));
    expect(asked.land(HOST, { how: 'throttled', millis: 10 }, 100)).toEqual(restUntil(9_000));
    expect(asked.land(HOST, { how: 'good', millis: 10 }, 200)).toEqual(restUntil(9_000));
  });

  it('is not said to rest less than it asked for because it is closed too, nor to be open because it rests', () => {
    const closed = pace(2, 1_000);
    closed.takeOff(HOST, 0);
    expect(closed.takeOff(HOST, 0)).toEqual({ until: 1_125, closed: true });
    expect(closed.pause(HOST, 9_000, 10)).toEqual({ until: 9_000, closed: true });
    expect(closed.pause(HOST, 20, 20)).toEqual({ until: 9_000, closed: true });
    expect(closed.land(HOST, { how: 'throttled', millis: 10 }, 100)).toEqual({ until: 9_000, closed: true });
    expect(closed.restOf(HOST, 9_000)).toEqual(FULL);
    expect(closed.land(HOST, { how: 'good', millis: 10 }, 9_000)).toEqual(OPEN);
  });

  it('keeps the gap when the rest is shorter', () => {
    const gap = pace(4, 1_000);
    gap.takeOff(HOST, 0);
    expect(gap.pause(HOST, 500, 0)).toEqual(restUntil(1_125));
  });

  it('gets half as many pages at once, and one more at a time when it is well again', () => {
    const halved = pace(8);
    const land = (how: Landing) => {
      halved.takeOff(HOST, 0);
      halved.land(HOST, { how, millis: 10 }, 0);
    };
    halved.takeOff(HOST, 0); // Keeps the host in the snapshot.
    land('throttled');
    expect(windowOf(halved)).toBe(4);
    land('throttled');
    expect(windowOf(halved)).toBe(2);
    for (let page = 0; page < 3; page++) land('good');
    expect(windowOf(halved)).toBe(3);
    for (let page = 0; page < 100; page++) land('good');
    expect(windowOf(halved)).toBe(8);
  });
});

it('a host that becomes much slower gets fewer pages at once', () => {
  const strained = pace(10);
  strained.takeOff(HOST, 0);
  const land = (millis: number) => {
    strained.takeOff(HOST, 0);
    strained.land(HOST, { how: 'good', millis }, 0);
  };
  for (let page = 0; page < 20; page++) land(100);
  expect(windowOf(strained)).toBe(10);
  for (let page = 0; page < 20; page++) land(2_000);
  expect(windowOf(strained)).toBeLessThan(8);
});

it('one page may always be in flight, and never more than the limit', () => {
  const step = fc.record({
    how: fc.constantFrom<Landing>('good', 'throttled', 'bad'),
    millis: fc.integer({ min: 0, max: 60_000 }),
    take: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(step, { maxLength: 200 }), (limit, steps) => {
      const any = pace(limit);
      let inFlight = 0;
      let rest = OPEN;
      for (const [now, { how, millis, take }] of steps.entries()) {
        if (take && !rest.closed && rest.until <= now) {
          rest = any.takeOff(HOST, now);
          inFlight++;
        } else if (inFlight > 0) {
          rest = any.land(HOST, { how, millis }, now) ?? rest;
          inFlight--;
        }
        expect(inFlight).toBeLessThanOrEqual(limit);
        if (inFlight === 0) expect(rest.closed).toBe(false);
      }
    }),
  );
});

it('hosts that are back to normal are forgotten', () => {
  const many = pace(4);
  for (let number = 0; number < 1_000; number++) {
    many.takeOff(`${number}.example`, 0);
    many.land(`${number}.example`, { how: 'good', millis: 10 }, 0);
  }
  expect(many.speeds(50, 0)).toEqual([]);
});

it('what a host was found to bear is remembered, however many others have come and gone since', () => {
  const many = pace(8, 1_000);
  many.takeOff(HOST, 0);
  many.land(HOST, { how: 'throttled', millis: 10 }, 0);
  for (let n = 0; n < 30_000; n++) {
    many.takeOff(`${n}.example`, n);
    many.land(`${n}.example`, { how: 'good', millis: 10 }, n);
  }
  expect(windowOf(many)).toBe(4);
  expect(many.memory(1e9).map(([host]) => host)).toEqual([HOST]);
});

describe('the next process', () => {
  it('calls a host as carefully as the one before it, and no faster than it may', () => {
    const before = pace(8);
    before.takeOff(HOST, 0);
    before.land(HOST, { how: 'throttled', millis: 10 }, 1);
    before.pause(HOST, 9_000, 1);
    const saved = JSON.parse(JSON.stringify(before.memory(1))) as ReturnType<typeof before.memory>;
    const limits = { delayMillis: 0 };
    const after = openHostPaces({ hostConcurrency: 8, ...limits }, () => 0.5, saved);
    expect(after.speeds(50, 1_000)).toEqual([{ host: HOST, inFlight: 0, window: 4, restsFor: 8_000 }]);
    expect(openHostPaces({ hostConcurrency: 2, ...limits }, () => 0.5, saved).speeds(50, 0)[0]?.window).toBe(2);
  });
});
