// What a page costs the frontier and its store, without fetching or parsing: many at once, as in a crawl, and one by one;
// and the memory of a process that knows many URLs. `npm run bench:frontier [-- 1000 10000]`; each size runs in a process of
// its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Configuration, log, type Request } from '@crawlee/core';
import Table from 'cli-table3';
import { z } from 'zod';

import { DATASETS } from '../src/core/run-store.ts';
import { defineSite } from '../src/core/site.ts';
import { Frontier } from '../src/frontier/frontier.ts';
import { openLaneQueue } from '../src/frontier/lane-queue.ts';
import { openSqliteStorage } from '../src/storage/sqlite/client.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
/** Pages claimed and committed one by one at each size. */
const PAGES = 1_000;
/** Pages that go through the frontier as in a crawl, with so many in flight. */
const CRAWLED_PAGES = 6_000;
const IN_FLIGHT = 50;
/** Turns of the event loop for which a page waits for its answer, and for the rest of it: with these a page has a third of a
 *  transaction of its own, as in a crawl of `bench/crawls.ts`. */
const TURNS = 16;
/** One page of so many is a list, which adds as many links. */
const LIST = 30;
const WARM_UP_URLS = 100_000;
const LINKS_A_PAGE = 500;
const MEASURE = '--measure';

interface Figures {
  readonly urls: number;
  readonly addMicros: number;
  readonly crawledMicros: number;
  /** CPU time, of all threads. */
  readonly crawledCpuMicros: number;
  readonly pageMicros: number;
  readonly rssBytes: number;
}

const site = defineSite({
  name: 'bench',
  startUrls: [],
  labelOf: () => 'PAGE',
  record: z.object({ id: z.int() }),
  userData: { PAGE: z.object({}) },
  routes: { PAGE: async () => {} },
});

const [first, size] = process.argv.slice(2);
if (first === MEASURE) process.stdout.write(JSON.stringify(await measure(Number(size))));
else compare(process.argv.length > 2 ? process.argv.slice(2).map(Number) : SIZES);

function compare(sizes: readonly number[]): void {
  const head = [
    'known URLs',
    'add, µs each',
    '50 at once, µs a page',
    'its CPU, µs',
    'one by one, µs',
    'RSS, MB',
    'bytes per known URL',
  ];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  let smallest: Figures | null = null;
  for (const urls of sizes) {
    const args = ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), MEASURE, String(urls)];
    const figures = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Figures;
    smallest ??= figures;
    const perUrl = (figures.rssBytes - smallest.rssBytes) / (figures.urls - smallest.urls);
    table.push([
      urls.toLocaleString('en-US'),
      figures.addMicros.toFixed(0),
      figures.crawledMicros.toFixed(0),
      figures.crawledCpuMicros.toFixed(0),
      figures.pageMicros.toFixed(0),
      (figures.rssBytes / 1e6).toFixed(0),
      Number.isFinite(perUrl) ? perUrl.toFixed(1) : '-',
    ]);
  }
  console.log(table.toString());
}

async function measure(urls: number): Promise<Figures> {
  log.setLevel(log.LEVELS.OFF);
  // V8 and SQLite fill their caches first, on a store that is dropped: what is compared is what known URLs cost.
  await crawlNothing(WARM_UP_URLS);
  return crawlNothing(urls);
}

async function crawlNothing(urls: number): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  const storage = openSqliteStorage(join(dir, 'crawl.sqlite'));
  const config = new Configuration({ storageClient: storage, purgeOnStart: false });
  await openLaneQueue(config);
  const store = await storage.openRun({ limits: { hostConcurrency: IN_FLIGHT, delayMillis: 0 } });
  const frontier = await Frontier.open({ store, site, concurrency: IN_FLIGHT });

  const beforeAdding = performance.now();
  for (let from = 0; from < urls; from += LINKS_A_PAGE) {
    // As pages do: some at a time, each in a turn of the event loop of its own.
    await setImmediate();
    await frontier.addRequestsBatched(links(from, Math.min(from + LINKS_A_PAGE, urls)));
  }
  const addMicros = ((performance.now() - beforeAdding) * 1_000) / urls;

  const cpuBefore = process.cpuUsage();
  const beforeCrawl = performance.now();
  await crawl(frontier, urls);
  const crawledMicros = ((performance.now() - beforeCrawl) * 1_000) / CRAWLED_PAGES;
  const { user, system } = process.cpuUsage(cpuBefore);
  const crawledCpuMicros = (user + system) / CRAWLED_PAGES;

  const beforePages = performance.now();
  for (let page = 0; page < PAGES; page++) {
    await setImmediate();
    const request = await frontier.fetchNextRequest();
    if (!request) throw new Error(`No request left after ${page} pages.`);
    stageRow(frontier, request, page);
    await frontier.markRequestHandled(request);
  }
  const pageMicros = ((performance.now() - beforePages) * 1_000) / PAGES;

  globalThis.gc?.();
  const rssBytes = process.memoryUsage.rss();
  storage.close();
  rmSync(dir, { recursive: true });
  return { urls, addMicros, crawledMicros, crawledCpuMicros, pageMicros, rssBytes };
}

/** Pages as a crawl has them: many in flight, each in turns of the event loop that it shares with others. */
async function crawl(frontier: Frontier, urls: number): Promise<void> {
  let page = 0;
  let known = urls;
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await setImmediate();
  };
  const slot = async () => {
    while (page < CRAWLED_PAGES) {
      const number = page++;
      let request = await frontier.fetchNextRequest();
      // Another slot has taken what was found: as Crawlee's pool does, it asks again.
      for (; !request; request = await frontier.fetchNextRequest()) await setImmediate();
      // Always the same turns, and no two pages in step.
      await turns(1 + ((number * 7) % TURNS));
      await frontier.arrived(request);
      await turns(1 + ((number * 11) % TURNS));
      if (number % LIST === 0) await frontier.addRequestsBatched(links(known, (known += LIST)));
      stageRow(frontier, request, number);
      await frontier.markRequestHandled(request);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, slot));
}

function stageRow(frontier: Frontier, request: Request, id: number): void {
  frontier.flightOf(request).stage(DATASETS.items, JSON.stringify({ id, title: 'A row of ordinary size', url: request.url }));
}

function* links(from: number, to: number): Generator<string> {
  for (let id = from; id < to; id++) yield `https://shop.example/products/item-${id}?ref=list`;
}
