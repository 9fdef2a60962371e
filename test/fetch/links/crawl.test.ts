// Links from page to page: what is asked for on the wire.
import type { IncomingMessage, ServerResponse } from 'node:http';

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { Handler } from '../../../src/core/page.ts';
import { newFolder, openIn } from '../../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, speedUpClock, startServer } from '../lab.ts';

let restoreClock = () => {};
beforeEach(() => {
  restoreClock = speedUpClock();
});
afterEach(() => restoreClock());

type Answer = (response: ServerResponse, hit: number, request: IncomingMessage) => unknown;

/** Crawls one start page; what it adds is asked for. @returns Host and target of each request, in any order. */
async function crawl(
  list: Handler,
  answers: Record<string, Answer>,
  site: Partial<ReturnType<typeof labSite>> = {},
  robots = false,
) {
  const asked: string[] = [];
  const noting =
    (answer: Answer): Answer =>
    (response, hit, request) => {
      asked.push(`${request.headers.host?.split(':')[0]} ${request.method} ${request.url}`);
      return answer(response, hit, request);
    };
  const all = new Proxy(answers, { get: (own, path: string) => noting(own[path] ?? page(path)) });
  const server = await startServer(all);
  onTestFinished(() => server.close());
  const crawled = await crawlLab({
    storage: openIn(newFolder()),
    site: { ...labSite({ '/list': list }), ...site },
    urls: [`${server.origin}/list`],
    robots,
  });
  return { ...crawled, asked: asked.toSorted() };
}

const redirect =
  (host: string, path: string): Answer =>
  (response, _hit, request) => {
    response.writeHead(301, { location: `http://${host}:${request.socket.localPort}${path}` }).end();
  };

const html =
  (type: string, body: string | Buffer): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };

const follow: Handler = async ({ enqueueLinks }) => void (await enqueueLinks({ selector: 'a' }));

describe('enqueueLinks', () => {
  it('goes by the host that a start page is redirected to', async () => {
    const { asked, ends } = await crawl(follow, {
      '/list': redirect('localhost', '/home'),
      '/home': page('home', ['/one', '/two', 'http://127.0.0.1/away']),
    });
    expect(asked).toEqual(['127.0.0.1 GET /list', 'localhost GET /home', 'localhost GET /one', 'localhost GET /two']);
    expect(ends).toEqual({ succeeded: 3 });
  });

  it('leaves out a link that is redirected to another host, and counts it under that reason', async () => {
    const { ends, counters, rows } = await crawl(follow, {
      '/list': page('list', ['/away', '/stays']),
      '/away': redirect('localhost', '/home'),
      '/stays': redirect('127.0.0.1', '/here'),
    });
    expect(ends).toEqual({ succeeded: 2, skipped: 1 });
    expect(await rows('default')).toHaveLength(1);
    expect(counters).toMatchObject({ 'skipped redirect': 1 });
  });

  it('with the strategy all follows a redirect to another host', async () => {
    const all: Handler = async ({ enqueueLinks }) => void (await enqueueLinks({ strategy: 'all' }));
    const { ends } = await crawl(all, { '/list': page('list', ['/away']), '/away': redirect('localhost', '/home') });
    expect(ends).toEqual({ succeeded: 2 });
  });

  it('asks for each letter of an index in a legacy encoding, in the bytes of its page', async () => {
    const letters = Array.from({ length: 32 }, (_, index) => 0xc0 + index);
    const body = Buffer.concat(
      letters.flatMap((letter) => [Buffer.from('<a href="/names?letter='), Buffer.of(letter), Buffer.from('">x</a>')]),
    );
    const { asked } = await crawl(follow, { '/list': html('text/html; charset=windows-1251', body) });
    const names = letters.map((letter) => `127.0.0.1 GET /names?letter=%${letter.toString(16).toUpperCase()}`);
    expect(asked).toEqual(['127.0.0.1 GET /list', ...names]);
  });

  it('follows the links of a page by its <base>', async () => {
    const { asked } = await crawl(follow, {
      '/list': html('text/html', '<head><base href="/shop/"></head><a href="item/1">x</a><a href="?page=2">x</a>'),
    });
    expect(asked).toEqual(['127.0.0.1 GET /list', '127.0.0.1 GET /shop/?page=2', '127.0.0.1 GET /shop/item/1']);
  });
});

it('page.resolve() resolves as a browser does: by the <base>, in the encoding of the page', async () => {
  const found: (string | null)[] = [];
  const list: Handler = async ({ resolve }) => void found.push(...['x?ñ', 'http://', '#a'].map((href) => resolve(href)));
  await crawl(list, { '/list': html('text/html; charset=latin1', '<base href="http://b.example/p/">') });
  expect(found).toEqual(['http://b.example/p/x?%F1', null, 'http://b.example/p/#a']);
});

it('two POSTs to one URL with different payloads are two requests', async () => {
  const sent: string[] = [];
  const add: Handler = async ({ addRequests, resolve }) => {
    const url = resolve('/search') ?? '';
    await addRequests(['q=1', 'q=2', 'q=1'].map((payload) => ({ url, method: 'POST' as const, payload })));
    await addRequests([url]);
  };
  const note: Answer = async (response, _hit, request) => {
    sent.push(`${request.method} ${(await request.toArray()).join('')}`);
    page('found')(response);
  };
  const { ends } = await crawl(add, { '/list': page('list'), '/search': note });
  expect(sent.toSorted()).toEqual(['GET ', 'POST q=1', 'POST q=2']);
  expect(ends).toEqual({ succeeded: 4 });
});

it("hash routes are pages of their own where a site says `fragments: 'keep'`, and asked for without their hash", async () => {
  const { asked, rows } = await crawl(
    follow,
    { '/list': page('list', ['/app#/topic/1', '/app#/user/2', '/app#!/x/3', '/app#/topic/1']) },
    { fragments: 'keep' },
  );
  expect(asked).toEqual(['127.0.0.1 GET /app', '127.0.0.1 GET /app', '127.0.0.1 GET /app', '127.0.0.1 GET /list']);
  expect(await rows('default')).toHaveLength(3);
});

it('a page is a level deeper than the one that added it', async () => {
  const depths: [string, number][] = [];
  const note: Handler = async (page) => {
    depths.push([new URL(page.request.url).pathname, page.request.crawlDepth]);
    await follow(page);
  };
  const server = await startServer({ '/list': page('list', ['/one']), '/one': page('one', ['/two']) });
  onTestFinished(() => server.close());
  const site = labSite({ '/list': note, '/one': note, '/two': note });
  await crawlLab({ storage: openIn(newFolder()), site, urls: [`${server.origin}/list`] });
  expect(depths).toEqual([
    ['/list', 0],
    ['/one', 1],
    ['/two', 2],
  ]);
});

describe('a page that sends its reader on', () => {
  const meta = (content: string) => html('text/html', `<meta http-equiv="refresh" content="${content}"><p>moved`);
  /** What a handler has seen. */
  const note = (seen: string[]): Handler => {
    return async ({ $, response }) => void seen.push(`${new URL(response.url).pathname}: ${$('h1, p').text()}`);
  };

  it.each([
    ['by <meta>', meta("0;URL='/real'")],
    [
      'by a header',
      ((response) => {
        response.writeHead(200, { 'content-type': 'text/html', refresh: '0; url=/real' }).end('moved');
      }) satisfies Answer,
    ],
    ['more than once, by a redirect among others', meta('5; URL=step')],
  ])('%s is left for where it leads to', async (_, answer) => {
    const seen: string[] = [];
    const { ends } = await crawl(note(seen), {
      '/list': answer,
      '/step': redirect('127.0.0.1', '/further'),
      '/further': meta('1;real'),
    });
    expect(seen).toEqual(['/real: /real']);
    expect(ends).toEqual({ succeeded: 1 });
  });

  it('is handled itself where the site says so', async () => {
    const seen: string[] = [];
    const { asked } = await crawl(note(seen), { '/list': meta('0;/real') }, { refresh: 'ignore' });
    expect([seen, asked]).toEqual([['/list: moved'], ['127.0.0.1 GET /list']]);
  });

  it('in a circle, or for ever, is read after a few steps', async () => {
    const seen: string[] = [];
    const circle = await crawl(note(seen), { '/list': meta('0;/b'), '/b': meta('0;/list') });
    const step: Answer = (response, hit, request) => meta(`0;/step?${hit}`)(response, hit, request);
    const endless = await crawl(note(seen), { '/list': meta('0;/step'), '/step': step });
    expect([circle.ends, endless.ends, seen]).toEqual([{ succeeded: 1 }, { succeeded: 1 }, ['/list: moved', '/step: moved']]);
    expect([circle.asked.length, endless.asked.length]).toEqual([3, 6]);
  });

  it('gets there with the cookies that it has set on the way', async () => {
    const seen: string[] = [];
    const wall: Answer = (response, hit, request) => {
      if (request.headers.cookie === 'passed=1') return page('inside')(response);
      response.setHeader('set-cookie', 'passed=1');
      return meta('0')(response, hit, request);
    };
    await crawl(note(seen), { '/list': wall });
    expect(seen).toEqual(['/list: inside']);
  });

  it('to where robots.txt forbids it to go is skipped, and nothing is asked for there', async () => {
    const rules = html('text/plain', 'User-agent: *\nDisallow: /real');
    const { ends, asked, counters } = await crawl(follow, { '/list': meta('0;/real'), '/robots.txt': rules }, {}, true);
    expect([ends, counters]).toEqual([{ skipped: 1 }, { 'skipped robots': 1 }]);
    expect(asked).not.toContain('127.0.0.1 GET /real');
  });

  it('to another host is left out if it is a link that was to stay', async () => {
    const away: Answer = (response, hit, request) =>
      meta(`0;http://localhost:${request.socket.localPort}/x`)(response, hit, request);
    const { ends, counters } = await crawl(follow, { '/list': page('list', ['/away']), '/away': away });
    expect([ends, counters]).toMatchObject([{ succeeded: 1, skipped: 1 }, { 'skipped redirect': 1 }]);
  });
});
