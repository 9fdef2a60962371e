// What the Apify SDK makes of the proxy editor's choice. The rest of platform/actor.ts is tested as whole runs, in test/actor/.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { toProxyUrls } from '../../src/platform/actor.ts';

/** Where the SDK asks whether this account may use the proxy. */
let status: ReturnType<typeof createServer>;
let connected: boolean;

beforeEach(async () => {
  connected = true;
  status = createServer((_, response) =>
    response.end(JSON.stringify({ connected, connectionError: 'Group not known', isManInTheMiddle: false })),
  );
  await new Promise<void>((resolve) => void status.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('APIFY_PROXY_STATUS_URL', `http://127.0.0.1:${(status.address() as AddressInfo).port}`);
  vi.stubEnv('APIFY_PROXY_HOSTNAME', '127.0.0.1');
  vi.stubEnv('APIFY_PROXY_PORT', String((status.address() as AddressInfo).port));
  vi.stubEnv('APIFY_PROXY_PASSWORD', 'a-password');
});
afterEach(() => {
  vi.unstubAllEnvs();
  status.close();
  status.closeAllConnections();
});

describe('the proxy editor', () => {
  it('without a proxy is no proxy', async () => expect(await toProxyUrls({ useApifyProxy: false }, 0)).toBeNull());

  it('with Apify Proxy is one URL without a session', async () => {
    const choice = { useApifyProxy: true, apifyProxyGroups: ['RESIDENTIAL'], apifyProxyCountry: 'DE' };
    const urls = (await toProxyUrls(choice, 0)) ?? [];
    expect(urls.map((url) => new URL(url))).toMatchObject([
      { password: 'a-password', username: expect.not.stringContaining('session') as string },
    ]);
    expect(decodeURIComponent(urls.join())).toMatch(/groups-RESIDENTIAL.*country-DE/);
  });

  it('for sticky sessions is a URL for each', async () => {
    const urls = (await toProxyUrls({ useApifyProxy: true }, 3)) ?? [];
    expect(urls.map((url) => /session-\w+/.exec(new URL(url).username)?.[0])).toEqual([
      'session-surefoot0',
      'session-surefoot1',
      'session-surefoot2',
    ]);
  });

  it('with proxies of its own gives them as they are', async () => {
    const proxyUrls = ['http://user:pass@proxy.example:8000'];
    expect(await toProxyUrls({ useApifyProxy: false, proxyUrls }, 0)).toEqual(proxyUrls);
  });

  it('is refused when the account may not use it, without the password', async () => {
    connected = false;
    await expect(toProxyUrls({ useApifyProxy: true }, 0)).rejects.toThrow(
      /^(?!.*a-password).*proxyConfiguration in the Actor's input/,
    );
  });
});
