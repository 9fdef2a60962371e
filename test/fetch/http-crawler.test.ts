// The HTTP lane over a real server: one crawl in which every kind of page is met, looked at from all sides afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Dataset } from '@crawlee/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Page } from '../../src/core/page.ts';
import { openSqliteStorage, type SqliteStorage } from '../../src/storage/sqlite/client.ts';
import { crawlLab, labSite, page, speedUpClock, startServer, status, type Crawled, type LabServer } from './lab.ts';

let server: LabServer;
/** Those that ask for a rest, by path: the whole host rests then, so each is a host of its own. */
const resting = new Map<string, LabServer>();
let storage: SqliteStorage;
let crawled: Crawled;
let dir: string;
const seen: Record<string, unknown> = {};

/** How often a handler has been called, by path. */
const calls = new Map<string, number>();

const throwOnce = (push: (page: Page) => Promise<unknown>) => async (page: Page) => {
  const { pathname } = new URL(page.request.url);
  const call = (calls.get(pathname) ?? 0) + 1;
  calls.set(pathname, call);
  await push(page);
  if (call === 1) throw new Error('the first time it throws');
};

const ANSWERS: Parameters<typeof startServer>[0] = {
  '/missing': status(404),
  '/missing-text': status(404, { 'content-type': 'text/plain' }),
  '/missing-long': (response) => {
    response.writeHead(404, { 'content-type': 'application/octet-stream' });
    response.end(Buffer.alloc(300_000));
  },
  '/gone': status(410),
  '/forbidden': status(403),
  '/teapot': status(418),
  '/flaky': (response, hit) => (hit === 1 ? status(500) : page('ok'))(response),
  '/broken': status(502),
  '/reset': (response, hit) => (hit === 1 ? void response.destroy() : page('ok')(response)),
  '/cut': (response, hit) => {
    if (hit > 1) return page('whole')(response);
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': '100000' });
    response.write('<h1>half');
    setTimeout(() => response.destroy(), 5);
  },
  '/picture': status(200, { 'content-type': 'image/png' }),
  '/charset': status(200, { 'content-type': 'text/html; charset=klingon' }),
  '/json': (response) => {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end('{"title":"ä"}');
  },
  '/latin1': (response) => {
    response.setHeader('content-type', 'text/html; charset=iso-8859-1');
    response.end(Buffer.from('<title>\xe4\xf6\xfc</title>', 'latin1'));
  },
  '/redirect': (response) => {
    response.writeHead(302, { location: '/landed/here' });
    response.end();
  },
  '/list': page('links', [
    '/linked/1',
    '/linked/2?utm_source=x',
    'linked/3',
    '/list/more',
    '#top',
    'mailto:a@b',
    'http://other.invalid/x',
  ]),
  '/list/more': page('more', ['/picked/1', '/picked/2', '/linked/1']),
};

const RESTING: Parameters<typeof startServer>[0] = {
  '/throttled': (response, hit) => (hit <= 2 ? status(429, { 'retry-after': '3' })(response) : page('at last')(response)),
  '/unavailable': (response, hit) => (hit === 1 ? status(503, { 'retry-after': '2' })(response) : page('back')(response)),
};

const HANDLERS: Parameters<typeof labSite>[0] = {
  '/throws-once': throwOnce((page) => page.pushData({ path: '/throws-once', n: 1 })),
  '/throws-always': async (page) => {
    await page.pushData({ path: '/throws-always', n: 1 });
    throw new TypeError('it cannot be read');
  },
  '/bad-record': async (page) => {
    await page.pushData({ path: '/bad-record', n: 'one' });
    await page.pushData({ path: '/bad-record', n: 2, extra: 'dropped by the schema' });
  },
  '/bad-once': throwOnce((page) => page.pushData({ path: 1 })),
  '/dataset': throwOnce(async () => {
    await Dataset.pushData({ path: '/dataset', raw: true });
    await (await Dataset.open('side')).pushData([{ n: 1 }, { n: 2 }]);
  }),
  '/dataset-throws': async () => {
    await Dataset.pushData({ path: '/dataset-throws' });
    throw new Error('always');
  },
  '/many-rows': async (page) => {
    for (let n = 0; n < 50; n++) await page.pushData({ path: '/many-rows', n });
  },
  '/json': async (page) => void (seen['json'] = [page.html, page.$('title').length, page.response.headers['content-type']]),
  '/latin1': async (page) => void (seen['latin1'] = [page.$('title').text(), page.html]),
  '/redirect': async (page) => {
    seen['redirect'] = [page.request.url, page.request.loadedUrl, page.response.url, page.response.status];
  },
  '/list': async (page) => void (await page.enqueueLinks()),
  '/list/more': async (page) => {
    await page.enqueueLinks({ globs: ['**/picked/*'], label: 'PAGE', userData: { foundOn: page.response.url } });
    await page.addRequests([{ url: new URL('/added', page.response.url).href, userData: { foundOn: 'more' } }]);
  },
  '/picked/1': async (page) => void (seen['picked'] = [page.request.label, page.request.userData]),
  '/view': async (page) => {
    const { status, headers, url } = page.response;
    seen['view'] = {
      status,
      type: headers['content-type'],
      url,
      tier: page.tier,
      fetchedAt: page.fetchedAt,
      title: page.$('title').text(),
      html: page.html,
    };
  },
};

const START = [
  ...Object.keys(ANSWERS).filter((path) => path !== '/list/more'),
  ...Object.keys(HANDLERS).filter((path) => !/^\/(list|picked)/.test(path)),
  '/ok',
];

beforeAll(async () => {
  const restoreClock = speedUpClock();
  dir = mkdtempSync(join(tmpdir(), 'surefoot-lab-'));
  server = await startServer(ANSWERS);
  storage = openSqliteStorage(join(dir, 'crawl.sqlite'));
  for (const [path, answer] of Object.entries(RESTING)) resting.set(path, await startServer({ [path]: answer }));
  const urls = [...new Set([...START, ...resting.keys()])].map((path) => hostOf(path).origin + path);
  crawled = await crawlLab({ storage, site: labSite(HANDLERS), urls });
  restoreClock();
}, 180_000);

afterAll(async () => {
  storage.close();
  for (const each of [server, ...resting.values()]) await each.close();
  rmSync(dir, { recursive: true, force: true });
});

const hostOf = (path: string) => resting.get(path) ?? server;
const triesOf = (path: string) => hostOf(path).hits.get(path)?.length ?? 0;
const rowsOf = async (path: string) => (await crawled.rows('default')).filter((row) => row['path'] === path);
const letterOf = async (path: string) => (await crawled.rows('failed')).filter(({ url }) => url === server.origin + path);

describe('an answer', () => {
  it.each([
    ['/ok', 1, 1],
    ['/missing', 1, 0],
    ['/missing-text', 1, 0],
    ['/missing-long', 1, 0],
    ['/gone', 1, 0],
    ['/forbidden', 4, 0],
    ['/teapot', 1, 0],
    ['/throttled', 3, 1],
    ['/unavailable', 2, 1],
    ['/flaky', 2, 1],
    ['/broken', 4, 0],
    ['/reset', 2, 1],
    ['/cut', 2, 1],
    ['/picture', 1, 0],
    ['/charset', 1, 1],
    ['/throws-once', 2, 1],
    ['/throws-always', 4, 0],
  ])('%s is fetched %i times and leaves %i rows', async (path, tries, rows) => {
    expect([triesOf(path), (await rowsOf(path)).length]).toEqual([tries, rows]);
  });

  it.each([
    ['/forbidden', 'blocked', /^HTTP 403$/, 4, 403],
    ['/teapot', 'fatal', /^HTTP 418$/, 1, 418],
    ['/broken', 'transient', /^HTTP 502$/, 4, 502],
    ['/picture', 'fatal', /image\/png/, 1, 200],
    ['/throws-always', 'transient', /it cannot be read/, 4, null],
  ] as const)('%s is a dead letter: %s', async (path, verdict, error, attempts, status) => {
    const letters = await letterOf(path);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ label: 'PAGE', verdict, status });
    expect(letters[0]?.['error']).toMatch(error);
    expect(letters[0]?.['attempts']).toHaveLength(attempts);
    // Those that are stored have what their tally came to, too.
    expect(letters).toMatchObject(crawled.letters.filter(({ url }) => url.endsWith(path)));
  });

  it('in an encoding that nobody knows is read all the same', async () => {
    expect(await rowsOf('/charset')).toEqual([{ path: '/charset', n: 1 }]);
  });

  it('that is a failure is a dead letter, and no other is', async () => {
    const failed = ['/broken', '/dataset-throws', '/forbidden', '/picture', '/teapot', '/throws-always'];
    const paths = (await crawled.rows('failed')).map(({ url }) => String(url).slice(server.origin.length));
    expect(paths.toSorted()).toEqual(failed);
    expect(crawled.frontier.failed).toBe(failed.length);
  });

  it('counts once in the figures, however often it was tried', async () => {
    const { total, handled } = crawled.frontier.counts();
    expect(crawled.ends).toEqual({ failed: 6, missing: 4, succeeded: total - 10 });
    expect([handled, crawled.frontier.inFlight, await crawled.frontier.isFinished()]).toEqual([total, 0, true]);
  });

  it.each([
    ['/throttled', 3_000, 100_000],
    ['/unavailable', 2_000, 100_000],
    ['/flaky', 1_000, 100_000],
    ['/reset', 1_000, 100_000],
  ])('%s is fetched again after %i ms, not before and not much later', (path, atLeast, atMost) => {
    const times =
      hostOf(path)
        .hits.get(path)
        ?.map(({ at }) => at) ?? [];
    for (const [index, at] of times.slice(1).entries()) {
      expect(at - (times[index] as number)).toBeGreaterThanOrEqual(atLeast);
      expect(at - (times[index] as number)).toBeLessThan(atMost);
    }
  });
});

describe('a handler', () => {
  it('sees the page as it arrived', () => {
    expect(seen['view']).toMatchObject({
      status: 200,
      type: 'text/html; charset=utf-8',
      url: `${server.origin}/view`,
      tier: 'http',
      title: '/view',
    });
    const { html, fetchedAt } = seen['view'] as { html: string; fetchedAt: string };
    expect(html).toContain('<h1>/view</h1>');
    expect(new Date(fetchedAt).toISOString()).toBe(fetchedAt);
  });

  it('sees text decoded, JSON as text, and where a redirect led', () => {
    expect(seen['latin1']).toEqual(['äöü', '<title>äöü</title>']);
    expect(seen['json']).toEqual(['{"title":"ä"}', 0, 'application/json; charset=utf-8']);
    expect(seen['redirect']).toEqual([
      `${server.origin}/redirect`,
      `${server.origin}/landed/here`,
      `${server.origin}/landed/here`,
      200,
    ]);
  });

  it('that throws leaves no row; those of its last attempt are there once', async () => {
    expect(await rowsOf('/throws-once')).toEqual([{ path: '/throws-once', n: 1 }]);
    expect((await rowsOf('/many-rows')).map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('that uses Dataset.pushData() is staged just so', async () => {
    expect(await rowsOf('/dataset')).toEqual([{ path: '/dataset', raw: true }]);
    expect(await crawled.rows('side')).toEqual([{ n: 1 }, { n: 2 }]);
    expect([await rowsOf('/dataset-throws'), triesOf('/dataset-throws')]).toEqual([[], 4]);
  });

  it('that pushes a record which does not fit keeps it with its URL and the reason, and goes on', async () => {
    const rejected = await crawled.rows('rejected');
    expect(rejected.filter(({ url }) => url === `${server.origin}/bad-record`)).toEqual([
      {
        url: `${server.origin}/bad-record`,
        label: 'PAGE',
        reason: expect.stringMatching(/n/),
        record: { path: '/bad-record', n: 'one' },
      },
    ]);
    expect(await rowsOf('/bad-record')).toEqual([{ path: '/bad-record', n: 2 }]);
    expect(rejected.filter(({ url }) => url === `${server.origin}/bad-once`)).toHaveLength(1);
  });

  it('finds links of the same host, resolved and labelled by the site', async () => {
    const linked = [...server.hits.keys()].filter((path) => path.includes('linked')).toSorted();
    expect(linked).toEqual(['/linked/1', '/linked/2', '/linked/3']);
    expect([triesOf('/list/more'), triesOf('/linked/1')]).toEqual([1, 1]);
  });

  it('gives links a label and userData of its choice', () => {
    expect(seen['picked']).toMatchObject(['PAGE', { foundOn: `${server.origin}/list/more` }]);
    expect([triesOf('/picked/2'), triesOf('/added')]).toEqual([1, 1]);
  });
});
