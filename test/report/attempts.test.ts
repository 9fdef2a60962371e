import { expect, it } from 'vitest';

import { attemptLine } from '../../src/report/attempts.ts';

const ATTEMPT = { url: 'https://a.example/1', label: 'DETAIL', tier: 'http', millis: 310, bytes: 14_200, rows: 1, error: null };

it.each([
  [{ end: 'succeeded' }, 'DETAIL https://a.example/1: succeeded, by http in 0.31 s, 14.2 kB, 1 row'],
  [{ end: 'succeeded', rows: 3 }, 'DETAIL https://a.example/1: succeeded, by http in 0.31 s, 14.2 kB, 3 rows'],
  [{ end: 'missing' }, 'DETAIL https://a.example/1: missing, by http in 0.31 s'],
  [{ end: 'again', error: 'HTTP 503' }, 'DETAIL https://a.example/1: to be tried again, by http in 0.31 s: HTTP 503'],
  [{ end: 'failed', error: 'HTTP 418', label: null }, 'https://a.example/1: failed, by http in 0.31 s: HTTP 418'],
])('--verbose says what became of a page: %j', (attempt, line) => {
  expect(attemptLine({ ...ATTEMPT, ...attempt })).toBe(line);
});
