// What the plain client counts is what passes its sockets: told once, by tier, proxy mode and host, answer by answer.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { TrafficKey } from '../../../src/core/proxy.ts';
import type { TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { makeCertificate, type Certificate } from '../../proxy/certificate.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy, type IpEcho } from '../../proxy/forward-proxy.ts';
import { startFaultServer, type FaultServer } from '../fault-server.ts';
import { faultOf, open } from './setup.ts';

let certificate: Certificate;
let proxy: ForwardProxy;
let plain: FaultServer;
let http2: FaultServer;
let http1: IpEcho;
let counted: (TrafficKey & { sent: number; received: number })[];
let client: TierClient;

beforeAll(async () => {
  certificate = makeCertificate();
  // What a server still says as the connection is closed, such as HTTP/2's acknowledgements, the proxy alone sees.
  const page = () => '<p>a page of some length</p>'.repeat(700);
  plain = await startFaultServer({ page });
  http2 = await startFaultServer({ page, http2: certificate });
  http1 = await startIpEcho({ tls: certificate });
});
afterAll(async () => {
  await Promise.all([plain.close(), http2.close(), http1.close()]);
  certificate.remove();
});
beforeEach(async () => {
  proxy = await startForwardProxy();
  counted = [];
  client = open({ rejectUnauthorized: false, count: (key, bytes) => counted.push({ ...key, ...bytes }) });
});
afterEach(() => proxy.close());

const total = () => ({
  sent: counted.reduce((sum, { sent }) => sum + sent, 0),
  received: counted.reduce((sum, { received }) => sum + received, 0),
});

const TARGETS: [string, () => string][] = [
  ['http', () => plain.url('ok').replace('127.0.0.1', 'shop.test')],
  ['https by HTTP/1.1', () => http1.url],
  ['https by HTTP/2', () => http2.url('ok').replace('127.0.0.1', 'shop.test')],
];

describe.each(TARGETS)('%s', (_, urlOf) => {
  it.each(['rotating', 'sticky'] as const)('in mode %s it agrees with the proxy’s own count', async (mode) => {
    const route = { tier: 'http', proxy: mode, sessionId: 's' } as const;
    const proxyUrl = proxy.url(mode === 'sticky' ? 'user-surefoot-session-s' : undefined);
    const headers = { 'X-Long': 'x'.repeat(2_000) };
    for (let times = 0; times < 5; times++) await client.sendRequest({ url: urlOf(), headers, proxyUrl, route });
    const { stream } = await client.stream({ url: urlOf(), proxyUrl, route });
    stream.destroy();
    await client.close();
    await proxy.settled();
    const { sent, received } = total();
    const stats = proxy.stats();
    expect(sent).toBe(stats.received);
    expect(Math.abs(received - stats.sent) / stats.sent).toBeLessThan(0.02);
    const keys = new Set(counted.map(({ tier, proxy, host }) => `${tier} ${proxy} ${host}`));
    expect([...keys]).toEqual([`http ${mode} ${new URL(urlOf()).host}`]);
  });

  it('directly, each answer is told when it has ended, its kept connection open', async () => {
    const url = urlOf().replace(/shop\.test|echo\.test/, '127.0.0.1');
    const received: number[] = [];
    for (let times = 0; times < 3; times++) {
      await client.sendRequest({ url });
      received.push(total().received);
    }
    const [first = 0, second = 0, third = 0] = received;
    // The first one has the connection's own set-up with it.
    expect([first > 100, second - first > 100, third - second > 100]).toEqual([true, true, true]);
    expect(counted.every(({ proxy, host }) => proxy === 'none' && host === new URL(url).host)).toBe(true);
  });
});

it('what failed is counted as well', async () => {
  const rotating = { proxyUrl: proxy.url(), route: { tier: 'http', proxy: 'rotating', sessionId: '' } } as const;
  const hasty = open({ requestTimeoutMillis: 300, count: (key, bytes) => counted.push({ ...key, ...bytes }) });
  await faultOf(hasty.sendRequest({ url: plain.url('drip', { every: 20 }).replace('127.0.0.1', 'shop.test'), ...rotating }));
  await faultOf(client.sendRequest({ url: plain.url('cut-gzip').replace('127.0.0.1', 'shop.test'), ...rotating }));
  const wrong = proxy.url().replace(/:[^:@]+@/, ':wrong@');
  await faultOf(client.sendRequest({ ...rotating, url: http1.url, proxyUrl: wrong }));
  await Promise.all([hasty.close(), client.close()]);
  await proxy.settled();
  expect(total()).toEqual({ sent: proxy.stats().received, received: proxy.stats().sent });
});

it('the tier is the route’s', async () => {
  await client.sendRequest({ url: plain.url('ok'), route: { tier: 'api', proxy: 'none', sessionId: '' } });
  await client.sendRequest({
    url: plain.url('ok'),
    proxyUrl: proxy.url(),
    route: { tier: 'unblocker', proxy: 'geo', sessionId: '' },
  });
  expect(new Set(counted.map(({ tier, proxy }) => `${tier} ${proxy}`))).toEqual(new Set(['api none', 'unblocker geo']));
});
