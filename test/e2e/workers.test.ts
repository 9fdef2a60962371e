// `--workers`: what is promised of one process holds over several, and no death of one loses or repeats anything.
import { rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';

import { itemPage, listPage } from '../../src/demo/pages.ts';
import { demoStories, demoStoryById } from '../../src/demo/stories.ts';
import { copyProject, start as startIn, writeInto } from '../docs/project.ts';
import { serve } from '../faults/serve.ts';
import { seededRandom } from '../seed.ts';
import {
  handledUrls,
  newStorageDir,
  readDeadLetters,
  readExport,
  startCrawl,
  type CrawlProcess,
  workersOf,
} from './crawl-process.ts';

const random = seededRandom('workers');

const PER_PAGE = 100;

interface Site {
  readonly origin: string;
  readonly url: string;
  /** Path and query → the time of each request. */
  readonly hits: Map<string, number[]>;
  /** Pages being answered at most at once. */
  readonly peak: number;
}

interface SiteOptions {
  stories: number;
  robots?: string;
  /** How long an answer takes. @default 20 ms */
  millis?: number;
  /** Answers in another way. */
  answer?: (path: string, response: ServerResponse, page: string) => boolean;
  onRequest?: (path: string) => void;
}

/** Hacker News' pages from a host of its own. */
async function startSite({
  stories,
  robots,
  millis = 20,
  answer = () => false,
  onRequest = () => {},
}: SiteOptions): Promise<Site> {
  const hits = new Map<string, number[]>();
  let now = 0;
  let peak = 0;
  const origin = await serve((request, response) => {
    const path = request.url ?? '/';
    hits.set(path, [...(hits.get(path) ?? []), performance.now()]);
    if (path === '/robots.txt') return void (robots === undefined ? response.writeHead(404).end() : response.end(robots));
    onRequest(path);
    peak = Math.max(peak, ++now);
    response.on('close', () => now--);
    const url = new URL(path, 'http://127.0.0.1');
    const story = demoStoryById(Number(url.searchParams.get('id')), stories);
    const page = story ? itemPage(story) : listPage(Number(url.searchParams.get('p') ?? 1), { stories, perPage: PER_PAGE });
    setTimeout(() => {
      if (answer(path, response, page)) return;
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
    }, millis);
  });
  return {
    origin,
    url: `${origin}/news`,
    hits,
    get peak() {
      return peak;
    },
  };
}

function start(sites: readonly Site[], storageDir: string, ...more: string[]): CrawlProcess {
  const urls = sites.map(({ url }) => url);
  return startCrawl([...urls, '--workers', '2', '--tiers', 'http', '--format', 'json', '--storage-dir', storageDir, ...more]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const timesOf = (site: Site, isMeant = (path: string) => path !== '/robots.txt') =>
  [...site.hits].flatMap(([path, times]) => (isMeant(path) ? times : [])).toSorted((a, b) => a - b);

function expectEveryStoryOnce(storageDir: string, sites: readonly Site[], stories: number): void {
  const expected = sites.flatMap(({ url }) => demoStories({ count: stories, url }).map(({ itemUrl }) => itemUrl));
  expect(
    readExport(storageDir)
      .items.map(({ itemUrl }) => String(itemUrl))
      .toSorted(),
  ).toEqual(expected.toSorted());
}

describe('a worker that is killed', () => {
  it('takes nothing along: its pages come back, none that was done is fetched again, each row is there once', async () => {
    const stories = 900;
    const site = await startSite({ stories });
    const storageDir = newStorageDir();
    const crawl = start([site], storageDir, '--concurrency', '10');
    const state = { over: false };
    const ended = crawl.ended.finally(() => (state.over = true));
    let [kills, seen] = [0, 0];
    const done = new Map<string, number>();
    while (!state.over && kills < 12) {
      await sleep(random() * 300);
      // Workers that have had nothing yet die of something else: the crawl would end.
      if (timesOf(site).length < seen + 20) continue;
      const workers = workersOf(crawl);
      const pid = workers[Math.floor(random() * workers.length)];
      if (pid === undefined) continue;
      // What is done is told to the main process a moment before it is seen on disk, so not what was asked for just now.
      for (const url of handledUrls(storageDir)) done.set(url, site.hits.get(url.slice(site.origin.length))?.length ?? 0);
      if (!state.over && isAlive(pid)) process.kill(pid, 'SIGKILL');
      kills++;
      seen = timesOf(site).length;
    }
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/A worker died \(PID \d+, SIGKILL\)\. Another one takes its place, and .* back/);
    expect(done.size, 'kills that came before any page was done prove nothing').toBeGreaterThan(50);
    for (const [url, hits] of done) expect(site.hits.get(url.slice(site.origin.length))?.length, url).toBe(hits);
    expectEveryStoryOnce(storageDir, [site], stories);
    expect(readExport(storageDir).meta).toMatchObject({ failed: 0, rejected: 0, pending: 0 });
  });

  it('by a page is replaced; that page then runs alone, and after its third death it is a dead letter', async () => {
    const stories = 60;
    const killer = new URL(demoStories({ count: stories, url: 'http://127.0.0.1/news' })[30]?.itemUrl ?? '');
    const path = killer.pathname + killer.search;
    let crawl: CrawlProcess | null = null;
    const others: number[] = [];
    const site = await startSite({
      stories,
      answer(asked, response, page) {
        if (asked !== path) return false;
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.write(page.slice(0, 2_000));
        setTimeout(() => {
          others.push(timesOf(site, (other) => other !== path && other !== '/robots.txt').length);
          if (crawl) for (const pid of workersOf(crawl)) process.kill(pid, 'SIGKILL');
        }, 300);
        return true;
      },
    });
    const storageDir = newStorageDir();
    crawl = start([site], storageDir);
    const { code, stderr } = await crawl.ended;
    expect(code, stderr).toBe(2);
    expect(site.hits.get(path)).toHaveLength(3);
    const all = timesOf(site, (other) => other !== path && other !== '/robots.txt').length;
    expect(others[2], 'the third time, all others are done').toBe(all);
    expect(readDeadLetters(storageDir).map(({ url, verdict }) => [url, verdict])).toEqual([[site.origin + path, 'crash']]);
    expect(readExport(storageDir).items).toHaveLength(stories - 1);
  });
});

describe('limits hold over all workers', () => {
  it('pages in flight: of a host, and of all hosts', async () => {
    const sites = [await startSite({ stories: 80, millis: 60 }), await startSite({ stories: 80, millis: 60 })];
    const storageDir = newStorageDir();
    const limits = ['--concurrency', '6', '--host-concurrency', '4', '--ignore-robots'];
    const { code, stderr } = await start(sites, storageDir, ...limits).ended;
    expect(code, stderr).toBe(0);
    for (const { peak } of sites) expect(peak).toBe(4);
    // Each answer takes 60 ms, of which the server counts no less.
    const spans = sites.flatMap((site) => timesOf(site).map((from) => ({ from, to: from + 60 })));
    const peaks = spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length);
    expect(Math.max(...peaks)).toBeLessThanOrEqual(6);
    expect(Math.max(...peaks)).toBeGreaterThan(4);
    expectEveryStoryOnce(storageDir, sites, 80);
  });

  it.each([
    ['--delay', undefined, ['--delay', '150', '--ignore-robots'], 150],
    ["robots.txt's Crawl-delay, for which it is read once", 'User-agent: *\nCrawl-delay: 0.2\nDisallow: /item?id=3', [], 200],
  ])('%s', async (_, robots, flags, millis) => {
    const site = await startSite({ stories: 24, millis: 0, ...(robots !== undefined && { robots }) });
    const { code, stderr } = await start([site], newStorageDir(), ...flags).ended;
    expect(code, stderr).toBe(0);
    const times = timesOf(site);
    expect(times.length).toBeGreaterThanOrEqual(20);
    // A worker that is late shortens a gap, and makes no sum of gaps shorter than by that.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan((times.length - 2) * millis);
    expect(site.hits.get('/robots.txt')?.length ?? 0).toBe(robots === undefined ? 0 : 1);
  });

  it('--max-requests', async () => {
    const site = await startSite({ stories: 300 });
    const storageDir = newStorageDir();
    const { code, stderr } = await start([site], storageDir, '--max-requests', '47').ended;
    expect(code, stderr).toBe(0);
    expect(timesOf(site)).toHaveLength(47);
    expect(readExport(storageDir).meta).toMatchObject({ succeeded: 47, pending: 0 });
  });
});

describe('an end', () => {
  it('by a signal to all processes, as a terminal sends it, lets the pages in flight finish; the next start goes on', async () => {
    const stories = 300;
    let seen = 0;
    const { promise: underWay, resolve } = settled();
    const site = await startSite({ stories, onRequest: () => ++seen === 60 && resolve() });
    const storageDir = newStorageDir();
    const crawl = start([site], storageDir);
    await underWay;
    for (const pid of [...workersOf(crawl), crawl.child.pid ?? 0]) process.kill(pid, 'SIGINT');
    const { code, stderr } = await crawl.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).not.toContain('A worker died');
    expect((await start([site], storageDir).ended).code).toBe(0);
    expectEveryStoryOnce(storageDir, [site], stories);
    expect(Math.max(...[...site.hits].map(([path, times]) => (path === '/robots.txt' ? 0 : times.length)))).toBe(1);
  });

  it.each(['SIGKILL', 'a second SIGINT'])('of the main process by %s takes its workers with it at once', async (how) => {
    let seen = 0;
    const { promise: underWay, resolve } = settled();
    const site = await startSite({ stories: 300, millis: 200, onRequest: () => ++seen === 20 && resolve() });
    const crawl = start([site], newStorageDir());
    await underWay;
    const workers = workersOf(crawl);
    expect(workers).toHaveLength(2);
    if (how === 'SIGKILL') crawl.child.kill('SIGKILL');
    else {
      crawl.child.kill('SIGINT');
      await sleep(50);
      crawl.child.kill('SIGINT');
    }
    const { code } = await crawl.ended;
    expect(code).toBe(how === 'SIGKILL' ? 137 : 130);
    const until = performance.now() + 10_000;
    while (workers.some(isAlive) && performance.now() < until) await sleep(20);
    expect(workers.filter(isAlive)).toEqual([]);
    const asked = timesOf(site).length;
    await sleep(500);
    expect(timesOf(site)).toHaveLength(asked);
  });
});

describe('what a handler opens by itself', () => {
  it('is the crawl’s own store, in any worker; a row is written with its page, once', async () => {
    const project = copyProject();
    onTestFinished(() => rmSync(project, { recursive: true }));
    writeInto(
      project,
      'src/routes/shelf/index.ts',
      `import { Dataset, KeyValueStore, RequestQueue } from '@crawlee/core';
      import { z } from 'zod';
      import { defineSite } from '../../core/site.ts';
      export const site = defineSite({
        name: 'shelf',
        startUrls: [],
        labelOf: () => 'PAGE',
        userData: { PAGE: z.object({}) },
        record: z.object({ pid: z.int(), from: z.string() }),
        routes: {
          async PAGE({ response, pushData }) {
            const { origin, pathname } = new URL(response.url);
            const page = Number(pathname.slice(1));
            await (await Dataset.open('notes')).pushData({ page });
            await (await KeyValueStore.open()).setValue('page-' + page, { page });
            const queue = await RequestQueue.open();
            for (const next of [2 * page, 2 * page + 1]) if (next < 64) await queue.addRequest({ url: origin + '/' + next });
            await pushData({ pid: process.pid, from: String((await (await KeyValueStore.open()).getValue('page-' + (page >> 1)))?.page ?? 0) });
          },
        },
      });`,
    );
    const origin = await serve((_, response) => {
      setTimeout(() => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>A page with some words</p>'), 30);
    });
    const { ended } = startIn(
      project,
      `npx tsx src/main.ts --site shelf ${origin}/1 --workers 2 --tiers http --ignore-robots --format json`,
    );
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    const { items } = readExport(join(project, 'storage'));
    expect(items).toHaveLength(63);
    expect(new Set(items.map(({ pid }) => pid)).size, 'both workers have had pages').toBe(2);
    // Each page sees what the one that led to it has kept, whichever worker had that.
    const parents = Array.from({ length: 63 }, (_, index) => (index + 1) >> 1);
    expect(items.map(({ from }) => Number(from)).toSorted((a, b) => a - b)).toEqual(parents);
    const db = new Database(join(project, 'storage', 'crawl.sqlite'));
    const notes = db
      .prepare(
        "SELECT json_extract(body, '$.page') AS page FROM rows JOIN stores ON stores.key = rows.store WHERE stores.name = 'notes'",
      )
      .all() as { page: number }[];
    db.close();
    expect(notes.map(({ page }) => page).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 63 }, (_, index) => index + 1));
  });
});

function settled(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
