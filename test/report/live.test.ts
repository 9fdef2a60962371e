// What a crawl shows of itself when it is asked: a sentence, its pages, its hosts.
import { describe, expect, it } from 'vitest';

import { formatSnapshot, type Snapshot } from '../../src/report/live.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');
const none: Snapshot = { total: 0, handled: 0, flights: [], hosts: [], nextWake: null };
const flight = { url: 'https://a.example/1', label: 'DETAIL', tier: 'http', phase: 'waiting', ageMillis: 1_500 };
const host = { host: 'a.example', inFlight: 1, window: 10, restsUntil: 0 };

/** Cells of the table's rows, head first. */
const cellsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe('formatSnapshot', () => {
  it('is one sentence when nothing is in flight', () => {
    expect(formatSnapshot({ ...none, total: 1_234, handled: 1_000 }, NOW)).toBe(
      '1,000 of 1,234 pages done, 0 in flight, nothing waits for a time',
    );
  });

  it.each([
    [NOW + 30_000, 'next due in 30.0 s'],
    [NOW + 312_000, 'next due in 5 min 12 s'],
    [NOW - 5_000, 'next due in 0.00 s'],
  ])('says when the next request is due (%i)', (nextWake, text) => {
    expect(formatSnapshot({ ...none, nextWake }, NOW)).toContain(text);
  });

  it('has a line a page with what it does and since when, and one a host', () => {
    const text = formatSnapshot({ ...none, flights: [flight], hosts: [{ ...host, restsUntil: NOW + 2_000 }] }, NOW);
    expect(cellsOf(text)).toEqual([
      ['Label', 'Tier', 'Phase', 'Age', 'URL'],
      ['DETAIL', 'http', 'waiting', '1.50 s', 'https://a.example/1'],
      ['Host', 'In flight', 'At most', 'Rests'],
      ['a.example', '1', '10', '2.00 s'],
    ]);
    expect(text.endsWith('\n')).toBe(false);
  });

  it('shows no rest that is over, and no label where there is none', () => {
    const text = formatSnapshot({ ...none, flights: [{ ...flight, label: null }], hosts: [{ ...host, restsUntil: NOW }] }, NOW);
    expect(cellsOf(text).map((cells) => cells.at(cells.length === 5 ? 0 : 3))).toEqual(['Label', '', 'Rests', '']);
  });

  it('shows the 50 pages that take longest, longest first', () => {
    const flights = Array.from({ length: 60 }, (_, n) => ({ ...flight, url: `https://a.example/${n}`, ageMillis: n * 1_000 }));
    const rows = cellsOf(formatSnapshot({ ...none, flights }, NOW)).slice(1);
    expect([rows.length, rows[0]?.[4], rows.at(-1)?.[4]]).toEqual([50, 'https://a.example/59', 'https://a.example/10']);
    expect(formatSnapshot({ ...none, flights }, NOW)).toContain('60 in flight');
  });

  it('lets nothing of the web steer the terminal, and cuts what is long', () => {
    const url = `https://a.example/\u001B[31m\nred${'x'.repeat(500)}`;
    const text = formatSnapshot({ ...none, flights: [{ ...flight, url }], hosts: [{ ...host, host: '\u0007bell' }] }, NOW);
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(200);
    expect(cellsOf(text)).toHaveLength(4);
  });
});
