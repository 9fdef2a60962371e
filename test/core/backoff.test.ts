// When to try again: bounds, caps and Retry-After in all its spellings.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { backoff, parseRetryAfter, THROTTLED_TRIES } from '../../src/core/backoff.ts';

const NOW = Date.parse('2026-02-03T04:05:06Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const retried = fc.constantFrom('throttled', 'blocked', 'transient');

describe('backoff', () => {
  it.each([
    ['transient', 1, 1 * SECOND],
    ['transient', 2, 2 * SECOND],
    ['transient', 3, 4 * SECOND],
    ['transient', 4, null],
    ['blocked', 1, 1 * SECOND],
    ['blocked', 3, 4 * SECOND],
    ['blocked', 4, null],
    ['throttled', 1, 30 * SECOND],
    ['throttled', 2, 1 * MINUTE],
    ['throttled', 3, 2 * MINUTE],
    ['throttled', 5, 8 * MINUTE],
    ['throttled', 6, null],
    ['missing', 1, null],
    ['fatal', 1, null],
  ] as const)('%s, failure %i: %s ms', (verdict, failures, wait) => {
    expect(backoff(verdict, failures, { now: NOW, random: 0 })).toBe(wait);
  });

  it.each([
    [1, 1 * SECOND],
    [2, 2 * SECOND],
    [3, null],
  ])('a handler with a bug that has never worked, failure %i: %s ms', (failures, wait) => {
    expect(backoff('transient', failures, { now: NOW, random: 0, isBug: true })).toBe(wait);
  });

  it.each([
    ['transient', 0.999_999, 1_250],
    ['transient', 0.5, 1_125],
    ['throttled', 0.999_999, 30 * SECOND],
  ] as const)('adds up to a quarter to %s waits (random %d: %i ms)', (verdict, random, wait) => {
    expect(backoff(verdict, 1, { now: NOW, random })).toBe(wait);
  });

  it('ends for every verdict, and a wait is a whole number of milliseconds between 0 and half an hour', () => {
    fc.assert(
      fc.property(
        retried,
        fc.integer({ min: 1, max: 50 }),
        random,
        fc.option(fc.string()),
        (verdict, failures, random, header) => {
          const wait = backoff(verdict, failures, { now: NOW, random, retryAfter: header ?? undefined });
          if (failures > 5) expect(wait).toBeNull();
          if (wait === null) return;
          expect(Number.isInteger(wait)).toBe(true);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(30 * MINUTE);
        },
      ),
    );
  });

  it('never waits less after more failures, and once given up stays given up', () => {
    fc.assert(
      fc.property(retried, fc.integer({ min: 1, max: 20 }), random, (verdict, failures, random) => {
        const sooner = backoff(verdict, failures, { now: NOW, random });
        const later = backoff(verdict, failures + 1, { now: NOW, random });
        expect(later ?? Infinity).toBeGreaterThanOrEqual(sooner ?? Infinity);
      }),
    );
  });

  it.each([
    ['throttled', '7', 7 * SECOND],
    ['throttled', '1800', 30 * MINUTE],
    ['throttled', '1801', 30 * MINUTE],
    ['throttled', '9'.repeat(400), 30 * MINUTE],
    ['throttled', 'Fri, 01 Jan 2100 00:00:00 GMT', 30 * MINUTE],
    ['throttled', 'next week', 30 * SECOND],
    ['transient', '7', 1 * SECOND],
    ['blocked', '7', 1 * SECOND],
  ] as const)('%s with Retry-After %j waits %i ms', (verdict, retryAfter, wait) => {
    expect(backoff(verdict, 1, { now: NOW, random: 0, retryAfter })).toBe(wait);
  });

  it.each([
    ['3600', 3_600 * SECOND, 3_600 * SECOND],
    ['3601', 3_600 * SECOND, 3_600 * SECOND],
    ['7', 5 * SECOND, 5 * SECOND],
    ['4', 5 * SECOND, 4 * SECOND],
  ])('Retry-After %s waits no longer than the limit of %i ms that is set', (retryAfter, maxRetryAfterMillis, wait) => {
    expect(backoff('throttled', 1, { now: NOW, random: 0, retryAfter, maxRetryAfterMillis })).toBe(wait);
  });

  it('has no other wait than that for a limit: without Retry-After it is not shortened', () => {
    expect(backoff('throttled', 1, { now: NOW, random: 0, maxRetryAfterMillis: SECOND })).toBe(30 * SECOND);
  });

  it('gives up a throttled request after six tries even if the server asks for another', () => {
    expect(backoff('throttled', 6, { now: NOW, random: 0, retryAfter: '1' })).toBeNull();
    expect(THROTTLED_TRIES).toBe(6);
  });
});

describe('parseRetryAfter', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    [undefined, null],
    ['', null],
    ['   ', null],
    ['0', 0],
    ['120', 120 * SECOND],
    [' 120 ', 120 * SECOND],
    ['Tue, 03 Feb 2026 04:05:16 GMT', 10 * SECOND],
    ['Tue, 03 Feb 2026 04:05:06 GMT', 0],
    ['Tue, 03 Feb 2026 04:05:05 GMT', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['-1', null],
    ['+5', null],
    ['5.5', null],
    ['1e3', null],
    ['0x10', null],
    ['2026', 2026 * SECOND],
    ['2026-02-03T04:05:16Z', null],
    ['soon', null],
    ['NaN', null],
    ['Infinity', null],
    ['Xyz, 99 Foo 2026 99:99:99 GMT', null],
  ])('%j → %s', (header, wait) => {
    expect(parseRetryAfter(header, NOW)).toBe(wait);
  });

  it.each(['wait 5', 'retry in 10', 'Monday', 'May', 'about 30 seconds', 'try later (1)'])(
    'nonsense that begins with letters means nothing: %j',
    (header) => {
      expect(parseRetryAfter(header, NOW)).toBeNull();
    },
  );

  it.each(['UTC', 'Asia/Tokyo', 'America/Los_Angeles'])('reads all three HTTP dates as GMT in the time zone %s', (zone) => {
    vi.stubEnv('TZ', zone);
    const dates = ['Tue, 03 Feb 2026 04:05:16 GMT', 'Tuesday, 03-Feb-26 04:05:16 GMT', 'Tue Feb  3 04:05:16 2026'];
    expect(dates.map((date) => parseRetryAfter(date, NOW))).toEqual([10 * SECOND, 10 * SECOND, 10 * SECOND]);
  });

  it('is the number of seconds for every number of seconds', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseRetryAfter(String(seconds), NOW)).toBe(seconds * SECOND);
      }),
    );
  });

  it('is the time until then for every HTTP date, and never less than 0', () => {
    const date = fc.date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, (date) => {
        const wholeSeconds = Math.floor(date.getTime() / SECOND) * SECOND;
        expect(parseRetryAfter(date.toUTCString(), NOW)).toBe(Math.max(0, wholeSeconds - NOW));
      }),
    );
  });
});
