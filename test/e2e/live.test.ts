// A crawl that seems stuck says what it waits for: when it is asked, to another process, and unasked after a while.
import { afterEach, beforeEach, expect, it } from 'vitest';

import { newStorageDir, startCrawl, type CrawlProcess } from './crawl-process.ts';
import { startFlakySite, type FlakySite } from './flaky-site.ts';

let site: FlakySite;
let crawl: CrawlProcess;
let printed = '';

beforeEach(async () => {
  site = await startFlakySite({ stories: 3, fault: (path) => (path.startsWith('/item') ? 'drip?every=300' : null) });
});
afterEach(async () => {
  crawl.child.kill('SIGKILL');
  await crawl.ended;
  site.close();
});

/** A crawl whose every story hangs. Resolves when all of them are asked for. */
async function startHanging(...more: string[]): Promise<string> {
  const storageDir = newStorageDir();
  printed = '';
  crawl = startCrawl([site.url, '--storage-dir', storageDir, ...more]);
  crawl.child.stderr?.on('data', (text) => void (printed += String(text)));
  await expect.poll(() => site.storyPaths.every((path) => site.hits.has(path)), { timeout: 20_000 }).toBe(true);
  return storageDir;
}

/** What a text says of the pages in flight. */
const flightsIn = (text: string) =>
  [...text.matchAll(/│ (\w+) +│ (\w+) +│ (\w+) +│ ([\d.]+) s +│ (http\S+)/g)].map(([, label, tier, phase, age, url]) => ({
    label,
    tier,
    phase,
    age: Number(age),
    url,
  }));

/** Its headers have come, and its body comes a byte at a time, for the half minute that a whole request may take. */
const EXPECTED = { label: 'DETAIL', tier: 'http', phase: expect.stringMatching(/^(connecting|waiting|reading)$/) };

it('SIGUSR2 prints each page in flight with its label, tier, phase and age, and status --live shows them too', async () => {
  const storageDir = await startHanging();
  crawl.child.kill('SIGUSR2');
  await expect.poll(() => flightsIn(printed).length, { timeout: 5_000 }).toBe(3);
  const flights = flightsIn(printed);
  expect(flights.map(({ url }) => String(url)).toSorted()).toEqual(site.storyPaths.map((path) => site.origin + path).toSorted());
  for (const flight of flights) expect(flight).toMatchObject(EXPECTED);
  for (const { age } of flights) expect(age).toBeLessThan(10);
  expect(printed).toMatch(/1 of 4 pages done, 3 in flight/);
  expect(printed, 'the pace of each host').toContain(new URL(site.origin).host);

  // The running process keeps what it does every two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const { code, stdout } = await startCrawl(['status', '--live', '--storage-dir', storageDir]).ended;
  expect(code).toBe(0);
  expect(flightsIn(stdout).map(({ url }) => url)).toEqual(expect.arrayContaining(flights.map(({ url }) => url)));
  for (const flight of flightsIn(stdout)) expect(flight).toMatchObject(EXPECTED);

  crawl.child.kill('SIGKILL');
  await crawl.ended;
  const afterwards = await startCrawl(['status', '--live', '--storage-dir', storageDir]).ended;
  expect(afterwards.stdout).toContain('no process is crawling');
  expect(flightsIn(afterwards.stdout)).toEqual([]);
});

it('a crawl without progress prints it by itself after --stall-timeout', async () => {
  await startHanging('--stall-timeout', '1');
  const pattern = /No progress for (\d+) s/;
  await expect.poll(() => pattern.test(printed), { timeout: 8_000 }).toBe(true);
  expect(Number(pattern.exec(printed)?.[1])).toBeGreaterThanOrEqual(1);
  await expect.poll(() => flightsIn(printed.slice(printed.search(pattern))).length).toBeGreaterThanOrEqual(3);
});
