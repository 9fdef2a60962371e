// `npm run bench`: all tables in one run, written to bench/RESULTS.md too. `npm run bench -- --quick`: one process against
// stock Crawlee in under a minute; fails below three times its pace. `npm run bench -- browser`: the browser lane. What is claimed is ratios, not times.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

import { compareBrowsers, type BrowserFigures } from './browser.ts';
import { BY_TREE, compareCrawls, OURS, PYTHON_PEERS, STOCK, TWO_WORKERS, type CrawlFigures } from './crawls.ts';
import { measureCores } from './cores.ts';
import { compareParsers } from './parsers.ts';
import { inMegabytes, measureMemory } from './memory.ts';
import { measureRamp } from './ramp.ts';
import { ROOT } from './processes.ts';
import { measureStart } from './start.ts';

const QUICK_STORIES = 720;
const QUICK_RATIO = 3;
/** 10,334 and 2,480 pages. */
const SIZES = [
  { stories: 10_000, rounds: 3 },
  { stories: 2_400, rounds: 1 },
];

/** `--rounds N` for a quicker or a steadier table. */
const asked = Number(process.argv[process.argv.indexOf('--rounds') + 1]);
const roundsOf = (usual: number) => (process.argv.includes('--rounds') && asked > 0 ? asked : usual);

const say = (line: string) => console.error(line);

// Or the first run would compile, and be charged for it.
execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
if (process.argv.includes('--quick')) await quick();
else if (process.argv.includes('browser')) console.log(browserTable(await compareBrowsers(roundsOf(3), say)));
else await full();

async function quick(): Promise<void> {
  const figures = await compareCrawls([OURS, STOCK], { stories: QUICK_STORIES, rounds: 2, say });
  const ratio = ratioOf(figures, OURS.name);
  console.log(crawlTable(figures));
  if (ratio < QUICK_RATIO) {
    console.error(`One process is ${ratio.toFixed(1)} times as fast as stock Crawlee; at least ${QUICK_RATIO} is asked for.`);
    process.exitCode = 1;
  }
}

async function full(): Promise<void> {
  const parts = [`# Results\n\n${machine()}\n\nMade by \`npm run bench\`. Ratios within one table are what counts.`];
  const add = (part: string) => {
    parts.push(part);
    console.log(`${part}\n`);
    writeFileSync(fileURLToPath(new URL('RESULTS.md', import.meta.url)), `${parts.join('\n\n')}\n`);
  };
  const { bytes, millis } = compareParsers();
  const rows = Object.entries(millis).map(([way, time]) => [way, time === null ? 'absent' : time.toFixed(1)]);
  add(`## One page of ${(bytes / 1_000).toFixed(0)} KB: title and all comments' texts\n\n${toTable(['Way', 'ms'], rows)}`);
  const starts = (await measureStart()).map(({ way, help, firstRequest }) => [
    way,
    (help / 1_000).toFixed(2),
    (firstRequest / 1_000).toFixed(2),
  ]);
  add(`## From the start of the process\n\n${toTable(['Way', '`--help`, s', 'first request, s'], starts)}`);
  const ramp = await measureRamp();
  const seconds = (value: number | null) => value?.toFixed(2) ?? 'not run';
  const steps = ramp.map(({ pages, sync, aiohttp, ours, limit }) => {
    // One after the other, each page takes a second and a little more.
    const against = `${((sync ?? pages) / ours).toFixed(1)}x`;
    return [String(pages), seconds(sync), seconds(aiohttp), ours.toFixed(2), against, String(limit)];
  });
  const head = [
    'Pages',
    'requests, one after the other, s',
    'aiohttp, 50 at once, s',
    'Surefoot, 50 at once, s',
    'speed-up',
    'asked for, s',
  ];
  add(`## Pages that take a second each\n\n${toTable(head, steps)}`);
  const memory = (await measureMemory(say)).map(({ what, peakBytes }) => [what, inMegabytes(peakBytes)]);
  add(`## One process, 50 pages at once\n\n${toTable(['', 'peak RSS'], memory)}`);
  const coreRounds = roundsOf(3);
  const cores = (await measureCores(coreRounds, say)).map(({ way, pagesPerSecond, ratio, cpuMillis }) => [
    way,
    pagesPerSecond.toFixed(0),
    ratio.toFixed(2),
    cpuMillis.toFixed(2),
  ]);
  const coreHead = ['', 'pages/s', 'against one process', 'CPU ms a page'];
  add(`## ${cpus().length} cores, ${timesOf(coreRounds)}\n\n${toTable(coreHead, cores)}`);
  for (const { stories, rounds: usual } of SIZES) {
    const rounds = roundsOf(usual);
    const figures = await compareCrawls([OURS, TWO_WORKERS, BY_TREE, STOCK, ...PYTHON_PEERS], { stories, rounds, say });
    const pages = stories + Math.ceil(stories / 30);
    add(`## A crawl of ${pages.toLocaleString('en-US')} pages of 35 KB, ${timesOf(rounds)}\n\n${crawlTable(figures)}`);
  }
}

function browserTable(figures: readonly BrowserFigures[]): string {
  const rows = figures.map(({ way, pagesPerSecond, cpuMillis, documents, scripts, bytes, peakBytes }) => [
    way,
    pagesPerSecond.toFixed(1),
    cpuMillis.toFixed(0),
    documents.toFixed(2),
    String(scripts),
    (bytes / 1_000).toFixed(1),
    inMegabytes(peakBytes),
  ]);
  const head = ['Crawler', 'pages/s', 'CPU ms a page', 'documents a page', 'scripts a crawl', 'KB a page', 'peak RSS'];
  return toTable(head, rows);
}

function timesOf(rounds: number): string {
  return rounds === 1 ? 'one run each' : `medians of ${rounds} alternating runs`;
}

function machine(): string {
  const [cpu] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpu?.model ?? 'unknown'}), ${memory} GB, Node ${process.version}`;
}

function crawlTable(figures: readonly CrawlFigures[]): string {
  const rows = figures.map(({ name, pagesPerSecond, peakBytes, cpuMillis, note }) => {
    if (pagesPerSecond === null) return [name, note, '', '', '', ''];
    const ratio = `${ratioOf(figures, name).toFixed(1)}x`;
    return [name, pagesPerSecond.toFixed(0), ratio, cpuMillis.toFixed(2), inMegabytes(peakBytes), note];
  });
  return toTable(['Crawler', 'pages/s', 'against stock', 'CPU ms a page', 'peak RSS', 'lowest and highest'], rows);
}

function ratioOf(figures: readonly CrawlFigures[], name: string): number {
  const rateOf = (wanted: string) => figures.find((figure) => figure.name === wanted)?.pagesPerSecond ?? 0;
  return rateOf(name) / rateOf(STOCK.name);
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
