// Each page goes through its own session's proxy, really, and what the proxy says of a failure is told by its name.
import { ProxyConfiguration } from '@crawlee/core';
import { expect, it, onTestFinished } from 'vitest';

import type { BrowserCrawlerOptions } from '../../../src/fetch/browser-crawler.ts';
import { createRelay } from '../../../src/proxy/relay.ts';
import { startForwardProxy, type ForwardProxy } from '../../proxy/forward-proxy.ts';
import { crawlBrowser, describeBrowser, html, startServer } from './lab.ts';

async function startProxy(): Promise<ForwardProxy> {
  const proxy = await startForwardProxy();
  onTestFinished(() => proxy.close());
  return proxy;
}

/** @param urlOf By the session's id and the request's address. */
function through(urlOf: (sessionId: string, url: string) => string | null): Pick<BrowserCrawlerOptions, 'proxyConfiguration'> {
  return {
    proxyConfiguration: new ProxyConfiguration({
      newUrlFunction: (sessionId, options) => urlOf(String(sessionId), options?.request?.url ?? ''),
    }),
  };
}

const PAGE = html('<h1>x</h1><script src="/app.js"></script><script>fetch("/xhr")</script>');
const site = () =>
  startServer({
    ...Object.fromEntries(['/a', '/b', '/c', '/d'].map((path) => [path, PAGE])),
    '/app.js': (response) => response.end(''),
    '/xhr': (response) => response.end('{}'),
  });

describeBrowser('a page', () => {
  it('leaves from an address of its own through a rotating proxy, also for a target on this machine', async () => {
    const [proxy, server] = [await startProxy(), await site()];
    const urls = ['/a', '/b', '/c', '/d'].map((path) => server.origin + path);
    const { failures, rows } = await crawlBrowser({ urls, concurrency: 2, options: through(() => proxy.url()) });
    expect(failures).toEqual([]);
    expect(rows).toHaveLength(4);
    const documents = server.hits.filter(({ path }) => /^\/[abcd]$/.test(path)).map(({ remoteAddress }) => remoteAddress);
    expect(new Set(documents).size).toBe(4);
    expect(server.hits.filter(({ remoteAddress }) => remoteAddress === '127.0.0.1')).toEqual([]);
  });

  it('leaves from its session’s address through a sticky one, with all that it asks for', async () => {
    const [proxy, server] = [await startProxy(), await site()];
    const urls = ['/a', '/b', '/c'].map((path) => server.origin + path);
    const told: (string | undefined)[] = [];
    const { failures } = await crawlBrowser({
      urls,
      options: {
        ...through((id) => proxy.url(`user-surefoot-session-${id.replaceAll(/\W/g, '')}`)),
        through: async (proxyUrl, key) => {
          told.push(`${key.tier} ${key.proxy}`);
          return proxyUrl;
        },
        modeOf: () => 'sticky',
      },
    });
    expect(failures).toEqual([]);
    expect(new Set(server.hits.map(({ remoteAddress }) => remoteAddress)).size).toBe(1);
    expect(server.hits[0]?.remoteAddress).not.toBe('127.0.0.1');
    expect(told).toEqual(['browser sticky', 'browser sticky', 'browser sticky']);
  });

  it('without a proxy leaves from here, whatever the pages around it do, and what is said of its proxy is true', async () => {
    const [proxy, server] = [await startProxy(), await site()];
    const said: (string | undefined)[] = [];
    const { failures } = await crawlBrowser({
      urls: ['/a', '/b', '/c'].map((path) => server.origin + path),
      options: through((_, url) => (url.endsWith('/b') ? null : proxy.url())),
      onStart: (crawler) => {
        const end = crawler['_cleanupContext'].bind(crawler);
        crawler['_cleanupContext'] = async (context) => {
          said.push(context.proxyInfo?.url);
          await end(context);
        };
      },
    });
    expect(failures).toEqual([]);
    const from = Object.fromEntries(server.hits.map(({ path, remoteAddress }) => [path, remoteAddress]));
    expect(from['/b']).toBe('127.0.0.1');
    expect([from['/a'], from['/c']]).not.toContain('127.0.0.1');
    expect(said).toEqual([proxy.url(), undefined, proxy.url()]);
  });
});

describeBrowser('the traffic of a page', () => {
  it('through the relay is counted for the browser tier, as the proxy counts it', async () => {
    const [proxy, server] = [await startProxy(), await site()];
    const sum = { sent: 0, received: 0 };
    const keys = new Set<string>();
    const relay = createRelay({
      count({ tier, proxy, host }, { sent, received }) {
        keys.add(`${tier} ${proxy} ${host}`);
        sum.sent += sent;
        sum.received += received;
      },
    });
    const { failures } = await crawlBrowser({
      urls: [`${server.origin}/a`, `http://shop.test:${server.port}/b`],
      options: { ...through(() => proxy.url()), through: relay.through, lastFault: relay.lastFault },
    });
    await relay.close();
    await proxy.settled();
    expect(failures).toEqual([]);
    expect(keys).toEqual(new Set([`browser rotating 127.0.0.1:${server.port}`, `browser rotating shop.test:${server.port}`]));
    const seen = proxy.stats();
    expect(Math.abs(sum.sent - seen.received) / seen.received).toBeLessThan(0.02);
    expect(Math.abs(sum.received - seen.sent) / seen.sent).toBeLessThan(0.02);
  });
});

describeBrowser('a proxy that fails', () => {
  const cases = ['http', 'https'].flatMap((scheme) => [
    { scheme, how: 'refuses the password', verdict: 'proxy', message: /refuses the user name or password/ },
    { scheme, how: 'is not there', verdict: 'proxy', message: /cannot be reached/ },
  ]);
  it.each(cases)('and $how is named so for $scheme, at once and without a secret', async ({ scheme, how, verdict, message }) => {
    const [proxy, server] = [await startProxy(), await site()];
    const isGone = how === 'is not there';
    const url = new URL(proxy.url());
    url.password = 'canary-of-a-password';
    if (isGone) url.port = '9';
    const { failures } = await crawlBrowser({
      urls: [`${scheme}://shop.test:${server.port}/a`],
      options: through(() => url.href),
    });
    expect(failures).toMatchObject([{ verdict, message: expect.stringMatching(message) as string }]);
    expect(JSON.stringify(failures)).not.toContain('canary');
    expect(server.hits).toEqual([]);
  });

  it('to reach a target costs that page a try, and what the relay knows is asked for', async () => {
    const proxy = await startProxy();
    proxy.fail(503);
    const options = through(() => proxy.url());
    const urls = ['https://shop.test:4/'];
    const { failures } = await crawlBrowser({ urls, options });
    expect(failures).toMatchObject([
      { verdict: 'transient', message: expect.stringContaining('does not get through') as string },
    ]);
    const relayed = await crawlBrowser({ urls, options: { ...options, lastFault: () => ({ message: 'The relay knows.' }) } });
    expect(relayed.failures).toMatchObject([{ verdict: 'proxy', message: 'The relay knows.' }]);
  });
});
