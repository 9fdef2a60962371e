// SIGKILL in the phases besides the crawl itself: second pass, export, `retry-failed`, `--fresh`, and a main process together
// with its workers. Afterwards each row is there once.
import { readdirSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { seededRandom } from '../seed.ts';
import { handledUrls, newStorageDir, readExport, startCrawl, workersOf } from './crawl-process.ts';
import { startFlakySite, type FlakySite } from './flaky-site.ts';

const random = seededRandom('kill-phases');
const STORIES = 60;
const FIRST_PASS_TRIES = 4;

let site: FlakySite;
let fault: (path: string, hit: number) => string | null;
let onHit: (path: string, hit: number) => void;
beforeEach(async () => {
  fault = () => null;
  onHit = () => {};
  site = await startFlakySite({
    stories: STORIES,
    fault: (path, hit) => (onHit(path, hit), fault(path, hit)),
  });
});
afterEach(() => site.close());

const start = (storageDir: string, ...more: string[]) =>
  startCrawl([site.url, '--storage-dir', storageDir, '--format', 'json', '--second-pass-delay', '1', ...more]);

function expectEachOnce(storageDir: string): void {
  const ids = readExport(storageDir).items.map(({ id }) => Number(id));
  expect(new Set(ids).size).toBe(STORIES);
  expect(ids).toHaveLength(STORIES);
}

it('a crawl killed in its second pass goes on with it', async () => {
  const failing = new Set(site.storyPaths.slice(3, 8));
  fault = (path, hit) => (failing.has(path) && hit <= FIRST_PASS_TRIES ? '500' : null);
  const storageDir = newStorageDir();
  const first = start(storageDir);
  onHit = (path, hit) => {
    if (failing.has(path) && hit > FIRST_PASS_TRIES) first.child.kill('SIGKILL');
  };
  expect((await first.ended).code).toBe(137);
  onHit = () => {};
  const { code, stderr } = await start(storageDir).ended;
  expect(code, stderr).toBe(0);
  expectEachOnce(storageDir);
});

it('a crawl killed while it writes its files fetches nothing again and writes them whole', async () => {
  const storageDir = newStorageDir();
  const exports = join(storageDir, 'exports');
  await mkdir(exports);
  const first = start(storageDir, '--format', 'json,jsonl,csv');
  // The folder is tried out at the start, too.
  const watcher = watch(exports, () => handledUrls(storageDir).size === STORIES + 2 && first.child.kill('SIGKILL'));
  expect((await first.ended).code).toBe(137);
  watcher.close();
  expect(handledUrls(storageDir).size, 'all was done').toBe(STORIES + 2);
  const hits = [...site.hits.values()].flat().length;
  const { code, stderr } = await start(storageDir).ended;
  expect(code, stderr).toBe(0);
  expect([...site.hits.values()].flat()).toHaveLength(hits);
  expectEachOnce(storageDir);
  expect(readdirSync(exports).filter((name) => name.endsWith('.json'))).toHaveLength(1);
});

it('retry-failed that is killed at any moment neither loses a dead letter nor puts one back twice', async () => {
  const failing = new Set(site.storyPaths.slice(0, 20));
  fault = (path) => (failing.has(path) ? '400' : null);
  const storageDir = newStorageDir();
  expect((await start(storageDir).ended).code).toBe(2);
  const before = performance.now();
  await startCrawl(['retry-failed', '--verdict', 'crash', '--storage-dir', storageDir]).ended;
  const millis = performance.now() - before;
  for (let kills = 0; kills < 5; kills++) {
    const retry = startCrawl(['retry-failed', '--storage-dir', storageDir]);
    const timer = setTimeout(() => retry.child.kill('SIGKILL'), millis * (0.5 + random() / 2));
    await retry.ended;
    clearTimeout(timer);
  }
  const { code, stdout } = await startCrawl(['retry-failed', '--storage-dir', storageDir]).ended;
  expect(code, stdout).toBe(0);
  fault = () => null;
  const healed = await start(storageDir).ended;
  expect(healed.code, healed.stderr).toBe(0);
  expectEachOnce(storageDir);
  for (const path of failing) expect(site.hits.get(path), path).toHaveLength(2);
});

it('--fresh that is killed at any moment leaves a run that the next --fresh finishes', async () => {
  const storageDir = newStorageDir();
  const old = start(storageDir);
  let millis = 0;
  const before = performance.now();
  onHit = (_, hit) => {
    millis ||= performance.now() - before;
    if (hit === 1 && [...site.hits.values()].flat().length === 20) old.child.kill('SIGKILL');
  };
  expect((await old.ended).code).toBe(137);
  for (let kills = 0; kills < 4; kills++) {
    const fresh = start(storageDir, '--fresh');
    const timer = setTimeout(() => fresh.child.kill('SIGKILL'), millis * (0.6 + random() * 0.8));
    await fresh.ended;
    clearTimeout(timer);
  }
  const { code, stderr } = await start(storageDir, '--fresh').ended;
  expect(code, stderr).toBe(0);
  expectEachOnce(storageDir);
});

it('a main process that is killed together with its workers goes on', async () => {
  const storageDir = newStorageDir();
  const first = start(storageDir, '--workers', '2');
  onHit = () => {
    if ([...site.hits.values()].flat().length !== 20) return;
    const workers = workersOf(first);
    for (const pid of [...workers, first.child.pid ?? 0]) process.kill(pid, 'SIGKILL');
  };
  expect((await first.ended).code).toBe(137);
  onHit = () => {};
  const { code, stderr } = await start(storageDir, '--workers', '2').ended;
  expect(code, stderr).toBe(0);
  expectEachOnce(storageDir);
});
