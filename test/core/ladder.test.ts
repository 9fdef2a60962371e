// The ladder: where pages start, where refused ones go, and what moves a start up or down.
import { describe, expect, it } from 'vitest';

import { climb, createLadder, type Landed } from '../../src/core/ladder.ts';
import { TIERS, type Tier } from '../../src/core/page.ts';

const DEFAULT: readonly Tier[] = ['http', 'impersonate', 'browser'];
const ALL: readonly Tier[] = ['http', 'impersonate', 'browser', 'unblocker', 'api'];
const MINUTE = 60_000;

function landed(started: Tier, ended: Tier, more: Partial<Landed> = {}): Landed {
  return { host: 'a.example', label: 'DETAIL', started, ended, why: started === ended ? null : 'blocked', ...more };
}

/** Tells a ladder of a page, from its first try on. @returns Whether a start has moved. */
function tell(ladder: ReturnType<typeof createLadder>, page: Landed): boolean {
  const steps = page.why === 'blocked' ? DEFAULT.slice(DEFAULT.indexOf(page.started), DEFAULT.indexOf(page.ended) + 1) : [];
  const moved = steps.slice(1).map((to, index) => ladder.refused(page.host, page.label, steps[index] as Tier, to));
  return [...moved, ladder.learn(page)].includes(true);
}

/** A ladder that has seen these pages. */
function after(pages: readonly Landed[], tiers = DEFAULT) {
  const ladder = createLadder({ tiers });
  for (const page of pages) tell(ladder, page);
  return ladder;
}

const needsBrowser = (more: Partial<Landed> = {}) => landed('http', 'browser', { why: 'needs-browser', rendered: true, ...more });

describe('a page that failed', () => {
  it.each<[readonly Tier[], Tier, Parameters<typeof climb>[2], Tier | null]>([
    [DEFAULT, 'http', 'blocked', 'impersonate'],
    [DEFAULT, 'impersonate', 'blocked', 'browser'],
    [DEFAULT, 'browser', 'blocked', null],
    [ALL, 'browser', 'blocked', 'unblocker'],
    [ALL, 'unblocker', 'blocked', 'api'],
    [ALL, 'api', 'blocked', null],
    [['http', 'api'], 'http', 'blocked', 'api'],
    [DEFAULT, 'http', 'needs-browser', 'browser'],
    [DEFAULT, 'impersonate', 'needs-browser', 'browser'],
    [DEFAULT, 'browser', 'needs-browser', null],
    [['http', 'impersonate', 'api'], 'http', 'needs-browser', 'api'],
    [['http', 'impersonate'], 'http', 'needs-browser', null],
    [DEFAULT, 'http', 'bad-answer', 'impersonate'],
    [DEFAULT, 'impersonate', 'bad-answer', 'browser'],
    [DEFAULT, 'browser', 'bad-answer', null],
    // Garbled for everybody, most likely: no tier that is paid by the page.
    [TIERS, 'browser', 'bad-answer', null],
    [['http', 'api'], 'http', 'bad-answer', null],
    [['http', 'browser'], 'http', 'bad-answer', 'browser'],
    [ALL, 'http', 'transient', null],
    [ALL, 'http', 'throttled', null],
    [ALL, 'http', 'proxy', null],
    [ALL, 'http', 'fatal', null],
    [ALL, 'http', 'missing', null],
  ])('of %j in %s: %s goes to %s', (tiers, from, verdict, to) => {
    expect(climb(tiers, from, verdict)).toBe(to);
  });
});

describe('the first try of a page', () => {
  it('is the cheapest tier, in whatever order the tiers were named', () => {
    expect(createLadder({ tiers: ['browser', 'http'] }).start('a.example', 'DETAIL', 0)).toBe('http');
  });

  it('is where the first page of its host and label got through', () => {
    const ladder = after([landed('http', 'impersonate')]);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('impersonate');
    expect(ladder.start('a.example', 'LIST', 0)).toBe('http');
    expect(ladder.start('b.example', 'DETAIL', 0)).toBe('http');
  });

  it('is pinned by the site, whatever was learnt', () => {
    const ladder = createLadder({ tiers: DEFAULT, pins: { DETAIL: 'browser' } });
    expect(ladder.learn(landed('browser', 'browser', { rendered: false }))).toBe(false);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
    expect(ladder.start('a.example', 'LIST', 0)).toBe('http');
  });

  it.each<[readonly Tier[], Tier]>([
    [['http', 'api'], 'api'],
    [['http'], 'http'],
  ])('of a pinned tier that is not among %j is the next higher one, else the cheapest (%s)', (tiers, expected) => {
    expect(createLadder({ tiers, pins: { DETAIL: 'browser' } }).start('a.example', 'DETAIL', 0)).toBe(expected);
  });

  it('is not moved by three pages that climb among a hundred that do not', () => {
    const pages = Array.from({ length: 100 }, (_, index) =>
      index % 33 === 10 ? landed('http', 'browser', { why: 'needs-browser' }) : landed('http', 'http'),
    );
    expect(after(pages).start('a.example', 'DETAIL', 0)).toBe('http');
  });

  it('moves up when most of the last ten pages climbed, not at half of them', () => {
    const five = [...Array.from({ length: 5 }, () => landed('http', 'http')), ...Array(5).fill(needsBrowser())];
    const ladder = after(five);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('http');
    expect(tell(ladder, needsBrowser()), 'the sixth of ten').toBe(true);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
  });

  it('moves at a refusal, before the page is done', () => {
    const ladder = createLadder({ tiers: DEFAULT });
    expect(ladder.refused('a.example', 'DETAIL', 'http', 'impersonate')).toBe(true);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('impersonate');
    expect(ladder.refused('a.example', 'DETAIL', 'http', 'impersonate'), 'of a page that began before that').toBe(false);
    expect(ladder.refused('a.example', 'DETAIL', 'impersonate', 'browser')).toBe(true);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
  });

  it('goes back when a page that began there gets through, and one refusal moves it no more', () => {
    const ladder = createLadder({ tiers: DEFAULT });
    ladder.refused('a.example', 'DETAIL', 'http', 'impersonate');
    expect(ladder.learn(landed('http', 'http'))).toBe(true);
    for (let refusals = 0; refusals < 5; refusals++) ladder.refused('a.example', 'DETAIL', 'http', 'impersonate');
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('http');
    expect(ladder.refused('a.example', 'DETAIL', 'http', 'impersonate'), 'the sixth of ten').toBe(true);
  });

  it('goes back at once when a page was rendered that needed no rendering, and stays through single ones that do', () => {
    const needs = landed('http', 'browser', { why: 'needs-browser', rendered: true });
    const ladder = after([needs]);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
    ladder.learn(landed('browser', 'browser', { rendered: true }));
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
    ladder.learn(landed('browser', 'browser', { rendered: false }));
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('http');
    for (let page = 0; page < 5; page++) ladder.learn(needs);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('http');
    ladder.learn(needs);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
  });

  it('moves up for answers that could not be understood once the page is done', () => {
    const ladder = after([landed('http', 'impersonate', { why: 'bad-answer' })]);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('impersonate');
    const mixed = after([landed('http', 'http'), landed('http', 'impersonate', { why: 'bad-answer' })]);
    expect(mixed.start('a.example', 'DETAIL', 0), 'one of two').toBe('http');
    expect(tell(mixed, landed('http', 'impersonate', { why: 'bad-answer' })), 'two of three').toBe(true);
  });

  it('does not go back for it where pages climbed because they were refused', () => {
    const ladder = after([landed('http', 'browser'), landed('browser', 'browser', { rendered: false })]);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
  });
});

describe('a cheaper tier', () => {
  const climbed = () => after([landed('http', 'browser')]);
  const pages = (ladder: ReturnType<typeof climbed>, count: number) => {
    for (let page = 0; page < count; page++) ladder.learn(landed('browser', 'browser', { rendered: true }));
  };

  it('is tried with one page in fifty, one tier down, and not twice in a minute', () => {
    const ladder = climbed();
    pages(ladder, 48);
    expect(ladder.start('a.example', 'DETAIL', 10 * MINUTE)).toBe('browser');
    pages(ladder, 1);
    expect(ladder.start('a.example', 'DETAIL', 10 * MINUTE)).toBe('impersonate');
    expect(ladder.start('a.example', 'DETAIL', 10 * MINUTE)).toBe('browser');
    pages(ladder, 50);
    expect(ladder.start('a.example', 'DETAIL', 11 * MINUTE - 1)).toBe('browser');
    expect(ladder.start('a.example', 'DETAIL', 11 * MINUTE)).toBe('impersonate');
  });

  it('is where pages start again once it does', () => {
    const ladder = climbed();
    expect(ladder.learn(landed('impersonate', 'impersonate'))).toBe(true);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('impersonate');
  });

  it('changes nothing when it is refused again', () => {
    const ladder = climbed();
    expect(ladder.learn(landed('impersonate', 'browser'))).toBe(false);
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('browser');
  });
});

describe('a try by a tier that cannot be had', () => {
  it.each<{ tier: Tier; tiers: Tier[]; lost?: Tier; instead: Tier; why: string }>([
    { tier: 'impersonate', tiers: DEFAULT as Tier[], instead: 'impersonate', why: 'it can' },
    { tier: 'impersonate', tiers: DEFAULT as Tier[], lost: 'impersonate', instead: 'browser', why: 'the next higher one' },
    { tier: 'impersonate', tiers: ['http', 'impersonate'], lost: 'impersonate', instead: 'http', why: 'a plain client does' },
    { tier: 'browser', tiers: ['http', 'browser'], lost: 'browser', instead: 'browser', why: 'the lane says what is missing' },
    { tier: 'browser', tiers: ['http'], instead: 'http', why: '--tiers is another one since the last start' },
    { tier: 'api', tiers: ['http', 'browser'], instead: 'browser', why: 'nobody pays for what --tiers leaves out' },
  ])('$tier of $tiers without $lost goes by $instead: $why', ({ tier, tiers, lost, instead }) => {
    const ladder = createLadder({ tiers });
    if (lost) ladder.without(lost);
    expect(ladder.instead(tier)).toBe(instead);
  });
});

describe('the memory', () => {
  it('is plain data that another process goes on with', () => {
    const memory = JSON.parse(JSON.stringify(after([landed('http', 'browser')]).memory())) as never;
    expect(createLadder({ tiers: DEFAULT, memory }).start('a.example', 'DETAIL', 0)).toBe('browser');
  });

  it('of a tier that cannot be used any more counts for nothing', () => {
    const ladder = after([landed('http', 'browser')]);
    ladder.without('browser');
    expect(ladder.start('a.example', 'DETAIL', 0)).toBe('http');
    expect(ladder.climb('impersonate', 'blocked')).toBeNull();
  });

  it('is bounded', () => {
    const ladder = createLadder({ tiers: DEFAULT });
    for (let host = 0; host < 10_050; host++) ladder.refused(`h${host}.example`, 'DETAIL', 'http', 'impersonate');
    expect(Object.keys(ladder.memory())).toHaveLength(10_000);
  });
});

describe('rendering in vain', () => {
  const climbed = { host: 'a.test', label: 'DETAIL', started: 'http', ended: 'browser', why: 'needs-browser' } as const;
  const fresh = (memory = {}) => createLadder({ tiers: ['http', 'browser'], memory });

  it('three times in a row ends it for the host and the label, also after a restart', () => {
    const ladder = fresh();
    for (const before of [0, 1, 2]) {
      expect(ladder.rendersInVain('a.test', 'DETAIL')).toBe(false);
      expect(ladder.start('a.test', 'DETAIL', 0)).toBe('http');
      expect(ladder.learn({ ...climbed, rendered: false })).toBe(before === 2);
    }
    expect(ladder.rendersInVain('a.test', 'DETAIL')).toBe(true);
    expect(ladder.rendersInVain('a.test', 'LIST')).toBe(false);
    expect(ladder.start('a.test', 'DETAIL', 0)).toBe('http');
    expect(fresh(ladder.memory()).rendersInVain('a.test', 'DETAIL')).toBe(true);
  });

  it('is forgotten with a page that has more to say for it', () => {
    const ladder = fresh();
    for (const rendered of [false, false, true, false]) ladder.learn({ ...climbed, rendered });
    expect(ladder.rendersInVain('a.test', 'DETAIL')).toBe(false);
  });
});

describe('while it is not known whether pages of a kind need their scripts', () => {
  const start = (ladder: ReturnType<typeof createLadder>, label = 'DETAIL') => ladder.start('a.example', label, 0);
  const fetchedByHalves = (shells: number, whole: number, tiers = DEFAULT) => {
    const ladder = createLadder({ tiers });
    for (let page = 0; page < whole; page += 1) ladder.learn(landed('http', 'http'));
    for (let page = 0; page < shells; page += 1) ladder.needsScripts('a.example', 'DETAIL');
    return ladder;
  };

  it.each<[number, number, readonly Tier[], Tier]>([
    [19, 0, DEFAULT, 'http'],
    [20, 0, DEFAULT, 'browser'],
    [11, 9, DEFAULT, 'browser'],
    [10, 10, DEFAULT, 'http'],
    [5, 100, DEFAULT, 'http'],
    // The last twenty count.
    [20, 500, DEFAULT, 'browser'],
    [20, 0, ['http', 'impersonate', 'api'], 'api'],
    [20, 0, ['http', 'impersonate'], 'http'],
  ])('%i that need them, after %i that do not, of %j: the next one starts in %s', (shells, whole, tiers, expected) => {
    expect(start(fetchedByHalves(shells, whole, tiers))).toBe(expected);
  });

  it('says nothing of another label or host', () => {
    const ladder = fetchedByHalves(20, 0);
    expect(start(ladder, 'LIST')).toBe('http');
    expect(ladder.start('b.example', 'DETAIL', 0)).toBe('http');
  });

  it('the first one that is done in the browser decides', () => {
    const needed = fetchedByHalves(20, 0);
    needed.learn(needsBrowser());
    expect(start(needed)).toBe('browser');
    needed.learn(landed('browser', 'browser', { rendered: false }));
    expect(start(needed)).toBe('http');
  });
});
