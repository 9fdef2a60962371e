// A machine that takes something away from a crawl: its disk, its folder, its files, its memory. Nothing is lost, nothing is
// there twice, and the person reads one clear sentence.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { newStorageDir, readExport, startCrawl } from './crawl-process.ts';
import { startFlakySite, type FlakySite } from './flaky-site.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STORIES = 200;

let site: FlakySite;
let onRequest: (count: number) => void;
beforeEach(async () => {
  onRequest = () => {};
  let count = 0;
  site = await startFlakySite({ stories: STORIES, onRequest: () => onRequest(++count) });
});
afterEach(() => site.close());

const crawl = (storageDir: string) => startCrawl([site.url, '--storage-dir', storageDir, '--format', 'json']);
const idsIn = (storageDir: string) => readExport(storageDir).items.map(({ id }) => Number(id));

function expectEachOnce(storageDir: string): void {
  const ids = idsIn(storageDir);
  expect(new Set(ids).size).toBe(STORIES);
  expect(ids).toHaveLength(STORIES);
}

/** One line that begins with its kind, and no stack. */
function expectOneSentence(stderr: string, sentence: RegExp): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !/^Crawling |^[\d,]+ of [\d,]+ pages done/.test(line));
  expect(lines).toEqual([expect.stringMatching(sentence)]);
}

/** As `startCrawl`, after a shell's own limits. */
async function crawlWith(limits: string, args: readonly string[]) {
  const child = spawn('bash', ['-c', `${limits}; exec "$0" "$@"`, process.execPath, 'scripts/start.mjs', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, code: code as number | null };
}

const isRoot = process.getuid?.() === 0;

it.skipIf(process.platform !== 'linux' || !isRoot)(
  'a disk that is full ends the crawl in a sentence; with room, it goes on',
  async () => {
    const storageDir = join(newStorageDir(), 'small');
    mkdirSync(storageDir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', storageDir]);
    onTestFinished(() => void execFileSync('umount', [storageDir]));
    const full = await crawl(storageDir).ended;
    expectOneSentence(full.stderr, /^\[storage\] Cannot write .*crawl\.sqlite: database or disk is full\. Free some space/);
    expect(full.code).toBe(1);
    execFileSync('mount', ['-o', 'remount,size=100m', storageDir]);
    const { code, stderr } = await crawl(storageDir).ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('resuming');
    expectEachOnce(storageDir);
  },
);

it('files that may not grow end the crawl in a sentence, not by a signal; without the limit, it goes on', async () => {
  const storageDir = newStorageDir();
  const args = [site.url, '--storage-dir', storageDir, '--format', 'json'];
  const small = await crawlWith('ulimit -f 800', args);
  expectOneSentence(small.stderr, /^\[storage\] Cannot write .*crawl\.sqlite: .*Free some space/);
  expect(small.code).toBe(1);
  const { code, stderr } = await crawl(storageDir).ended;
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('resuming');
  expectEachOnce(storageDir);
});

it.each([
  ['file', (dir: string) => readdirSync(dir).filter((name) => name.startsWith('crawl.sqlite'))],
  ['whole folder', () => ['']],
])('a crawl whose %s is deleted under it says so once, and still writes each row', async (_, names) => {
  const storageDir = newStorageDir();
  // Slow enough for the look that is taken every two seconds.
  onRequest = (count) => {
    if (count === 50) for (const name of names(storageDir)) rmSync(join(storageDir, name), { recursive: true });
  };
  const { code, stderr } = await startCrawl([site.url, '--storage-dir', storageDir, '--format', 'json', '--delay', '20']).ended;
  expect(code, stderr).toBe(0);
  expectOneSentence(stderr, /^crawl\.sqlite in .* was deleted or replaced\. This crawl goes on and writes its files at the end/);
  expectEachOnce(storageDir);
});

it.skipIf(!isRoot)('a folder that is read-only by the end loses nothing: the next start writes the files', async () => {
  const storageDir = newStorageDir();
  chmodSync(storageDir, 0o777);
  onRequest = (count) => count === 50 && chmodSync(storageDir, 0o555);
  const args = [site.url, '--storage-dir', storageDir, '--format', 'json'];
  const refused = await startCrawl(args, { uid: 65_534 }).ended;
  expectOneSentence(
    refused.stderr,
    /^\[storage\] Cannot write the export to .*Export to a folder that can be written with `--out DIR`\.$/,
  );
  expect(refused.code).toBe(1);
  chmodSync(storageDir, 0o777);
  const pages = [...site.hits.values()].flat().length;
  const { code, stderr } = await startCrawl(args, { uid: 65_534 }).ended;
  expect(code, stderr).toBe(0);
  expect([...site.hits.values()].flat(), 'nothing is fetched again').toHaveLength(pages);
  expectEachOnce(storageDir);
});

describe('a limit of open files', () => {
  it('that is too low to begin with is named, and how it is raised', async () => {
    const { code, stderr } = await crawlWith('ulimit -n 64', [site.url, '--storage-dir', newStorageDir()]);
    expectOneSentence(stderr, /^\[run\] Too many files are open: .*`ulimit -n 1024`/);
    expect(code).toBe(1);
  });

  it('of 128 is enough for 100 pages at once', async () => {
    const storageDir = newStorageDir();
    const wide = ['--concurrency', '100', '--host-concurrency', '100'];
    const { code, stderr } = await crawlWith('ulimit -n 128', [
      site.url,
      '--storage-dir',
      storageDir,
      '--format',
      'json',
      ...wide,
    ]);
    expect(code, stderr).toBe(0);
    expectEachOnce(storageDir);
  });
});

it('a heap of 150 MB is enough for pages of 3 MB', { timeout: 240_000 }, async () => {
  const PAGES = 40;
  const filler = `<p>${'A paragraph of some length. '.repeat(100)}</p>\n`.repeat(1_050);
  const server = createServer(({ url = '' }, response) => {
    const id = Number(/^\/item\?id=(\d+)$/.exec(url)?.[1] ?? 0);
    const links = id === 0 ? Array.from({ length: PAGES }, (_, n) => `<a class="story" href="/item?id=${n + 1}">Story</a>`) : [];
    response.writeHead(url === '/robots.txt' ? 404 : 200, { 'content-type': 'text/html' });
    response.end(url === '/robots.txt' ? '' : `<h1>Item ${id}</h1>${links.join('\n')}${id === 0 ? '' : filler}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { copyProject, writeInto } = await import('../docs/project.ts');
  const project = copyProject();
  onTestFinished(() => rmSync(project, { recursive: true }));
  writeInto(
    project,
    'src/routes/large/index.ts',
    `import { z } from 'zod';
    import { defineSite } from '../../core/site.ts';
    export const site = defineSite({
      name: 'large', startUrls: [], labelOf: () => 'PAGE', userData: { PAGE: z.object({}) }, record: z.object({ id: z.number() }),
      routes: {
        async PAGE({ $, pushData, enqueueLinks }) {
          await enqueueLinks({ selector: '.story' });
          const id = Number($('h1').text().slice(5));
          if (id > 0) await pushData({ id });
        },
      },
    });`,
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const child = spawn(
    process.execPath,
    [
      '--max-old-space-size=150',
      '--import',
      'tsx',
      'src/main.ts',
      url,
      '--site',
      'large',
      '--format',
      'json',
      '--concurrency',
      '2',
    ],
    { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [stderr, , [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'exit')]);
  expect(code, stderr).toBe(0);
  expect(idsIn(join(project, 'storage')).toSorted((a, b) => a - b)).toEqual(Array.from({ length: PAGES }, (_, n) => n + 1));
});
