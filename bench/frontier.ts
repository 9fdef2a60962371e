// What a page costs the frontier and its store, without fetching or parsing: claim + commit with one row, and the memory
// of a process that knows many URLs. `npm run bench:frontier [-- 1000 10000]`; each size runs in a process of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Configuration, log } from '@crawlee/core';
import Table from 'cli-table3';
import { z } from 'zod';

import { DATASETS } from '../src/core/checkpoint.ts';
import { defineSite } from '../src/core/site.ts';
import { atomicCheckpoint } from '../src/frontier/checkpoint.ts';
import { Frontier } from '../src/frontier/frontier.ts';
import { createPace } from '../src/frontier/pace.ts';
import { openLaneQueue } from '../src/frontier/lane-queue.ts';
import { openSqliteStorage } from '../src/storage/sqlite/client.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
/** Pages claimed and committed at each size. */
const PAGES = 1_000;
const WARM_UP_URLS = 100_000;
const LINKS_A_PAGE = 500;
const MEASURE = '--measure';

interface Figures {
  readonly urls: number;
  readonly addMicros: number;
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
  const head = ['known URLs', 'add, µs each', 'claim + commit, µs', 'RSS, MB', 'bytes per known URL'];
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
  const queue = await openLaneQueue(config);
  const pace = createPace({ hostConcurrency: 10, delayMillis: 0 }, Math.random);
  const frontier = new Frontier({ queue, checkpoint: atomicCheckpoint(storage, queue), site, pace });

  const beforeAdding = performance.now();
  for (let from = 0; from < urls; from += LINKS_A_PAGE) {
    // As pages do: some at a time, each in a turn of the event loop of its own.
    await setImmediate();
    await frontier.addRequestsBatched(links(from, Math.min(from + LINKS_A_PAGE, urls)));
  }
  const addMicros = ((performance.now() - beforeAdding) * 1_000) / urls;

  const beforePages = performance.now();
  for (let page = 0; page < PAGES; page++) {
    await setImmediate();
    const request = await frontier.fetchNextRequest();
    if (!request) throw new Error(`No request left after ${page} pages.`);
    frontier
      .flightOf(request)
      .stage(DATASETS.items, JSON.stringify({ id: page, title: 'A row of ordinary size', url: request.url }));
    await frontier.markRequestHandled(request);
  }
  const pageMicros = ((performance.now() - beforePages) * 1_000) / PAGES;

  globalThis.gc?.();
  const rssBytes = process.memoryUsage.rss();
  storage.close();
  rmSync(dir, { recursive: true });
  return { urls, addMicros, pageMicros, rssBytes };
}

function* links(from: number, to: number): Generator<string> {
  for (let id = from; id < to; id++) yield `https://shop.example/products/item-${id}?ref=list`;
}
