// What the browser lane makes of a page that sends its reader elsewhere: what is shown in the end is the page.
import { expect, it } from 'vitest';

import type { BrowserView } from '../../../src/core/site.ts';
import { crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

const FILE = { 'content-type': 'application/zip', 'content-disposition': 'attachment; filename=a.zip' };

describeBrowser('a page that sends its reader to what shows nothing', () => {
  const file: Answer = (response) => response.writeHead(200, FILE).end('PK');
  const answers = {
    '/file.zip': file,
    '/endless.zip': (response) => response.writeHead(200, FILE).write('PK'),
    '/to-file': (response) => response.writeHead(302, { location: '/file.zip' }).end(),
    '/to-nowhere': (response) => response.writeHead(302, { location: '/silent' }).end(),
    '/silent': () => {},
    '/nothing': (response) => response.writeHead(204).end(),
  } satisfies Record<string, Answer>;
  const thanks = (script: string) => html(`<h1>thanks</h1><script>${script}</script>`, { 'x-lab': 'thanks' });
  const go = (to: string) => `location.href = "${to}";`;
  const onceLoaded = (script: string) => `onload = () => setTimeout(() => { ${script} }, 50)`;
  const frames = ['/file.zip', '/nothing'].map((src) => `<iframe src="${src}"></iframe>`).join('');

  it.each<[string, Answer]>([
    ['a download, while it is parsed', thanks(go('/file.zip'))],
    ['a download, when it is loaded', thanks(onceLoaded(go('/file.zip')))],
    ['a download by way of a redirect', thanks(onceLoaded(go('/to-file')))],
    ['a download, under another address each time', thanks(onceLoaded(`${go('/file.zip')} history.pushState(null, '', '/b')`))],
    ['nothing (204), while it is parsed', thanks(go('/nothing'))],
    ['nothing (204), when it is loaded', thanks(onceLoaded(go('/nothing')))],
    ['an app of its own, while it is parsed', thanks(go('shop://open'))],
    ['an address that it then leaves alone', thanks(onceLoaded(`${go('/to-nowhere')} setTimeout(() => stop(), 300)`))],
    ['both, in its frames', html(`<h1>thanks</h1>${frames}`, { 'x-lab': 'thanks' })],
  ])('%s, is read as it stays', async (_, answer) => {
    const server = await startServer({ ...answers, '/page': answer });
    const started = performance.now();
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/page`] });
    expect(failures).toEqual([]);
    expect(pages[0]?.response).toMatchObject({ status: 200, headers: { 'x-lab': 'thanks' } });
    expect(pages[0]?.$('h1').text()).toBe('thanks');
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  const click = async (view: BrowserView) => {
    await view.click('a');
    await view.waitFor('#none', { timeoutMillis: 500 });
  };
  const clicking = { browser: { prepare: { PAGE: click } } };

  it.each(['/endless.zip', '/nothing'])('%s, by a click, is read as it stays', async (to) => {
    const page = html(`<h1>hello</h1><a href="${to}">get</a>`, { 'x-lab': 'hello' });
    const server = await startServer({ ...answers, '/page': page });
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/page`], site: clicking });
    expect(failures).toEqual([]);
    expect(pages[0]?.response).toMatchObject({ status: 200, headers: { 'x-lab': 'hello' } });
    expect(pages[0]?.$('h1').text()).toBe('hello');
    expect(server.hits.map(({ path }) => path)).toContain(to);
  });

  it.each([
    ['while it is parsed', thanks(go('/reset')), {}],
    ['when it is loaded', thanks(onceLoaded(go('/reset'))), {}],
    ['by a click', html('<h1>thanks</h1><a href="/reset">get</a>'), clicking],
  ])('and has gone for a connection that breaks, %s, costs a try and hands on nothing', async (_, answer, site) => {
    const server = await startServer({ '/page': answer, '/reset': (response) => response.destroy() });
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/page`], site });
    expect(failures).toMatchObject([{ verdict: 'transient', message: 'The browser says ERR_EMPTY_RESPONSE.' }]);
    expect(pages).toEqual([]);
  });

  it('is left for a page that takes its time to come', async () => {
    const server = await startServer({
      '/page': thanks(go('/late')),
      '/late': (...args) => setTimeout(() => html('<h1>late</h1>', { 'x-lab': 'late' })(...args), 2_000),
    });
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/page`] });
    expect(pages[0]?.response).toMatchObject({ url: `${server.origin}/late`, headers: { 'x-lab': 'late' } });
    expect(pages[0]?.$('h1').text()).toBe('late');
  });

  it.each([
    ['in its head', ['<script>location.href = "shop://open"</script>', '']],
    ['in its middle', ['', '<script>location.href = "/nothing"</script>']],
  ])('%s, is read as it was sent: Chromium shows no more of it', async (_, [head, middle]) => {
    const text = 'Words to read. '.repeat(50);
    const sent = `<!doctype html><html><head>${head}</head><body><h1>whole</h1>${text}${middle}<ul><li>row</ul></body></html>`;
    const server = await startServer({
      ...answers,
      '/page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(sent),
    });
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/page`] });
    expect(failures).toEqual([]);
    expect(pages.map(({ html }) => html)).toEqual([sent]);
    expect(pages[0]?.$('li').text()).toBe('row');
  });

  it('is left when something else comes of it after all', async () => {
    const server = await startServer({
      ...answers,
      '/page': thanks(onceLoaded(`${go('/file.zip')} setTimeout(() => { ${go('/new')} }, 100)`)),
      '/new': html('<h1>new</h1>', { 'x-lab': 'new' }),
    });
    const { pages } = await crawlBrowser({ urls: [`${server.origin}/page`] });
    expect(pages[0]?.response).toMatchObject({ url: `${server.origin}/new`, headers: { 'x-lab': 'new' } });
    expect(pages[0]?.$('h1').text()).toBe('new');
  });
});
