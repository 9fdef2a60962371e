// The demo site with its obstacles: what each client meets, and that a real browser gets behind all of them.
import { existsSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

import { load } from 'cheerio';
import { chromium, type Browser } from 'playwright';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Dom } from '../../src/core/page.ts';
import { judgeResponse } from '../../src/core/verdict.ts';
import { obstacleOf, passes } from '../../src/demo/obstacles.ts';
import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { demoStories, demoStory } from '../../src/demo/stories.ts';
import { handle } from '../routes/fake-page.ts';

const CHROMIUM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

let demo: DemoSite;
beforeEach(async () => {
  demo = await startDemoSite({ ladder: true });
});
afterEach(() => demo.close());

const itemUrl = (index: number, site = demo) => new URL(`item?id=${demoStory(index).id}`, site.url).href;
const withObstacle = (wanted: string | null) =>
  Array.from({ length: 90 }, (_, index) => index).filter((index) => obstacleOf(demoStory(index)) === wanted);

/** As tier `http` gets and judges a page. */
async function judge(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  const html = await response.text();
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), url };
  const { verdict } = judgeResponse(answer, html, load(html) as unknown as Dom);
  return { verdict, html, retryAfter: response.headers.get('retry-after') };
}

/** The record that a crawl must get for a story, whichever tier fetched it. */
const recordOf = (index: number) => ({
  ...demoStories({ url: demo.url })[index],
  fetchedAt: '2026-02-03T04:05:06.789Z',
  tier: 'http',
});

it('of the 90 stories three need scripts, one is behind a challenge, and two say "later"', () => {
  const count = (wanted: string) => withObstacle(wanted).length;
  expect([count('scripts'), count('challenge'), count('throttled'), count('broken')]).toEqual([3, 1, 1, 1]);
  expect(withObstacle(null)).toHaveLength(84);
});

it('without the option no page has an obstacle', async () => {
  const open = await startDemoSite();
  for (const index of [...withObstacle('scripts'), ...withObstacle('challenge'), ...withObstacle('throttled')]) {
    const { verdict } = await judge(itemUrl(index, open));
    expect(verdict).toBe('ok');
  }
  expect((await fetch(new URL('/app.js', open.url))).status).toBe(404);
  await open.close();
});

it.each(withObstacle('scripts'))('story %i is a shell to a plain client, and stays one', async (index) => {
  for (let times = 0; times < 2; times += 1) {
    const { verdict, html } = await judge(itemUrl(index));
    expect(verdict).toBe('needs-browser');
    // Whatever a title or a comment says, it cannot end the element.
    expect(/type="application\/json">(.*?)<\/script>/s.exec(html)?.[1]).not.toContain('<');
    expect((await handle(itemUrl(index), html)).pushed).toMatchObject([{ title: null }]);
  }
  expect([...demo.hits.values()]).toEqual([2]);
});

it('the story behind the challenge is refused until a client brings what its script works out', async () => {
  const [index = -1] = withObstacle('challenge');
  const url = itemUrl(index);
  expect((await judge(url)).verdict).toBe('blocked');
  expect((await judge(url, { cookie: 'demo_pass=1' })).verdict).toBe('blocked');
  const [, script = ''] = /<script>(.*?)<\/script>/s.exec((await judge(url)).html) ?? [];
  const page = { document: { cookie: '' }, location: { reload: vi.fn<() => void>() } };
  runInNewContext(script, page);
  expect(page.location.reload).toHaveBeenCalledOnce();
  const [cookie = ''] = page.document.cookie.split(';');
  expect((await judge(url, { cookie: `other=1; ${cookie}` })).verdict).toBe('ok');
  expect(passes(demoStory(index + 1), cookie)).toBe(false);
});

it('the throttled story says "in a second" once, the broken one fails once, and both are there afterwards', async () => {
  const [throttled = -1] = withObstacle('throttled');
  const [broken = -1] = withObstacle('broken');
  expect(await judge(itemUrl(throttled))).toMatchObject({ verdict: 'throttled', retryAfter: '1' });
  expect(await judge(itemUrl(broken))).toMatchObject({ verdict: 'transient', retryAfter: null });
  for (const index of [throttled, broken]) {
    const { verdict, html } = await judge(itemUrl(index));
    expect(verdict).toBe('ok');
    expect((await handle(itemUrl(index), html)).pushed).toEqual([recordOf(index)]);
  }
});

it('all other pages are as ever', async () => {
  for (const path of ['/news', '/news?p=2', '/news?p=3']) expect((await judge(new URL(path, demo.url).href)).verdict).toBe('ok');
  for (const index of withObstacle(null)) {
    const { verdict, html } = await judge(itemUrl(index));
    expect(verdict).toBe('ok');
    expect((await handle(itemUrl(index), html)).pushed).toEqual([recordOf(index)]);
  }
});

// Without a browser a laptop says "skipped"; CI has one.
describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('a real browser', () => {
  let browser: Browser | undefined;
  afterAll(() => browser?.close());

  it.each([...withObstacle('scripts'), ...withObstacle('challenge')])(
    'gets behind the obstacle of story %i by the time the page has loaded',
    async (index) => {
      const path = CHROMIUM === undefined ? {} : { executablePath: CHROMIUM };
      browser ??= await chromium.launch({ ...path, args: ['--no-sandbox'] });
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(itemUrl(index));
      const rendered = await page.content();
      expect((await handle(itemUrl(index), rendered)).pushed).toEqual([recordOf(index)]);

      // The same page as the server itself would have written it.
      const open = await startDemoSite();
      await page.goto(itemUrl(index, open));
      const lines = (html: string) => html.split('\n').map((line) => line.trim());
      expect(lines(rendered.replace('</body>', '\n</body>')).filter(Boolean)).toEqual(
        lines((await page.content()).replace('</body>', '\n</body>')).filter(Boolean),
      );
      await open.close();
      await context.close();
    },
  );
});
