// The judge of an answer's status: who can have said 407.
import { Readable } from 'node:stream';

import type { CheerioCrawlingContext } from '@crawlee/cheerio';
import { expect, it } from 'vitest';

import { createJudge } from '../../src/fetch/hooks.ts';

it.each([
  { url: 'http://a.example/', proxied: true, verdict: 'proxy', who: 'the proxy, or the target: nobody can tell' },
  { url: 'https://a.example/', proxied: true, verdict: 'blocked', who: 'the target, at the end of a tunnel' },
  { url: 'http://a.example/', proxied: false, verdict: 'blocked', who: 'the target: there is no proxy' },
])('a 407 of $url is that of $who', async ({ url, proxied, verdict }) => {
  const response = Object.assign(Readable.from([Buffer.from('Who are you?')]), { statusCode: 407, headers: {} });
  const context = { request: { url }, response, proxyInfo: proxied ? { url: 'http://proxy.example:1' } : undefined };
  const judge = createJudge({ arrived() {} });
  await expect(judge(context as unknown as CheerioCrawlingContext)).rejects.toMatchObject({ verdict, status: 407 });
});
