// Real crawls with a real browser: each page by the cheapest tier that gets it, and no page twice.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { demoStories } from '../../src/demo/stories.ts';
import { seededRandom } from '../seed.ts';
import { handledUrls, newStorageDir, readDeadLetters, readExport, startCrawl } from './crawl-process.ts';
import { startLadderSite, type LadderSite, type LadderSiteOptions } from './ladder-site.ts';

const random = seededRandom('ladder');

let site: LadderSite;
afterEach(() => site.close());

async function crawl(options: LadderSiteOptions, flags: readonly string[] = [], env: Record<string, string> = {}) {
  site = await startLadderSite(options);
  const storageDir = newStorageDir();
  const args = [site.url, '--storage-dir', storageDir, '--second-pass-delay', '0', '--ignore-robots', ...flags];
  const ended = await startCrawl(args, { env }).ended;
  return { ...ended, storageDir, ...readExport(storageDir) };
}

const pagesOf = (meta: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(meta['tiers'] as Record<string, { pages: number }>).map(([tier, { pages }]) => [tier, pages]),
  );

function expectStories(items: Record<string, unknown>[], count: number, url: string): void {
  const byId = (a: { id?: unknown }, b: { id?: unknown }) => Number(a.id) - Number(b.id);
  const withoutTimes = items.map(({ fetchedAt: _, tier: __, ...story }) => story).toSorted(byId);
  expect(withoutTimes).toEqual(demoStories({ count, url }).toSorted(byId));
}

describe('of 500 static pages and 20 that scripts render', () => {
  it.each<[string, (index: number) => boolean, number]>([
    ['spread among the others', (index) => index % 25 === 7, 0],
    ['the first of all', (index) => index < 20, 30_000],
  ])('%s, the browser gets the 20, at most 2 others, and holds nothing else up', async (_, isScripted, patienceMillis) => {
    const count = 500;
    const { code, stderr, items, meta } = await crawl({ stories: count, isScripted, scriptMillis: 300 }, [
      '--tiers',
      'http,browser',
    ]);
    expect(code, stderr).toBe(0);
    expectStories(items, count, site.url);
    const { http, browser } = pagesOf(meta);
    expect(browser).toBeGreaterThanOrEqual(20);
    expect(browser).toBeLessThanOrEqual(22);
    expect(http).toBe(count + count / 100 - (browser as number));
    expect(items.filter(({ tier }) => tier === 'browser')).toHaveLength(browser as number);
    const last = (paths: [string, number[]][]) => Math.max(...paths.flatMap(([, times]) => times));
    // Pages that were asked for twice went on to the browser. Their script is kept between them.
    const stories = [...site.hits].filter(([path]) => path.startsWith('/item'));
    const [rendered, others] = [true, false].map((twice) => last(stories.filter(([, times]) => times.length > 1 === twice))) as [
      number,
      number,
    ];
    // Twenty shells in a row hold their label up until the browser has shown what they are (core/ladder.ts).
    expect(others, 'the last static page came before the last rendered one').toBeLessThan(rendered + patienceMillis);
    for (const [path, times] of site.hits) if (path.startsWith('/item')) expect(times.length, path).toBeLessThanOrEqual(2);
  });
});

it('pages that only a browser gets to see climb step by step, and the next ones start where the first got through', async () => {
  const stories = 60;
  const { code, stderr, items, meta } = await crawl({ stories, isChallenged: () => true }, ['--concurrency', '4']);
  expect(code, stderr).toBe(0);
  expectStories(items, stories, site.url);
  expect(pagesOf(meta)).toMatchObject({ browser: stories });
  const climbs = meta['climbs'] as { from: string; to: string; why: string; pages: number }[];
  expect(climbs.map(({ from, to, why }) => `${from} ${to} ${why}`).toSorted()).toEqual([
    'http impersonate blocked',
    'impersonate browser blocked',
  ]);
  // Those in flight when the first was refused, and in the steps that followed.
  for (const { pages } of climbs) expect(pages).toBeLessThan(20);
});

it('a resumed run does not learn again', async () => {
  const stories = 60;
  site = await startLadderSite({ stories, perPage: 10, isChallenged: () => true });
  const storageDir = newStorageDir();
  const args = [site.url, '--storage-dir', storageDir, '--concurrency', '4', '--ignore-robots', '--tiers', 'http,browser'];
  const first = startCrawl(args);
  await expect.poll(() => handledUrls(storageDir).size, { timeout: 60_000 }).toBeGreaterThan(12);
  first.child.kill('SIGKILL');
  await first.ended;
  const before = handledUrls(storageDir).size;
  const { code, stderr } = await startCrawl(args).ended;
  expect(code, stderr).toBe(0);
  const { items, meta } = readExport(storageDir);
  expectStories(items, stories, site.url);
  const [{ pages } = { pages: Infinity }] = meta['climbs'] as { pages: number }[];
  expect(pages, `${before} pages were done before the kill`).toBeLessThanOrEqual(before);
});

it('a crawl over both lanes that is killed again and again has each row once, and fetches no finished page again', async () => {
  const stories = 240;
  site = await startLadderSite({ stories, perPage: 40, isScripted: (index) => index % 4 === 1, scriptMillis: 50 });
  const storageDir = newStorageDir();
  const args = [site.url, '--storage-dir', storageDir, '--concurrency', '6', '--ignore-robots', '--tiers', 'http,browser'];
  const hitsOf = (url: string) => site.hits.get(url.slice(new URL(url).origin.length))?.length ?? 0;
  const runOnce = async (killAfterMillis: number | null) => {
    const done = [...handledUrls(storageDir)].map((url) => ({ url, hits: hitsOf(url) }));
    const run = startCrawl(args);
    const kill = killAfterMillis === null ? null : setTimeout(() => run.child.kill('SIGKILL'), killAfterMillis);
    const result = await run.ended;
    if (kill) clearTimeout(kill);
    for (const { url, hits } of done) expect(hitsOf(url), `${url} was done, and is fetched again`).toBe(hits);
    return result;
  };
  // A machine that is quick may be done before the last kill; a finished run would start over.
  let last = await runOnce(3_000 + random() * 2_000);
  let kills = 0;
  while (last.code === 137) {
    kills++;
    last = await runOnce(kills < 6 ? 3_000 + random() * 3_000 : null);
  }
  expect(last.code, last.stderr).toBe(0);
  expect(kills).toBeGreaterThan(1);
  const { items, meta } = readExport(storageDir);
  expectStories(items, stories, site.url);
  expect(meta).toMatchObject({ failed: 0, rejected: 0, pending: 0 });
});

it('without a browser the pages that need one are dead letters that say what helps, and the others are fetched', async () => {
  const nowhere = mkdtempSync(join(tmpdir(), 'surefoot-nowhere-'));
  const env = { PATH: nowhere, PLAYWRIGHT_BROWSERS_PATH: join(nowhere, 'none'), CRAWLEE_DEFAULT_BROWSER_PATH: '' };
  const flags = ['--tiers', 'http,browser'];
  const { code, stderr, storageDir, items } = await crawl({ stories: 40, isScripted: (index) => index % 10 === 3 }, flags, env);
  expect(code, stderr).toBe(2);
  expect(items).toHaveLength(36);
  expect(stderr.match(/No browser was found[^\n]*The crawl goes on/g), 'told once').toHaveLength(1);
  const letters = readDeadLetters(storageDir);
  expect(letters).toHaveLength(4);
  for (const { error, verdict } of letters) {
    expect(verdict).toBe('needs-browser');
    expect(error).toContain('npx playwright install chromium-headless-shell');
    expect(error).toContain('apt-get install chromium-headless-shell');
  }
});

it('a browser that is named and is not there is bad input: nothing is fetched', async () => {
  site = await startLadderSite({ stories: 1 });
  const storageDir = join(newStorageDir(), 'not-yet');
  const missing = join(storageDir, 'no-such-browser');
  const { code, stderr } = await startCrawl([site.url, '--storage-dir', storageDir, '--browser-path', missing]).ended;
  expect(code).toBe(1);
  expect(stderr).toContain(missing);
  expect(site.hits.size).toBe(0);
});

const CHALLENGE = `<!doctype html><title>Just a moment...</title><div class="main-wrapper"><noscript><span
  id="challenge-error-text">Enable JavaScript and cookies to continue</span></noscript></div>
  <script>window._cf_chl_opt = { cvId: '3', cType: 'managed' };</script>`;
const SHELL = '<!doctype html><title>App</title><div id="root"></div><script src="/static/gone.js"></script>';

describe('a page goes as far up as could help:', () => {
  it.each([
    {
      name: 'a challenge that nobody solves',
      html: CHALLENGE,
      status: 403,
      tiers: ['http', 'impersonate', 'browser'],
      verdict: 'blocked',
    },
    {
      name: 'a shell that its scripts never fill',
      html: SHELL,
      status: 200,
      tiers: ['http', 'browser'],
      verdict: 'transient',
    },
  ])('$name: $tiers', async ({ html, status, tiers, verdict }) => {
    const { storageDir } = await crawl({
      stories: 1,
      pages: { '/item': (response) => response.writeHead(status, { 'content-type': 'text/html' }).end(html) },
    });
    const [letter] = readDeadLetters(storageDir);
    expect(letter?.verdict).toBe(verdict);
    expect([...new Set(letter?.attempts.map(({ tier }) => tier))]).toEqual(tiers);
  });
});
