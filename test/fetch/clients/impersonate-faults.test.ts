// The impersonating client against a server that fails on purpose, behind TLS: impit's errors get the names of the plain
// client's, and what is whole is taken as it is.
import type { RequestListener } from 'node:http';
import { constants } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { TransportFault } from '../../../src/core/transport.ts';
import { AS_BROWSERS_TAKE_IT } from '../faults.ts';
import { startFrameServer, type Speaker } from './http2-server.ts';
import { certificates, client, faultOf, get, open, secureUrl, server } from './impersonate-setup.ts';
import { startTlsFront } from './tls-front.ts';

/** A sentence, and nothing of Rust's debug output. */
const SENTENCE = /^[A-Zh][^{}\n]*\.$/;

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

/** Half a page, and then what goes wrong, once that has been read. */
function half(then: (speaker: Speaker) => void) {
  return (to: Speaker) => {
    to.headers();
    to.data('<p>the first ha');
    setTimeout(() => then(to), 40);
  };
}

describe('each fault has its name', () => {
  it.each<[fault: string, name: TransportFault]>([
    ['reset-before-headers', 'reset'],
    ['close-before-headers', 'reset'],
    ['cut-headers', 'reset'],
    ['reset-mid-body', 'reset'],
    ['reset-unframed', 'reset'],
    ['cut-length', 'cut-body'],
    ['cut-length-closing', 'cut-body'],
    ['cut-chunk', 'cut-body'],
    ['cut-chunk-closing', 'cut-body'],
    ['cut-gzip', 'cut-body'],
    ['cut-deflate', 'cut-body'],
    ['cut-brotli', 'cut-body'],
    ['redirect-loop', 'redirect-loop'],
    ['redirect-11', 'too-many-redirects'],
    ['redirect-mailto', 'bad-redirect'],
    ['gzip-that-is-none', 'bad-answer'],
    ['brotli-that-is-none', 'bad-answer'],
    // impit knows zlib's form alone, as the standard has it.
    ['deflate-raw', 'bad-answer'],
    ['unknown-encoding', 'bad-answer'],
    ['not-http', 'bad-answer'],
    ['header-without-colon', 'bad-answer'],
  ])('%s: %s', async (fault, name) => {
    const error = await faultOf(get(secureUrl(fault)));
    expect([error.fault, error.message]).toEqual([name, expect.stringMatching(SENTENCE)]);
  });

  it.each<[what: string, name: TransportFault, answer: (speaker: Speaker) => void]>([
    ['reset by an error', 'cut-body', half((to) => to.reset(NGHTTP2_INTERNAL_ERROR))],
    ['cut by the end of the connection', 'cut-body', half((to) => to.socket.end())],
    ['without headers, reset by an error', 'reset', (to) => to.reset(NGHTTP2_INTERNAL_ERROR)],
    ['without headers, cancelled', 'reset', (to) => to.reset(NGHTTP2_CANCEL)],
    ['without headers, the connection ends', 'reset', (to) => void to.socket.end()],
    ['not HTTP/2 at all', 'reset', (to) => void to.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('HTTP/2, %s: %s', async (_, name, answer) => {
    const frames = await startFrameServer({ ...certificates.trusted, file: '', remove() {} }, answer);
    const error = await faultOf(get(frames.url));
    expect([error.fault, error.message]).toEqual([name, expect.stringMatching(SENTENCE)]);
    expect(frames.requests).toBe(1);
  });

  // By definition the server has not looked at it: https://www.rfc-editor.org/rfc/rfc9113#section-8.7
  it('HTTP/2: a stream that is refused is the one thing that impit tries again, twice', async () => {
    const refuse = (to: Speaker) => to.reset(NGHTTP2_REFUSED_STREAM);
    const frames = await startFrameServer({ ...certificates.trusted, file: '', remove() {} }, refuse);
    expect((await faultOf(get(frames.url))).fault).toBe('reset');
    expect(frames.requests).toBe(3);
  });

  // A limit of impit's: https://docs.rs/hyper takes these two for the end of a body. With a Content-Length or compressed, as
  // most pages are, the half is noticed all the same. Should this fail one day, impit has become better: rejoice.
  it.each([NGHTTP2_NO_ERROR, NGHTTP2_CANCEL])(
    'HTTP/2: half a page that is cancelled by code %i passes for a whole one',
    async (code) => {
      const frames = await startFrameServer(
        { ...certificates.trusted, file: '', remove() {} },
        half((to) => to.reset(code)),
      );
      expect(await get(frames.url)).toBe('<p>the first ha');
    },
  );

  it('a certificate that nobody vouches for: tls, whatever Crawlee’s options say', async () => {
    const untrusted = await startTlsFront(server.origin, certificates.untrusted);
    onTestFinished(untrusted.close);
    const error = await faultOf(client.stream({ url: `${untrusted.origin}/ok`, https: { rejectUnauthorized: false } }));
    expect([error.fault, error.message]).toEqual(['tls', "The server's certificate is not valid (UnknownIssuer)."]);
    expect(server.hits.has('/ok')).toBe(false);
  });

  it('a server without TLS: tls', async () => {
    expect((await faultOf(get(server.plainTextTlsUrl))).fault).toBe('tls');
  });

  it('nobody there: refused', async () => {
    const error = await faultOf(get(server.refusedUrl.replace('http:', 'https:')));
    expect([error.fault, error.message]).toEqual(['refused', expect.stringContaining('ECONNREFUSED 127.0.0.1')]);
  });

  it('a name that does not exist: dns', async () => {
    expect((await faultOf(get('https://no-such-host.invalid/'))).fault).toBe('dns');
  });

  it('what a server sends beyond an answer is not the next page’s fault: reset', async () => {
    // Until impit has the connection back, the next page goes by another one, and is there.
    const error = await vi.waitUntil(async () => {
      await get(secureUrl('too-long')).catch(() => {});
      return get(secureUrl('ok')).then(
        () => null,
        (error: unknown) => error,
      );
    });
    expect(error).toMatchObject({ fault: 'reset' });
    expect(await get(secureUrl('ok'))).toContain('/ok');
  });

  it('a head that goes wrong is its own page’s fault, on a used connection too', async () => {
    await get(secureUrl('ok'));
    await wait(100); // It is the same by a fresh one, if impit has not got it back by then.
    expect((await faultOf(get(secureUrl('header-without-colon')))).fault).toBe('bad-answer');
  });

  it('one failed request is one request: nothing is tried again behind the caller’s back', async () => {
    await get(secureUrl('ok', { id: 'warms-up' })); // So that the next one takes up a kept connection.
    await faultOf(get(secureUrl('close-before-headers', { id: 'once' })));
    expect(server.hits.get('/close-before-headers/once')).toHaveLength(1);
  });

  it('a header that impit cannot send is named, and its value is not', async () => {
    const request = get(secureUrl('ok'), client, { headers: { Cookie: 'secret=\u0001' } });
    const error = (await request.catch((error: unknown) => error)) as Error;
    expect([error.message, error.cause]).toEqual([expect.stringContaining('cannot be sent'), undefined]);
    expect(error.stack).not.toContain('secret');
  });
});

describe('what is whole is taken as it is', () => {
  it.each([
    'ok',
    'gzip',
    'deflate',
    'brotli',
    'gzip-twice',
    'http-1.0',
    'no-type',
    'length-twice',
    'length-and-chunks',
    'line-feeds',
    ...AS_BROWSERS_TAKE_IT,
  ])('%s', async (fault) => {
    expect(await get(secureUrl(fault))).toBe(`<!doctype html><title>ok</title><p>/${fault}</p>`);
  });

  // A frame of one block that is not compressed: https://www.rfc-editor.org/rfc/rfc8878#section-3
  const zstd = Buffer.concat([Buffer.from('28b52ffd2005290000', 'hex'), Buffer.from('hello')]);

  it.each<[encoding: string, body: Buffer]>([
    ['zstd', zstd],
    ['GZIP', gzipSync('hello')],
    ['x-gzip', gzipSync('hello')],
    ['br, gzip', gzipSync(brotliCompressSync('hello'))],
    ['identity', Buffer.from('hello')],
  ])('compressed by %s', async (encoding, body) => {
    const answer: RequestListener = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
    const https = createServer(certificates.trusted, answer);
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void https.close());
    expect(await get(`https://localhost:${(https.address() as AddressInfo).port}/`)).toBe('hello');
  });

  it.each([204, 304, 403, 404, 429, 500, 503])('status %i is an answer', async (status) => {
    const response = await client.stream({ url: secureUrl(String(status), { after: 3 }) });
    await buffer(response.stream);
    expect([response.statusCode, response.headers['retry-after']]).toEqual([status, '3']);
  });

  it('no body at all is an empty one, compressed or not', async () => {
    expect(await get(secureUrl('gzip-empty'))).toBe('');
    const { stream, statusCode } = await client.stream({ url: secureUrl('gzip'), method: 'HEAD' });
    expect([statusCode, await text(stream)]).toEqual([200, '']);
  });

  it('a drip is no fault: each byte is a sign of life', async () => {
    const patient = await open({ limits: { idleTimeoutMillis: 1_500 } });
    const { stream } = await patient.stream({ url: secureUrl('drip', { every: 300 }) });
    let bytes = 0;
    for await (const chunk of stream) if ((bytes += (chunk as Buffer).length) >= 8) break;
    expect(bytes).toBe(8);
  });

  it('headers that came twice have the shape of Node’s own', async () => {
    const { headers, stream } = await client.stream({ url: secureUrl('twice-the-header') });
    stream.destroy();
    expect(headers).toMatchObject({
      'content-type': 'text/plain', // The last one.
      'retry-after': '1',
      vary: 'a, b',
      'set-cookie': ['a=1', 'b=2'],
    });
  });

  it('sendRequest reads text in the page’s own encoding, bytes as they are, and JSON', async () => {
    const url = secureUrl('shift-jis-meta');
    expect((await client.sendRequest({ url })).body).toContain('<title>日本語のページ</title>');
    expect((await client.sendRequest({ url, responseType: 'buffer' })).body).toBeInstanceOf(Buffer);
    expect((await client.sendRequest({ url: secureUrl('echo'), responseType: 'json' })).body).toMatchObject({ method: 'GET' });
  });
});
