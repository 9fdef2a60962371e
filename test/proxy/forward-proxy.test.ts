// The forward proxy that tests go through does what Decodo's gateway does.
import http from 'node:http';

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { ask, askByTunnel, openTunnel } from './ask.ts';
import { makeCertificate, type Certificate } from './certificate.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy, type IpEcho } from './forward-proxy.ts';

let certificate: Certificate;
let proxy: ForwardProxy;
let echo: IpEcho;
let secureEcho: IpEcho;

beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());
beforeEach(async () => {
  proxy = await startForwardProxy();
  echo = await startIpEcho({ countryOf: () => 'US' });
  secureEcho = await startIpEcho({ tls: certificate });
});
afterEach(() => Promise.all([proxy.close(), echo.close(), secureEcho.close()]));

const ipIn = ({ body }: { body: string }) => (JSON.parse(body) as { proxy: { ip: string } }).proxy.ip;

it('20 connections of a rotating name are 20 exits, for http and through tunnels', async () => {
  const plain = await Promise.all(Array.from({ length: 20 }, () => ask(proxy.url(), echo.url)));
  const tunnelled = await Promise.all(
    Array.from({ length: 20 }, () => askByTunnel(proxy.url(), secureEcho.url, certificate.cert)),
  );
  expect(new Set([...plain, ...tunnelled].map(ipIn)).size).toBe(40);
  expect(new Set(proxy.log.map(({ exit }) => exit))).toEqual(new Set([...plain, ...tunnelled].map(ipIn)));
  expect(proxy.stats().connections).toBe(40);
});

it('one kept connection of a rotating name is one exit', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const answers = [];
  for (let index = 0; index < 3; index++) answers.push(await ask(proxy.url(), echo.url, { agent }));
  agent.destroy();
  expect(new Set(answers.map(ipIn)).size).toBe(1);
  expect(new Set(proxy.log.map(({ connectionId }) => connectionId)).size).toBe(1);
});

it('a session is one exit over all its connections, and another session another', async () => {
  const url = proxy.url('user-surefoot-country-de-session-a1-sessionduration-30');
  const answers = [await ask(url, echo.url), await ask(url, echo.url), await askByTunnel(url, secureEcho.url, certificate.cert)];
  const other = await ask(proxy.url('user-surefoot-session-a2'), echo.url);
  expect(new Set(answers.map(ipIn)).size).toBe(1);
  expect(ipIn(other)).not.toBe(ipIn(answers[0] ?? other));
  expect(proxy.log[2]).toMatchObject({ hostname: 'echo.test', port: secureEcho.port, method: 'CONNECT' });
  expect(JSON.parse(other.body)).toMatchObject({ country: { code: 'US', name: 'United States' } });
});

it.each(['user-surefoot-country-DE', 'user-surefoot-session-a-b', 'user-stranger', 'surefoot'])(
  '%s is refused',
  async (username) => {
    const { status, headers } = await ask(proxy.url(username), echo.url);
    expect(status).toBe(407);
    expect(headers['proxy-authenticate']).toContain('Basic');
    expect(proxy.log).toEqual([]);
  },
);

it('a wrong password is refused, and appears in no log', async () => {
  const wrong = proxy.url().replace(/:[^:@]+@/, ':canary@');
  expect((await ask(wrong, echo.url)).status).toBe(407);
  expect((await openTunnel(wrong, `echo.test:${echo.port}`)).status).toBe(407);
  await ask(proxy.url(), echo.url);
  expect(JSON.stringify(proxy.log)).not.toMatch(/canary|p@ss/);
});

it('fails as it is told to, and works again', async () => {
  for (const status of [402, 407, 503]) {
    proxy.fail(status);
    expect((await openTunnel(proxy.url(), `echo.test:${echo.port}`)).status).toBe(status);
    expect((await ask(proxy.url(), echo.url)).status).toBe(status);
  }
  proxy.fail('close');
  await expect(ask(proxy.url(), echo.url)).rejects.toThrow(/socket hang up|ECONNRESET/);
  proxy.fail(null);
  expect((await ask(proxy.url(), echo.url)).status).toBe(200);
});
