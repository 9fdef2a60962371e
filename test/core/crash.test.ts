import { describe, expect, it } from 'vitest';

import { handOutAfter, MAX_DEATHS, maxDeathsNow, QUIET_MILLIS } from '../../src/core/crash.ts';

describe('handOutAfter', () => {
  it.each([
    [0, 'with-others'],
    [1, 'alone'],
    [2, 'alone'],
    [3, 'dead-letter'],
    [4, 'dead-letter'],
    [1_000, 'dead-letter'],
  ])('a page that was in flight at %i deaths: %s', (deaths, handOut) => {
    expect(handOutAfter(deaths)).toBe(handOut);
  });

  it.each([
    [1, 0, 0],
    [1, QUIET_MILLIS, 0],
    [20, 3_600_000, 0],
    [0, 0, 1],
    [0, QUIET_MILLIS - 1, 1],
    [0, QUIET_MILLIS, Infinity],
  ])('with %i pages in flight after %i ms, pages of up to %d deaths are looked for', (inFlight, uptimeMillis, deaths) => {
    expect(maxDeathsNow(inFlight, uptimeMillis)).toBe(deaths);
  });

  it('gives a page up after three deaths', () => {
    expect(MAX_DEATHS).toBe(3);
  });
});
