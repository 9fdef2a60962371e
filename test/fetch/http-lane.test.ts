// What the HTTP lane adds to Crawlee's crawler: one parse, links on disk, errors in words, certificates that count.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { RequestQueue } from '@crawlee/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Handler, Page } from '../../src/core/page.ts';
import { VerdictError } from '../../src/core/verdict.ts';
import { Tokens } from '../../src/fetch/html/tokens.ts';
import { toRequestId } from '../../src/storage/sqlite/request-queue.ts';
import { newFolder, openIn } from '../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, pushPath, speedUpClock, startServer, status } from './lab.ts';

const serve: typeof startServer = async (answers) => {
  const server = await startServer(answers);
  onTestFinished(() => server.close());
  return server;
};

/** Crawls some paths of a server of its own. */
async function crawl(handlers: Record<string, Handler>, answers: Parameters<typeof startServer>[0] = {}, concurrency = 5) {
  const server = await serve(answers);
  const urls = [...new Set([...Object.keys(handlers), ...Object.keys(answers)])].map((path) => server.origin + path);
  return { server, ...(await crawlLab({ storage: openIn(newFolder()), site: labSite(handlers), urls, concurrency })) };
}

let restoreClock = () => {};
beforeEach(() => {
  restoreClock = speedUpClock();
});
afterEach(() => restoreClock());

describe('a page', () => {
  /** Parses by our own pass, and by any of the two builds of htmlparser2, one of which Crawlee's own hook uses. */
  async function countParses(work: () => Promise<unknown>): Promise<number> {
    const fromCheerio = createRequire(createRequire(import.meta.url).resolve('cheerio'));
    const commonJs = fromCheerio('htmlparser2') as { Parser: { prototype: { end(): void } } };
    const esmFile = fromCheerio.resolve('htmlparser2').replace(/([\\/])lib([\\/])/, '$1lib$1esm$2');
    const esm = (await import(pathToFileURL(esmFile).href)) as typeof commonJs;
    const spies = [commonJs, esm].map(({ Parser }) => vi.spyOn(Parser.prototype, 'end'));
    const ours = vi.spyOn(Tokens.prototype, 'next');
    await work();
    const parses = spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const ends = ours.mock.results.filter(({ value }) => value === 'eof').length;
    for (const spy of [...spies, ours]) spy.mockRestore();
    return parses + ends;
  }

  it('is parsed once', async () => {
    const read: Handler = async (page) => {
      page.$('title').text();
      page.$('a').attr('href');
      await page.enqueueLinks({ limit: 0 });
      await pushPath(page);
    };
    const parses = await countParses(() => crawl({ '/one': read, '/two': read, '/three': read }));
    expect(parses).toBe(3);
  });

  it('is not parsed for a handler that does not ask for its tree', async () => {
    const parses = await countParses(() => crawl({ '/one': async (page) => void page.html, '/two': pushPath }));
    expect(parses).toBe(0);
  });

  it('of XML keeps what HTML would change', async () => {
    let found: unknown;
    const xml = '<?xml version="1.0"?><feed><link>https://a.example/</link><Title/><p>a</p></feed>';
    await crawl(
      { '/feed': async ({ $ }) => void (found = [$('link').text(), $('Title').length]) },
      {
        '/feed': (response) => {
          response.setHeader('content-type', 'application/xml; charset=utf-8');
          response.end(xml);
        },
      },
    );
    expect(found).toEqual(['https://a.example/', 1]);
  });
});

describe('a site', () => {
  it('says what a page means that came with 200, and it is tried again', async () => {
    const server = await serve({});
    const site = labSite({ '/empty': pushPath });
    const judged: number[] = [];
    const { letters, rows } = await crawlLab({
      storage: openIn(newFolder()),
      site: {
        ...site,
        judge: ({ request, response }) => {
          if (!request.url.endsWith('/empty')) return null;
          judged.push(response.status);
          return judged.length === 1 ? 'throttled' : judged.length === 2 ? null : 'blocked';
        },
      },
      urls: [`${server.origin}/empty`, `${server.origin}/ok`],
    });
    expect([judged, letters]).toEqual([[200, 200], []]);
    expect((await rows('default')).map(({ path }) => String(path)).toSorted()).toEqual(['/empty', '/ok']);
  });

  it('gives headers that are sent and never stored', async () => {
    const sent: (string | undefined)[] = [];
    const server = await serve({
      '/one': (response, _hit, request) => {
        sent.push(request.headers.authorization);
        page('one')(response);
      },
    });
    const storage = openIn(newFolder());
    const site = { ...labSite(), headers: () => ({ Authorization: 'Bearer hunter2' }) };
    await crawlLab({ storage, site, urls: [`${server.origin}/one`] });
    const { id } = await storage.requestQueues().getOrCreate('default');
    const stored = await storage.requestQueue(id).getRequest(toRequestId(`${server.origin}/one`));
    expect([sent, JSON.stringify(stored).includes('/one'), JSON.stringify(stored).includes('hunter2')]).toEqual([
      ['Bearer hunter2'],
      true,
      false,
    ]);
  });
});

describe('a redirect', () => {
  const goTo =
    (location: string, cookie?: string) =>
    (response: ServerResponse): void => {
      response.writeHead(302, { location, ...(cookie !== undefined && { 'set-cookie': cookie }) }).end();
    };

  /** Crawls paths one after the other, with one session. @returns What a server of its own was told, by path, in order. */
  async function follow(
    paths: readonly string[],
    answers: Parameters<typeof startServer>[0],
    headers: (url: URL) => Record<string, string> = () => ({}),
    storedHeaders: Record<string, string> = {},
  ) {
    const told: [path: string, headers: IncomingMessage['headers']][] = [];
    const server = await serve(
      Object.fromEntries(
        Object.entries(answers).map(([path, answer]) => [
          path,
          (response, hit, request) => {
            told.push([path, request.headers]);
            answer(response, hit, request);
          },
        ]),
      ),
    );
    const urls = paths.map((path) => ({ url: server.origin + path, headers: storedHeaders }));
    const site = { ...labSite(), headers };
    const { ends, letters } = await crawlLab({ storage: openIn(newFolder()), site, urls, concurrency: 1 });
    return { told, ends, letters, origin: server.origin };
  }

  it('that takes a cookie away and leads back to the same page is followed without it', async () => {
    const { told, ends } = await follow(['/login', '/page'], {
      '/login': (response) => {
        response.setHeader('set-cookie', 'sid=old; Path=/');
        page('hello')(response);
      },
      '/page': (response, _hit, request) => {
        if (request.headers.cookie) goTo('/page', 'sid=; Path=/; Max-Age=0')(response);
        else page('hello')(response);
      },
    });
    expect(ends).toEqual({ succeeded: 2 });
    expect(told.map(([path, { cookie }]) => [path, cookie])).toEqual([
      ['/login', undefined],
      ['/page', 'sid=old'],
      ['/page', undefined],
    ]);
  });

  it("is followed with the cookies of where it leads: a path's own stay there", async () => {
    const { told } = await follow(['/account/set', '/account/go'], {
      '/account/set': (response) => {
        response.setHeader('set-cookie', 'secret=1; Path=/account');
        page('hello')(response);
      },
      '/account/go': goTo('/public'),
      '/public': page('hello'),
    });
    expect(told.map(([path, { cookie }]) => [path, cookie])).toEqual([
      ['/account/set', undefined],
      ['/account/go', 'secret=1'],
      ['/public', undefined],
    ]);
  });

  it("is followed with the site's own cookie beside those that it has set", async () => {
    const headers = () => ({ Cookie: 'age=18' });
    const { told } = await follow(['/page'], { '/page': goTo('/next', 'sid=1; Path=/'), '/next': page('hello') }, headers);
    expect(told.map(([path, { cookie }]) => [path, cookie?.split('; ').toSorted()])).toEqual([
      ['/page', ['age=18']],
      ['/next', ['age=18', 'sid=1']],
    ]);
  });

  it('is followed with the user and the password of the URL as far as its own host', async () => {
    const told: [string | undefined, string | undefined][] = [];
    const tell = (request: IncomingMessage) => told.push([request.url, request.headers.authorization]);
    const there = await serve({ '/there': (response, _hit, request) => (tell(request), page('there')(response)) });
    const server = await serve({
      '/page': (response, _hit, request) => (tell(request), goTo(`http://${request.headers.host}/next`)(response)),
      '/next': (response, _hit, request) => (tell(request), goTo(`${there.origin}/there`)(response)),
    });
    const url = `${server.origin.replace('://', '://bob:s3cret@')}/page`;
    const { ends } = await crawlLab({ storage: openIn(newFolder()), site: labSite(), urls: [url], concurrency: 1 });
    expect(ends).toEqual({ succeeded: 1 });
    const basic = `Basic ${Buffer.from('bob:s3cret').toString('base64')}`;
    expect(told).toEqual([
      ['/page', basic],
      ['/next', basic],
      ['/there', undefined],
    ]);
  });

  it('that has made a GET of a POST says nothing of a body any more, on the next step either', async () => {
    const told: unknown[] = [];
    const tell = (request: IncomingMessage) => told.push([request.method, request.url, request.headers['content-type']]);
    const server = await serve({
      '/form': (response, _hit, request) => (tell(request), goTo('/done')(response)),
      '/done': (response, _hit, request) => (tell(request), goTo('/page')(response)),
      '/page': (response, _hit, request) => (tell(request), page('hello')(response)),
    });
    const form = {
      url: `${server.origin}/form`,
      method: 'POST',
      payload: 'q=1',
      useExtendedUniqueKey: true,
      headers: { 'Content-Type': 'text/plain' },
    } as const;
    const { ends } = await crawlLab({ storage: openIn(newFolder()), site: labSite(), urls: [form], concurrency: 1 });
    expect(ends).toEqual({ succeeded: 1 });
    expect(told).toEqual([
      ['POST', '/form', 'text/plain'],
      ['GET', '/done', undefined],
      ['GET', '/page', undefined],
    ]);
  });

  it('to another host takes along what is for that host, and nothing of what was for the first', async () => {
    const other: IncomingMessage['headers'][] = [];
    const there = await serve({
      '/there': (response, _hit, request) => {
        other.push(request.headers);
        page('there')(response);
      },
    });
    const headers = ({ origin }: URL): Record<string, string> =>
      origin === there.origin ? { 'X-There': 'yes' } : { 'X-Api-Key': 'secret', Authorization: 'Bearer x' };
    const { told, ends } = await follow(['/page'], { '/page': goTo(`${there.origin}/there`) }, headers, { 'X-Stored': 'mine' });
    expect(ends).toEqual({ succeeded: 1 });
    expect(told[0]?.[1]).toMatchObject({ 'x-api-key': 'secret', authorization: 'Bearer x', 'x-stored': 'mine' });
    expect(other).toMatchObject([{ 'x-there': 'yes', 'user-agent': told[0]?.[1]['user-agent'] }]);
    expect(Object.keys(other[0] ?? {}).filter((name) => /api|auth|stored/.test(name))).toEqual([]);
  });
});

describe('a session', () => {
  it.each([
    ['missing', '/gone'],
    ['forbidden by robots.txt', '/forbidden'],
  ])('stays, with its cookies, however many pages are %s', async (_, kind) => {
    const cookies: (string | undefined)[] = [];
    const known = (response: ServerResponse, _hit: number, request: IncomingMessage) => {
      cookies.push(request.headers.cookie);
      response.setHeader('set-cookie', 'cart=1; Path=/');
      page('known')(response);
    };
    const others = [1, 2, 3, 4, 5].map((n) => `${kind}/${n}`);
    const server = await serve({
      '/robots.txt': (response) => response.end('User-agent: *\nDisallow: /forbidden'),
      '/known/1': known,
      '/known/2': known,
      ...Object.fromEntries(others.map((path) => [path, status(404)])),
    });
    const urls = ['/known/1', ...others, '/known/2'].map((path) => server.origin + path);
    await crawlLab({ storage: openIn(newFolder()), site: labSite(), urls, concurrency: 1, robots: true });
    expect(cookies).toEqual([undefined, 'cart=1']);
  });
});

describe('a page that used up its tries', () => {
  it('goes round once more when all others are done, and its row is there', async () => {
    const server = await serve({
      '/late': (response, hit) => (hit <= 4 ? status(503) : page('at last'))(response),
      '/broken': status(500),
      '/slow': async (response) => {
        await setTimeout(600);
        page('slow')(response);
      },
    });
    const urls = ['/late', '/broken', '/slow', '/ok'].map((path) => server.origin + path);
    const { letters, rows, ends } = await crawlLab({
      storage: openIn(newFolder()),
      site: labSite(),
      urls,
      secondPassDelayMillis: 2_000,
    });
    expect(ends).toEqual({ succeeded: 3, failed: 1 });
    expect((await rows('default')).map(({ path }) => path)).toEqual(['/ok', '/slow', '/late']);
    expect(letters.map(({ url, attempts }) => [url.slice(server.origin.length), attempts.length])).toEqual([['/broken', 5]]);
    const late = (server.hits.get('/late') ?? []).map(({ at }) => at);
    expect(late).toHaveLength(5);
    expect((late[4] as number) - (late[3] as number)).toBeGreaterThanOrEqual(2_000);
  });
});

describe('a link', () => {
  it('has the page that it stood on as its Referer', async () => {
    const referers: (string | undefined)[] = [];
    const note = (response: ServerResponse, _hit: number, request: IncomingMessage) => {
      referers.push(request.headers.referer);
      page('linked')(response);
    };
    const server = await serve({ '/list': page('list', ['/linked']), '/linked': note, '/added': note });
    const list: Handler = async (page) => {
      await page.enqueueLinks();
      await page.addRequests([new URL('/added', page.response.url).href]);
    };
    await crawlLab({ storage: openIn(newFolder()), site: labSite({ '/list': list }), urls: [`${server.origin}/list`] });
    expect(referers).toEqual([`${server.origin}/list`, `${server.origin}/list`]);
  });

  let stop = () => {};

  it('of 1,500 on one page is on disk before the handler goes on', async () => {
    let known = 0;
    const links = Array.from({ length: 1_500 }, (_, n) => `/linked/${n}`);
    const server = await serve({ '/list': page('list', links) });
    const storage = openIn(newFolder());
    const { frontier } = await crawlLab({
      storage,
      site: labSite({
        '/list': async (page) => {
          await page.enqueueLinks();
          const { id } = await storage.requestQueues().getOrCreate('default');
          known = storage.counts(id).total;
          stop();
        },
      }),
      urls: [`${server.origin}/list`],
      onStart: (crawl) => {
        stop = () => crawl.frontier.stop();
      },
    });
    expect([known, frontier.counts().total]).toEqual([1_501, 1_501]);
  });

  it('that a handler adds to RequestQueue.open() is crawled too', async () => {
    const { server } = await crawl({
      '/one': async (page) => {
        const queue = await RequestQueue.open();
        await queue.addRequest({ url: new URL('/two', page.response.url).href, label: 'PAGE' });
      },
    });
    expect(server.hits.get('/two')).toHaveLength(1);
  });

  it('that a handler adds to RequestQueue.open() and for which `labelOf` throws fails, and nothing else does', async () => {
    const add: Handler = async ({ response }) => {
      const queue = await RequestQueue.open();
      await queue.addRequest({ url: new URL('/odd', response.url).href });
    };
    const server = await serve({});
    const lab = labSite({ '/adds': add });
    const labelOf = (url: URL) => {
      if (url.pathname === '/odd') throw new Error('what is this?');
      return lab.labelOf(url);
    };
    const urls = ['/adds', '/ok', '/fine'].map((path) => server.origin + path);
    const { ends, letters } = await crawlLab({ storage: openIn(newFolder()), site: { ...lab, labelOf }, urls });
    expect(ends).toEqual({ succeeded: 3, failed: 1 });
    expect(letters).toMatchObject([{ url: `${server.origin}/odd`, error: 'what is this?' }]);
  });

  it('that a handler adds to RequestQueue.open() is crawled by the label that `labelOf` names at its second try', async () => {
    const add: Handler = async ({ response }) => {
      const queue = await RequestQueue.open();
      await queue.addRequest({ url: new URL('/odd', response.url).href });
    };
    const server = await serve({});
    const lab = labSite({ '/adds': add });
    let isFetched = false;
    const labelOf = (url: URL) => {
      // The frontier asks before the page is there.
      if (url.pathname === '/odd' && !isFetched) throw new Error('not yet');
      return lab.labelOf(url);
    };
    const { ends } = await crawlLab({
      storage: openIn(newFolder()),
      site: { ...lab, labelOf, headers: ({ pathname }) => ((isFetched ||= pathname === '/odd'), {}) },
      urls: [`${server.origin}/adds`],
    });
    expect(ends).toEqual({ succeeded: 2 });
  });

  it('that a handler adds to RequestQueue.open() and that is no URL fails the page that added it', async () => {
    const add: Handler = async () => {
      const queue = await RequestQueue.open();
      await queue.addRequest({ url: 'foo', uniqueKey: 'foo' });
    };
    const { ends, letters } = await crawl({ '/adds': add, '/ok': pushPath });
    expect(ends).toEqual({ succeeded: 1, failed: 1 });
    expect(letters[0]?.error).toContain('whose URL is none: foo');
  });

  it.each([
    ['an unknown label', { label: 'NEWS', url: '/x' }, /no route NEWS/],
    ['no URL', { url: 'javascript:void(0)' }, /no absolute http/],
    ['userData that does not fit', { url: '/x', label: 'PAGE', userData: { foundOn: 5 } }, /foundOn/],
    ['a misspelt key of userData', { url: '/x', label: 'PAGE', userData: { foundon: '/' } }, /PAGE link .*Did you mean foundOn/],
    ['one where the label is left to the site', { url: '/x', userData: { foundon: '/' } }, /PAGE link .*Did you mean foundOn/],
  ])('with %s fails its page in words, and the crawl goes on', async (_, source, message) => {
    const add = async (page: Page) => {
      const url = source.url.startsWith('/') ? new URL(source.url, page.response.url).href : source.url;
      await page.pushData({ path: '/adds', n: 1 });
      await page.addRequests([{ ...source, url }]);
    };
    const { letters, rows, server } = await crawl({ '/adds': add, '/ok': pushPath });
    expect(letters).toHaveLength(1);
    expect(letters[0]?.error).toMatch(message);
    expect((await rows('default')).map(({ path }) => path)).toEqual(['/ok']);
    expect(server.hits.get('/x')).toBeUndefined();
  });
});

it('enqueueLinks with a misspelt key of userData fails its page in words', async () => {
  const add: Handler = async (page) => void (await page.enqueueLinks({ label: 'PAGE', userData: { foundon: '/' } }));
  const { ends, letters } = await crawl({ '/adds': add, '/ok': pushPath });
  expect(ends).toEqual({ succeeded: 1, failed: 1 });
  expect(letters[0]?.error).toMatch(/`userData\.foundon`.*Did you mean foundOn\? It knows foundOn\./);
});

describe('what a handler puts into its request', () => {
  const circle: { n?: unknown } = {};
  circle.n = circle;

  const puts: [string, (page: Page) => void][] = [
    ['a BigInt', ({ request }) => void Object.assign(request.userData, { foundOn: 10n })],
    ['a circle', ({ request }) => void Object.assign(request.userData, { circle })],
    ['no list of errors', ({ request }) => void Object.assign(request, { errorMessages: null })],
    ['what is no text in its list of errors', ({ request }) => void request.errorMessages.push({ n: 1n } as never)],
    ['another URL', ({ request }) => void Object.assign(request, { url: 'foo' })],
    ['another id', ({ request }) => void Object.assign(request, { id: 'other', uniqueKey: 'other' })],
  ];

  it.each(puts)('may be %s: its page is tried again and done as any other', async (_, put) => {
    let tries = 0;
    const handler: Handler = async (page) => {
      tries++;
      put(page);
      await page.pushData({ path: new URL(page.response.url).pathname, n: tries });
      if (tries < 2) throw new Error('once more');
    };
    const { letters, ends, rows } = await crawl({ '/odd': handler, '/ok': pushPath });
    expect([ends, letters]).toEqual([{ succeeded: 2 }, []]);
    expect((await rows('default')).find(({ path }) => path === '/odd')).toMatchObject({ n: 2 });
  });

  it.each(puts)('may be %s also when the handler runs out of time', async (_, put) => {
    let tries = 0;
    const handler: Handler = async (page) => {
      tries++;
      if (tries > 1) return;
      put(page);
      await new Promise(() => {});
    };
    const server = await serve({});
    const { letters, ends } = await crawlLab({
      storage: openIn(newFolder()),
      site: labSite({ '/odd': handler, '/ok': pushPath }),
      urls: ['/odd', '/ok'].map((path) => server.origin + path),
      onStart: ({ crawler }) => void Object.assign(crawler, { userRequestHandlerTimeoutMillis: 1_000 }),
    });
    expect([ends, letters, tries]).toEqual([{ succeeded: 2 }, [], 2]);
  });
});

describe('an error', () => {
  const loop = new Error('loop');
  loop.cause = loop;

  it('of a handler that has left a message of its own with its request ends the page, not the crawl', async () => {
    const note: Handler = async ({ request }) => {
      request.pushErrorMessage('a note of the handler');
      throw new VerdictError('fatal', 'it is over');
    };
    const { letters, ends } = await crawl({ '/notes': note, '/ok': pushPath });
    expect([letters.map(({ error }) => error), ends]).toEqual([['it is over'], { failed: 1, succeeded: 1 }]);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a symbol', Symbol('x')],
    ['an object without a prototype', Object.create(null)],
    ['an error that is its own cause', loop],
  ])('that is %s fails the page that threw it, and nothing else', async (_, thrown) => {
    const throwing: Handler = async () => {
      throw thrown;
    };
    const { letters, ends } = await crawl({ '/throws': throwing, '/ok': pushPath });
    expect(ends).toEqual({ failed: 1, succeeded: 1 });
    expect(letters).toMatchObject([{ verdict: 'transient' }]);
  });

  it('page that is short leaves its connection to the next request', async () => {
    const sockets = new Set<unknown>();
    const answers = Object.fromEntries(
      Array.from({ length: 8 }, (_, n) => [
        `/missing-${n}`,
        (response: ServerResponse, _hit: number, request: IncomingMessage) => {
          sockets.add(request.socket);
          const body = '<h1>Not here</h1>';
          response.writeHead(404, { 'content-type': 'text/html', 'content-length': body.length });
          response.end(body);
        },
      ]),
    );
    const { ends } = await crawl({}, answers, 1);
    expect(ends).toEqual({ missing: 8 });
    expect(sockets.size).toBeLessThan(8);
  });
});

const OPENSSL: string = 'openssl';
const hasOpenssl = (() => {
  try {
    execFileSync(OPENSSL, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('a certificate that is not valid', () => {
  it('is fatal at the first try: nothing is sent to such a server', async () => {
    const dir = newFolder();
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync(OPENSSL, ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-days', '2', ...subject], {
      stdio: 'ignore',
    });
    let requests = 0;
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      requests++;
      page('hello')(response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { letters } = await crawlLab({ storage: openIn(newFolder()), site: labSite(), urls: [url] });
    expect(letters).toMatchObject([{ url, verdict: 'fatal', error: expect.stringMatching(/certificate/i) }]);
    expect([letters[0]?.attempts.length, requests]).toEqual([1, 0]);
  });
});
