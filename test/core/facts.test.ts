// What a run remembers of its first pages, also after a restart.
import { expect, it } from 'vitest';

import { firstPagesOf, missingStartsOf, openFacts, type EndedPage } from '../../src/core/facts.ts';

const page: EndedPage = {
  url: 'https://a.example/',
  label: 'LIST',
  end: 'succeeded',
  tier: 'http',
  status: null,
  bytes: 532,
  rows: 1,
  links: null,
  isStart: false,
};
const start = (path: string): EndedPage => ({
  ...page,
  url: `https://a.example/${path}`,
  end: 'missing',
  status: 404,
  isStart: true,
});
const toCounters = (names: readonly string[]) => {
  const counters: Record<string, number> = {};
  for (const name of names) counters[name] = (counters[name] ?? 0) + 1;
  return counters;
};

it('a label works from its first page that succeeded on, also for the next process', () => {
  const facts = openFacts({});
  expect([facts.works('LIST'), facts.of({ ...page, end: 'failed' }), facts.works('LIST')]).toEqual([false, [], false]);
  const names = facts.of(page);
  expect([facts.works('LIST'), facts.works('DETAIL'), facts.of(page)]).toEqual([true, false, []]);
  expect(openFacts(toCounters(names)).works('LIST')).toBe(true);
});

it('what could not be written is said again', () => {
  const facts = openFacts({});
  const names = facts.of(page);
  facts.forget(names);
  expect([facts.works('LIST'), facts.of(page)]).toEqual([false, names]);
});

it('start URLs that are missing are counted, and the first three named; links that are missing are not', () => {
  const first = openFacts({});
  const names = ['1', '2'].flatMap((path) => first.of(start(path)));
  expect(first.of({ ...start('link'), isStart: false })).toEqual([]);
  const next = openFacts(toCounters(names));
  names.push(...['3', '4', '5'].flatMap((path) => next.of(start(path))));
  expect(missingStartsOf(toCounters(names))).toEqual({
    count: 5,
    first: ['1', '2', '3'].map((path) => ({ url: `https://a.example/${path}`, status: 404 })),
  });
  expect(missingStartsOf({})).toEqual({ count: 0, first: [] });
});

it.each([
  ['links were looked for, and there was none', [{ links: 0, rows: 0 }], true],
  ['no links, but a row', [{ links: 0, rows: 1 }], false],
  ['links', [{ links: 3, rows: 0 }], false],
  ['none were looked for', [{ links: null, rows: 0 }], false],
  [
    'the last page of a list has none',
    [
      { links: 3, rows: 0 },
      { links: 0, rows: 0 },
    ],
    false,
  ],
  [
    'the first page has none, the second has',
    [
      { links: 0, rows: 0 },
      { links: 3, rows: 0 },
    ],
    false,
  ],
  [
    'two pages without any',
    [
      { links: 0, rows: 0 },
      { links: 0, rows: 0 },
    ],
    true,
  ],
])('%s: whether pages of a label lead nowhere', (_, pages, isBarren) => {
  const names: string[] = [];
  // Each by a process of its own.
  for (const [index, found] of pages.entries()) {
    names.push(...openFacts(toCounters(names)).of({ ...page, url: `https://a.example/${index}`, ...found }));
  }
  expect(firstPagesOf(toCounters(names))).toEqual([
    { label: 'LIST', tier: 'http', bytes: 532, url: 'https://a.example/0', isBarren },
  ]);
});
