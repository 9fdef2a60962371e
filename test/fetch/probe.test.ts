// One request outside a crawl: by a proxy too, and what is said when there is no answer.
import { expect, it, onTestFinished } from 'vitest';

import { probe } from '../../src/fetch/probe.ts';
import { startForwardProxy, startIpEcho } from '../proxy/forward-proxy.ts';

it('a probe goes through the proxy that it is given, and repeats what a proxy says without its password', async () => {
  const proxy = await startForwardProxy({ pass: 'canary' });
  const echo = await startIpEcho();
  onTestFinished(async () => {
    await Promise.all([proxy.close(), echo.close()]);
  });
  const route = { tier: 'http', proxy: 'rotating', sessionId: '' } as const;
  expect(await probe(echo.url, {}, { proxyUrl: proxy.url(), route })).toMatchObject({ status: 200, userAgent: null });
  expect(proxy.log.map(({ hostname }) => hostname)).toEqual(['echo.test']);

  const wrong = proxy.url().replace('canary', 'wrong-canary');
  const message = `[network] No answer from ${echo.url}: The proxy 127.0.0.1:${proxy.port} refuses the user name or password (HTTP 407).`;
  await expect(probe(echo.url, {}, { proxyUrl: wrong, route })).rejects.toThrow(message);
});
