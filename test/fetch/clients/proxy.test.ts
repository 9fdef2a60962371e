// The plain client through a real proxy: whose connections they are, what each side gets to read, and what a refusal is called.
import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { inspect, promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { ProxyMode } from '../../../src/core/proxy.ts';
import { TransportError, type TransportFault } from '../../../src/core/transport.ts';
import type { RoutedRequest, TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { makeCertificate, type Certificate } from '../../proxy/certificate.ts';
import { createBadExit, NO_TLS } from './bad-exit.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy, type IpEcho } from '../../proxy/forward-proxy.ts';
import { faultOf, open, server } from './setup.ts';

const PLAIN = fileURLToPath(new URL('../../../src/fetch/clients/plain.ts', import.meta.url));

let certificate: Certificate;
let proxy: ForwardProxy;
let echo: IpEcho;
let secureEcho: IpEcho;
let through: TierClient;

beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());
beforeEach(async () => {
  proxy = await startForwardProxy({ pass: 'p@ss:w/rd %& canary' });
  echo = await startIpEcho();
  secureEcho = await startIpEcho({ tls: certificate });
  through = open({ rejectUnauthorized: false });
});
afterEach(async () => {
  await through.close();
  await Promise.all([proxy.close(), echo.close(), secureEcho.close()]);
});

const route = (mode: ProxyMode, sessionId = 's1') => ({ tier: 'http', proxy: mode, sessionId }) as const;

/** The address that the target saw. */
async function exitOf(request: RoutedRequest, by = through): Promise<string> {
  const { body } = await by.sendRequest<'json'>({ ...request, responseType: 'json' });
  return (body as { proxy: { ip: string } }).proxy.ip;
}

const urlOf = { http: () => echo.url, https: () => secureEcho.url };

describe.each(['http', 'https'] as const)('to an %s target', (scheme) => {
  it.each<ProxyMode | undefined>(['rotating', 'geo', undefined])(
    '20 concurrent requests in mode %s are 20 connections and 20 exits, closed after their answers',
    async (mode) => {
      const request: RoutedRequest = { url: urlOf[scheme](), proxyUrl: proxy.url(), ...(mode && { route: route(mode) }) };
      const exits = await Promise.all(Array.from({ length: 20 }, () => exitOf(request)));
      expect(new Set(exits).size).toBe(20);
      expect(proxy.stats().connections).toBe(20);
      await proxy.settled();
    },
  );

  it('three rotating requests one after the other are three exits', async () => {
    const request = { url: urlOf[scheme](), proxyUrl: proxy.url(), route: route('rotating') };
    const exits = [await exitOf(request), await exitOf(request), await exitOf(request)];
    expect(new Set(exits).size).toBe(3);
    expect(proxy.stats().connections).toBe(3);
  });

  it('three sticky requests one after the other are one connection and one exit; another session has its own', async () => {
    const request = { url: urlOf[scheme](), proxyUrl: proxy.url('user-surefoot-session-abc'), route: route('sticky') };
    const exits = [await exitOf(request), await exitOf(request), await exitOf(request)];
    expect(new Set(exits).size).toBe(1);
    expect(proxy.stats().connections).toBe(1);
    // The same name in another session, and the same session under another name.
    await exitOf({ ...request, route: route('sticky', 's2') });
    const other = await exitOf({ ...request, proxyUrl: proxy.url('user-surefoot-session-def') });
    expect(exits).not.toContain(other);
    expect(proxy.stats().connections).toBe(3);
  });

  it('a retry goes by another exit than the try that failed', async () => {
    const broken = createServer((socket) => socket.once('data', () => socket.destroy()));
    const url = `${scheme}://shop.test:${await listen(broken)}/`;
    const request = { url, proxyUrl: proxy.url(), route: route('rotating') };
    for (let tries = 0; tries < 2; tries++) {
      // For an http target it is the proxy that says so.
      const outcome = await through.sendRequest(request).then(
        ({ statusCode }) => statusCode,
        (error: unknown) => error,
      );
      expect(outcome).toEqual(
        scheme === 'http' ? expect.toSatisfy((status) => Number(status) >= 500) : expect.any(TransportError),
      );
    }
    expect(new Set(proxy.log.map(({ exit }) => exit)).size).toBe(2);
    expect(proxy.stats().connections).toBe(2);
  });

  it('a body that is left early, and a request that is given up, close their connection', async () => {
    const request = { url: urlOf[scheme](), proxyUrl: proxy.url(), route: route('rotating') };
    const { stream } = await through.stream(request);
    stream.destroy();
    const controller = new AbortController();
    const given = through.sendRequest({ ...request, signal: controller.signal });
    setImmediate(() => controller.abort(new Error('given up')));
    await expect(given).rejects.toThrow('given up');
    await proxy.settled();
  });

  it('sessions beyond 200 have their connections closed, those that were used last stay', async () => {
    const ask = (session: number) =>
      exitOf({
        url: urlOf[scheme](),
        proxyUrl: proxy.url(`user-surefoot-session-s${session}`),
        route: route('sticky', `s${session}`),
      });
    for (let session = 0; session < 203; session++) await ask(session);
    const before = proxy.stats().connections;
    await ask(202);
    await ask(50);
    expect(proxy.stats().connections).toBe(before);
    await ask(0);
    expect(proxy.stats().connections).toBe(before + 1);
  });
});

describe('who reads what', () => {
  it('the proxy’s password reaches no target, and a target of CONNECT sends the proxy nothing of the request', async () => {
    const seen: string[] = [];
    const target = createHttpServer(({ rawHeaders }, response) => {
      seen.push(rawHeaders.join('\n').toLowerCase());
      response.end('ok');
    });
    const url = `http://shop.test:${await listen(target)}/`;
    const headers = { 'X-Shop': 'for the shop', 'Proxy-Authorization': 'Basic canary' };
    await through.sendRequest({ url, headers, proxyUrl: proxy.url() });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain('x-shop');
    expect(seen[0]).not.toContain('proxy-');

    // A proxy that writes down what it is told.
    let told = '';
    const curious = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        told += chunk.toString('latin1');
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
      });
    });
    const proxyUrl = `http://me:secret@127.0.0.1:${await listen(curious)}`;
    await faultOf(through.sendRequest({ url: 'https://shop.test/cart?id=7', headers, proxyUrl }));
    const lines = told.trimEnd().split('\r\n');
    expect(lines[0]).toBe('CONNECT shop.test:443 HTTP/1.1');
    expect(lines.slice(1).map((line) => line.toLowerCase())).toEqual([
      'host: shop.test:443',
      'connection: keep-alive',
      `proxy-authorization: basic ${btoa('me:secret').toLowerCase()}`,
    ]);
  });

  it('a redirect to another host takes no credentials along and goes through the proxy as well', async () => {
    const hop = createHttpServer((_, response) => response.writeHead(302, { location: echo.url }).end());
    const url = `http://shop.test:${await listen(hop)}/`;
    const exit = await exitOf({ url, proxyUrl: proxy.url(), route: route('rotating') });
    expect(proxy.log.map((entry) => entry.hostname)).toEqual(['shop.test', 'echo.test']);
    expect(proxy.log.map((entry) => entry.exit)).toContain(exit);
  });

  it('a target’s certificate is verified inside the tunnel', async () => {
    const strict = open({});
    const error = await faultOf(strict.sendRequest({ url: secureEcho.url, proxyUrl: proxy.url() }));
    expect(error.fault).toBe('tls');
  });

  // Node reads NODE_EXTRA_CA_CERTS when it starts, so the client runs in a process of its own.
  it('with certificates that are known, TLS goes to an https proxy and through it, and the process ends by itself', async () => {
    const secureProxy = await startForwardProxy({ tls: certificate });
    onTestFinished(() => secureProxy.close());
    const program = `
      import { createPlainClient } from ${JSON.stringify(PLAIN)};
      const client = createPlainClient();
      for (const url of ${JSON.stringify([echo.url, secureEcho.url])}) {
        const { statusCode } = await client.sendRequest({ url, proxyUrl: ${JSON.stringify(secureProxy.url())} });
        console.log(statusCode);
      }
    `;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate.file };
    const child = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, child, { env, timeout: 20_000 });
    expect(stdout.trim().split('\n')).toEqual(['200', '200']);
    expect(secureProxy.log).toHaveLength(2);
    const strict = open({});
    const error = await faultOf(strict.sendRequest({ url: echo.url, proxyUrl: secureProxy.url() }));
    expect([error.fault, error.message]).toEqual([
      'proxy-unreachable',
      expect.stringMatching(/cannot be reached \(.*certificate/),
    ]);
  }, 30_000);
});

describe('a request that would show our own address is not sent', () => {
  it.each<ProxyMode>(['rotating', 'sticky', 'geo'])('mode %s without a proxy', async (mode) => {
    await expect(through.stream({ url: server.url('ok', { id: mode }), route: route(mode) })).rejects.toThrow(
      `A request in proxy mode "${mode}" has no proxy`,
    );
    expect(server.hits.has(`/ok/${mode}`)).toBe(false);
  });

  it.each(['socks5://canary:canary@127.0.0.1:1', 'canary:canary', 'http://canary:ca nary@:1'])(
    'a proxy URL that is none: %s',
    async (proxyUrl) => {
      const request = through.stream({ url: server.url('ok', { id: 'bad-proxy' }), proxyUrl });
      const error: unknown = await request.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: expect.stringContaining('A proxy is named by a URL') });
      expect(inspect(error)).not.toContain('canary:');
      expect(server.hits.has('/ok/bad-proxy')).toBe(false);
    },
  );
});

interface Refusal {
  status: number;
  reason?: string;
  body?: string;
  fault: TransportFault;
  says: RegExp;
}
const PASSWORD = /^The proxy 127\.0\.0\.1:\d+ refuses the user name or password \(HTTP 407\)\./;
const TRAFFIC = (status: number) =>
  new RegExp(
    `^The proxy 127\\.0\\.0\\.1:\\d+ serves no more \\(HTTP ${status}\\): the traffic that was paid for may be used up\\.$`,
  );
const NO_ROUTE = (status: number) =>
  new RegExp(`^The proxy 127\\.0\\.0\\.1:\\d+ does not get through to shop\\.test:443 \\(HTTP ${status}\\)\\.$`);

describe('a proxy that does not serve', () => {
  it.each<Refusal>([
    { status: 407, fault: 'proxy-refused', says: PASSWORD },
    { status: 407, body: 'Traffic limit reached', fault: 'proxy-refused', says: TRAFFIC(407) },
    { status: 402, fault: 'proxy-refused', says: TRAFFIC(402) },
    { status: 403, reason: 'Quota exceeded', fault: 'proxy-refused', says: TRAFFIC(403) },
    { status: 452, body: 'exceeded bandwidth limit', fault: 'proxy-refused', says: TRAFFIC(452) },
    { status: 403, body: 'this target is not allowed', fault: 'proxy-no-route', says: NO_ROUTE(403) },
    { status: 403, body: 'exceeded threads limit', fault: 'proxy-no-route', says: NO_ROUTE(403) },
    { status: 429, body: 'traffic too dense', fault: 'proxy-no-route', says: NO_ROUTE(429) },
    { status: 502, body: 'no traffic from the target', fault: 'proxy-no-route', says: NO_ROUTE(502) },
    { status: 504, fault: 'proxy-no-route', says: NO_ROUTE(504) },
  ])('CONNECT answered by $status $reason $body: $fault', async ({ status, reason = '', body = '', fault, says }) => {
    const proxyUrl = await startRefusing(`HTTP/1.1 ${status} ${reason}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const error = await faultOf(through.sendRequest({ url: 'https://shop.test/', proxyUrl }));
    expect([error.fault, error.message]).toEqual([fault, expect.stringMatching(says)]);
  });

  it('a refusal that neither ends nor closes is still told', async () => {
    const proxyUrl = await startRefusing('HTTP/1.1 407 No\r\n\r\nTraffic', { stayOpen: true });
    const error = await faultOf(through.sendRequest({ url: 'https://shop.test/', proxyUrl }));
    expect(error.fault).toBe('proxy-refused');
  });

  it.each<[string, string, TransportFault | number]>([
    ['407 with Proxy-Authenticate', '407 No\r\nproxy-authenticate: Basic realm="proxy"', 'proxy-refused'],
    ['407 of the target', '407 No', 407],
    ['402', '402 Payment Required', 'proxy-refused'],
    ['502', '502 Bad Gateway', 502],
  ])('an http target answered by %s', async (_, head, outcome) => {
    const proxyUrl = await startRefusing(`HTTP/1.1 ${head}\r\ncontent-length: 2\r\n\r\nno`);
    const answer = through.sendRequest({ url: 'http://shop.test/', proxyUrl });
    if (typeof outcome === 'number') expect((await answer).statusCode).toBe(outcome);
    else expect((await faultOf(answer)).fault).toBe(outcome);
  });

  it.each(['http', 'https'] as const)('a wrong password at a real one, %s', async (scheme) => {
    const proxyUrl = proxy.url().replace(/:[^:@]+@/, ':wrong-canary@');
    const error = await faultOf(through.sendRequest({ url: urlOf[scheme](), proxyUrl }));
    expect([error.fault, error.message]).toEqual(['proxy-refused', expect.stringMatching(PASSWORD)]);
  });

  it.each(['http', 'https'] as const)('one that cannot be reached, %s', async (scheme) => {
    const port = new URL(server.refusedUrl).port;
    const refused = await faultOf(through.sendRequest({ url: urlOf[scheme](), proxyUrl: `http://a:canary@127.0.0.1:${port}` }));
    expect([refused.fault, refused.message]).toEqual([
      'proxy-unreachable',
      `The proxy 127.0.0.1:${port} cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}).`,
    ]);
    const unknown = await faultOf(
      open({ connectTimeoutMillis: 20_000 }).sendRequest({
        url: urlOf[scheme](),
        proxyUrl: 'http://a:canary@no-such-host.invalid:7000',
      }),
    );
    expect(unknown.fault).toBe('proxy-unreachable');
    expect(unknown.message).toMatch(/^The proxy no-such-host\.invalid:7000 cannot be reached \(getaddrinfo/);
  });

  it('an https proxy that never says anything, and one that hangs behind CONNECT', async () => {
    const hasty = open({ connectTimeoutMillis: 150 });
    const silent = server.silentTlsUrl.replace('https://', '');
    const url = 'https://shop.test/';
    const first = await faultOf(hasty.sendRequest({ url, proxyUrl: `https://a:canary@${silent}` }));
    expect([first.fault, first.message]).toEqual([
      'proxy-unreachable',
      expect.stringMatching(/No connection within 0\.15 s\)\.$/),
    ]);
    const second = await faultOf(hasty.sendRequest({ url, proxyUrl: `http://a:canary@${silent}` }));
    expect([second.fault, second.message]).toEqual([
      'proxy-no-route',
      expect.stringMatching(/shop\.test:443 \(no answer within 0\.15 s\)\.$/),
    ]);
  });

  it('one that closes, and one that is no proxy', async () => {
    const closing = await startRefusing('');
    expect((await faultOf(through.sendRequest({ url: 'https://shop.test/', proxyUrl: closing }))).fault).toBe('proxy-no-route');
    const mail = await startRefusing('220 mail.example.com ESMTP canary\r\n');
    const error = await faultOf(through.sendRequest({ url: 'https://shop.test/', proxyUrl: mail }));
    expect([error.fault, error.message]).toEqual(['proxy-unreachable', expect.stringContaining('what answers is no HTTP proxy')]);
  });

  it.each(NO_TLS)('%s behind CONNECT, where TLS was to begin: another exit may do better', async (_, answer) => {
    const proxyUrl = `http://me:canary@127.0.0.1:${await listen(createBadExit(answer))}`;
    const error = await faultOf(through.sendRequest({ url: 'https://shop.test/', proxyUrl }));
    expect([error.fault, error.message]).toEqual([
      'proxy-no-route',
      expect.stringMatching(/^The proxy .* does not get through to shop\.test:443 \(the TLS handshake failed\)\.$/),
    ]);
  });

  it('nothing of an error shows the password', async () => {
    const wrong = proxy.url().replace('canary', 'canary-2');
    const errors = await Promise.all(
      [echo.url, secureEcho.url].flatMap((url) => [
        through.sendRequest({ url, proxyUrl: wrong }).catch((error: unknown) => error),
        through.sendRequest({ url, proxyUrl: wrong.replace(/:\d+$/, ':1') }).catch((error: unknown) => error),
      ]),
    );
    const shown = inspect(errors, { depth: 20, showHidden: true });
    expect(shown).toContain('proxy-refused');
    expect(shown).not.toContain('canary');
    expect(shown).not.toContain(btoa(`${proxy.user}:${proxy.pass}`).slice(0, 20));
  });
});

/** A proxy that answers everything so and closes. */
async function startRefusing(answer: string, { stayOpen = false } = {}): Promise<string> {
  const refusing = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => (stayOpen ? socket.write(answer) : socket.end(answer)));
  });
  return `http://me:canary@127.0.0.1:${await listen(refusing)}`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
