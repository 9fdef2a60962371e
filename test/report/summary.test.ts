import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import { type RunMeta, toMeta } from '../../src/core/meta.ts';
import { FAILURES_SHOWN, formatStatus, formatSummary } from '../../src/report/summary.ts';

const meta: RunMeta = toMeta(
  {
    site: 'hackernews',
    startUrls: ['https://news.example/'],
    startedAt: '2026-11-22T15:50:12.000Z',
    finishedAt: '2026-11-22T15:50:39.000Z',
    status: 'finished',
  },
  [
    { end: 'succeeded', tier: 'http', host: 'news.example', pages: 1_028, bytes: 14_200_000, millis: 318_680, rejected: 2 },
    { end: 'failed', tier: 'http', host: 'news.example', pages: 3, bytes: 0, millis: 900, rejected: 0 },
    { end: 'missing', tier: 'http', host: 'cdn.example', pages: 2, bytes: 512, millis: 600, rejected: 0 },
  ],
  { total: 1_034, handled: 1_034 },
  {},
);
const unfinished: RunMeta = { ...meta, status: 'unfinished', finishedAt: null, failed: 0, pending: 1 };

/** The cells of a printed table, a list a row. */
function cells(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('│'));
  return rows.map((line) =>
    line
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const pagesRows = [
  ['Succeeded', 'Failed', 'Missing', 'Skipped', 'Pending', 'Rows', 'Rejected rows'],
  ['1,028', '3', '2', '0', '0', '1,021', '2'],
];

describe('formatSummary', () => {
  const text = formatSummary(meta, { rows: 1_021, exports: ['/out/a.json', '/out/a.csv'], elapsedSeconds: 27.1 });

  it('says what came of the pages, tier by tier', () => {
    expect(text).toMatch(/^hackernews: finished after 27\.1 s, 38\.1 pages\/s\n/);
    expect(cells(text)).toEqual([
      ...pagesRows,
      ['Tier', 'Pages', 'Size', 'Time', 'A page'],
      ['http', '1,033', '14.2 MB', '5 min 20 s', '0.31 s'],
    ]);
  });

  it('says where the files are and what to do about failures', () => {
    expect(text).toContain('Files:\n  /out/a.json\n  /out/a.csv\n');
    expect(text).toContain('3 pages failed: `npx tsx src/main.ts retry-failed`');
    expect(text).not.toContain('run the same command again');
  });

  it.each([
    ['storage', '`npx tsx src/main.ts retry-failed`'],
    ['/data/run-1', '`npx tsx src/main.ts retry-failed --storage-dir /data/run-1`'],
    ["my run's", "`npx tsx src/main.ts retry-failed --storage-dir 'my run'\\''s'`"],
  ])('names the folder %j for the failures of a run that is there', (storageDir, command) => {
    const there = { ...meta, settings: { ...meta.settings, storageDir } };
    expect(formatSummary(there, { rows: 1_021, exports: [], elapsedSeconds: 1 })).toContain(
      `failed: ${command} puts them back, and the same crawl tries again.`,
    );
  });

  it('says what did not fit, and where the reasons are: in a file, or in one that is still to be written', () => {
    const one = { ...meta, rejected: 1 };
    expect(formatSummary(one, { rows: 5, exports: [], elapsedSeconds: 1 })).toContain(
      "1 row did not fit the site's schema: the file -rejected.json says why of each.",
    );
    expect(text).toContain('2 rows did not fit');
    expect(formatSummary({ ...unfinished, rejected: 2 }, { rows: 5, exports: [], elapsedSeconds: 1 })).toContain(
      '`npx tsx src/main.ts export` writes the file -rejected.json, which says why of each.',
    );
  });

  it('says what the browser has not fetched, by kind', () => {
    const traffic = { ...meta.traffic, notFetched: { image: 2, font: 1, media: 3 } };
    expect(formatSummary({ ...meta, traffic }, { rows: 5, exports: [], elapsedSeconds: 1 })).toContain(
      'Not fetched by the browser: 3 media, 2 images, 1 font.',
    );
  });

  it('says why pages were not fetched', () => {
    const skippedBy = { robots: 2, 'private-net': 1 };
    const said = formatSummary({ ...meta, skippedBy }, { rows: 5, exports: [], elapsedSeconds: 1 });
    expect(said).toContain('Skipped: robots.txt forbids 2 pages.');
    expect(said).toContain('Skipped: 1 page in a private net, where a page must not lead. --allow-private HOSTS lets it.');
    expect(text).not.toContain('Skipped:');
  });

  it('offers no retry-failed over a store that it cannot work on', () => {
    const without = formatSummary(meta, { rows: 1_021, exports: [], elapsedSeconds: 1, canRetry: false });
    expect(without).toContain('3 pages failed: the file -failed.json says why of each.');
    expect(without).not.toContain('retry-failed');
  });

  it('says how an unfinished run goes on', () => {
    const left = formatSummary(unfinished, { rows: 1_021, exports: [], elapsedSeconds: 27.1 });
    expect(left).toContain('unfinished');
    expect(left).toContain('No files were written.');
    expect(left).toContain('1 page left: run the same command again to go on.');
    expect(left).not.toContain('retry-failed');
  });

  it.each([
    [{ succeeded: 1 }, 'No rows: 1 page succeeded, and its handler pushed none. See in src/routes/hackernews/ '],
    [{ succeeded: 12 }, 'No rows: 12 pages succeeded, and their handlers pushed none. See in src/routes/hackernews/ '],
  ])('says that %j brought no row, and where to look', (change, line) => {
    const without = { ...meta, rejected: 0, ...change };
    expect(formatSummary(without, { rows: 0, exports: [], elapsedSeconds: 1 })).toContain(`\n${line}`);
    expect(formatSummary(without, { rows: 1, exports: [], elapsedSeconds: 1 })).not.toContain('No rows');
  });

  it.each([
    [{ rejected: 2 }, 'No rows: none of 2 that were pushed fits the schema in src/routes/hackernews/. It began at '],
    [{ rejected: 0, succeeded: 0, failed: 0, missing: 1 }, 'No rows: 1 page missing (HTTP 404 or 410), and no other came.'],
  ])('never leaves %j without a sentence', (change, line) => {
    expect(formatSummary({ ...meta, ...change }, { rows: 0, exports: [], elapsedSeconds: 1 })).toContain(`\n${line}`);
  });

  it('needs no word for no rows where all pages failed', () => {
    const failed = { ...meta, rejected: 0, succeeded: 0, failed: 3 };
    expect(formatSummary(failed, { rows: 0, exports: [], elapsedSeconds: 1 })).not.toContain('No rows');
  });

  it('counts the speed of this process alone when it resumed a run', () => {
    expect(formatSummary(meta, { rows: 1_021, exports: [], elapsedSeconds: 10, pagesThisTime: 33 })).toContain(', 3.3 pages/s');
  });

  it('stands a run in which nothing was fetched', () => {
    const empty = toMeta({ ...meta }, [], { total: 0, handled: 0 }, {});
    const nothing = formatSummary(empty, { rows: 1_021, exports: [], elapsedSeconds: 0 });
    expect(nothing).toContain('0.0 pages/s');
    expect(nothing).toContain('No page was fetched.');
    expect(nothing).not.toMatch(/NaN|Infinity/);
  });

  it('has colours only when asked for, and the same text with them', () => {
    const coloured = formatSummary(meta, {
      rows: 1_021,
      exports: ['/out/a.json', '/out/a.csv'],
      elapsedSeconds: 27.1,
      colour: true,
    });
    expect(text).not.toContain('\u001B');
    expect(coloured).toContain('\u001B[31m3\u001B[0m');
    expect(stripVTControlCharacters(coloured)).toBe(text);
  });
});

describe('formatStatus', () => {
  const failures = Array.from({ length: FAILURES_SHOWN }, (_, index) => ({
    url: `https://news.example/${index}`,
    label: 'DETAIL',
    error: `HTTP 500\n    at stack ${index}`,
  }));

  it('shows pages, tiers and hosts', () => {
    expect(cells(formatStatus(meta, [], null, { rows: 1_021 }))).toEqual([
      ...pagesRows,
      ['Tier', 'Pages', 'Size', 'Time', 'A page'],
      ['http', '1,033', '14.2 MB', '5 min 20 s', '0.31 s'],
      ['Host', 'Pages', 'Failed', 'MB', 's'],
      ['news.example', '1,031', '3', '14.2', '320'],
      ['cdn.example', '2', '0', '0.00', '0.60'],
    ]);
  });

  it.each([
    { name: 'nobody', owner: null, status: meta, start: 'hackernews: finished, no process is on it\n', again: false },
    {
      name: 'nobody, unfinished',
      owner: null,
      status: unfinished,
      start: 'hackernews: unfinished, no process is on it\n',
      again: true,
    },
    {
      name: 'a live process',
      owner: { pid: 4711, running: true },
      status: unfinished,
      start: 'hackernews: unfinished, process 4711 is on it\n',
      again: false,
    },
    {
      name: 'a dead process',
      owner: { pid: 4711, running: false },
      status: unfinished,
      start: 'hackernews: unfinished, process 4711 died on it\n',
      again: true,
    },
  ])('says who holds the run, and how it goes on: $name', ({ owner, status, start, again }) => {
    const text = formatStatus(status, [], owner, { rows: 1_021 });
    expect(text.startsWith(start)).toBe(true);
    expect(text.includes('run the same command again')).toBe(again);
  });

  it('shows the last failures, each error on one line, and how many there are in all', () => {
    const text = formatStatus({ ...meta, failed: 30 }, failures, null, { rows: 1_021 });
    expect(text).toContain('Last failures (10 of 30):\n  DETAIL https://news.example/0\n    HTTP 500 at stack 0\n');
    expect(text).toContain('DETAIL https://news.example/9\n    HTTP 500 at stack 9');
    expect(formatStatus(meta, [], null, { rows: 1_021 })).not.toContain('Last failures');
  });

  it('lets no page steer the terminal', () => {
    const hostile = { url: 'https://x.example/\u001B[2J', label: 'DETAIL', error: '\u001B]0;title\u0007\u009B31m' };
    expect(
      formatStatus({ ...meta, hosts: { '\u001B[2J': meta.hosts['cdn.example']! } }, [hostile], null, { rows: 1_021 }),
    ).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('says when hosts were cut', () => {
    const hostsNote = 'The 100 hosts with the most pages, of 101.';
    expect(formatStatus({ ...meta, hostsNote }, [], null, { rows: 1_021 })).toContain(hostsNote);
  });
});

describe('start URLs that are missing', () => {
  const shown = (counters: Record<string, number>) => {
    const run = { site: 'shop', startUrls: [], startedAt: '', finishedAt: '', status: 'finished' } as const;
    const used = { counters, traffic: [], pricePerGb: 0 };
    return formatSummary(toMeta(run, [], { total: 0, handled: 0 }, {}, used), { rows: 4, exports: [], elapsedSeconds: 1 });
  };

  it('are named with their status, beside rows that other pages have brought', () => {
    expect(shown({ 'missing-starts': 1, 'missing-start 404 https://shop.example/lst': 1 })).toContain(
      'A start URL is missing: https://shop.example/lst (HTTP 404). Mend the address or leave it out.',
    );
    expect(shown({ 'missing-starts': 7, 'missing-start 410 https://shop.example/lst': 1 })).toContain(
      '7 start URLs are missing: https://shop.example/lst (HTTP 410), and more.',
    );
    expect(shown({})).not.toContain('missing:');
  });
});

it('list pages that lead nowhere are said in one sentence, with the first of them', () => {
  const shown = (counters: Record<string, number>) => {
    const run = {
      site: 'shop',
      startUrls: ['https://shop.example/'],
      startedAt: '',
      finishedAt: '',
      status: 'finished',
    } as const;
    const tally = { end: 'succeeded', tier: 'http', host: 'shop.example', pages: 1, bytes: 532, millis: 9, rejected: 0 } as const;
    const used = { counters, traffic: [], pricePerGb: 0 };
    const meta = toMeta(run, [tally], { total: 1, handled: 1 }, {}, used);
    return formatSummary(meta, { rows: 0, exports: [], elapsedSeconds: 1 });
  };
  const works = { 'works LIST http 532 https://shop.example/': 1 };
  const first = 'The first LIST page, https://shop.example/, was ok by tier http (532 B).';
  expect(shown({ ...works, 'barren LIST': 1 })).toContain(
    `No links: none of the LIST pages on which links were looked for had one, and none had rows. ${first}`,
  );
  expect(shown({ ...works, 'barren LIST': 1, 'fruitful LIST': 1 })).not.toContain('No links');
  expect(shown(works)).toMatch(/No rows: .*The first LIST page, https:\/\/shop\.example\/, was ok by tier http/);
});
