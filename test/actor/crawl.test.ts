// A whole crawl as an Actor's run, in processes of its own, against the stand-in for the platform.
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { startCrawl, type CrawlProcess } from '../e2e/crawl-process.ts';
import { startPlatform, type Platform } from './platform.ts';

/** The demo site's first. */
const STORY_IDS = [0, 1, 2, 3].map((index) => 40_000_000 + index * 1000);
const STORIES = 90;
const PAGES = STORIES + 3;

let platform: Platform;
let site: DemoSite;

beforeEach(async () => {
  platform = await startPlatform();
  site = await startDemoSite({ stories: STORIES, delayMillis: 20 });
});
afterEach(async () => {
  platform.close();
  await site.close();
});

const startActor = (env: Record<string, string> = {}): CrawlProcess =>
  startCrawl([], { env: { ...platform.env, SUREFOOT_SECOND_PASS_DELAY: '1', ...env } });

const setInput = (more: object = {}) =>
  platform.setInput({ startUrls: [{ url: site.url }], maxPagesPerCrawl: 0, maxConcurrency: 8, format: ['json', 'csv'], ...more });

const rows = (dataset = 'run-dataset') => (platform.stores.datasets.get(dataset) ?? []) as { id: number }[];
const ids = () => rows().map(({ id }) => id);
const handled = () => platform.stores.queues.get('run-queue')?.info().handledRequestCount ?? 0;
const fetches = () => [...site.hits].filter(([path]) => path !== '/robots.txt').reduce((sum, [, times]) => sum + times, 0);
const untilHandled = (count: number) =>
  vi.waitFor(() => expect(handled()).toBeGreaterThanOrEqual(count), { timeout: 60_000, interval: 5 });

function expectEachRowOnce() {
  expect(new Set(ids()).size).toBe(STORIES);
  expect(rows()).toHaveLength(STORIES);
}

describe('on the platform', () => {
  it('migrates and is killed without a warning, and has every row once', async () => {
    setInput();
    const first = startActor();
    await untilHandled(20);
    platform.sendEvent('migrating');
    await vi.waitFor(() => expect(platform.calls.get('POST actor-runs/reboot')).toBe(1), { timeout: 30_000 });
    const atMigration = handled();
    expect(atMigration).toBeLessThan(PAGES);
    // What was in flight has landed: nothing of it is fetched again.
    expect(fetches()).toBe(atMigration);
    expect(platform.messages.at(-1)?.text).toMatch(/^Moving to another machine: \d+ of \d+ pages done/);
    first.child.kill('SIGKILL');
    await first.ended;

    const second = startActor();
    await untilHandled(atMigration + 20);
    // The rows of a batch are pushed, and the process dies before it knows.
    await new Promise<void>((resolve) => {
      platform.fate = ({ name }) => {
        if (name !== 'POST datasets/items') return undefined;
        platform.fate = () => 'lose';
        second.child.kill('SIGKILL');
        resolve();
        return 'forget';
      };
    });
    await second.ended;
    platform.fate = undefined;
    const pushed = rows().length;
    expect(pushed).toBeGreaterThan(handled() - 3);
    const before = fetches();

    const third = await startActor().ended;
    expect(third.stderr + third.stdout).toContain('finished');
    expect(third.code).toBe(0);
    expectEachRowOnce();
    expect(handled()).toBe(PAGES);
    // What was in flight at the kill is fetched again, and nothing else.
    expect(before).toBeLessThanOrEqual(PAGES);
    expect(fetches()).toBeLessThanOrEqual(PAGES + 8);
    expect(platform.record('OUTPUT')).toMatchObject({ status: 'finished', rows: STORIES, succeeded: PAGES, pending: 0 });
    expect(platform.messages.at(-1)).toEqual({ text: `Finished: ${STORIES} rows from ${PAGES} pages.`, terminal: true });
  });

  it('aborted, it says how far it came, and goes on when it is resurrected', async () => {
    setInput();
    const first = startActor();
    await untilHandled(10);
    platform.sendEvent('aborting');
    expect((await first.ended).code).toBe(0);
    expect(platform.messages.at(-1)?.text).toMatch(/^Aborted: \d+ of \d+ pages done. Resurrect the run to go on.$/);
    const before = handled();
    expect(before).toBeLessThan(PAGES);
    expect((await startActor().ended).code).toBe(0);
    expectEachRowOnce();
    expect(fetches()).toBe(PAGES);
  });

  it('a push whose answer is lost is not repeated', async () => {
    setInput({ maxPagesPerCrawl: 6 });
    platform.fate = ({ name }) => {
      if (name !== 'POST datasets/items' || rows().length > 0) return undefined;
      return 'forget';
    };
    expect((await startActor().ended).code).toBe(0);
    expect(rows()).toHaveLength(5);
    expect(new Set(ids()).size).toBe(5);
  });

  it('uses the stores that the input names, and leaves dead letters in one of their own', async () => {
    const missing = new URL('/item?id=1', site.url).href;
    setInput({
      startUrls: [{ url: site.url }, { url: 'http://127.0.0.1:1/news' }, { url: missing }],
      maxPagesPerCrawl: 6,
      datasetName: 'stories',
      keyValueStoreName: 'files',
      requestQueueName: 'pages',
    });
    const { code } = await startActor({ ACTOR_STORAGES_JSON: '{"datasets":{"default":"run-dataset"}}' }).ended;
    expect(code).toBe(0);
    const named = (kind: string, name: string) => platform.stores.names.get(`${kind} ${name}`) ?? '';
    expect(rows()).toEqual([]);
    expect(rows(named('datasets', 'stories')).length).toBeGreaterThan(0);
    expect(platform.stores.queues.get('run-queue')?.info().totalRequestCount).toBe(0);
    expect(platform.stores.queues.get(named('request-queues', 'pages'))?.info()).toMatchObject({ pendingRequestCount: 0 });
    expect([...(platform.stores.records.get(named('key-value-stores', 'files'))?.keys() ?? [])].toSorted()).toEqual([
      'export.csv',
      'export.json',
      'failed.json',
    ]);
    const { stores } = platform.record('OUTPUT') as { stores: Record<string, string> };
    expect(rows(stores['failed'])).toMatchObject([{ url: 'http://127.0.0.1:1/news', verdict: 'transient' }]);
    expect(platform.messages.at(-1)?.text).toMatch(
      /^Finished with failures: \d rows? from \d pages?; 1 page failed, see failed.json.$/,
    );
    // Nothing of the run's own goes by a name in the account.
    expect([...platform.stores.names.keys()].filter((name) => /default|failed|rejected/.test(name))).toEqual([]);
  });

  it('crawls the URLs of a linked text file (`requestsFromUrl`), read by the limits of the crawl', async () => {
    const pages = STORY_IDS.slice(0, 2).map((id) => new URL(`/item?id=${id}`, site.url).href);
    const list = createServer((_, response) => void response.end(`name,address\na,${pages[0]}\nb,${pages[1]}\n`));
    await once(list.listen(0, '127.0.0.1'), 'listening');
    const requestsFromUrl = `http://127.0.0.1:${(list.address() as AddressInfo).port}/list.csv`;
    setInput({ startUrls: [{ requestsFromUrl, method: 'GET' }] });
    expect((await startActor().ended).code).toBe(0);
    list.close();
    for (const id of STORY_IDS.slice(0, 2)) expect(site.hits.get(`/item?id=${id}`)).toBe(1);
    expect(platform.messages.map(({ text }) => text)).toContain(`2 start URLs in ${requestsFromUrl}.`);
  });

  it('fails when nothing can be fetched, and when the input is no good', async () => {
    setInput({ startUrls: [{ url: 'http://127.0.0.1:1/news' }] });
    expect((await startActor().ended).code).toBe(1);
    expect(platform.messages.at(-1)).toEqual({
      text: 'Failed: none of 1 page could be fetched. See failed.json.',
      terminal: true,
    });
    setInput({ maxConcurency: 3 });
    const { code, stderr } = await startActor().ended;
    expect(code).toBe(1);
    expect(stderr).toContain('Did you mean "maxConcurrency"?');
    expect(platform.messages.at(-1)?.text).toContain('"maxConcurency" in the Actor\'s input is not a field.');
  });

  it('shows itself on the web server port while it runs', async () => {
    setInput();
    const probe = await startPlatform(); // A port that is free.
    const port = new URL(probe.env['APIFY_API_BASE_URL'] ?? '').port;
    probe.close();
    const crawl = startActor({ ACTOR_WEB_SERVER_PORT: port });
    await untilHandled(10);
    const status = (await (await fetch(`http://127.0.0.1:${port}/status.json`)).json()) as { handled: number; phase: string };
    expect(status).toMatchObject({ phase: 'crawling', site: 'hackernews' });
    expect(status.handled).toBeGreaterThan(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('pages done');
    crawl.child.kill('SIGKILL');
    await crawl.ended;
  });
});

describe('without the platform', () => {
  it('a token in the environment makes no Actor of a crawl', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'surefoot-actor-'));
    const args = [site.url, '--max-requests', '3', '--storage-dir', dir];
    const { code, stdout } = await startCrawl(args, { env: { APIFY_TOKEN: 'a-token-of-the-test', ACTOR_WEB_SERVER_PORT: '1' } })
      .ended;
    expect(code).toBe(0);
    expect(stdout).toContain(join(dir, 'exports'));
    expect(readFileSync(join(dir, 'crawl.sqlite')).length).toBeGreaterThan(0);
  });
});
