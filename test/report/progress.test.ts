import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  type ProgressCounts,
  type ProgressStream,
  readProgress,
  slidingRate,
  startProgress,
  toProgressLine,
} from '../../src/report/progress.ts';

let counts: ProgressCounts;
const read = () => counts;
const now = () => Date.now();

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  counts = { done: 0, known: 100, failed: 0 };
});
afterEach(() => void vi.useRealTimers());

/** A stream that keeps what is written to it; `columns` makes it a terminal. */
function openStream(columns?: number): { stream: ProgressStream; written: () => string } {
  const through = new PassThrough({ encoding: 'utf8' });
  let all = '';
  through.on('data', (text: string) => (all += text));
  return {
    stream: Object.assign(through, columns === undefined ? {} : { isTTY: true, columns }),
    written: () => {
      all += through.read() ?? '';
      return all;
    },
  };
}

/** What a terminal shows after the given output: of control sequences, it knows those that a bar needs. */
function screen(output: string): string[] {
  const lines = [''];
  let row = 0;
  let column = 0;
  for (const [token] of output.matchAll(/\n|\r|\p{Cc}(?:\[[0-9;?]*[A-Za-z]|.)|\P{Cc}/gu)) {
    const line = lines[row] ?? '';
    if (token === '\n') [row, column] = [row + 1, 0];
    else if (token === '\r' || token === '\u001B[1G') column = 0;
    else if (token === '\u001B[0K') lines[row] = line.slice(0, column);
    else if (token === '\u001B[2K') lines[row] = '';
    else if (token === '\u001B[0J') lines.splice(row, Infinity, line.slice(0, column));
    else if (token === '\u001B[0A') continue;
    else if (token.startsWith('\u001B')) throw new Error(`The bar sent ${JSON.stringify(token)}`);
    else {
      lines[row] = line.slice(0, column).padEnd(column) + token + line.slice(column + 1);
      column += 1;
    }
    lines[row] ??= '';
  }
  return lines;
}

describe('toProgressLine', () => {
  it.each([
    [
      { done: 412, known: 1_034, failed: 3 },
      38.2,
      '412 of 1,034 pages done, 38.2 pages/s, 3 failed, about 17 s for the known pages',
    ],
    [{ done: 0, known: 10, failed: 0 }, 0, '0 of 10 pages done, 0.0 pages/s, 0 failed'],
    [{ done: 10, known: 10, failed: 1 }, 5, '10 of 10 pages done, 5.0 pages/s, 1 failed'],
    [{ done: 0, known: 75, failed: 0 }, 1, '0 of 75 pages done, 1.0 pages/s, 0 failed, about 1 min 15 s for the known pages'],
    [{ done: 90, known: 93, failed: 0, restsFor: 51.2 }, 3, '90 of 93 pages done, 3.0 pages/s, 0 failed, next due in 52 s'],
    [{ done: 90, known: 93, failed: 0, restsFor: 480 }, 0, '90 of 93 pages done, 0.0 pages/s, 0 failed, next due in 8 min 0 s'],
    // As between two pages of a host with a Crawl-delay: the guess is good, for its rate has the rests in it.
    [
      { done: 90, known: 93, failed: 0, restsFor: 20 },
      0.05,
      '90 of 93 pages done, 0.05 pages/s, 0 failed, about 1 min 0 s for the known pages',
    ],
    [{ done: 90, known: 93, failed: 0, restsFor: 0.2 }, 0, '90 of 93 pages done, 0.0 pages/s, 0 failed'],
    [{ done: 93, known: 93, failed: 0, restsFor: 20 }, 3, '93 of 93 pages done, 3.0 pages/s, 0 failed'],
    [{ done: 11, known: 10, failed: 0 }, 1, '11 of 10 pages done, 1.0 pages/s, 0 failed'],
  ])('says %j at %d pages/s in words', (given, rate, line) => {
    expect(toProgressLine(given, rate)).toBe(line);
  });
});

describe('readProgress', () => {
  const counts = () => ({ total: 9, handled: 4 });

  it.each([
    ['rests while nothing is in flight', 0, 6_000, 5],
    ['does not while a page is', 1, 6_000, 0],
    ['does not when nothing waits for a time', 0, null, 0],
    ['does not when the time has come', 0, 500, 0],
  ])('%s', (_, inFlight, nextWake, restsFor) => {
    const frontier = { counts, failed: 1, inFlight, nextWake };
    expect(readProgress(frontier, 1_000)).toEqual({ done: 4, known: 9, failed: 1, restsFor });
  });
});

describe('slidingRate', () => {
  it('does not count what a resumed run had done before it started', () => {
    const rate = slidingRate(0, 90_000);
    expect(rate(0, 90_000)).toBe(0);
    expect(rate(1_000, 90_010)).toBe(10);
    expect(rate(2_000, 90_010)).toBe(5);
  });

  it('forgets what is more than 30 s ago', () => {
    const rate = slidingRate(0, 0);
    expect(rate(10_000, 1_000)).toBe(100);
    for (let millis = 20_000; millis <= 30_000; millis += 10_000) rate(millis, 1_000);
    expect(rate(40_000, 1_000)).toBe(0);
    expect(rate(50_000, 1_300)).toBe(10);
  });

  it('stays true when updates are further apart than the window', () => {
    const rate = slidingRate(0, 0);
    expect(rate(100_000, 100)).toBe(1);
    expect(rate(200_000, 500)).toBe(4);
  });
});

describe('startProgress off a terminal', () => {
  it('prints a plain line every 10 s, and nothing before', () => {
    const { stream, written } = openStream();
    const progress = startProgress({ stream, read, now });
    vi.advanceTimersByTime(9_999);
    expect(written()).toBe('');
    counts = { done: 50, known: 100, failed: 2 };
    vi.advanceTimersByTime(1);
    expect(written()).toBe('50 of 100 pages done, 5.0 pages/s, 2 failed, about 10 s for the known pages\n');
    counts = { done: 60, known: 100, failed: 2 };
    vi.advanceTimersByTime(10_000);
    expect(written().split('\n')[1]).toBe('60 of 100 pages done, 3.0 pages/s, 2 failed, about 14 s for the known pages');
    progress.stop();
  });

  it('prints nothing after stop(), but log lines', () => {
    const { stream, written } = openStream();
    const progress = startProgress({ stream, read, now, everyMillis: 10 });
    progress.line('before');
    progress.stop();
    progress.stop();
    vi.advanceTimersByTime(60_000);
    progress.line('after');
    expect(written()).toBe('before\nafter\n');
  });

  it('prints log lines alone when quiet', () => {
    const { stream, written } = openStream(80);
    const progress = startProgress({ stream, read: () => expect.unreachable(), quiet: true });
    vi.advanceTimersByTime(60_000);
    progress.line('a warning');
    progress.stop();
    expect(written()).toBe('a warning\n');
  });
});

describe('startProgress on a terminal', () => {
  it('draws one bar, and draws it again in the same place', () => {
    const { stream, written } = openStream(120);
    const progress = startProgress({ stream, read, now });
    expect(screen(written())).toEqual([`${'░'.repeat(30)}  0 of 100 pages done, 0.0 pages/s, 0 failed`]);
    counts = { done: 1_000, known: 4_000, failed: 1 };
    vi.advanceTimersByTime(500);
    const bar = '█'.repeat(8) + '░'.repeat(22);
    expect(screen(written())).toEqual([
      `${bar}  1,000 of 4,000 pages done, 2,000 pages/s, 1 failed, about 2 s for the known pages`,
    ]);
    // A shorter text leaves nothing of a longer one.
    counts = { done: 4_000, known: 4_000, failed: 1 };
    vi.advanceTimersByTime(500);
    expect(screen(written())).toEqual([`${'█'.repeat(30)}  4,000 of 4,000 pages done, 4,000 pages/s, 1 failed`]);
    progress.stop();
  });

  it('prints log lines above the bar, untorn, at once', () => {
    const { stream, written } = openStream(100);
    const progress = startProgress({ stream, read, now });
    progress.line('short');
    vi.advanceTimersByTime(500);
    progress.line('long '.repeat(50));
    expect(screen(written())).toEqual(['short', 'long '.repeat(50), expect.stringMatching(/^░{30} {2}0 of 100 pages done/)]);
    progress.stop();
  });

  it('clears the bar on stop() and prints nothing more, but log lines', () => {
    const { stream, written } = openStream(100);
    const progress = startProgress({ stream, read, now });
    progress.line('a');
    progress.stop();
    expect(screen(written())).toEqual(['a', '']);
    vi.advanceTimersByTime(60_000);
    progress.line('b');
    progress.stop();
    expect(screen(written())).toEqual(['a', 'b', '']);
  });

  it.each([10, 45, 60, 79, 80, 200])('never fills the last column of a terminal of %i, which would wrap', (columns) => {
    const { stream, written } = openStream(columns);
    counts = { done: 412_000, known: 1_034_000, failed: 312 };
    const progress = startProgress({ stream, read, now });
    vi.advanceTimersByTime(500);
    expect(screen(written())[0]!.length).toBeLessThan(columns);
    progress.stop();
  });

  it('leaves cursor, wrapping and signals alone, for a killed run restores nothing', () => {
    const { stream, written } = openStream(100);
    const before = process.listenerCount('SIGINT');
    const progress = startProgress({ stream, read, now });
    vi.advanceTimersByTime(5_000);
    expect(process.listenerCount('SIGINT')).toBe(before);
    progress.stop();
    // Save (ESC 7), restore (ESC 8), and all switches (CSI ? ...).
    for (const sequence of ['\u001B7', '\u001B8', '\u001B[?']) expect(written()).not.toContain(sequence);
  });

  it('keeps no process alive', () => {
    vi.useRealTimers();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const { stream } = openStream(100);
    const progress = startProgress({ stream, read });
    progress.line('a log line');
    expect(timers()).toBe(before);
    progress.stop();
  });
});
