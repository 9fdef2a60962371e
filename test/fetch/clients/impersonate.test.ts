// The impersonating client as the crawl uses it: whose connections a request goes by, through which proxy, with what
// headers and cookies, and what it says when impit is not there.
import { execFile } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { ProxyMode } from '../../../src/core/proxy.ts';
import { createImpersonateClient } from '../../../src/fetch/clients/impersonate.ts';
import type { Route } from '../../../src/fetch/clients/tier-client.ts';
import { startForwardProxy, type ForwardProxy } from '../../proxy/forward-proxy.ts';
import { createBadExit, NO_TLS } from './bad-exit.ts';
import { certificates, client, faultOf, front, get, open, secureUrl, server } from './impersonate-setup.ts';
import { startTlsFront } from './tls-front.ts';

const IMPERSONATE = fileURLToPath(new URL('../../../src/fetch/clients/impersonate.ts', import.meta.url));

const route = (proxy: ProxyMode, sessionId = 'one'): Route => ({ tier: 'impersonate', proxy, sessionId });

async function startProxy(): Promise<ForwardProxy> {
  const proxy = await startForwardProxy();
  onTestFinished(proxy.close);
  return proxy;
}

/** One after another. impit takes a connection back on a thread of its own, a moment after the body has ended. */
async function inTurn<Item>(items: Iterable<Item>, one: (item: Item) => Promise<unknown>): Promise<void> {
  for (const item of items) {
    await one(item);
    await wait(100);
  }
}

/** 60 requests, 5 at a time. */
async function crowd(one: (id: number) => Promise<unknown>): Promise<void> {
  const ids = Array.from({ length: 60 }, (_, id) => id);
  const worker = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) await one(id);
  };
  await Promise.all(Array.from({ length: 5 }, worker));
}

describe('connections', () => {
  it('60 requests of one session at concurrency 5 use at most 5', async () => {
    const before = front.connections;
    await crowd((id) => get(secureUrl('ok', { id }), client, { route: route('none') }));
    expect(front.connections - before).toBeLessThanOrEqual(5);
  });

  it.each(['gzip', 'brotli', 'deflate', '404', 'gzip-empty'])('%s leaves its connection for the next', async (fault) => {
    const before = front.connections;
    await inTurn([1, 2, 3], () => get(secureUrl(fault)));
    expect(front.connections - before).toBe(1);
  });

  it('two sessions never share one', async () => {
    const before = front.connections;
    await inTurn(['a', 'b', 'a', 'b'], (session) => get(secureUrl('ok'), client, { route: route('none', session) }));
    expect(front.connections - before).toBe(2);
  });

  it('beyond the bound, the session not used for the longest has its connections closed', async () => {
    const small = await open({ maxClients: 2 });
    const before = front.connections;
    await inTurn(['a', 'b', 'a', 'c', 'a', 'b'], (session) => get(secureUrl('ok'), small, { route: route('none', session) }));
    expect(front.connections - before).toBe(4); // a, b, c, and b once more.
  });

  it.each(['rotating', 'geo'] as const)('%s: each request has one of its own, closed after its answer', async (mode) => {
    const proxy = await startProxy();
    const before = front.connections;
    const ask = (id: number) => get(secureUrl('ok', { id }), client, { proxyUrl: proxy.url(), route: route(mode) });
    await Promise.all([ask(1), ask(2), ask(3)]);
    expect(front.connections - before).toBe(3);
    expect(new Set(proxy.log.map(({ exit }) => exit)).size).toBe(3);
    await proxy.settled();
    await front.idle();
  });

  it('rotating: a page’s redirects go by its connection, or an address that changes on the way would show', async () => {
    const proxy = await startProxy();
    await get(secureUrl('redirect-10'), client, { proxyUrl: proxy.url(), route: route('rotating') });
    // Eleven requests. On a machine that is busy impit may not have the connection back in time.
    expect(proxy.log.length).toBeLessThanOrEqual(4);
  });

  it('sticky: they are kept for the session', async () => {
    const proxy = await startProxy();
    const proxyUrl = proxy.url('user-surefoot-session-abc');
    await inTurn([1, 2, 3, 4, 5], () => get(secureUrl('ok'), client, { proxyUrl, route: route('sticky') }));
    expect(proxy.log).toHaveLength(1);
    await client.close();
    await proxy.settled();
  });

  // impit reads SSL_CERT_FILE once, when its process first shakes hands.
  it('a process that is done with them ends by itself', async () => {
    const program = `
      import { text } from 'node:stream/consumers';
      import { createImpersonateClient } from ${JSON.stringify(IMPERSONATE)};
      const client = await createImpersonateClient({ browser: 'chrome' });
      const { stream } = await client.stream({ url: '${secureUrl('ok')}' });
      console.log(await text(stream));
    `;
    const env = { ...process.env, SSL_CERT_FILE: certificates.authorityFile };
    const child = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, child, { env, timeout: 60_000 });
    expect(stdout).toContain('<title>ok</title>');
  });
});

describe('proxies', () => {
  it.each([
    ['407: the user is refused', 407, 'proxy-refused'],
    ['402: the traffic is used up', 402, 'proxy-refused'],
    ['503: no way to the target', 503, 'proxy-no-route'],
  ] as const)('%s', async (_, status, fault) => {
    const proxy = await startProxy();
    proxy.fail(status);
    for (const url of [secureUrl('ok'), secureUrl('ok')]) {
      const error = await faultOf(get(url, client, { proxyUrl: proxy.url(), route: route('rotating') }));
      expect(error.fault).toBe(fault);
      expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain(encodeURIComponent(proxy.pass));
      expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain(proxy.pass);
    }
  });

  it('a proxy that is not there is no block: proxy-unreachable', async () => {
    const proxyUrl = server.refusedUrl.replace('http://', 'http://user-x:s3cret@');
    const error = await faultOf(get(secureUrl('ok'), client, { proxyUrl, route: route('rotating') }));
    expect([error.fault, error.message]).toEqual(['proxy-unreachable', expect.stringContaining('ECONNREFUSED')]);
    expect(error.stack).not.toContain('s3cret');
  });

  it('a target that refuses its proxy is not the proxy’s fault', async () => {
    const proxy = await startProxy();
    const url = server.refusedUrl.replace('http:', 'https:');
    expect((await faultOf(get(url, client, { proxyUrl: proxy.url(), route: route('rotating') }))).fault).toBe('proxy-no-route');
  });

  it.each(NO_TLS)('%s behind CONNECT, where TLS was to begin: another exit may do better', async (_, answer) => {
    const exit = createBadExit(answer);
    await new Promise<void>((resolve) => exit.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void exit.close());
    const proxyUrl = `http://me:s3cret@127.0.0.1:${(exit.address() as AddressInfo).port}`;
    const error = await faultOf(get('https://shop.test/', client, { proxyUrl, route: route('rotating') }));
    expect([error.fault, error.message]).toEqual([
      'proxy-no-route',
      expect.stringMatching(/^The proxy .* does not get through to shop\.test:443 \(the TLS handshake failed\)\.$/),
    ]);
  });

  it('a certificate that is not valid stays the target’s fault behind a proxy', async () => {
    const proxy = await startProxy();
    const untrusted = await startTlsFront(server.origin, certificates.untrusted);
    onTestFinished(untrusted.close);
    const request = get(`${untrusted.origin}/ok`, client, { proxyUrl: proxy.url(), route: route('rotating') });
    expect((await faultOf(request)).fault).toBe('tls');
  });

  it('a request in a proxy mode that has no proxy is not sent at all', async () => {
    const request = get(secureUrl('ok', { id: 'exposed' }), client, { route: route('rotating') });
    await expect(request).rejects.toThrow('has no proxy');
    expect(server.hits.has('/ok/exposed')).toBe(false);
  });

  it('each byte is told once, the proxy’s own part included', async () => {
    const proxy = await startProxy();
    const told = { sent: 0, received: 0 };
    const keys = new Set<string>();
    const counting = await open({
      count(key, { sent, received }) {
        keys.add(JSON.stringify(key));
        told.sent += sent;
        told.received += received;
      },
    });
    const request = { proxyUrl: proxy.url(), route: route('rotating') };
    await get(secureUrl('ok'), counting, request);
    await get(server.url('ok'), counting, request);
    await proxy.settled();
    expect(told.sent).toBe(proxy.stats().received);
    // TLS's goodbye, 24 bytes, may be on its way when the connection is closed.
    expect(proxy.stats().sent - told.received).toBeOneOf([0, 24]);
    const key = { tier: 'impersonate', proxy: 'rotating' };
    const hosts = [front.origin, server.origin].map((origin) => JSON.stringify({ ...key, host: new URL(origin).host }));
    expect([...keys].toSorted()).toEqual(hosts.toSorted());
  });
});

describe('cookies, redirects, bodies', () => {
  it('the Cookie header goes out as it is, several Set-Cookie come back as an array, and no jar keeps any', async () => {
    const { headers, stream } = await client.stream({ url: secureUrl('twice-the-header') });
    await text(stream);
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    const sent = JSON.parse(await get(secureUrl('echo'), client, { headers: { Cookie: 'mine=1; yours=2' } }));
    expect(new Map(pairs(sent.rawHeaders)).get('cookie')).toBe('mine=1; yours=2');
    const next = JSON.parse(await get(secureUrl('echo')));
    expect(new Map(pairs(next.rawHeaders)).has('cookie')).toBe(false);
  });

  it('a cookie in UTF-8 goes back by the bytes it came by', async () => {
    const { headers, stream } = await client.stream({ url: secureUrl('cookies-beyond-ascii') });
    await text(stream);
    const Cookie = [headers['set-cookie']].flat().join('; ');
    const sent = JSON.parse(await get(secureUrl('echo'), client, { headers: { Cookie } }));
    const bytes = Buffer.from(new Map(pairs(sent.rawHeaders)).get('cookie') ?? '', 'latin1');
    // The one in Latin-1 is beyond impit: it is sent as UTF-8.
    expect(bytes.toString()).toBe('city=Zürich; name=中文; old=Zürich');
  });

  it('a cookie set on the way is sent to where the redirect leads', async () => {
    const { stream, url, redirectUrls } = await client.stream({ url: secureUrl('redirect-cookie') }, ({ headers }, update) => {
      update.headers['Cookie'] = String(headers['set-cookie']?.[0]).split(';')[0];
    });
    expect(await text(stream)).toContain('ok');
    expect([url, redirectUrls.length]).toEqual([secureUrl('redirect-cookie'), 1]);
  });

  it.each([
    ['redirect-utf8', '%C3%A9%E4%B8%AD'],
    ['redirect-latin1', 'caf%E9'],
  ])('%s: a Location beyond ASCII leads where a browser would go', async (fault, path) => {
    const { stream, url } = await client.stream({ url: secureUrl(fault) });
    expect([await text(stream), url]).toEqual([expect.stringContaining(path), `${front.origin}/${fault}/${path}`]);
  });

  it.each(['redirect-no-body', 'redirect-open-body', 'redirect-cut-body'])(
    '%s: where it leads is fetched all the same',
    async (fault) => {
      const { stream, url } = await client.stream({ url: secureUrl(fault), signal: AbortSignal.timeout(5_000) });
      expect([await text(stream), url]).toEqual([expect.stringContaining('ok'), `${front.origin}/${fault}/on`]);
    },
  );

  it('a user and a password in the URL become a header, and stand in no error', async () => {
    const named = (fault: string) => secureUrl(fault).replace('https://', 'https://bob:s3cret@');
    const sent = JSON.parse(await get(named('echo')));
    expect(new Map(pairs(sent.rawHeaders)).get('authorization')).toBe(`Basic ${btoa('bob:s3cret')}`);
    const error = await faultOf(get(named('reset-before-headers')));
    expect(`${error.stack}${(error.cause as Error).message}`).not.toContain('s3cret');
  });

  it('a body is sent as it is, with the type it was given or none', async () => {
    const post = async (headers: Record<string, string>) => {
      const { body } = await client.sendRequest({
        url: secureUrl('echo'),
        method: 'POST',
        body: 'a=1',
        headers,
        responseType: 'json',
      });
      return body as { method: string; body: string; rawHeaders: string[] };
    };
    const typed = await post({ 'Content-Type': 'application/x-www-form-urlencoded' });
    expect([typed.method, typed.body]).toEqual(['POST', 'a=1']);
    expect(new Map(pairs(typed.rawHeaders)).get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(new Map(pairs((await post({})).rawHeaders)).has('content-type')).toBe(false);
  });

  it('in the clear, headers keep the case and the order that Chrome gives them', async () => {
    const headers = { 'Upgrade-Insecure-Requests': '1', 'User-Agent': 'Mozilla/5.0 Chrome/151.0.0.0', Accept: 'text/html' };
    const sent = JSON.parse(await get(server.url('echo'), client, { headers }));
    expect(
      pairs(sent.rawHeaders)
        .map(([name]) => name)
        .filter((name) => name in headers),
    ).toEqual(Object.keys(headers));
  });
});

describe('without impit', () => {
  const absent = () => Promise.reject(new Error("impit couldn't load native bindings.\n\nThis can have several reasons:\n- ..."));

  it('the error names the cause and the command that helps, in one line', async () => {
    await expect(createImpersonateClient({ browser: 'chrome', load: absent })).rejects.toMatchObject({
      name: 'SurefootError',
      kind: 'input',
      message: expect.stringMatching(/^\[input\] .*impit couldn't load native bindings\..*npm install --include=optional[^\n]*$/),
    });
  });
});

function pairs(flat: readonly string[]): [name: string, value: string][] {
  const names = flat.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name, flat[2 * index + 1] ?? '']);
}
