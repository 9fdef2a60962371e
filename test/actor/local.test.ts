// An Actor's run on somebody's own machine: `apify run`, and the environment that it sets.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { ROOT } from '../docs/documents.ts';
import { copyProject } from '../docs/project.ts';
import { handledUrls, startCrawl, type CrawlProcess } from '../e2e/crawl-process.ts';

/** The demo site's first. */
const STORY_IDS = [0, 1, 2, 3].map((index) => 40_000_000 + index * 1000);
const STORIES = 60;
const PAGES = STORIES + 2;

let storage: string;
let site: DemoSite;

beforeEach(async () => {
  storage = mkdtempSync(join(tmpdir(), 'surefoot-apify-'));
  site = await startDemoSite({ stories: STORIES, delayMillis: 20 });
});
afterEach(async () => {
  await site.close();
  rmSync(storage, { recursive: true });
});

function writeInput(input: object, dir = storage): void {
  const store = join(dir, 'key_value_stores', 'default');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, 'INPUT.json'), JSON.stringify(input));
}

const readRecord = (key: string, dir = storage) =>
  JSON.parse(readFileSync(join(dir, 'key_value_stores', 'default', `${key}.json`), 'utf8')) as Record<string, unknown>;

const rowsOf = (dataset: string) => {
  const dir = join(storage, 'datasets', dataset);
  if (!existsSync(dir)) return [];
  return readdirSync(dir).map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as { id: number });
};
const fetches = () => [...site.hits].filter(([path]) => path !== '/robots.txt').reduce((sum, [, times]) => sum + times, 0);

/** Without Apify's command line. */
const startActor = (...args: string[]) => startCrawl(['--actor', ...args], { env: { CRAWLEE_STORAGE_DIR: storage } });

/** A run that is stopped in full flight. */
async function interrupted(begin: () => CrawlProcess): Promise<void> {
  const first = begin();
  await vi.waitFor(() => expect(handledUrls(join(storage, 'actor')).size).toBeGreaterThan(10), {
    timeout: 60_000,
    interval: 10,
  });
  first.child.kill('SIGKILL');
  await first.ended;
}

/** As `apify run` starts it, and with `resurrect` as `apify run --resurrect`. */
const start = ({ resurrect = false } = {}) =>
  startCrawl([], {
    env: {
      APIFY_LOCAL_STORAGE_DIR: storage,
      CRAWLEE_STORAGE_DIR: storage,
      CRAWLEE_PURGE_ON_START: resurrect ? '0' : '1',
      ACTOR_INPUT_KEY: 'INPUT',
      APIFY_INPUT_KEY: 'INPUT',
      CRAWLEE_INPUT_KEY: 'INPUT',
    },
  });

describe('`apify run`', () => {
  it("crawls from INPUT.json and leaves the results where Apify's users look", async () => {
    const project = copyProject();
    cpSync(join(ROOT, '.actor'), join(project, '.actor'), { recursive: true });
    writeInput({ maxPagesPerCrawl: 5 }, join(project, 'storage'));
    const apify = join(ROOT, 'node_modules/apify-cli/dist/apify.js');
    const env = { ...process.env, APIFY_CLI_DISABLE_TELEMETRY: '1', HOME: project };
    await promisify(execFile)(process.execPath, [apify, 'run'], { cwd: project, env });
    expect(readRecord('OUTPUT', join(project, 'storage'))).toMatchObject({ rows: 4, succeeded: 5, status: 'finished' });
    expect(readdirSync(join(project, 'storage/datasets/default'))).toEqual(
      [1, 2, 3, 4].map((number) => `00000000${number}.json`),
    );
    rmSync(project, { recursive: true });
  });
});

describe('with the environment that it sets', () => {
  it('a run that was killed goes on with --resurrect, and is discarded without', async () => {
    writeInput({ startUrls: [{ url: site.url }], maxConcurrency: 4 });
    await interrupted(start);
    expect(rowsOf('default')).toEqual([]);

    expect((await start({ resurrect: true }).ended).code).toBe(0);
    expect(new Set(rowsOf('default').map(({ id }) => id)).size).toBe(STORIES);
    expect(rowsOf('default')).toHaveLength(STORIES);
    expect(fetches()).toBeLessThanOrEqual(PAGES + 4);
    expect(readRecord('OUTPUT')).toMatchObject({ rows: STORIES, pending: 0 });

    site.hits.clear();
    expect((await start().ended).code).toBe(0);
    expect(fetches()).toBe(PAGES);
    expect(rowsOf('default')).toHaveLength(STORIES);
  });

  it('writes to the stores that the input names, beside what others have left there', async () => {
    mkdirSync(join(storage, 'datasets', 'stories'), { recursive: true });
    writeFileSync(join(storage, 'datasets', 'stories', '000000001.json'), '{"id":0}');
    writeInput({
      startUrls: [{ url: site.url }, { url: 'http://127.0.0.1:1/news' }],
      maxPagesPerCrawl: 4,
      secondPassDelay: 0,
      datasetName: 'stories',
      keyValueStoreName: 'files',
      format: ['jsonl'],
    });
    const { code } = await start().ended;
    // As on the command line: some requests failed.
    expect(code).toBe(2);
    expect(rowsOf('stories')).toHaveLength(1 + 2);
    expect(rowsOf('default')).toEqual([]);
    expect(rowsOf('failed')).toMatchObject([{ url: 'http://127.0.0.1:1/news' }]);
    expect(readdirSync(join(storage, 'key_value_stores', 'files')).toSorted()).toEqual(['export.jsonl', 'failed.json']);
  });

  it("initial cookies stand in no file but the input and the run's state", async () => {
    const secret = 'the-value-of-a-cookie';
    const { hostname } = new URL(site.url);
    writeInput({
      startUrls: [{ url: site.url }],
      maxPagesPerCrawl: 1,
      initialCookies: [{ name: 'session', value: secret, domain: hostname, path: '/' }],
    });
    const { code, stdout, stderr } = await start().ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(secret);
    expect(JSON.stringify(readRecord('OUTPUT'))).not.toContain(secret);
    const files = readdirSync(storage, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const holding = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(secret));
    // The sessions' cookies are part of the run's state.
    expect(holding.map(({ name }) => name.replace(/-wal$/, '')).toSorted()).toEqual(['INPUT.json', 'crawl.sqlite']);
  });
});

describe('--actor', () => {
  it.each([
    ['{bad', 'is not valid JSON: see line 1, column 2 (position 1).'],
    ['', 'is not valid JSON: see line 1, column 1 (position 0).'],
  ])('refuses the INPUT.json %j, which the SDK would pass over', async (text, complaint) => {
    writeInput({});
    const file = join(storage, 'key_value_stores', 'default', 'INPUT.json');
    writeFileSync(file, text);
    const { code, stdout, stderr } = await startActor('--max-requests', '1').ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`[input] ${file} ${complaint}`);
    expect(stdout).not.toContain('finished');
    expect(rowsOf('default')).toEqual([]);
  });

  it('goes on with the same input, refuses another one over an unfinished run, and begins anew with --fresh', async () => {
    writeInput({ startUrls: [{ url: site.url }], maxConcurrency: 4 });
    await interrupted(startActor);
    const before = fetches();

    writeInput({ startUrls: [{ url: new URL('/news?p=2', site.url).href }] });
    for (const args of [[], ['--max-requests', '3']]) {
      const { code, stderr } = await startActor(...args).ended;
      expect(code).toBe(1);
      for (const way of ['--resume', '--fresh', 'CRAWLEE_STORAGE_DIR', site.url]) expect(stderr).toContain(way);
      expect(stderr).not.toContain('--storage-dir');
    }
    expect(fetches()).toBe(before);

    writeInput({ startUrls: [{ url: site.url }], maxConcurrency: 2 });
    expect((await startActor().ended).stderr).toContain('resuming');
    expect(rowsOf('default')).toHaveLength(STORIES);

    await interrupted(startActor);
    writeInput({ startUrls: [{ url: new URL('/news?p=2', site.url).href }] });
    expect((await startActor('--fresh', '--max-requests', '3').ended).code).toBe(0);
    expect(readRecord('OUTPUT')).toMatchObject({ attempted: 3, startUrls: [expect.stringContaining('/news?p=2')] });
  });

  it('with --resume goes on with the old input', async () => {
    writeInput({ startUrls: [{ url: site.url }], maxConcurrency: 4 });
    await interrupted(startActor);
    writeInput({ startUrls: [{ url: new URL('/news?p=2', site.url).href }] });
    expect((await startActor('--resume').ended).code).toBe(0);
    expect(readRecord('OUTPUT')).toMatchObject({ rows: STORIES, startUrls: [site.url] });
  });

  it('refuses --storage-dir, which it would not keep to', async () => {
    const { code, stderr } = await startActor('--storage-dir', join(storage, 'elsewhere')).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`An Actor's run keeps to ${storage}`);
    expect(stderr).toContain('CRAWLEE_STORAGE_DIR');
  });
});

describe('start URLs in a file elsewhere', () => {
  it('crawls the URLs of a linked text file (`requestsFromUrl`) beside the others, and says where a list has none', async () => {
    const pages = STORY_IDS.slice(0, 3).map((id) => new URL(`/item?id=${id}`, site.url).href);
    const list = createServer((request, response) => {
      if (request.url === '/list.txt') response.end(`${pages.join('\n')}\nhttp://10.255.255.1/secret\n`);
      else response.end('nothing');
    });
    await once(list.listen(0, '127.0.0.1'), 'listening');
    const at = `http://127.0.0.1:${(list.address() as AddressInfo).port}`;
    writeInput({
      startUrls: [{ requestsFromUrl: `${at}/list.txt` }, { url: new URL(`/item?id=${STORY_IDS[3]}`, site.url).href }],
    });
    const crawled = await startActor().ended;
    expect(crawled.stderr).toContain('and 4 more');
    for (const id of STORY_IDS) expect(site.hits.get(`/item?id=${id}`), `item ${id}`).toBe(1);
    // A list is no person: it leads to no private net but its own machine.
    expect(crawled.stdout).toContain('Skipped: 1 page in a private net');

    writeInput({ startUrls: [{ requestsFromUrl: `${at}/empty.txt` }] });
    const empty = await startActor('--fresh').ended;
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain(
      `startUrls[0] in the Actor's input: the list ${at}/empty.txt cannot be used: it has no http(s) URL in it.`,
    );
    list.close();
  });
});
