import { describe, expect, it } from 'vitest';

import type { TallySum } from '../../src/core/run-store.ts';
import { HOSTS_LISTED, type RunDescription, toMeta } from '../../src/core/meta.ts';

const run: RunDescription = {
  site: 'hackernews',
  startUrls: ['https://news.example/'],
  startedAt: '2026-11-22T15:50:12.000Z',
  finishedAt: null,
  status: 'unfinished',
};

function tally(sums: Partial<TallySum>): TallySum {
  return { end: 'succeeded', tier: 'http', host: 'a.example', pages: 1, bytes: 100, millis: 250, rejected: 0, ...sums };
}

describe('toMeta', () => {
  it('counts a page as attempted unless it was skipped', () => {
    const tallies = [
      tally({ end: 'succeeded', pages: 5 }),
      tally({ end: 'failed', pages: 3 }),
      tally({ end: 'missing', pages: 2 }),
      tally({ end: 'skipped', pages: 7, bytes: 0, millis: 9 }),
    ];
    const meta = toMeta(run, tallies, { total: 20, handled: 17 }, {});
    expect(meta).toMatchObject({ attempted: 10, succeeded: 5, failed: 3, missing: 2, skipped: 7, pending: 3 });
    expect(meta.tiers).toEqual({ http: { pages: 10, bytes: 300, seconds: 0.75 } });
    expect(meta.hosts).toEqual({ 'a.example': { pages: 10, failed: 3, bytes: 300, seconds: 0.75 } });
  });

  it.each([
    { name: 'an empty run', tallies: [], expected: { attempted: 0, bytes: 0, rejected: 0, tiers: {}, hosts: {} } },
    {
      name: 'two sums of one host, as from two lanes',
      tallies: [tally({ pages: 2, rejected: 1 }), tally({ pages: 3, rejected: 4, millis: 250.4 })],
      expected: {
        attempted: 5,
        rejected: 5,
        bytes: 200,
        hosts: { 'a.example': { pages: 5, failed: 0, bytes: 200, seconds: 0.5 } },
      },
    },
    {
      name: 'a host that was only skipped',
      tallies: [tally({ end: 'skipped', host: 'closed.example', bytes: 0 })],
      expected: { attempted: 0, skipped: 1, hosts: {}, tiers: {} },
    },
    {
      name: 'a host named like a property of every object',
      tallies: [tally({ host: '__proto__' }), tally({ host: 'constructor' })],
      expected: { attempted: 2, bytes: 200 },
    },
  ])('adds up $name', ({ tallies, expected }) => {
    const meta = toMeta(run, tallies, { total: 0, handled: 0 }, {});
    expect(meta).toMatchObject(expected);
    expect(Object.values(meta.hosts).reduce((pages, host) => pages + host.pages, 0)).toBe(meta.attempted);
  });

  it('lists hosts with the most pages first, ties by name, whatever the order of the sums', () => {
    const tallies = [tally({ host: 'b' }), tally({ host: 'c', pages: 9 }), tally({ host: 'a' })];
    for (const order of [tallies, tallies.toReversed()]) {
      expect(Object.keys(toMeta(run, order, { total: 0, handled: 0 }, {}).hosts)).toEqual(['c', 'a', 'b']);
    }
  });

  it('lists 100 hosts, and says how many there are when that cuts some', () => {
    const tallies = Array.from({ length: HOSTS_LISTED }, (_, index) => tally({ host: `h${index}.example`, pages: 2 }));
    const all = toMeta(run, tallies, { total: 0, handled: 0 }, {});
    expect(Object.keys(all.hosts)).toHaveLength(100);
    expect(all).not.toHaveProperty('hostsNote');

    const cut = toMeta(run, [tally({ host: 'small.example' }), ...tallies], { total: 0, handled: 0 }, {});
    expect(Object.keys(cut.hosts)).toHaveLength(100);
    expect(cut.hosts).not.toHaveProperty('small.example');
    expect(cut.hostsNote).toContain('of 101');
    expect(cut.attempted).toBe(201);
  });

  it('keeps the description and the settings, and nothing else of what it was given', () => {
    const described = { ...run, secret: 'hunter2' };
    const meta = toMeta(described, [], { total: 1, handled: 2 }, { concurrency: 20 });
    expect(meta).toMatchObject({ ...run, settings: { concurrency: 20 }, pending: 0 });
    expect(JSON.stringify(meta)).not.toContain('hunter2');
  });
});
