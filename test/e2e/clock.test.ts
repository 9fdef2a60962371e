// A machine whose clock is set back, during a crawl or between two starts: what waits does not wait longer for it.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { newStorageDir, readExport, startCrawl, type CrawlProcess } from './crawl-process.ts';

const HOUR = 3_600_000;
const PAGES = 6;

let site: DemoSite;
let storageDir: string;
/** Called whenever the site is asked for a page. */
let onRequest: () => void;

beforeEach(async () => {
  onRequest = () => {};
  site = await startDemoSite({ stories: 30, delayMillis: () => (onRequest(), 0) });
  storageDir = newStorageDir();
});
afterEach(() => site.close());

/** Puts the clock of the crawl's processes that far from the real one. */
const setClock = (millis: number) => writeFileSync(join(storageDir, 'clock'), String(millis));

function start(...more: string[]): CrawlProcess {
  const file = JSON.stringify(join(storageDir, 'clock'));
  const code = `import { readFileSync } from 'node:fs';
    const real = Date.now;
    let set = 0;
    const look = () => { set = Number(readFileSync(${file}, 'utf8')); };
    look();
    setInterval(look, 10).unref();
    Date.now = () => real() + set;`;
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
  const args = ['--storage-dir', storageDir, '--delay', '300', '--max-requests', String(PAGES), '--quiet'];
  return startCrawl([site.url, ...args, ...more], { env });
}

/** Resolves when the site has been asked for that many pages from now on. */
function requests(count: number): Promise<void> {
  return new Promise((resolve) => {
    onRequest = () => void (--count === 0 && resolve());
  });
}

async function expectToEnd({ child, ended }: CrawlProcess): Promise<void> {
  const patience = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const { code, stderr } = await ended;
  clearTimeout(patience);
  expect(code, stderr).toBe(0);
  expect(readExport(storageDir).meta).toMatchObject({ succeeded: PAGES, pending: 0 });
}

it.each([1, 2])('a clock that is set back by an hour holds nothing up (%i workers)', async (workers) => {
  setClock(0);
  const seen = requests(3);
  const crawl = start('--workers', String(workers));
  await seen;
  setClock(-HOUR);
  await expectToEnd(crawl);
});

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'nor does one that was an hour ahead until %s, and is right at the next start',
  async (signal) => {
    setClock(HOUR);
    const seen = requests(3);
    const crawl = start();
    await seen;
    crawl.child.kill(signal);
    await crawl.ended;
    setClock(0);
    await expectToEnd(start());
    rmSync(storageDir, { recursive: true });
  },
);
