import { describe, expect, it } from 'vitest';

import { handOutAfter, MAX_DEATHS } from '../../src/core/crash.ts';

describe('handOutAfter', () => {
  it.each([
    [0, 'with-others'],
    [1, 'with-others'],
    [2, 'alone'],
    [3, 'dead-letter'],
    [4, 'dead-letter'],
    [1_000, 'dead-letter'],
  ])('a page that was in flight at %i deaths: %s', (deaths, handOut) => {
    expect(handOutAfter(deaths)).toBe(handOut);
  });

  it('gives a page up after three deaths', () => {
    expect(MAX_DEATHS).toBe(3);
  });
});
