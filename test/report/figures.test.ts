import { expect, it } from 'vitest';

import { toCount, toDuration, toPlainText, toRate, toSize } from '../../src/report/figures.ts';

it.each([
  [toCount(1_034), '1,034'],
  [toRate(0), '0.0'],
  [toRate(0.044), '0.04'],
  [toRate(38.23), '38.2'],
  [toRate(1_286.6), '1,287'],
  [toSize(0), '0 B'],
  [toSize(999), '999 B'],
  [toSize(14_240), '14.2 kB'],
  [toSize(999_949), '999.9 kB'],
  [toSize(999_950), '1.0 MB'],
  [toSize(999_950_000), '1.0 GB'],
  [toSize(20e12), '20,000.0 GB'],
  [toDuration(0), '0.00 s'],
  [toDuration(0.314), '0.31 s'],
  [toDuration(9.996), '10.0 s'],
  [toDuration(59.96), '1 min 0 s'],
  [toDuration(312), '5 min 12 s'],
  [toDuration(3_599.6), '1 h 0 min'],
  [toDuration(7_500), '2 h 5 min'],
  [toDuration(3_600_000), '1,000 h 0 min'],
  [toPlainText('  Größe\n\u001B[31mred\u0007 \u202Eback\u2028 ', 99), String.raw`Größe \x1b[31mred\x07 \u202eback`],
  [toPlainText('abcdef', 6), 'abcdef'],
  [toPlainText('abcdefg', 6), 'abcde…'],
])('writes %j as %j', (text, expected) => {
  expect(text).toBe(expected);
});
