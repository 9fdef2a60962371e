// How long a page is waited for is learnt from pages of its kind, and never trusted for good.
import { expect, it } from 'vitest';

import { createRests } from '../../../src/fetch/browser/rest.ts';

const after = (late: readonly number[]) => {
  const rests = createRests();
  for (const each of late) rests.learn('shop.example DETAIL', each);
  return rests.quietFor('shop.example DETAIL');
};

it.each([
  ['nothing is known', [], 200],
  ['few pages are known', [0, 0, 0, 0], 200],
  ['all pages were quiet once their answers were there', [0, 0, 0, 0, 0], 40],
  ['they wrote a little later', [2, 5, 10, 1, 0], 70],
  ['one of them wrote late', [0, 0, 0, 0, 0, 150], 200],
  ['every tenth page is waited for in full', Array.from({ length: 10 }, () => 0), 200],
  ['the eleventh is not', Array.from({ length: 11 }, () => 0), 40],
  ['a late one is forgotten after twenty others', [150, ...Array.from({ length: 20 }, () => 0)], 40],
])('where %s, a page must have been quiet for as long as that takes', (_, late, expected) => {
  expect(after(late)).toBe(expected);
});

it('one label says nothing of another', () => {
  const rests = createRests();
  for (let page = 0; page < 6; page += 1) rests.learn('shop.example DETAIL', 0);
  expect(rests.quietFor('shop.example LIST')).toBe(200);
});
