// Tier `unblocker` against a server that speaks the Site Unblocker's protocol, with a certificate that nobody vouches for.
import { text } from 'node:stream/consumers';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { verdictOfError } from '../../../src/core/verdict.ts';
import { createPlainClient } from '../../../src/fetch/clients/plain.ts';
import type { RoutedRequest, TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { createUnblockerClient, type UnblockerClientOptions } from '../../../src/fetch/clients/unblocker.ts';
import { CREDENTIALS, startUnblocker, type UnblockerServer } from './unblocker-server.ts';

let unblocker: UnblockerServer;
beforeAll(async () => {
  unblocker = await startUnblocker();
});
afterAll(() => unblocker.close());

const opened: { close(): Promise<void> }[] = [];
beforeEach(() => {
  unblocker.asked.length = 0;
  unblocker.tunnels.opened = unblocker.tunnels.refused = 0;
  unblocker.refuseWith = 407;
});
afterEach(() => Promise.all(opened.splice(0).map((client) => client.close())));

function open(options: Partial<UnblockerClientOptions> = {}): TierClient {
  const client = createUnblockerClient({ ...CREDENTIALS, host: '127.0.0.1', port: unblocker.port, ...options });
  opened.push(client);
  return client;
}

const route = (sessionId: string) => ({ tier: 'unblocker', proxy: 'rotating', sessionId }) as const;
const SHOP = 'https://shop.example';

async function failure(path: string, client = open(), origin = SHOP): Promise<TransportError> {
  const request: RoutedRequest = { url: `${origin}/${path}`, route: route('s') };
  const thrown: unknown = await client.stream(request).then(
    async ({ stream }) => text(stream).catch((error: unknown) => error),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(TransportError);
  return thrown as TransportError;
}

function shownOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.stack} ${JSON.stringify(error)} ${shownOf(error.cause)}` : '';
}

describe.each(['https://shop.example', 'http://shop.example'])('a page of %s', (origin) => {
  it('comes through the service, with its status, headers and cookies', async () => {
    const answer = await open().stream({ url: `${origin}/page`, route: route('s') });
    expect(answer).toMatchObject({ statusCode: 200, url: `${origin}/page` });
    expect(answer.headers['set-cookie']).toEqual(['seen=1; Path=/']);
    expect(JSON.parse(await text(answer.stream))).toMatchObject({ exit: expect.stringMatching(/^10\./) });
    expect(unblocker.asked).toMatchObject([{ path: '/page', method: 'GET', secure: origin.startsWith('https:') }]);
    expect(unblocker.asked[0]?.target.split(':')[0]).toBe('shop.example');
  });

  it.each([404, 403, 401, 429, 503])('that is answered with %i is an answer', async (status) => {
    const answer = await open().stream({ url: `${origin}/status/${status}` });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['retry-after']).toBe(status === 429 ? '9' : undefined);
    expect(await text(answer.stream)).toContain(String(status));
  });
});

it('place, rendering and session go along; one session keeps one address, another has another', async () => {
  const client = open({ geo: 'Berlin, Germany', headless: 'html' });
  for (const id of ['session_a', 'session_b', 'session_a']) {
    await client.sendRequest({ url: `${SHOP}/page`, route: route(id) });
  }
  expect(unblocker.asked[0]?.headers).toMatchObject({ 'x-su-geo': 'Berlin, Germany', 'x-su-headless': 'html' });
  const [first, other, again] = unblocker.asked.map(({ exit }) => exit);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  // Nothing but word characters: the service takes them as they are.
  expect(unblocker.asked[0]?.headers['x-su-session-id']).toMatch(/^\w+$/);
});

it('without a choice nothing is chosen', async () => {
  await open().sendRequest({ url: `${SHOP}/page` });
  expect(Object.keys(unblocker.asked[0]?.headers ?? {}).filter((name) => name.startsWith('x-su-'))).toEqual([]);
});

it('the target sees what the site and the session add, and none of the headers that are the service’s own to choose', async () => {
  const { body } = await open().sendRequest({
    url: `${SHOP}/page`,
    headers: {
      'sec-ch-ua': '"Chromium";v="151"',
      'User-Agent': 'Mozilla/5.0',
      Accept: 'text/html',
      'Accept-Language': 'en',
      Referer: 'https://shop.example/',
      Authorization: 'Bearer shop',
      'Cache-Control': 'no-store',
      Cookie: 'currency=EUR; a=b',
    },
  });
  const { headers } = JSON.parse(body) as { headers: Record<string, string> };
  expect(headers).toMatchObject({ authorization: 'Bearer shop', 'cache-control': 'no-store', cookie: 'currency=EUR; a=b' });
  const others = Object.keys(headers).filter((name) => !['authorization', 'cache-control', 'cookie'].includes(name));
  expect(others.filter((name) => /^(sec-|user-agent|accept$|accept-language|referer|x-su)/.test(name))).toEqual([]);
});

it('a POST takes its body along, a redirect the session but not the cookies of the other site', async () => {
  const client = open();
  await client.sendRequest({ url: `${SHOP}/page`, method: 'POST', body: 'q=1', headers: { 'Content-Type': 'text/plain' } });
  expect(unblocker.asked[0]).toMatchObject({ method: 'POST', body: 'q=1', headers: { 'content-type': 'text/plain' } });
  const request: RoutedRequest = { url: `${SHOP}/redirect`, headers: { Cookie: 'a=b' }, route: route('s') };
  const answer = await client.sendRequest(request);
  expect(answer.url).toBe('https://elsewhere.example/echo');
  const [, first, second] = unblocker.asked;
  expect(second?.headers['x-su-session-id']).toBe(first?.headers['x-su-session-id']);
  expect([first?.headers.cookie, second?.headers.cookie]).toEqual(['a=b', undefined]);
});

describe('a failure', () => {
  it.each([
    [407, SHOP],
    [401, SHOP],
    [407, 'http://shop.example'],
  ])('with %i for %s is the password’s: fatal for the tier, in one sentence without it', async (status, origin) => {
    unblocker.refuseWith = status;
    const pass = 'wrong canary';
    const error = await failure('page', open({ pass }), origin);
    expect(error.fault).toBe('proxy-refused');
    expect(verdictOfError(error)).toBe('proxy');
    expect(error.message).toMatch(/^The Site Unblocker refuses the user or the password\. Check DECODO_UNBLOCKER_USER/);
    expect(shownOf(error)).not.toMatch(/canary|U0001/);
    expect(unblocker.asked).toEqual([]);
  });

  it('with 407 inside the tunnel is the service’s too, for no site says so', async () => {
    expect((await failure('status/407')).fault).toBe('proxy-refused');
    await expect(open().sendRequest({ url: `${SHOP}/status/407` })).rejects.toMatchObject({ fault: 'proxy-refused' });
  });

  it('of a server that cannot be reached is the tier’s', async () => {
    const error = await failure('page', open({ port: 9 }));
    expect(error).toMatchObject({ fault: 'proxy-unreachable', message: 'The Site Unblocker at 127.0.0.1:9 cannot be reached.' });
    expect(shownOf(error)).not.toMatch(/canary/);
  });

  it('by silence ends at the request’s limit', async () => {
    const error = await failure('hang', open({ limits: { requestTimeoutMillis: 500 } }));
    expect(error.fault).toBe('request-timeout');
  });

  it('by a body over its limit ends it', async () => {
    const client = open({ limits: { maxBodyBytes: 10_000 } });
    expect(await client.sendRequest({ url: `${SHOP}/large/10000` })).toMatchObject({ statusCode: 200 });
    expect((await failure('large/10001', client)).fault).toBe('body-too-large');
  });
});

it('certificates are not verified in this tier, and are in the plain one through the same proxy', async () => {
  const plain = createPlainClient();
  opened.push(plain);
  const { user, pass } = CREDENTIALS;
  const proxyUrl = `http://${user}:${encodeURIComponent(pass)}@127.0.0.1:${unblocker.port}`;
  const refused = plain.stream({ url: `${SHOP}/page`, proxyUrl });
  await expect(refused).rejects.toMatchObject({ fault: 'tls' });
  expect(unblocker.asked).toEqual([]);
  await open().sendRequest({ url: `${SHOP}/page` });
  expect(unblocker.asked).toHaveLength(1);
});

it('bytes are counted for the tier and the page’s host', async () => {
  const counted: string[] = [];
  const client = open({
    count: ({ tier, host }, { sent, received }) => counted.push(`${tier} ${host} ${sent > 0} ${received > 0}`),
  });
  await client.sendRequest({ url: `${SHOP}/large/5000` });
  await client.close();
  expect(counted.some((line) => line === 'unblocker shop.example true true')).toBe(true);
});
