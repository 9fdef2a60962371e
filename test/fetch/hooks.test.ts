// The judge of an answer's status: who can have said 407.
import { Readable } from 'node:stream';

import { expect, it } from 'vitest';

import { createJudge } from '../../src/fetch/hooks.ts';
import type { Attempt } from '../../src/fetch/lane-crawler.ts';

it.each([
  { url: 'http://a.example/', proxied: true, verdict: 'proxy', who: 'the proxy, or the target: nobody can tell' },
  { url: 'https://a.example/', proxied: true, verdict: 'blocked', who: 'the target, at the end of a tunnel' },
  { url: 'http://a.example/', proxied: false, verdict: 'blocked', who: 'the target: there is no proxy' },
])('a 407 of $url is that of $who', async ({ url, proxied, verdict }) => {
  const stream = Readable.from([Buffer.from('Who are you?')]);
  const proxyInfo = proxied ? { url: 'http://proxy.example:1' } : undefined;
  const attempt = { request: { url }, session: undefined, proxyInfo } as unknown as Attempt;
  const judge = createJudge({ arrived: async () => {} });
  await expect(judge(attempt, { status: 407, headers: {}, url, stream })).rejects.toMatchObject({ verdict, status: 407 });
  expect(stream.destroyed, 'its connection is left').toBe(true);
});
