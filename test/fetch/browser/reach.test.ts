// What a page makes the browser ask for: pictures, frames, scripts, workers and sockets go no further than the page itself may.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { ProxyConfiguration } from '@crawlee/core';
import { expect, it, onTestFinished } from 'vitest';

import { createReach } from '../../../src/fetch/clients/reach.ts';
import { LOOPBACK_FORMS } from '../../core/address-forms.ts';
import { startForwardProxy } from '../../proxy/forward-proxy.ts';
import { fakeNames } from '../clients/fake-names.ts';
import { crawlBrowser, describeBrowser, html, startServer } from './lab.ts';

/** A page that asks for the same in every way there is, says how it went, and tells when all is over. */
const ask = (targets: readonly string[]) => `<script>
  const settled = (start) => new Promise((done) => { start(done); setTimeout(done, 8000); });
  const element = (name, set) => settled((done) => {
    const made = Object.assign(document.createElement(name), set);
    made.onload = made.onerror = done;
    document.body.append(made);
  });
  const ways = (target) => [
    fetch(target + '/fetch', { mode: 'no-cors' }).catch(() => {}),
    element('img', { src: target + '/img.png' }),
    element('script', { src: target + '/script.js' }),
    element('link', { rel: 'stylesheet', href: target + '/style.css' }),
    element('iframe', { src: target + '/frame' }),
    element('object', { data: target + '/object' }),
    settled((done) => { const socket = new WebSocket(target.replace('http', 'ws') + '/socket'); socket.onopen = socket.onerror = done; }),
    settled((done) => { const events = new EventSource(target + '/events'); events.onerror = () => { events.close(); done(); }; }),
    settled((done) => {
      const source = 'fetch(' + JSON.stringify(target + '/worker') + ', { mode: "no-cors" }).catch(() => {}).then(() => postMessage(1))';
      new Worker(URL.createObjectURL(new Blob([source]))).onmessage = done;
    }),
    settled((done) => { navigator.sendBeacon(target + '/beacon'); setTimeout(done, 300); }),
  ];
  Promise.all(${JSON.stringify(targets)}.flatMap(ways)).then(() => { document.body.append(Object.assign(document.createElement('p'), { id: 'over' })); });
</script>`;
const WAYS = 10;

async function setUp(targetsOf: (port: number) => readonly string[], script = ask) {
  const targets: string[] = [];
  const answer = html('');
  const paths = ['fetch', 'img.png', 'script.js', 'style.css', 'frame', 'object', 'events', 'worker', 'beacon', 'secret'];
  const server = await startServer({
    '/page': (response, hit, request) => html(script(targets))(response, hit, request),
    '/away': (response, hit) => {
      response.writeHead(302, { location: `http://127.0.0.1:${server.port}/secret`, 'x-hit': hit.path }).end();
    },
    ...Object.fromEntries(paths.map((path) => [`/${path}`, answer])),
  });
  targets.push(...targetsOf(server.port));
  const page = `http://public.example:${server.port}/page`;
  const { resolve } = fakeNames({
    'public.example': ['127.0.0.1'],
    'evil.example': ['127.0.0.1'],
    'rebinding.example': ['93.184.216.34', '127.0.0.1'],
    localhost: ['127.0.0.1'],
  });
  // No public address can be served from here: its name is allowed in their place.
  const reach = createReach({ startUrls: [page], allowPrivate: ['public.example'], resolve });
  return { server, page, reach };
}

/** One that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const settle = { PAGE: { selector: '#over' } };

describeBrowser('a page of the public net', () => {
  it('reaches this machine in no way and in no form, and its own host in all ways', { timeout: 90_000 }, async () => {
    const forms = LOOPBACK_FORMS.filter((form) => /^[\x20-\x7e]+$/.test(form));
    const { server, page, reach } = await setUp((port) => [
      ...[...forms, 'localhost', 'a.localhost', 'evil.example'].map((host) => `http://${host}:${port}`),
      `http://public.example:${port}`,
    ]);
    const { failures, rows } = await crawlBrowser({
      urls: [page],
      site: { browser: { waitFor: settle } },
      options: { reach, loadAssets: true },
    });
    expect(failures).toEqual([]);
    expect(rows).toHaveLength(1);
    const own = server.hits.filter(({ headers }) => headers.host?.startsWith('public.example'));
    expect(server.hits.filter((hit) => !own.includes(hit))).toEqual([]);
    // The page itself, and each way but the socket, which this server does not speak.
    expect(own.length).toBeGreaterThanOrEqual(WAYS);
  });

  it('does not get there by a redirect, which ends the page with its reason', async () => {
    const { server, page, reach } = await setUp(() => []);
    const { failures } = await crawlBrowser({ urls: [page.replace('/page', '/away')], options: { reach } });
    expect(failures).toMatchObject([{ path: '/away', verdict: 'skipped' }]);
    expect(failures[0]?.message).toContain('127.0.0.1 leads to this machine');
    expect(server.hits.map(({ path }) => path)).toEqual(['/away']);
  });

  it('does not get there by a name that leads elsewhere the second time', async () => {
    const { server, page, reach } = await setUp((port) => [`http://rebinding.example:${port}`]);
    await crawlBrowser({ urls: [page], site: { browser: { waitFor: settle } }, options: { reach } });
    expect(server.hits.filter(({ headers }) => headers.host?.startsWith('rebinding'))).toEqual([]);
  });

  it('does not get there through a proxy of this machine', { timeout: 60_000 }, async () => {
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    const { server, reach } = await setUp((port) =>
      ['127.0.0.1', '[::ffff:127.0.0.1]', 'a.localhost'].map((host) => `http://${host}:${port}`),
    );
    const named = createReach({ startUrls: [`${server.origin}/page`], allowPrivate: [] });
    const options = { proxyConfiguration: new ProxyConfiguration({ newUrlFunction: () => proxy.url() }) };
    const site = { browser: { waitFor: settle } };
    const { failures } = await crawlBrowser({ urls: [`${server.origin}/page`], site, options: { ...options, reach } });
    expect(failures).toMatchObject([{ path: '/page', verdict: 'skipped' }]);
    expect(server.hits).toEqual([]);
    await crawlBrowser({ urls: [`${server.origin}/page`], site, options: { ...options, reach: named } });
    expect(server.hits.length).toBeGreaterThan(1);
  });
});

describeBrowser('a page of a host that a person has named', () => {
  it('reaches its own machine by every name of it', async () => {
    const { server } = await setUp((port) => [`http://localhost:${port}`, `http://[::ffff:127.0.0.1]:${port}`]);
    const reach = createReach({ startUrls: [server.origin], allowPrivate: [] });
    const site = { browser: { waitFor: settle } };
    const { failures } = await crawlBrowser({ urls: [`${server.origin}/page`], site, options: { reach } });
    expect(failures).toEqual([]);
    expect(new Set(server.hits.map(({ headers }) => headers.host))).toEqual(
      new Set([`127.0.0.1:${server.port}`, `localhost:${server.port}`, `[::ffff:7f00:1]:${server.port}`]),
    );
  });

  it('says what kept a page from coming as the HTTP lane does', async () => {
    const { reach } = await setUp(() => []);
    const closed = await closedPort();
    const urls = ['http://nowhere.example/', `http://public.example:${closed}/`];
    const { failures } = await crawlBrowser({ urls, options: { reach } });
    expect(failures.map(({ verdict, message }) => [verdict, message])).toEqual([
      ['transient', 'getaddrinfo ENOTFOUND nowhere.example'],
      ['transient', `connect ECONNREFUSED 127.0.0.1:${closed}`],
    ]);
  });
});
