// What is said of pages that fail.
import { expect, it } from 'vitest';

import type { DeadLetter } from '../../src/core/dead-letter.ts';
import { failurePrinter, handlerErrorPrinter, secondPassLine } from '../../src/report/failures.ts';

it('the second pass is announced with one of its failures, where this process met one', () => {
  const last = {
    url: 'https://shop.example/books/4',
    label: 'DETAIL',
    error: 'x.trimm is not a function (src/routes/shop/detail.ts:4:9)',
  };
  expect(secondPassLine(1_200, last, 60)).toBe(
    '1,200 pages failed, to be tried once more in 60 s, fewer at a time. ' +
      'The last one: DETAIL https://shop.example/books/4: x.trimm is not a function (src/routes/shop/detail.ts:4:9)',
  );
  expect(secondPassLine(1, null, 5)).toBe('1 page failed, to be tried once more in 5 s, fewer at a time.');
});

it('the first twenty failures are printed, and then where the rest are', () => {
  const lines: string[] = [];
  const print = failurePrinter((line) => lines.push(line));
  const letter = { url: 'https://shop.example/', label: 'LIST', error: 'HTTP 503', attempts: [{}] } as unknown as DeadLetter;
  for (let failed = 0; failed < 30; failed++) print(letter);
  expect(lines[0]).toBe('Failed after 1 attempt: LIST https://shop.example/: HTTP 503');
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toContain('-failed.json');
});

it("a handler's error is printed with its line when it is first met, once for each label, and no more than ten", () => {
  const lines: string[] = [];
  const print = handlerErrorPrinter((line) => lines.push(line));
  const error = 'x.trimm is not a function (src/routes/shop/detail.ts:4:9)';
  const page = { url: 'https://shop.example/1', label: 'DETAIL', error };
  print({ ...page, error: 'HTTP 503' });
  print(page);
  print({ ...page, url: 'https://shop.example/2' });
  print({ ...page, label: 'LIST' });
  expect(lines).toEqual([
    `The handler of DETAIL threw at https://shop.example/1: ${error}. The page is tried again.`,
    `The handler of LIST threw at https://shop.example/1: ${error}. The page is tried again.`,
  ]);
  for (let row = 0; row < 30; row++) print({ ...page, error: `${row} ${error}` });
  expect(lines).toHaveLength(10);
});
