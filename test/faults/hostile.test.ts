// Servers that mean harm, all in one crawl: each costs its own page a bounded time and a bounded memory, and the other pages go on.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';

import { defineSite } from '../../src/core/site.ts';
import { crawl, leapingClock } from './harness.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const HTML = 'Content-Type: text/html\r\n';
const MEGABYTE = 1024 * 1024;
/** Sends no sooner than the last piece has gone, and for as long as somebody takes it. */
const without = (end: string | Buffer) => (socket: Socket) => {
  const more = () => {
    while (!socket.destroyed && socket.write(end));
  };
  socket.on('drain', more);
  more();
};
const slowly = (start: string, piece: string) => (socket: Socket) => {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), 1_000);
  socket.once('close', () => clearInterval(timer));
};
const then = (start: string | Buffer, go: (socket: Socket) => void) => (socket: Socket) => {
  socket.write(start);
  go(socket);
};
const page =
  (body: string | Buffer, headers = '') =>
  (socket: Socket) => {
    socket.write(`${OK}${HTML}${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
    socket.write(body);
  };
const coded = (coding: string, body: Buffer) => page(body, `Content-Encoding: ${coding}\r\n`);

const zeros = Buffer.alloc(100 * MEGABYTE);
const gzipBomb = gzipSync(zeros);
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
// Of a zstd frame, blocks of one byte each that stands for 128 KiB: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.2
const zstdBomb = Buffer.concat([
  Buffer.from('28b52ffd0058', 'hex'),
  Buffer.concat(Array.from({ length: 4_000 }, () => Buffer.from('02001000', 'hex'))),
]);
const cookies = (count: number) => Array.from({ length: count }, (_, nth) => `Set-Cookie: c${nth}=${nth}\r\n`).join('');

const HOSTILE: Readonly<Record<string, (socket: Socket) => void>> = {
  '/bomb/gzip': coded('gzip', gzipBomb),
  '/bomb/br': coded('br', brotliCompressSync(zeros, quick)),
  '/bomb/gzip-gzip': coded('gzip, gzip', gzipSync(gzipBomb)),
  '/bomb/zstd': coded('zstd', zstdBomb),
  '/endless/body': then(`${OK}${HTML}\r\n`, without(Buffer.alloc(MEGABYTE, 'x'))),
  '/endless/chunks': then(`${OK}${HTML}Transfer-Encoding: chunked\r\n\r\n`, without(`10000\r\n${'x'.repeat(0x10000)}\r\n`)),
  '/endless/chunk-head': then(`${OK}${HTML}Transfer-Encoding: chunked\r\n\r\n`, without(`1;${'x'.repeat(0x10000)}`)),
  '/endless/head': then(OK, without('X-More: and more\r\n'.repeat(1_000))),
  '/endless/header': then(`${OK}X-More: `, without('x'.repeat(0x10000))),
  '/endless/interim': without('HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n'.repeat(1_000)),
  '/endless/gzip-name': then(`${OK}${HTML}Content-Encoding: gzip\r\n\r\n`, (socket) => {
    socket.write(Buffer.from('1f8b0808000000000003', 'hex'));
    without('x'.repeat(0x10000))(socket);
  }),
  '/slow/body': slowly(`${OK}${HTML}Content-Length: 1000\r\n\r\n`, 'x'),
  '/slow/head': slowly(OK, 'X'),
  '/slow/status': slowly('H', 'T'),
  '/cookies/100000': page('<title>t</title>', cookies(100_000)),
};

it('a hostile server costs its own pages a bounded time and memory, and no other page', { timeout: 120_000 }, async () => {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  let mostCookies = 0;
  let other = '';
  const listener = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
    socket.on('data', (chunk: Buffer) => {
      const path = /^\w+ (\S+)/.exec(chunk.toString('latin1'))?.[1] ?? '/';
      asked.push(path);
      mostCookies = Math.max(mostCookies, chunk.toString('latin1').split('=').length);
      const hop = /^\/hop\/(\d+)/.exec(path)?.[1];
      const day = /^\/calendar\/(\d+)/.exec(path)?.[1];
      if (HOSTILE[path]) HOSTILE[path](socket);
      else if (hop !== undefined)
        socket.write(`HTTP/1.1 302 x\r\nLocation: ${other}/hop/${Number(hop) + 1}\r\nContent-Length: 0\r\n\r\n`);
      else if (day !== undefined) page(`<title>calendar</title><a href="/calendar/${Number(day) + 1}">on</a>`)(socket);
      else page('<title>fine</title>', path === '/many-cookies' ? cookies(5_000) : '')(socket);
    });
  };
  const origins: string[] = [];
  for (const host of ['127.0.0.1', 'localhost']) {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origins.push(`http://${host}:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => void server.close());
  }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const [origin = '', far = ''] = origins;
  other = far;

  const site = defineSite({
    name: 'hostile',
    startUrls: [],
    labelOf: () => 'PAGE',
    record: z.object({ path: z.string(), title: z.string() }),
    userData: { PAGE: z.object({}) },
    routes: {
      PAGE: async (page) => {
        await page.pushData({ path: new URL(page.request.url).pathname, title: page.$('title').text() });
        await page.enqueueLinks();
      },
    },
  });
  const fine = Array.from({ length: 40 }, (_, nth) => `${origin}/fine/${nth}`);
  const urls = [...Object.keys(HOSTILE), '/hop/0', '/calendar/0', '/many-cookies'].map((path) => origin + path);
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  const before = process.memoryUsage.rss();
  const { rows, letters } = await crawl({
    urls: [...urls, ...fine],
    site,
    clock: leapingClock(),
    limits: { idleTimeoutMillis: 3_000, requestTimeoutMillis: 3_000, maxBodyBytes: 2 * MEGABYTE },
    secondPassDelayMillis: 0,
    maxRequests: 100,
  });
  clearInterval(watch);
  expect(rows.filter(({ title }) => title === 'fine')).toHaveLength(41);
  expect(rows.filter(({ title }) => title === 'calendar').length).toBeGreaterThan(10);
  expect(letters.map(({ url }) => url).toSorted()).toEqual(
    [...Object.keys(HOSTILE), '/hop/0'].map((path) => origin + path).toSorted(),
  );
  // Eleven a try, of which a busy machine may need more than one.
  expect(asked.filter((path) => path.startsWith('/hop/')).length).toBeLessThanOrEqual(44);
  expect(mostCookies).toBeLessThan(200);
  expect(peak - before).toBeLessThan(300 * MEGABYTE);
});
