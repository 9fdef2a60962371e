// The plain client against a server that fails on purpose: each fault gets its name, and what is whole is taken as it is.
import { buffer, text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import type { TransportFault } from '../../../src/core/transport.ts';
import type { FaultUrlOptions } from '../fault-server.ts';
import { AS_BROWSERS_TAKE_IT } from '../faults.ts';
import { client, faultOf, get, open, server } from './setup.ts';

describe('each fault has its name', () => {
  it.each<[fault: string, name: TransportFault, message: RegExp, options?: FaultUrlOptions]>([
    ['reset-before-headers', 'reset', /^The connection broke/],
    ['close-before-headers', 'reset', /^The connection broke/],
    ['cut-headers', 'reset', /^The connection broke/],
    ['reset-mid-body', 'reset', /^The connection broke/],
    ['reset-unframed', 'reset', /^The connection broke/],
    ['cut-length', 'cut-body', /^The body ended before it was complete/],
    ['cut-length-closing', 'cut-body', /^The body ended before/],
    ['cut-chunk', 'cut-body', /^The body ended before/],
    ['cut-chunk-closing', 'cut-body', /^The body ended before/],
    ['cut-gzip', 'cut-body', /^The body ended before/],
    ['cut-deflate', 'cut-body', /^The body ended before/],
    ['cut-brotli', 'cut-body', /^The body ended before/],
    ['hang-mid-body', 'idle-timeout', /^Nothing came for 0\.2 s\.$/],
    ['redirect-loop', 'redirect-loop', /in a circle, back to http:.*\/redirect-loop\.$/],
    ['redirect-self', 'redirect-loop', /in a circle/],
    ['redirect-11', 'too-many-redirects', /^More than 10 redirects, the last one from http:.*\/redirect-11\/10\.$/],
    ['redirect-bad-url', 'bad-redirect', /redirects to "http:\/\/\[nowhere\/", which is no http\(s\) URL/],
    ['redirect-mailto', 'bad-redirect', /redirects to "mailto:someone@example.com", which is no http\(s\) URL/],
    ['gzip-that-is-none', 'bad-answer', /no gzip/],
    ['brotli-that-is-none', 'bad-answer', /Decompression failed/],
    ['unknown-encoding', 'bad-answer', /compressed by "compress"/],
    ['not-http', 'bad-answer', /HTTP/],
  ])('%s: %s', async (fault, name, message, options) => {
    const error = await faultOf(get(server.url(fault, options)));
    expect([error.fault, error.message]).toEqual([name, expect.stringMatching(message)]);
  });

  it.each<[what: 'silentTlsUrl' | 'plainTextTlsUrl' | 'refusedUrl', name: TransportFault, message: RegExp]>([
    ['silentTlsUrl', 'connect-timeout', /^No connection within 0\.15 s\.$/],
    ['plainTextTlsUrl', 'tls', /SSL/],
    ['refusedUrl', 'refused', /ECONNREFUSED 127\.0\.0\.1/],
  ])('%s: %s', async (what, name, message) => {
    const error = await faultOf(get(server[what]));
    expect([error.fault, error.message]).toEqual([name, expect.stringMatching(message)]);
  });

  it.each([
    ['drip', 2_000],
    // The wait for the first byte has no limit but the whole request's.
    ['hang-before-headers', 20],
  ])('%s: request-timeout', async (fault, idleTimeoutMillis) => {
    const hasty = open({ idleTimeoutMillis, requestTimeoutMillis: 300 });
    const error = await faultOf(get(server.url(fault, { every: 20 }), hasty));
    expect([error.fault, error.message]).toEqual(['request-timeout', 'The whole request took longer than 0.3 s.']);
  });

  it('a name that does not exist: dns', async () => {
    // A machine without a network may answer late or otherwise; the limit is not what is tested here.
    const patient = open({ connectTimeoutMillis: 20_000 });
    const error = await faultOf(get('http://no-such-host.invalid/', patient));
    expect(error.fault).toBe('dns');
  });

  it('what a server sends beyond an answer is not the next page’s fault: reset', async () => {
    await get(server.url('too-long'));
    const error = await faultOf(get(server.url('ok')));
    expect([error.fault, error.message]).toEqual(['reset', expect.stringMatching(/^The connection broke \(.*HTTP\/1\.1/)]);
    expect(await get(server.url('ok'))).toContain('/ok');
  });

  it('a head that goes wrong is its own page’s fault, on a used connection too', async () => {
    await get(server.url('ok'));
    expect((await faultOf(get(server.url('switches-protocols')))).fault).toBe('bad-answer');
  });

  it('one failed request is one request: nothing is tried again behind the caller’s back', async () => {
    await get(server.url('ok', { id: 'warms-up' })); // So that the next one takes up a kept connection.
    await faultOf(get(server.url('close-before-headers', { id: 'once' })));
    expect(server.hits.get('/close-before-headers/once')).toHaveLength(1);
  });
});

describe('what is whole is taken as it is', () => {
  it.each(['ok', 'gzip', 'deflate', 'deflate-raw', 'brotli', 'gzip-twice', 'http-1.0', 'no-type', ...AS_BROWSERS_TAKE_IT])(
    '%s',
    async (fault) => {
      expect(await get(server.url(fault))).toBe(`<!doctype html><title>ok</title><p>/${fault}</p>`);
    },
  );

  it.each([204, 304, 403, 404, 429, 500, 503])('status %i is an answer', async (status) => {
    const response = await client.stream({ url: server.url(String(status), { after: 3 }) });
    await buffer(response.stream);
    expect([response.statusCode, response.headers['retry-after']]).toEqual([status, '3']);
  });

  it('no body at all is an empty one, compressed or not', async () => {
    expect(await get(server.url('gzip-empty'))).toBe('');
    const { stream, statusCode } = await client.stream({ url: server.url('gzip'), method: 'HEAD' });
    expect([statusCode, await text(stream)]).toEqual([200, '']);
  });

  it('a drip that ends in time is no fault: each byte is a sign of life', async () => {
    const patient = open({ idleTimeoutMillis: 250, requestTimeoutMillis: 20_000 });
    const { stream } = await patient.stream({ url: server.url('drip', { every: 100 }) });
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length;
      if (bytes >= 6) break;
    }
    expect(bytes).toBe(6);
  });

  it('headers that came twice have the shape of Node’s own', async () => {
    const { headers, stream } = await client.stream({ url: server.url('twice-the-header') });
    stream.destroy();
    expect(headers).toMatchObject({
      'content-type': 'text/plain', // The last one.
      'retry-after': '1',
      vary: 'a, b',
      'set-cookie': ['a=1', 'b=2'],
    });
  });
});

describe('sendRequest', () => {
  it('reads text in the page’s own encoding, bytes as they are, and JSON', async () => {
    const url = server.url('shift-jis-meta');
    expect((await client.sendRequest({ url })).body).toContain('<title>日本語のページ</title>');
    expect((await client.sendRequest({ url, responseType: 'buffer' })).body).toBeInstanceOf(Buffer);
    expect((await client.sendRequest({ url: server.url('echo'), responseType: 'json' })).body).toMatchObject({ method: 'GET' });
  });

  it('throws the same faults', async () => {
    expect((await faultOf(client.sendRequest({ url: server.url('cut-gzip') }))).fault).toBe('cut-body');
  });
});
