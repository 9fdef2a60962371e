// What the browser lane makes of pages: read once they are there, judged as in the HTTP lane.
import { setTimeout } from 'node:timers/promises';

import { expect, it } from 'vitest';

import type { BrowserView } from '../../../src/core/site.ts';
import { app, crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

describeBrowser('a page that its scripts make', () => {
  it('is handed on with what they made of it, as any other tier hands on a page', async () => {
    const server = await startServer({
      '/from': (response) => response.writeHead(302, { location: '/app' }).end(),
      '/app': app(`setTimeout(async () => {
        const stories = await (await fetch('/api')).json();
        root.innerHTML = '<h1>Stories</h1>' + stories.map((s) => '<a class="story" href="/s/' + s + '">Story ' + s + '</a>').join('');
      }, 300)`),
      '/api': async (response) => {
        await setTimeout(300);
        response.writeHead(200, { 'content-type': 'application/json' }).end('[1,2,3]');
      },
      '/s/1': html('<h1>one</h1>', { 'X-Lab': 'yes' }),
      '/s/2': html('<h1>two</h1>'),
      '/s/3': html('<h1>three</h1>'),
    });
    const { rows, pages, failures, arrived } = await crawlBrowser({
      urls: [`${server.origin}/from`],
      concurrency: 2,
      handler: async (page) => {
        await page.pushData({ path: new URL(page.response.url).pathname, title: page.$('h1').text() });
        await page.enqueueLinks({ selector: 'a.story' });
      },
    });
    expect(failures).toEqual([]);
    expect(rows.map(({ title }) => String(title)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'one',
      'Stories',
      'three',
      'two',
    ]);
    const [list, detail] = [pages[0], pages.find(({ request }) => request.url.endsWith('/s/1'))];
    expect(list).toMatchObject({ tier: 'browser', response: { status: 200, url: `${server.origin}/app` } });
    expect(list?.html).toContain('class="story"');
    expect(detail?.response.headers).toMatchObject({ 'x-lab': 'yes' });
    expect(detail?.request.headers).toEqual({ Referer: `${server.origin}/app` });
    expect(server.hits.find(({ path }) => path === '/s/1')?.headers.referer).toBe(`${server.origin}/app`);
    expect(arrived).toContain('/from');
  });

  it('is read where a script has gone on to', async () => {
    const server = await startServer({
      '/old': html('<script>setTimeout(() => location.replace("/new"), 100)</script>'),
      '/new': html('<h1>new</h1>', { 'x-lab': 'new' }),
    });
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/old`] });
    expect(pages[0]?.response).toMatchObject({ url: `${server.origin}/new`, headers: { 'x-lab': 'new' } });
    expect(pages[0]?.html).toContain('<h1>new</h1>');
  });

  it('is waited for as its site says', async () => {
    const server = await startServer({
      '/list': html(
        '<ul></ul><script>setTimeout(() => { document.querySelector("ul").innerHTML = "<li>late</li>" }, 1500)</script>',
      ),
    });
    const waitFor = { PAGE: { selector: 'li' } };
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/list`], site: { browser: { waitFor } } });
    expect(pages[0]?.$('li').text()).toBe('late');
  });

  it('is used as its site says: scrolled to the end of what it loads, with buttons that are there or not', async () => {
    const server = await startServer({
      '/feed': html(`<button onclick="this.remove(); more()">Show</button><ul></ul><script>
        let n = 0, busy = false;
        async function more() {
          if (busy || n >= 60) return;
          busy = true;
          await fetch('/slow');
          for (let i = 0; i < 20; i++) document.querySelector('ul').insertAdjacentHTML('beforeend', '<li style="height:200px">' + ++n + '</li>');
          busy = false;
        }
        addEventListener('scroll', () => { if (n > 0 && scrollY + innerHeight > document.documentElement.scrollHeight - 400) more() });
      </script>`),
      '/slow': async (response) => {
        await setTimeout(200);
        response.end('{}');
      },
    });
    const seen: unknown[] = [];
    const { pages } = await crawlBrowser({
      urls: [`${server.origin}/feed`],
      site: {
        browser: {
          prepare: {
            async PAGE(view) {
              seen.push(await view.click('button'), await view.waitFor('li'), await view.click('#none', { timeoutMillis: 300 }));
              await view.scrollToEnd();
            },
          },
        },
      },
    });
    expect(seen).toEqual([true, true, false]);
    expect(pages[0]?.$('li')).toHaveLength(60);
    // Crawlee's helper against banners has run, and left no style sheet of its own.
    expect(pages[0]?.html.length).toBeLessThan(20_000);
  });
});

const status = (code: number, headers: Record<string, string> = {}, body = '<h1>error</h1>'): Answer => {
  return (response) => response.writeHead(code, { 'content-type': 'text/html', ...headers }).end(body);
};

describeBrowser('an answer', () => {
  it('that is no page is judged as in the HTTP lane', async () => {
    const cases: Record<string, { answer: Answer; expected: Record<string, unknown> }> = {
      '/gone': { answer: status(404), expected: { verdict: 'missing', status: 404 } },
      '/gone-empty': { answer: status(410, {}, ''), expected: { verdict: 'missing', status: 410 } },
      '/slow-down': { answer: status(429, { 'retry-after': '7' }), expected: { verdict: 'throttled', retryAfter: '7' } },
      '/broken': { answer: status(500), expected: { verdict: 'transient', status: 500 } },
      '/denied': { answer: status(403), expected: { verdict: 'blocked', status: 403 } },
      '/members': {
        answer: status(401, { 'www-authenticate': 'Basic realm="members"' }),
        expected: { verdict: 'blocked', status: 401 },
      },
      '/not-a-proxy': {
        answer: status(407, { 'proxy-authenticate': 'Basic realm="no"' }),
        expected: { verdict: expect.stringMatching(/blocked|transient/) as string },
      },
      '/bad': { answer: status(400, {}, ''), expected: { verdict: 'fatal', status: 400 } },
      '/paper': {
        answer: status(200, { 'content-type': 'application/pdf' }, '%PDF-1.4'),
        expected: { verdict: 'fatal', message: 'It is application/pdf, no page.' },
      },
      '/picture': {
        answer: status(200, { 'content-type': 'image/png' }, 'x'),
        expected: { verdict: 'fatal', message: 'It is image/png, no page.' },
      },
      '/file': {
        answer: status(200, { 'content-disposition': 'attachment; filename=a.html' }),
        expected: { verdict: 'fatal', message: 'It is a download, no page.' },
      },
      '/nothing': { answer: status(204, {}, ''), expected: { verdict: 'fatal', status: 204 } },
      '/cut': {
        answer: (response) => {
          response.writeHead(200, { 'content-type': 'text/html', 'content-length': '5000' });
          response.write(`<p>${'half a page '.repeat(20)}`, () => response.destroy());
        },
        expected: { verdict: 'transient', message: 'The browser says ERR_CONTENT_LENGTH_MISMATCH.' },
      },
      '/reset': { answer: (response) => response.destroy(), expected: { verdict: 'transient' } },
      '/circle': { answer: status(302, { location: '/circle' }), expected: { verdict: 'fatal' } },
    };
    const server = await startServer(Object.fromEntries(Object.entries(cases).map(([path, { answer }]) => [path, answer])));
    const { failures, rows } = await crawlBrowser({
      urls: Object.keys(cases).map((path) => server.origin + path),
      concurrency: 3,
    });
    const byPath = Object.fromEntries(failures.map((failure) => [failure.path, failure]));
    expect(byPath).toMatchObject(Object.fromEntries(Object.entries(cases).map(([path, { expected }]) => [path, expected])));
    expect(rows).toEqual([]);
  });

  it('of a server that is not there says so', async () => {
    const { failures } = await crawlBrowser({ urls: ['http://127.0.0.1:9/', 'http://no-such-host.invalid/'] });
    expect(failures).toMatchObject([
      { verdict: expect.stringMatching(/transient|fatal/) as string },
      { verdict: 'transient', message: 'The browser says ERR_NAME_NOT_RESOLVED.' },
    ]);
  });

  it('in JSON or XML is handed on as it was sent', async () => {
    const server = await startServer({
      '/data': status(200, { 'content-type': 'application/json' }, '{"a": "<b>"}'),
      '/feed': status(200, { 'content-type': 'application/rss+xml' }, '<rss><item><link>x</link></item></rss>'),
    });
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/data`, `${server.origin}/feed`] });
    expect(pages.map(({ html }) => html)).toEqual(['{"a": "<b>"}', '<rss><item><link>x</link></item></rss>']);
    expect(pages[1]?.$('item > link').text()).toBe('x');
  });
});

const CHALLENGE = '<title>Just a moment...</title><script>window._cf_chl_opt={};';

describeBrowser('a challenge', () => {
  it('that a browser solves is waited for, whether it comes back with the page or puts it in its place', async () => {
    const server = await startServer({
      '/reloads': (response, { headers }) => {
        if (headers.cookie?.includes('passed=1')) html('<h1>the page</h1>')(response, {} as never, {} as never);
        else
          response
            .writeHead(403, { 'content-type': 'text/html', 'cf-mitigated': 'challenge' })
            .end(`${CHALLENGE}setTimeout(() => { document.cookie = 'passed=1'; location.reload() }, 700)</script>`);
      },
      '/in-place': (response) =>
        response
          .writeHead(403, { 'content-type': 'text/html' })
          .end(
            `${CHALLENGE}setTimeout(() => { document.documentElement.innerHTML = '<h1>the page</h1><p>${'Lots to read. '.repeat(20)}</p>' }, 700)</script>`,
          ),
    });
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/reloads`, `${server.origin}/in-place`] });
    expect(failures).toEqual([]);
    expect(pages.map(({ $ }) => $('h1').text())).toEqual(['the page', 'the page']);
    expect(pages.map(({ response }) => response.status)).toEqual([200, 200]);
  });
});

describeBrowser('a page that never gets there', () => {
  it('is given up in time, for what it is, and takes no other page along', async () => {
    const server = await startServer({
      '/shell': app(''),
      '/challenge': status(403, {}, `${CHALLENGE}</script>`),
      '/busy': html('<h1>busy</h1><script>setTimeout(() => { for (;;); }, 50)</script>'),
      '/after': html('<h1>after</h1>'),
    });
    const urls = ['/shell', '/challenge', '/busy', '/after'].map((path) => server.origin + path);
    const { failures, rows } = await crawlBrowser({ urls, concurrency: 3 });
    expect(Object.fromEntries(failures.map(({ path, verdict, message }) => [path, `${verdict}: ${message}`]))).toEqual({
      '/shell': 'transient: HTTP 200: nothing to see, also after its scripts have run',
      '/challenge': 'blocked: HTTP 403: a block page of Cloudflare',
      '/busy': 'transient: The page did not answer for 10 s: its scripts do not rest.',
    });
    expect(rows).toEqual([{ path: '/after' }]);
  });

  it('or does not rest where it is used, or ends itself, is given up in time too', async () => {
    const server = await startServer({
      '/trap': html('<h1>trap</h1><script>onscroll = () => { for (;;); }</script><p style="height: 5000px">'),
      '/stops': html('<script>stop()</script><h1>stopped</h1>'),
    });
    const prepare = { PAGE: async (view: BrowserView) => view.scrollToEnd() };
    const started = performance.now();
    const { failures } = await crawlBrowser({
      urls: [`${server.origin}/trap`, `${server.origin}/stops`],
      concurrency: 2,
      site: { browser: { prepare } },
    });
    expect(Object.fromEntries(failures.map(({ path, verdict, message }) => [path, `${verdict}: ${message}`]))).toEqual({
      '/trap': 'transient: The page did not answer for 10 s: its scripts do not rest.',
      '/stops': 'transient: A script of the page has ended it before it was there.',
    });
    expect(performance.now() - started).toBeLessThan(40_000);
  });
});

describeBrowser('a challenge that takes its time', () => {
  it('of 12 s, which its page asks for, is waited for', async () => {
    const server = await startServer({
      '/slow': (response, { headers }) => {
        if (headers.cookie?.includes('cpt=ok')) html('<h1>the page</h1>')(response, {} as never, {} as never);
        else
          response.writeHead(200, { 'content-type': 'text/html' })
            .end(`<div id="sec-if-cpt-container"><iframe id="sec-cpt-if" data-duration="30"></iframe><p>Powered and protected by</p></div>
              <script>setTimeout(() => { document.cookie = 'cpt=ok; path=/'; location.reload() }, 12000)</script>`);
      },
    });
    const { rows, failures } = await crawlBrowser({ urls: [`${server.origin}/slow`] });
    expect(failures).toEqual([]);
    expect(rows).toEqual([{ path: '/slow' }]);
  });
});

describeBrowser('a page whose scripts have run', () => {
  it('is what is there, though an empty mount point is left beside it', async () => {
    const portal = (response: Parameters<Answer>[0]) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          `<title>Mug</title><div id="root"></div><script>document.body.append(document.createRange().createContextualFragment('<div class="name">Blue mug, hand made in Kassel, 300 ml</div><div>In stock, ready to ship tomorrow</div>'))</script>`,
        );
    const shadow = (response: Parameters<Answer>[0]) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          `<title>Mug</title><my-app></my-app><script type="module">document.querySelector('my-app').attachShadow({ mode: 'open' }).innerHTML = '<h1>Blue mug</h1>'</script>`,
        );
    const server = await startServer({ '/portal': portal, '/shadow': shadow });
    const { rows, failures } = await crawlBrowser({
      urls: [`${server.origin}/portal`, `${server.origin}/shadow`],
      concurrency: 2,
    });
    expect(failures).toEqual([]);
    expect(rows.map(({ path }) => path).toSorted()).toEqual(['/portal', '/shadow']);
  });
});
