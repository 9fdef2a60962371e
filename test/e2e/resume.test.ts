// What a person meets who stops a crawl, starts it again, or starts another one over it. Real processes throughout.
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { openStorage } from '../../src/storage/open.ts';
import { writeRun } from '../../src/storage/run.ts';
import { inHands, newStorageDir, readExport, startCrawl, type CrawlProcess } from './crawl-process.ts';

const STORIES = 150;

let site: DemoSite;
let storageDir: string;
/** Called with path and query whenever the site is asked for a page. */
let onRequest: (path: string) => void;

beforeEach(async () => {
  onRequest = () => {};
  site = await startDemoSite({ stories: STORIES, delayMillis: (path) => (onRequest(path), 60) });
  storageDir = newStorageDir();
});
afterEach(() => site.close());

function start(...more: string[]): CrawlProcess {
  return startCrawl([site.url, '--storage-dir', storageDir, '--concurrency', '10', ...more]);
}

/** Resolves when the site has been asked for that many pages from now on. */
function requests(count: number): Promise<void> {
  return new Promise((resolve) => {
    onRequest = () => {
      if (--count === 0) resolve();
    };
  });
}

/** A crawl that is stopped in full flight. */
async function interrupted(): Promise<void> {
  const seen = requests(40);
  const crawl = start();
  await seen;
  crawl.child.kill('SIGKILL');
  await crawl.ended;
}

function expectEveryStoryOnce(): void {
  const { items, meta } = readExport(storageDir);
  expect(new Set(items.map(({ id }) => id)).size).toBe(STORIES);
  expect(items).toHaveLength(STORIES);
  expect(meta).toMatchObject({ succeeded: STORIES + STORIES / 30, failed: 0, status: 'finished' });
}

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s lets the pages in flight finish, exits %i, and the next start fetches no page twice',
    async (signal, exitCode) => {
      const seen = requests(60);
      const crawl = start();
      await seen;
      crawl.child.kill(signal);
      const { code, stderr } = await crawl.ended;
      expect(code).toBe(exitCode);
      expect(stderr).toMatch(/Interrupted: [\d,]+ of [\d,]+ pages done\. Run the same command again/);

      const resumed = await start().ended;
      expect(resumed.code).toBe(0);
      expect(resumed.stderr).toMatch(/[\d,]+ of [\d,]+ pages done, resuming/);
      expectEveryStoryOnce();
      site.hits.delete('/robots.txt'); // Each process asks for it.
      expect(Math.max(...site.hits.values())).toBe(1);
    },
  );

  it('that comes twice ends the crawl at once, and the next start goes on', async () => {
    site.close().catch(() => {});
    site = await startDemoSite({ stories: STORIES, delayMillis: (path) => (onRequest(path), 20_000) });
    const seen = requests(1);
    const crawl = start();
    await seen;
    crawl.child.kill('SIGINT');
    await new Promise((resolve) => crawl.child.stderr?.on('data', (text) => /Once more/.test(String(text)) && resolve(null)));
    const asked = performance.now();
    crawl.child.kill('SIGINT');
    expect((await crawl.ended).code).toBe(130);
    expect(performance.now() - asked).toBeLessThan(15_000);
  });
});

it('a page that kills the process is a dead letter after three deaths, and every other page has its row', async () => {
  const killer = [...(await storyPaths())][7] as string;
  let deaths = 0;
  let crawl: CrawlProcess;
  // In front of the site, because the page kills with what it answers: it has begun to arrive.
  const front = createServer((request, response) => {
    if (request.url === killer) {
      response.writeHead(200, { 'content-type': 'text/html' }).write('<html>');
      deaths++;
      // Once it is on disk that the page is under way.
      void vi.waitUntil(() => inHands(storageDir).has(new URL(killer, url).href), 60_000).then(() => crawl.child.kill('SIGKILL'));
      return;
    }
    relay(request.url ?? '/', response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/news`;
  try {
    for (let run = 1; run <= 8; run++) {
      crawl = startCrawl([url, '--storage-dir', storageDir, '--concurrency', '10']);
      const { code, stderr } = await crawl.ended;
      if (code === 137) continue;
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(`${new URL(killer, url).href}: The process died 3 times`);
      break;
    }
  } finally {
    front.closeAllConnections();
    front.close();
  }
  expect(deaths).toBe(3);
  const { items, meta } = readExport(storageDir);
  expect(meta).toMatchObject({ failed: 1, pending: 0 });
  expect(new Set(items.map(({ id }) => id)).size).toBe(STORIES - 1);
  expect(items).toHaveLength(STORIES - 1);
});

/** Answers with what the site answers. */
async function relay(path: string, response: ServerResponse): Promise<void> {
  const answer = await fetch(new URL(path, site.url));
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/html' });
  response.end(await answer.text());
}

async function storyPaths(): Promise<Set<string>> {
  const html = await (await fetch(site.url)).text();
  return new Set([...html.matchAll(/href="(item\?id=\d+)"/g)].map(([, path]) => `/${path}`));
}

describe('another start over an unfinished run', () => {
  it('with another input is refused, says how far the old one is from being lost, and changes nothing', async () => {
    await interrupted();
    const other = await start(`${new URL(site.url).origin}/jobs`).ended;
    expect(other.code).toBe(1);
    for (const way of ['--resume', '--fresh', '--storage-dir', site.url]) expect(other.stderr).toContain(way);
    expect((await start().ended).code).toBe(0);
    expectEveryStoryOnce();
  });

  it('with --resume goes on with the old input', async () => {
    await interrupted();
    const { code } = await startCrawl(['--storage-dir', storageDir, '--resume', 'http://127.0.0.1:9/never']).ended;
    expect(code).toBe(0);
    expectEveryStoryOnce();
    const { meta } = readExport(storageDir);
    expect(meta['settings']).toMatchObject({ startUrls: [site.url], concurrency: 20 });
    expect((await startCrawl(['export', '--storage-dir', storageDir]).ended).code).toBe(0);
    expect(readExport(storageDir).meta).toEqual(meta);
  });

  it('with --fresh begins again', async () => {
    await interrupted();
    const { code, stderr } = await start('--fresh').ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('resuming');
    expectEveryStoryOnce();
  });
});

it('a run of a site that has another name by now is not resumed, and the message names that site and the ways out', async () => {
  const { client, close } = openStorage({ store: 'sqlite', storageDir });
  const input = { site: 'renamed', startUrls: [site.url], maxRequests: null };
  await writeRun(client, { input, startedAt: '2026-02-03T04:05:06.000Z', finishedAt: null, demoPort: null });
  await close();
  for (const flags of [['--resume'], []]) {
    const { code, stderr } = await start(...flags).ended;
    expect(code).toBe(1);
    for (const part of [storageDir, 'site renamed', '--fresh', '`export`']) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/--site|--resume/);
  }
  expect((await start('--fresh', '--max-requests', '1').ended).code).toBe(0);
});

it('a storage folder that cannot be written is named as such, not as the place of exports', async () => {
  chmodSync(storageDir, 0o555);
  // Root can write everywhere; "nobody" cannot.
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;
  const args = [site.url, '--storage-dir', join(storageDir, 'crawl')];
  const { code, stderr } = await startCrawl(args, { uid }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^\[storage\] Cannot write .*crawl\.lock: EACCES.*--storage-dir\.$/m);
  expect(stderr).not.toContain('--out');
});

it('a finished run starts over on the next call, and its exports stay', async () => {
  expect((await start('--max-requests', '5').ended).code).toBe(0);
  const first = readExport(storageDir);
  const again = await start('--max-requests', '5').ended;
  expect(again.code).toBe(0);
  expect(again.stderr).not.toContain('resuming');
  expect(readExport(storageDir).items).toHaveLength(first.items.length);
  expect(site.hits.get('/news')).toBe(2);
});

it('a second process over the same folder is refused, and the first goes on', async () => {
  const seen = requests(20);
  const first = start('--delay', '100');
  await seen;
  const second = await start().ended;
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`process ${first.child.pid}`);
  expect((await first.ended).code).toBe(0);
  expectEveryStoryOnce();
});

it.each([
  ['a file of another program', 'id,title\n1,kept\n', 'is not a SQLite database'],
  ['a store that was overwritten in part', null, 'is damaged'],
])('%s in the place of crawl.sqlite stops the run and is left as it is', async (_, content, complaint) => {
  const file = join(storageDir, 'crawl.sqlite');
  if (content === null) {
    expect((await start('--max-requests', '3').ended).code).toBe(0);
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4_096, 40_960);
    writeFileSync(file, bytes);
  } else {
    writeFileSync(file, content);
  }
  const before = readFileSync(file);
  const { code, stderr } = await start().ended;
  expect(code).toBe(1);
  expect(stderr).toContain(complaint);
  expect(stderr).toContain('--storage-dir');
  expect(readFileSync(file).equals(before)).toBe(true);
});
