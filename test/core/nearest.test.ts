import { describe, expect, it } from 'vitest';

import { nearest } from '../../src/core/nearest.ts';

const NAMES = ['crawl', 'verify', 'status', 'export', 'demo-site', '--concurrency', '--max-requests', '--out', '--url'];

describe('nearest', () => {
  it.each([
    ['stauts', 'status'],
    ['exprot', 'export'],
    ['crwal', 'crawl'],
    ['VERIFY', 'verify'],
    ['demosite', 'demo-site'],
    ['--concurency', '--concurrency'],
    ['--maxRequests', '--max-requests'],
    ['--max_request', '--max-requests'],
    ['--ouy', '--out'],
    ['statuspage', 'status'],
  ])('finds what %s meant', (word, meant) => {
    expect(nearest(word, NAMES)).toBe(meant);
  });

  it.each(['', '-', '--', 'x', 'banana', '--timeout-secs', 'https://a.test/', 'status'.repeat(1000)])(
    'suggests nothing for %j, which is near to nothing',
    (word) => {
      expect(nearest(word, NAMES)).toBeUndefined();
    },
  );

  it.each([
    ['PASSWORD', 'PASS'],
    ['USERNAME', 'USER'],
    ['url', 'URLS'],
    ['PASS_PHRASE', undefined],
    ['URLSHORTENER', 'URLS'],
    ['OUTPUT', undefined],
  ])('takes %s for %s: a name of four letters or more may be short for it', (word, meant) => {
    expect(nearest(word, ['PASS', 'USER', 'URLS', 'OUT'])).toBe(meant);
  });

  it('prefers the nearer of two near names', () => {
    expect(nearest('concurrenc', ['occurrence', 'concurrency'])).toBe('concurrency');
  });
});
