// A list of addresses, from a real server with faults: the text, or one sentence.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { afterEach, describe, expect, it } from 'vitest';

import { fetchUrlList } from '../../src/fetch/url-list.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function fetchFrom(listener: RequestListener, more: { maxBodyBytes?: number } = {}) {
  server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return fetchUrlList(`http://127.0.0.1:${port}/list.txt`, {
    headers: { 'User-Agent': 'tester' },
    maxBodyBytes: 1_000,
    allowPrivate: [],
    requestTimeoutMillis: 5_000,
    waitMillis: [0, 0],
    ...more,
  });
}

describe('a list of addresses', () => {
  it('comes decoded, decompressed and from where its redirect leads', async () => {
    const list = await fetchFrom((request, response) => {
      if (request.url === '/list.txt') return void response.writeHead(302, { Location: '/moved' }).end();
      response.writeHead(200, { 'Content-Type': 'text/csv; charset=windows-1252', 'Content-Encoding': 'gzip' });
      response.end(gzipSync(Buffer.from('https://a.example/\xe9', 'latin1')));
    });
    expect(list).toEqual({ text: 'https://a.example/é', isMarkup: false });
  });

  it('is asked for again when the server fails, and no more than three times', async () => {
    let asked = 0;
    const list = await fetchFrom((_, response) => {
      asked += 1;
      if (asked === 1) return void response.destroy();
      response.writeHead(asked === 2 ? 503 : 200, { 'Content-Type': 'text/html' }).end('<p>');
    });
    expect(list).toEqual({ text: '<p>', isMarkup: true });
    expect(await fetchFrom((_, response) => void response.writeHead(503).end())).toEqual({
      why: 'the server answers HTTP 503',
    });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['missing', (_, response) => void response.writeHead(404).end('https://a.example/'), /^the server answers HTTP 404$/],
    ['longer than its limit', (_, response) => void response.end('x'.repeat(2_000)), /larger|longer|limit/],
    ['no text', (_, response) => void response.end(Buffer.from([0x50, 0x4b, 3, 4, 0, 0])), /^it is no text/],
    [
      'in a private net',
      (_, response) => void response.writeHead(302, { Location: 'http://10.0.0.1/' }).end(),
      /must not lead there/,
    ],
  ])('that is %s is one sentence, without another try', async (_, listener, why) => {
    let asked = 0;
    const list = await fetchFrom((request, response) => {
      asked += 1;
      listener(request, response);
    });
    expect(list).toEqual({ why: expect.stringMatching(why) });
    expect(asked).toBe(1);
  });
});
