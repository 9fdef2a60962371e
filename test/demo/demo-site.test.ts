// The demo site: the same pages for ever, and exactly the stories it promises.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { type DemoSite, type DemoSiteOptions, startDemoSite } from '../../src/demo/server.ts';
import { demoStories, demoStory } from '../../src/demo/stories.ts';
import { STORY } from '../../src/routes/hackernews/records.ts';
import { handle, urlsOf } from '../routes/fake-page.ts';

const open: DemoSite[] = [];
async function start(options?: DemoSiteOptions): Promise<DemoSite> {
  const demo = await startDemoSite(options);
  open.push(demo);
  return demo;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((demo) => demo.close()));
});

const get = async (demo: DemoSite, path: string) => fetch(new URL(path, demo.url));
const text = async (url: string) => (await fetch(url)).text();

/** Follows the real handlers through the whole site, one page at a time. */
async function crawl(demo: DemoSite): Promise<{ items: string[]; lists: string[]; records: object[] }> {
  const items: string[] = [];
  const lists = [demo.url];
  for (const url of lists) {
    const handled = await handle(url, await text(url));
    items.push(...urlsOf(handled, 'DETAIL'));
    lists.push(...urlsOf(handled, 'LIST'));
  }
  const records: object[] = [];
  for (const url of items) records.push(...(await handle(url, await text(url))).pushed);
  return { items, lists, records };
}

it('the real handlers find 90 stories on 3 list pages and give exactly demoStories()', async () => {
  const demo = await start();
  const { items, lists, records } = await crawl(demo);
  expect(lists).toEqual([demo.url, `${demo.url}?p=2`, `${demo.url}?p=3`]);
  expect(new Set(items).size).toBe(90);
  expect(records).toEqual(
    demoStories({ url: demo.url }).map((story) => ({ ...story, fetchedAt: '2026-02-03T04:05:06.789Z', tier: 'http' })),
  );
  for (const record of records) expect(STORY.safeParse(record).success).toBe(true);
  expect(demo.hits.size).toBe(93);
  expect(new Set(demo.hits.values())).toEqual(new Set([1]));
});

it('size and paging can be chosen, and the last page has no next', async () => {
  const demo = await start({ stories: 7, perPage: 3 });
  const { items, lists } = await crawl(demo);
  expect(items).toHaveLength(7);
  expect(lists).toHaveLength(3);
  expect((await get(demo, '/news?p=4')).status).toBe(404);
  expect((await get(demo, `/item?id=${demoStory(7).id}`)).status).toBe(404);
});

it('two instances serve the same bytes', async () => {
  const [one, two] = [await start(), await start()];
  const paths = ['/', '/news', '/news?p=3', ...demoStories({ count: 12 }).map(({ id }) => `/item?id=${id}`)];
  for (const path of paths) {
    expect(await (await get(one, path)).text(), path).toBe(await (await get(two, path)).text());
  }
});

it('the 90 stories hold every case a crawl of such a site meets', () => {
  const stories = Array.from({ length: 90 }, (_, index) => demoStory(index));
  const count = (matches: (story: (typeof stories)[number]) => boolean) => stories.filter(matches).length;
  expect(new Set(stories.map(({ id }) => id)).size).toBe(90);
  expect(new Set(stories.map(({ title }) => title)).size).toBeGreaterThan(80);
  expect(count(({ kind }) => kind === 'link')).toBeGreaterThan(60);
  expect(count(({ kind }) => kind === 'text')).toBeGreaterThan(5);
  expect(count(({ kind, author, score }) => kind === 'job' && author === null && score === 0)).toBeGreaterThan(1);
  expect(count(({ kind, commentCount }) => kind !== 'job' && commentCount === 0)).toBeGreaterThan(3);
  expect(count(({ commentCount }) => commentCount === 1)).toBeGreaterThan(0);
  for (const start of ['=', '+', '-', '@', '"'])
    expect(
      count(({ title }) => title.startsWith(start)),
      start,
    ).toBe(1);
  for (const part of ['ü', '漢字', '🚀', ',', '<b>'])
    expect(
      count(({ title }) => title.includes(part)),
      part,
    ).toBeGreaterThan(0);
});

it('item pages are of a realistic size, with nested comments and a flagged one without a text', async () => {
  const demo = await start();
  for (const [index, { id, commentCount }] of demoStories().entries()) {
    const html = await (await get(demo, `/item?id=${id}`)).text();
    expect(html.match(/class="athing comtr"/g)?.length ?? 0).toBe(commentCount);
    if (commentCount < 8) continue;
    const kilobytes = Buffer.byteLength(html) / 1024;
    expect(kilobytes, `story ${index}`).toBeGreaterThan(9);
    expect(kilobytes, `story ${index}`).toBeLessThan(36);
    expect(html.match(/class="commtext/g)?.length).toBe(commentCount - 1);
    expect(html).toMatch(/indent="[1-5]"/);
  }
});

it('answers carry type, charset and length; HEAD has no body; other methods and paths are refused', async () => {
  const demo = await start();
  const page = await get(demo, '/news');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('connection')).toBe('keep-alive');
  expect(Number(page.headers.get('content-length'))).toBe((await page.arrayBuffer()).byteLength);
  const robots = await get(demo, '/robots.txt');
  expect(robots.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await robots.text()).toBe('User-agent: *\nAllow: /\n');
  const head = await fetch(demo.url, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect((await fetch(demo.url, { method: 'POST' })).status).toBe(405);
});

it.each([
  '/nothing',
  '/item',
  '/item?id=',
  '/item?id=1',
  '/item?id=40000001',
  '/item?id=4e7',
  '/news?p=0',
  '/news?p=4',
  '/news?p=x',
  '//',
])('%s is no page and is not counted', async (path) => {
  const demo = await start();
  // Not with URL resolution: it would turn "//" into something else.
  const response = await fetch(demo.url.replace('/news', path));
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toContain('charset=utf-8');
  expect(demo.hits.size).toBe(0);
});

it('hits count per page, whatever else is in the query, and so stay bounded', async () => {
  const demo = await start();
  const { id } = demoStory(0);
  for (let nth = 0; nth < 5; nth += 1) await (await get(demo, `/item?nonce=${nth}&id=${id}`)).text();
  await (await get(demo, '/news?p=2&x=1')).text();
  expect([...demo.hits]).toEqual([
    [`/item?id=${id}`, 5],
    ['/news?p=2', 1],
  ]);
});

it('a delay may depend on the path, and its request is counted when it arrives', async () => {
  const demo = await start({ delayMillis: (path) => (path.startsWith('/item') ? 60_000 : 0) });
  await (await get(demo, '/news')).text();
  const waiting = get(demo, `/item?id=${demoStory(0).id}`).then(
    () => 'answered',
    () => 'cut',
  );
  while (demo.hits.size < 2) await new Promise((resolve) => setImmediate(resolve));
  await demo.close();
  expect(await waiting).toBe('cut');
});

it('closing does not wait for idle keep-alive connections, and can be done twice', async () => {
  const demo = await start();
  await (await get(demo, '/news')).text();
  const begun = performance.now();
  await demo.close();
  await demo.close();
  expect(performance.now() - begun).toBeLessThan(2000);
  await expect(fetch(demo.url)).rejects.toThrow();
});

it('a taken port is an error that says so', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const error: unknown = await startDemoSite({ port }).catch((thrown: unknown) => thrown);
  other.close();
  expect(error).toBeInstanceOf(SurefootError);
  expect(error).toMatchObject({ kind: 'run' });
  expect(String(error)).toContain(`port ${port} on 127.0.0.1: another program listens there`);
});

it('an impossible port is an error that names it', async () => {
  await expect(startDemoSite({ port: 70_000 })).rejects.toThrow(/\[run\].*port 70000/);
});

it('a site of 10,000 stories ends where it should', async () => {
  const demo = await start({ stories: 10_000 });
  const last = demoStory(9999);
  const handled = await handle(`${demo.url}?p=334`, await text(`${demo.url}?p=334`));
  expect(urlsOf(handled, 'DETAIL').at(-1)).toContain(String(last.id));
  expect(urlsOf(handled, 'LIST')).toEqual([]);
  expect(demo.hits.size).toBe(1);
});
