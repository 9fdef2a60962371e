// What leaves the browser: what it says of itself, which cookies and headers go where, and what is not fetched at all.
import { existsSync } from 'node:fs';

import { expect, it } from 'vitest';

import { VerdictError } from '../../../src/core/verdict.ts';
import type { BrowserCrawlerOptions } from '../../../src/fetch/browser-crawler.ts';
import { ASSET_PATTERNS, blockedKindOf } from '../../../src/fetch/browser/assets.ts';
import { extraHeaders, userAgentOverride } from '../../../src/fetch/browser/identity.ts';
import { keepRobots } from '../../../src/fetch/robots.ts';
import { app, crawlBrowser, describeBrowser, html, labBrowser, startServer } from './lab.ts';

const LINUX = { platform: 'linux', arch: 'x64' } as const;

it.each([
  ['linux', 'X11; Linux x86_64', 'Linux'],
  ['darwin', 'Macintosh; Intel Mac OS X 10_15_7', 'macOS'],
  ['win32', 'Windows NT 10.0; Win64; x64', 'Windows'],
] as const)('on %s the browser is the Chrome of that system and of its own version', (platform, system, name) => {
  const chrome =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 Safari/537.36';
  const override = userAgentOverride({ 'User-Agent': chrome, 'Accept-Language': 'en-US,en;q=0.9' }, '156.0.8078.79', {
    platform,
    arch: 'x64',
  });
  expect(override).toMatchObject({
    userAgent: `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36`,
    acceptLanguage: 'en-US,en',
    userAgentMetadata: { platform: name, mobile: false },
  });
  expect(override.userAgentMetadata?.fullVersionList).toContainEqual({ brand: 'Chromium', version: '156.0.8078.79' });
});

it('a User-Agent that is no Chrome of the policy is sent as it is, without client hints', () => {
  const userAgent = 'Surefoot/1 (+https://example.com)';
  expect(userAgentOverride({ 'user-agent': userAgent }, '156.0', LINUX)).toEqual({ userAgent, acceptLanguage: 'en-US,en' });
});

it('of a policy, what no browser sends by itself is extra', () => {
  const headers = {
    Accept: 'x',
    'sec-ch-ua': 'x',
    'Sec-Fetch-Mode': 'x',
    Referer: 'x',
    Cookie: 'x',
    From: 'a@b.c',
    Authorization: 'x',
  };
  expect(extraHeaders(headers)).toEqual({ From: 'a@b.c', Authorization: 'x' });
});

it.each([
  ['https://shop.example/a.png', 'Image', 'image'],
  ['https://shop.example/a.woff2', 'Font', 'font'],
  ['https://shop.example/a.mp4', 'Media', 'media'],
  ['https://www.google-analytics.com/collect', 'XHR', 'tracker'],
  ['https://securepubads.g.doubleclick.net/x.js', 'Script', 'tracker'],
  ['https://shop.example/app.js', 'Script', null],
  ['https://not-doubleclick.net.example/app.js', 'Script', null],
  ['https://static.hotjar.com/app.js', 'Script', null, 'https://www.hotjar.com/'],
])('%s, a request for %s, is blocked as %s', (url, resourceType, kind, pageUrl = 'https://shop.example/') => {
  expect(blockedKindOf({ url, resourceType }, pageUrl)).toBe(kind);
});

it('every tracker is looked at, by its own name and by those below it', () => {
  const patterns = ASSET_PATTERNS.map(({ urlPattern }) => urlPattern);
  expect(patterns).toEqual(expect.arrayContaining(['*://hotjar.com/*', '*://*.hotjar.com/*']));
});

const ECHO = `
  new Worker('/worker.js');
  fetch('/xhr');
  document.body.insertAdjacentHTML('beforeend', '<iframe src="' + location.origin.replace('127.0.0.1', 'localhost') + '/frame"></iframe>');
  document.documentElement.dataset.webdriver = String(navigator.webdriver);
  document.documentElement.dataset.languages = navigator.languages.join();
  document.documentElement.dataset.brands = navigator.userAgentData ? navigator.userAgentData.brands.map((b) => b.brand).join() : 'none';
`;
const echoServer = () =>
  startServer({
    '/': html(`<h1>x</h1><script>${ECHO}</script>`),
    '/frame': html('<script>fetch("/xhr-of-frame")</script>'),
    '/xhr': (response) => response.end('{}'),
    '/xhr-of-frame': (response) => response.end('{}'),
    '/xhr-of-worker': (response) => response.end('{}'),
    '/worker.js': (response) => response.setHeader('content-type', 'text/javascript').end('fetch("/xhr-of-worker")'),
  });

describeBrowser('the browser', () => {
  // The whole Chromium puts frames of other sites into processes of their own unless it is told otherwise.
  it.each([
    ['as it is found', null],
    ['with all of Chromium', '/usr/bin/chromium'],
  ])('%s says nowhere that it is headless or driven, and the same everywhere', async (_, path) => {
    if (path !== null && !existsSync(path)) return;
    const server = await echoServer();
    const options = path === null ? {} : { browser: { ...labBrowser(), path } };
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/`], options });
    const paths = server.hits.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/', '/frame', '/worker.js', '/xhr', '/xhr-of-frame', '/xhr-of-worker']));
    const major = labBrowser().version.split('.')[0];
    const agents = new Set(server.hits.map(({ headers }) => headers['user-agent']));
    expect([...agents]).toEqual([expect.stringContaining(`Chrome/${major}.0.0.0 Safari/537.36`)]);
    expect(JSON.stringify(server.hits)).not.toMatch(/headless/i);
    const hints = server.hits.flatMap(({ headers }) => headers['sec-ch-ua'] ?? []);
    expect(new Set(hints).size).toBe(1);
    const [first] = server.hits;
    expect(first?.headers).toMatchObject({
      'sec-ch-ua': expect.stringContaining(`"Google Chrome";v="${major}"`) as string,
      'accept-language': 'en-US,en;q=0.9',
    });
    expect(pages[0]?.$('html').attr()).toMatchObject({ 'data-webdriver': 'false', 'data-languages': 'en-US,en' });
  });

  it('is an honest crawler when it is to be polite', async () => {
    const server = await echoServer();
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/`], headers: 'polite' });
    expect(new Set(server.hits.map(({ headers }) => headers['user-agent']))).toEqual(new Set(['Surefoot/0 (+lab@example.com)']));
    expect(server.hits.filter(({ headers }) => headers['sec-ch-ua'] !== undefined)).toEqual([]);
    expect(server.hits.filter(({ headers }) => headers['from'] === 'lab@example.com').map(({ path }) => path)).toEqual(['/']);
    expect(pages[0]?.$('html').attr('data-brands')).toBe('');
  });

  it("takes a site's own headers to the document's origin alone", async () => {
    const server = await startServer({
      '/': (response, { headers: { host = '' } }) => response.writeHead(302, { location: `http://${host}/home` }).end(),
      '/home': html('<script>fetch("/xhr")</script><img src="/a.png">'),
      '/xhr': (response) => response.end('{}'),
      '/leaves': (response) => response.writeHead(302, { location: `${server.other}/elsewhere` }).end(),
      '/elsewhere': html('<h1>elsewhere</h1>'),
    });
    const { failures } = await crawlBrowser({
      urls: [`${server.origin}/`, `${server.origin}/leaves`],
      site: { headers: () => ({ 'X-Key': 'of-the-site', 'Accept-Language': 'de-DE,de;q=0.7' }) },
    });
    expect(failures).toEqual([]);
    const withIt = server.hits.filter(({ headers }) => headers['x-key'] !== undefined).map(({ path }) => path);
    expect(withIt).toEqual(['/', '/home', '/leaves']);
    expect(server.hits.map(({ path }) => path)).toEqual(expect.arrayContaining(['/xhr', '/elsewhere']));
    expect(server.hits[0]?.headers['accept-language']).toBe('de-DE,de;q=0.9');
  });

  it('sends what a request wants to be sent with it', async () => {
    const server = await startServer({ '/form': html('<h1>sent</h1>') });
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const request = {
      url: `${server.origin}/form#top`,
      method: 'POST' as const,
      payload: 'q=ä',
      headers,
      useExtendedUniqueKey: true,
    };
    const { failures } = await crawlBrowser({ urls: [request] });
    expect(failures).toEqual([]);
    expect(server.hits[0]).toMatchObject({
      method: 'POST',
      body: 'q=ä',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  });
});

describeBrowser('cookies', () => {
  it('of a session go with its pages, wherever a redirect leads, and come back from them', async () => {
    const server = await startServer({
      '/login': html('<script>document.cookie = "byScript=1"</script>', {
        'set-cookie': ['byServer=1; HttpOnly; Max-Age=600', 'leaves=1'],
      }),
      '/elsewhere': html('<h1>elsewhere</h1>', { 'set-cookie': 'other=1' }),
      '/out': html('<script>document.cookie = "leaves=; Max-Age=0"</script>'),
      '/via': (response) => response.writeHead(302, { location: `${server.other}/there` }).end(),
      '/there': html('<h1>there</h1>'),
      '/end': html('<h1>end</h1>'),
    });
    const urls = ['/login', `${server.other}/elsewhere`, '/out', '/via', '/end'].map((url) => new URL(url, server.origin).href);
    const { failures } = await crawlBrowser({ urls });
    expect(failures).toEqual([]);
    const sent = Object.fromEntries(server.hits.map(({ path, headers }) => [path, headers.cookie?.split('; ').toSorted() ?? []]));
    expect(sent).toMatchObject({
      '/login': [],
      '/elsewhere': [],
      '/out': ['byScript=1', 'byServer=1', 'leaves=1'],
      '/there': ['other=1'],
      '/end': ['byScript=1', 'byServer=1'],
    });
  });

  it('it goes on to nothing that robots.txt forbids: by no redirect, by no script, at no host', async () => {
    const server = await startServer({
      '/redirect': (response) => response.writeHead(302, { location: '/private/1' }).end(),
      '/twice': (response) => response.writeHead(302, { location: '/redirect' }).end(),
      '/far': (response) => response.writeHead(302, { location: `${server.other}/private/2` }).end(),
      '/script': html(`<script>location.href = '/private/3'</script>`),
      '/fine': (response) => response.writeHead(302, { location: '/here' }).end(),
      '/here': html('here'),
    });
    const robots = keepRobots(async () => 'User-agent: *\nDisallow: /private/');
    const urls = ['/redirect', '/twice', '/far', '/script', '/fine'].map((path) => server.origin + path);
    const { failures, rows } = await crawlBrowser({ urls, options: { robots } });
    expect(rows).toHaveLength(1);
    expect(failures.map(({ path, verdict }) => `${path} ${verdict}`).toSorted()).toEqual([
      '/far skipped',
      '/redirect skipped',
      '/script skipped',
      '/twice skipped',
    ]);
    expect(server.hits.filter(({ path }) => path.startsWith('/private'))).toEqual([]);
  });

  it('are kept whatever pages are missing, forbidden or shells, and are gone with a refusal', async () => {
    const server = await startServer({
      '/login': html('<h1>welcome</h1>', { 'set-cookie': 'member=1' }),
      '/shell': app(''),
      '/still': html('<h1>still</h1>'),
      '/denied': html('<h1>denied</h1>', {}, 403),
      '/stranger': html('<h1>stranger</h1>'),
    });
    const early = new VerdictError('early', 'Its host rests.');
    const rules = keepRobots(async () => 'User-agent: *\nDisallow: /no');
    const robots: BrowserCrawlerOptions['robots'] = async (url) => {
      if (url.endsWith('/early')) throw early;
      return rules(url);
    };
    const nothingSaid = ['/gone', '/gone?2', '/no', '/no?2', '/early', '/shell'];
    const urls = ['/login', ...nothingSaid, '/still', '/denied', '/stranger'].map((path) => server.origin + path);
    const { failures } = await crawlBrowser({ urls, options: { robots } });
    const verdicts = ['missing', 'missing', 'skipped', 'skipped', 'early', 'transient', 'blocked'];
    expect(failures.map(({ verdict }) => verdict)).toEqual(verdicts);
    const sent = Object.fromEntries(server.hits.map(({ path, headers }) => [path, headers.cookie]));
    expect(sent).toMatchObject({ '/still': 'member=1', '/denied': 'member=1', '/stranger': undefined });
  });
});

const PICTURES = `
  <style>@font-face { font-family: f; src: url(/font.woff2) } body { background: url(/background) } p { font-family: f }</style>
  <img src="/photo" onload="this.dataset.seen='loaded'" onerror="this.onerror = null; this.src = '/placeholder'">
  <video src="/film.mp4" autoplay></video>
  <iframe src="FRAME"></iframe><script src="/app.js"></script>`;
const TRACKER = '<script src="https://www.googletagmanager.com/gtm.js"></script>';
const assetServer = async (extra = '') => {
  const server = await startServer({
    '/': (...args) => html(PICTURES.replace('FRAME', `${server.other}/frame`) + extra)(...args),
    '/frame': html('<img src="/photo-of-frame">'),
    '/app.js': (response) => response.setHeader('content-type', 'text/javascript').end('document.title = "ran"'),
  });
  return server;
};

describeBrowser('assets', () => {
  it('are not fetched, are counted, and leave the page as it is', async () => {
    const server = await assetServer(TRACKER);
    const { pages, blocked, failures } = await crawlBrowser({ urls: [`${server.origin}/`] });
    expect(failures).toEqual([]);
    expect(server.hits.map(({ path }) => path).toSorted()).toEqual(['/', '/app.js', '/frame']);
    expect(new Set(blocked)).toEqual(new Set(['image', 'font', 'media', 'tracker']));
    expect(blocked.filter((kind) => kind === 'image')).toHaveLength(3);
    expect(pages[0]?.$('img').attr()).toMatchObject({ src: '/photo', 'data-seen': 'loaded' });
    expect(pages[0]?.$('title').text()).toBe('ran');
  });

  it('are fetched where that is wanted', async () => {
    const server = await assetServer();
    const { blocked } = await crawlBrowser({ urls: [`${server.origin}/`], options: { loadAssets: true } });
    expect(blocked).toEqual([]);
    const paths = server.hits.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/photo', '/background', '/font.woff2', '/film.mp4', '/photo-of-frame']));
  });
});
