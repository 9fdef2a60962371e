// The relay passes on everything, counts every byte of it, and tells a proxy that is not there from a target that is not.
import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import http from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { CountTraffic, TrafficKey } from '../../src/core/proxy.ts';
import { targetOf } from '../../src/proxy/relay-target.ts';
import { createRelay, type Relay, type RelayOptions } from '../../src/proxy/relay.ts';
import { createLedger } from '../../src/proxy/spend.ts';
import { ask, askByTunnel, dial, openTunnel } from './ask.ts';
import { makeCertificate } from './certificate.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy, type IpEcho } from './forward-proxy.ts';

const KEY = { tier: 'browser', proxy: 'rotating' } as const;

let proxy: ForwardProxy;
let echo: IpEcho;
let relay: Relay;
let counted: (TrafficKey & { sent: number; received: number })[];

const count: CountTraffic = (key, bytes) => void counted.push({ ...key, ...bytes });
const total = (way: 'sent' | 'received') => counted.reduce((sum, piece) => sum + piece[way], 0);
const hosts = () => [...new Set(counted.map(({ host }) => host))];

/** Ends with the test. */
const cleanUp: (() => Promise<unknown> | void)[] = [];

async function restart(options: Partial<RelayOptions>): Promise<void> {
  await relay.close();
  relay = createRelay({ count, ...options });
}

beforeEach(async () => {
  counted = [];
  proxy = await startForwardProxy();
  echo = await startIpEcho();
  relay = createRelay({ count });
});
afterEach(async () => {
  for (const end of cleanUp.splice(0)) await end();
  await relay.close();
  await Promise.all([proxy.close(), echo.close()]);
});

/** A bare server, as a target or as a proxy. */
async function listen(onSocket: (socket: Socket) => void, options: { allowHalfOpen?: boolean } = {}): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('bytes', () => {
  it('agree with the proxy’s own count within 2 %, for pages by http, for tunnels and for uploads', async () => {
    const page = 'x'.repeat(300_000);
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => response.end(request.method === 'POST' ? 'thanks' : page));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const certificate = makeCertificate();
    cleanUp.push(certificate.remove);
    const secureEcho = await startIpEcho({ tls: certificate });
    cleanUp.push(secureEcho.close);

    const url = await relay.through(proxy.url(), KEY);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    await Promise.all([
      ...Array.from({ length: 6 }, () => ask(url, `http://shop.test:${port}/`, { agent })),
      ...Array.from({ length: 3 }, () => ask(url, `http://shop.test:${port}/`, { method: 'POST', body: page })),
      ...Array.from({ length: 5 }, () => askByTunnel(url, secureEcho.url, certificate.cert)),
    ]);
    agent.destroy();
    await relay.close();
    await proxy.settled();

    const { received, sent } = proxy.stats();
    expect(received).toBeGreaterThan(3 * page.length);
    expect(sent).toBeGreaterThan(6 * page.length);
    expect(Math.abs(total('sent') / received - 1)).toBeLessThan(0.02);
    expect(Math.abs(total('received') / sent - 1)).toBeLessThan(0.02);
    expect(hosts().toSorted()).toEqual([`echo.test:${secureEcho.port}`, `shop.test:${port}`]);
  });

  it('go under their tier and mode, and one proxy has one port for each', async () => {
    const url = await relay.through(proxy.url(), KEY);
    expect(await relay.through(proxy.url('user-surefoot-session-a1'), KEY)).toBe(
      url.replace('user-surefoot', 'user-surefoot-session-a1'),
    );
    const sticky = await relay.through(proxy.url('user-surefoot-session-a1'), { tier: 'impersonate', proxy: 'sticky' });
    expect(new URL(sticky).port).not.toBe(new URL(url).port);
    await ask(sticky, echo.url);
    await relay.close();
    const host = `echo.test:${echo.port}`;
    expect(counted.every((piece) => piece.tier === 'impersonate' && piece.proxy === 'sticky' && piece.host === host)).toBe(true);
    expect(counted).not.toEqual([]);
  });

  it('of a connection that stays open are told while it is open', async () => {
    await restart({ reportEveryMillis: 10 });
    const port = await listen((socket) => socket.pipe(socket));
    const { tunnel } = await openTunnel(await relay.through(proxy.url(), KEY), `shop.test:${port}`);
    cleanUp.push(() => void tunnel.destroy());
    await vi.waitFor(() => expect(total('received')).toBeGreaterThan(0), 10_000);
    const before = total('received');
    tunnel.write(Buffer.alloc(5_000));
    await vi.waitFor(() => expect(total('received')).toBe(before + 5_000), 10_000);
  });

  it('of all that is under way are counted once close() resolves', async () => {
    await restart({ reportEveryMillis: 3_600_000 });
    const port = await listen((socket) => socket.write(Buffer.alloc(100_000)));
    const { tunnel } = await openTunnel(await relay.through(proxy.url(), KEY), `shop.test:${port}`);
    tunnel.on('error', () => {});
    let got = 0;
    await new Promise<void>((resolve) => tunnel.on('data', (chunk: Buffer) => (got += chunk.length) >= 100_000 && resolve()));
    expect(counted).toEqual([]);
    await relay.close();
    expect(total('received')).toBeGreaterThanOrEqual(100_000);
    const atClose = counted.length;
    await new Promise((resolve) => tunnel.on('close', resolve));
    expect(counted.length).toBe(atClose);
  });

  it('stop a crawl at its limit while a page is still coming', async () => {
    const reason = new Promise<string>((onLimit) => {
      const ledger = createLedger({ initial: [], maxProxyMb: 1, onLimit });
      cleanUp.push(() => expect(ledger.limitReached()).not.toBeNull());
      relay = createRelay({ count: ledger.count, reportEveryMillis: 10 });
    });
    const port = await listen((socket) => endless(socket));
    const { tunnel } = await openTunnel(await relay.through(proxy.url(), KEY), `shop.test:${port}`);
    tunnel.resume().on('error', () => {});
    expect(await reason).toMatch(/^--max-proxy-mb 1 is reached: [\d.]+ MB went through the proxy\.$/);
  });
});

describe('connections', () => {
  it('20 at once are 20 at the proxy, with an exit each', async () => {
    const url = await relay.through(proxy.url(), KEY);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, echo.url)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(proxy.log.map(({ exit }) => exit)).size).toBe(20);
  });

  it('an answer of the proxy’s own comes through as it is', async () => {
    const url = await relay.through(proxy.url().replace(/:[^:@]+@/, ':canary@'), KEY);
    const { status, headers } = await openTunnel(url, 'shop.test:443');
    expect(status).toBe(407);
    expect(headers).not.toHaveProperty('x-surefoot-relay');
    expect(relay.lastFault(url)).toBeNull();
  });

  it('a reset stays a reset: half a page never looks like a whole one', async () => {
    const port = await listen((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.0 200 OK\r\n\r\nhalf a page', () => setTimeout(() => socket.resetAndDestroy(), 50)),
      );
    });
    const client = await dial(await relay.through(`http://127.0.0.1:${port}`, KEY));
    client.write('GET http://shop.test/ HTTP/1.0\r\n\r\n');
    await expect(text(client)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('an end is passed on, and the other direction goes on', async () => {
    const port = await listen(
      (socket) => {
        const chunks: Buffer[] = [];
        socket
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', () => socket.end(`got ${Buffer.concat(chunks).length}`));
      },
      { allowHalfOpen: true },
    );
    const client = await dial(await relay.through(`http://127.0.0.1:${port}`, KEY), { allowHalfOpen: true });
    const line = 'POST http://shop.test/ HTTP/1.0\r\n\r\n';
    client.end(line + 'x'.repeat(100_000));
    expect(await text(client)).toBe(`got ${line.length + 100_000}`);
  });

  it('a target that ends first still gets what the client has to say', async () => {
    let got = '';
    const port = await listen(
      (socket) => {
        socket.setEncoding('latin1').once('data', () => socket.end('early'));
        socket.on('data', (text: string) => (got += text));
      },
      { allowHalfOpen: true },
    );
    const client = await dial(await relay.through(`http://127.0.0.1:${port}`, KEY), { allowHalfOpen: true });
    client.write('POST http://shop.test/ HTTP/1.0\r\n\r\n');
    // `text()` would close the client once it is read.
    let read = '';
    client.setEncoding('latin1').on('data', (text: string) => (read += text));
    await new Promise((resolve) => client.once('end', resolve));
    expect(read).toBe('early');
    client.end('the rest');
    await vi.waitFor(() => expect(got).toContain('the rest'), 10_000);
  });

  it('a client that does not read holds the target back', async () => {
    await restart({ reportEveryMillis: 20 });
    const port = await listen((socket) => endless(socket));
    const { tunnel } = await openTunnel(await relay.through(proxy.url(), KEY), `shop.test:${port}`);
    tunnel.pause();
    cleanUp.push(() => void tunnel.destroy());
    // Nothing new for a while: everything on the way is full.
    let before = -1;
    while (before !== total('received') || before === 0) {
      before = total('received');
      await new Promise((resolve) => setTimeout(resolve, 400));
      if (before > 200e6) break;
    }
    expect(before).toBeLessThan(50e6);
  });

  it('a client that says nothing costs no connection, and one that leaves takes its connection along', async () => {
    let [open, closed] = [0, 0];
    const port = await listen((socket) => {
      open += 1;
      socket.resume().on('close', () => (closed += 1));
    });
    const url = await relay.through(`http://127.0.0.1:${port}`, KEY);
    const silent = await dial(url);
    const talker = await dial(url);
    talker.write('CONNECT shop.test:443 HTTP/1.1\r\n');
    await vi.waitFor(() => expect(open).toBe(1), 10_000);
    talker.destroy();
    silent.destroy();
    await vi.waitFor(() => expect(closed).toBe(1), 10_000);
    expect(open).toBe(1);
  });

  it('a page’s async context does not live on in the relay', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    relay = createRelay({ count: () => void seen.push(storage.getStore()), reportEveryMillis: 10 });
    const url = await storage.run('a page', () => relay.through(proxy.url(), KEY));
    const { tunnel } = await openTunnel(url, `shop.test:${await listen((socket) => socket.write('hello'))}`);
    cleanUp.push(() => void tunnel.destroy());
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), 10_000);
    expect(seen.every((store) => store === undefined)).toBe(true);
  });

  it('close() ends everything, and nothing new is opened', async () => {
    const url = await relay.through(proxy.url(), KEY);
    const { tunnel } = await openTunnel(url, `shop.test:${await listen(() => {})}`);
    tunnel.on('error', () => {});
    const closed = new Promise((resolve) => tunnel.on('close', resolve));
    await relay.close();
    await closed;
    await expect(dial(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(relay.through(proxy.url(), KEY)).rejects.toThrow('closed');
  });
});

describe('a proxy that cannot be reached', () => {
  it('is told apart from a target that cannot, until it is reached again', async () => {
    const { port } = proxy;
    await proxy.close();
    const url = await relay.through(proxy.url(), KEY);
    for (const answer of [await openTunnel(url, 'shop.test:443'), await ask(url, echo.url)]) {
      expect(answer).toMatchObject({ status: 502, headers: { 'x-surefoot-relay': 'unreachable' } });
    }
    const why = `connect ECONNREFUSED 127.0.0.1:${port}`;
    const fault = { code: 'ECONNREFUSED', message: `The proxy http://127.0.0.1:${port} cannot be reached (${why}).` };
    expect(relay.lastFault(url)).toEqual(fault);
    expect(relay.lastFault(proxy.url('user-surefoot-country-de'))).toEqual(fault);
    expect(relay.lastFault('http://127.0.0.1:1')).toBeNull();

    proxy = await startForwardProxy({ port });
    const noTarget = await listen(() => {});
    await cleanUp.pop()?.();
    // proxy-chain closes the connection here; other proxies answer 502.
    await expect(openTunnel(url, `shop.test:${noTarget}`)).rejects.toThrow(/hang up|ECONNRESET/);
    expect(relay.lastFault(url)).toBeNull();
  });

  it('includes one whose name is unknown', async () => {
    const url = await relay.through('http://user:canary@gateway.invalid:7000', KEY);
    expect((await openTunnel(url, 'shop.test:443')).status).toBe(502);
    expect(relay.lastFault(url)?.message).toMatch(
      /^The proxy http:\/\/gateway\.invalid:7000 cannot be reached \(getaddrinfo E.+\)\.$/,
    );
    expect(counted).toEqual([]);
  });

  it('includes one that is not reached by TLS, which its address asks for', async () => {
    const url = await relay.through(proxy.url().replace('http:', 'https:'), KEY);
    expect((await openTunnel(url, 'shop.test:443')).status).toBe(502);
    expect(relay.lastFault(url)?.message).toBe(
      `The proxy https://127.0.0.1:${proxy.port} cannot be reached (it speaks no TLS: perhaps it is http:// instead of https://).`,
    );
  });

  it('includes one that does not take TLS within the time, and one whose certificate nobody vouches for', async () => {
    await restart({ connectTimeoutMillis: 300 });
    const silent = await relay.through(`https://127.0.0.1:${await listen(() => {})}`, KEY);
    expect((await openTunnel(silent, 'shop.test:443')).status).toBe(502);
    expect(relay.lastFault(silent)?.code).toBe('ETIMEDOUT');

    await restart({});
    const certificate = makeCertificate();
    cleanUp.push(certificate.remove);
    const secureProxy = await startForwardProxy({ tls: certificate });
    cleanUp.push(secureProxy.close);
    const url = await relay.through(secureProxy.url(), KEY);
    expect((await openTunnel(url, 'shop.test:443')).status).toBe(502);
    expect(relay.lastFault(url)?.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});

// Node reads NODE_EXTRA_CA_CERTS when it starts, so the relay runs in a process of its own.
it('a proxy that is itself reached by TLS is counted on the wire, TLS included', async () => {
  const certificate = makeCertificate();
  cleanUp.push(certificate.remove);
  const secureProxy = await startForwardProxy({ tls: certificate });
  cleanUp.push(secureProxy.close);
  const wire = { sent: 0, received: 0 };
  // What really passes, seen by a server in between.
  const between = async (socket: Socket) => {
    const proxySide = await dial(secureProxy.url());
    proxySide.on('error', () => {}).on('data', (chunk: Buffer) => (wire.received += chunk.length));
    socket.on('data', (chunk: Buffer) => (wire.sent += chunk.length));
    socket.pipe(proxySide).pipe(socket);
  };
  const port = await listen((socket) => void between(socket));
  const [relayFile, askFile] = ['../../src/proxy/relay.ts', './ask.ts'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  const proxyUrl = secureProxy.url().replace(String(secureProxy.port), String(port));
  const program = `
    import { createRelay } from ${JSON.stringify(relayFile)};
    import { ask } from ${JSON.stringify(askFile)};
    const sum = { sent: 0, received: 0 };
    const relay = createRelay({ count: (key, { sent, received }) => { sum.sent += sent; sum.received += received; sum.host = key.host; } });
    const url = await relay.through(${JSON.stringify(proxyUrl)}, { tier: 'browser', proxy: 'rotating' });
    const upload = { method: 'POST', body: 'x'.repeat(100_000) };
    const answers = [await ask(url, ${JSON.stringify(echo.url)}, upload), await ask(url, ${JSON.stringify(echo.url)})];
    await relay.close();
    console.log(JSON.stringify({ sum, statuses: answers.map(({ status }) => status), scheme: new URL(url).protocol }));
  `;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate.file };
  const child = ['--import', 'tsx', '--input-type=module', '--eval', program];
  // Without an exit of its own: a handle left behind would keep it until the timeout.
  const { stdout } = await promisify(execFile)(process.execPath, child, { env, timeout: 60_000 });
  const { sum, statuses, scheme } = JSON.parse(stdout) as { sum: TrafficKey & typeof wire; statuses: number[]; scheme: string };
  expect(statuses).toEqual([200, 200]);
  expect(scheme).toBe('http:');
  expect(sum.host).toBe(`echo.test:${echo.port}`);
  expect(wire.sent).toBeGreaterThan(100_000);
  // TLS's own farewell may find the other side closed.
  expect(Math.abs(sum.sent / wire.sent - 1)).toBeLessThan(0.02);
  expect(Math.abs(sum.received / wire.received - 1)).toBeLessThan(0.02);
});

it.each([
  ['CONNECT shop.test:443 HTTP/1.1', 'shop.test'],
  ['CONNECT Shop.test:8443 HTTP/1.1', 'shop.test:8443'],
  ['CONNECT shop.test:80 HTTP/1.1', 'shop.test'],
  ['CONNECT [::1]:443 HTTP/1.1', '[::1]'],
  ['CONNECT user:canary@shop.test:443 HTTP/1.1', 'shop.test'],
  ['GET http://shop.test/a?b=http://other.test HTTP/1.1', 'shop.test'],
  ['GET http://shop.test:80/ HTTP/1.1', 'shop.test'],
  ['POST http://shop.test:8080/ HTTP/1.1', 'shop.test:8080'],
  ['GET / HTTP/1.1', '(unknown)'],
  ['CONNECT', '(unknown)'],
  ['\u0016\u0003\u0001', '(unknown)'],
  ['', '(unknown)'],
])('%j is for %s', (line, host) => {
  expect(targetOf(line)).toBe(host);
});

function endless(socket: Socket): void {
  const chunk = Buffer.alloc(256 * 1024);
  const write = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}
