// The plain client over HTTP/2: chosen where it is offered, and every guarantee that HTTP/1.1 gives holds there as well.
import { constants, createSecureServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

import type { HttpRequest } from '@crawlee/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { TransportFault } from '../../../src/core/transport.ts';
import type { TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { makeCertificate, type Certificate } from '../../proxy/certificate.ts';
import { startForwardProxy, startIpEcho } from '../../proxy/forward-proxy.ts';
import { startFaultServer, type FaultServer, type FaultUrlOptions } from '../fault-server.ts';
import { AS_BROWSERS_TAKE_IT } from '../faults.ts';
import { startFrameServer, type Speaker } from './http2-server.ts';
import { faultOf, get, open } from './setup.ts';

const MEGABYTE = 1024 * 1024;

let certificate: Certificate;
let secure: FaultServer;
let client: TierClient;

beforeAll(async () => {
  certificate = makeCertificate();
  secure = await startFaultServer({ http2: certificate });
});
afterAll(async () => {
  await secure.close();
  certificate.remove();
});
beforeEach(() => {
  client = open({ rejectUnauthorized: false, idleTimeoutMillis: 200, requestTimeoutMillis: 5_000 });
});
afterEach(() => client.close());

/** A well-made server that says which version it was asked in. */
async function startVersions() {
  const server: Http2Server = createSecureServer(
    { key: certificate.key, cert: certificate.cert, allowHTTP1: true },
    ({ httpVersion, headers, rawHeaders, method }, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(JSON.stringify({ httpVersion, headers, rawHeaders, method }));
    },
  );
  let connections = 0;
  server.on('secureConnection', () => (connections += 1));
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `https://127.0.0.1:${port}/`, connections: () => connections };
}

interface Seen {
  httpVersion: string;
  headers: Record<string, string>;
  rawHeaders: string[];
  method: string;
}

async function seen(request: Parameters<TierClient['sendRequest']>[0]): Promise<Seen> {
  return (await client.sendRequest<'json'>({ ...request, responseType: 'json' } as never)).body as Seen;
}

describe('which version is spoken', () => {
  it('HTTP/2 where the server offers it, HTTP/1.1 where not', async () => {
    const both = await startVersions();
    expect((await seen({ url: both.url })).httpVersion).toBe('2.0');
    const old = await startIpEcho({ tls: certificate });
    onTestFinished(() => old.close());
    expect((await client.sendRequest({ url: old.directUrl })).statusMessage).toBe('OK'); // HTTP/2 has no such words.
  });

  it('also through a proxy’s tunnel, by connections of its own or a session’s', async () => {
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    const { port } = await startVersions();
    const request = { url: `https://shop.test:${port}/`, proxyUrl: proxy.url() };
    expect((await seen(request)).httpVersion).toBe('2.0');
    await proxy.settled();
    const sticky = { ...request, route: { tier: 'http', proxy: 'sticky', sessionId: 's' } };
    for (let times = 0; times < 3; times++) expect((await seen(sticky)).httpVersion).toBe('2.0');
    expect(proxy.stats().connections).toBe(2);
  });

  it('headers go without those of a connection, the order stays, and cookies come as they are', async () => {
    const { url } = await startVersions();
    const headers = { 'User-Agent': 'me', Connection: 'keep-alive', Accept: '*/*', Cookie: 'a=1', 'X-Last': '1', TE: 'gzip' };
    const { rawHeaders } = await seen({ url, headers });
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names).toEqual([
      ':method',
      ':authority',
      ':scheme',
      ':path',
      'user-agent',
      'accept',
      'cookie',
      'x-last',
      'accept-encoding',
    ]);
    expect((await client.sendRequest({ url })).headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'] });
    expect((await seen({ url, headers: { Host: 'shop.test' } })).headers[':authority']).toBe('shop.test');
  });

  const form = new FormData();
  form.set('q', '1');
  it.each<[string, () => NonNullable<HttpRequest['body']>, RegExp]>([
    ['text', () => 'q=1', /^q=1$/],
    ['bytes', () => Buffer.from('q=1'), /^q=1$/],
    ['a stream', () => Readable.from([Buffer.from('q='), Buffer.from('1')]), /^q=1$/],
    ['a form', () => form as never, /name="q"\r\n\r\n1\r\n/],
  ])('a POST with %s arrives, whether or not it is the first to find out the version', async (_, body, sent) => {
    for (let times = 0; times < 2; times++) {
      const request = { url: secure.url('echo'), method: 'POST', body: body(), responseType: 'json' } as const;
      const answer = await client.sendRequest<'json'>(request);
      expect(answer.body).toMatchObject({ method: 'POST', body: expect.stringMatching(sent) });
    }
  });

  it('a server that wants HTTP/1.1 after all is asked by HTTP/1.1 from then on', async () => {
    const server = await startFrameServer(certificate, (speaker) => speaker.reset(constants.NGHTTP2_HTTP_1_1_REQUIRED));
    expect((await faultOf(get(server.url, client))).fault).toBe('reset');
    await get(server.url, client).catch(() => {}); // It knows no HTTP/1.1; what counts is that it is not asked again.
    expect(server.requests).toBe(1);
  });
});

describe('connections', () => {
  it('60 requests at concurrency 5, once a first one has found out, are one connection', async () => {
    const { url, connections } = await startVersions();
    await get(url, client);
    let left = 60;
    const worker = async () => {
      while (left-- > 0) await get(url, client);
    };
    await Promise.all(Array.from({ length: 5 }, worker));
    expect(connections()).toBe(1);
  });

  it('a server that allows two requests at a time gets more connections, and no request more than its due', async () => {
    let most = 0;
    let sessions = 0;
    const server = createSecureServer({ key: certificate.key, cert: certificate.cert, settings: { maxConcurrentStreams: 2 } });
    server.on('session', (session) => {
      let open = 0;
      sessions += 1;
      session.on('error', () => {});
      session.on('stream', (stream) => {
        most = Math.max(most, (open += 1));
        stream.once('close', () => (open -= 1)).on('error', () => {});
        setTimeout(() => {
          stream.respond({ ':status': 200 });
          stream.end('ok');
        }, 20);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await get(url, client);
    expect(await Promise.all(Array.from({ length: 8 }, () => get(url, client)))).toEqual(Array(8).fill('ok'));
    expect(most).toBe(2);
    expect(sessions).toBeGreaterThanOrEqual(4);
    await client.close();
  });

  it('a request that gets no answer in time takes its connection out of use', async () => {
    let requests = 0;
    const server = await startFrameServer(certificate, (speaker) => {
      if (++requests === 2) return; // Dead, without a word.
      speaker.headers();
      speaker.data('ok', { last: true });
    });
    const hasty = open({ rejectUnauthorized: false, requestTimeoutMillis: 300 });
    expect(await get(server.url, hasty)).toBe('ok');
    expect((await faultOf(get(server.url, hasty))).fault).toBe('request-timeout');
    expect(await get(server.url, hasty)).toBe('ok');
    expect(server.connections).toBe(2);
  });

  it('close() cuts what hangs', async () => {
    const hanging = get(secure.url('hang-mid-body'), open({ rejectUnauthorized: false }));
    const patient = open({ rejectUnauthorized: false });
    const outcome = expect(get(secure.url('hang-mid-body'), patient)).rejects.toThrow();
    await wait(100);
    await patient.close();
    await outcome;
    hanging.catch(() => {});
  });
});

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
const half = (speaker: Speaker) => {
  speaker.headers();
  speaker.data('<p>the first ha');
};
/** Long enough for what was said before to have been read. */
const later = (then: () => void) => void setTimeout(then, 40);

describe('half a page never passes for a whole one', () => {
  it.each<[what: string, fault: TransportFault, answer: (speaker: Speaker) => void]>([
    [
      'cancelled',
      'cut-body',
      (to) => {
        half(to);
        later(() => to.reset(NGHTTP2_CANCEL));
      },
    ],
    [
      'cancelled in the same breath',
      'cut-body',
      (to) => {
        half(to);
        to.reset(NGHTTP2_CANCEL);
      },
    ],
    [
      'reset without an error',
      'cut-body',
      (to) => {
        half(to);
        later(() => to.reset(NGHTTP2_NO_ERROR));
      },
    ],
    [
      'reset without an error in the same breath',
      'cut-body',
      (to) => {
        half(to);
        to.reset(NGHTTP2_NO_ERROR);
      },
    ],
    [
      'reset by an error',
      'cut-body',
      (to) => {
        half(to);
        later(() => to.reset(NGHTTP2_INTERNAL_ERROR));
      },
    ],
    [
      'cut by the end of the connection',
      'cut-body',
      (to) => {
        half(to);
        later(() => to.socket.end());
      },
    ],
    [
      'cut by a goodbye with an error',
      'cut-body',
      (to) => {
        half(to);
        later(() => to.goAway(NGHTTP2_INTERNAL_ERROR));
      },
    ],
    ['without headers, refused', 'reset', (to) => to.reset(NGHTTP2_REFUSED_STREAM)],
    ['without headers, cancelled', 'reset', (to) => to.reset(NGHTTP2_CANCEL)],
    ['without headers, reset', 'reset', (to) => to.reset(NGHTTP2_NO_ERROR)],
    ['without headers, the connection ends', 'reset', (to) => void to.socket.end()],
    ['not HTTP/2 at all', 'reset', (to) => void to.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s: %s', async (_, fault, answer) => {
    const server = await startFrameServer(certificate, answer);
    const error = await faultOf(get(server.url, client));
    expect([error.fault, error.message]).toEqual([
      fault,
      expect.stringMatching(fault === 'cut-body' ? /^The body ended before/ : /./),
    ]);
    expect(server.requests).toBe(1);
    // And by a reader that comes late.
    const late = (async () => {
      const { stream } = await client.stream({ url: server.url });
      await wait(100);
      return text(stream);
    })();
    expect((await faultOf(late)).fault).toBe(fault);
  });

  it.each<[string, (speaker: Speaker) => void, string]>([
    [
      'that ends as the server says goodbye',
      (to) => {
        half(to);
        to.goAway(NGHTTP2_NO_ERROR);
        later(() => to.data('lf</p>', { last: true }));
      },
      '<p>the first half</p>',
    ],
    [
      'that ends before it is reset',
      (to) => {
        half(to);
        to.data('lf</p>', { last: true });
        to.reset(NGHTTP2_NO_ERROR);
      },
      '<p>the first half</p>',
    ],
    ['that is empty', (to) => to.headers({ last: true }), ''],
    [
      'whose end comes alone',
      (to) => {
        half(to);
        later(() => to.data('', { last: true }));
      },
      '<p>the first ha',
    ],
  ])('a page %s is whole', async (_, answer, page) => {
    const server = await startFrameServer(certificate, answer);
    expect(await get(server.url, client)).toBe(page);
    const { stream } = await client.stream({ url: server.url });
    await wait(100);
    expect(await text(stream)).toBe(page);
  });
});

describe('faults and limits are those of HTTP/1.1', () => {
  it.each<[fault: string, name: TransportFault, message: RegExp, options?: FaultUrlOptions]>([
    ['cut-gzip', 'cut-body', /^The body ended before/],
    ['cut-deflate', 'cut-body', /^The body ended before/],
    ['cut-brotli', 'cut-body', /^The body ended before/],
    ['hang-mid-body', 'idle-timeout', /^Nothing came for 0\.2 s\.$/],
    ['redirect-loop', 'redirect-loop', /in a circle/],
    ['redirect-11', 'too-many-redirects', /^More than 10 redirects/],
    ['redirect-bad-url', 'bad-redirect', /which is no http\(s\) URL/],
    ['gzip-that-is-none', 'bad-answer', /no gzip/],
    ['unknown-encoding', 'bad-answer', /compressed by "compress"/],
  ])('%s: %s', async (fault, name, message, options) => {
    const error = await faultOf(get(secure.url(fault, options), client));
    expect([error.fault, error.message]).toEqual([name, expect.stringMatching(message)]);
  });

  it.each(['drip', 'hang-before-headers'])('%s: request-timeout', async (fault) => {
    const hasty = open({ rejectUnauthorized: false, idleTimeoutMillis: 2_000, requestTimeoutMillis: 300 });
    const error = await faultOf(get(secure.url(fault, { every: 20 }), hasty));
    expect([error.fault, error.message]).toEqual(['request-timeout', 'The whole request took longer than 0.3 s.']);
  });

  it.each(['gzip-bomb', 'brotli-bomb', 'endless', 'huge-length'])('%s stops being read at the limit', async (fault) => {
    const small = open({ rejectUnauthorized: false, maxBodyBytes: MEGABYTE });
    const error = await faultOf(get(secure.url(fault, { megabytes: 500 }), small));
    expect([error.fault, error.message]).toEqual(['body-too-large', 'The body is longer than 1 MB.']);
    // The connection goes on; that one stream is over.
    expect(await get(secure.url('ok'), small)).toContain('/ok');
  });

  it('a slow reader is sent little more than it reads, and is no slow server', async () => {
    let received = 0;
    const patient = open({
      rejectUnauthorized: false,
      idleTimeoutMillis: 100,
      count: (_, bytes) => (received += bytes.received),
    });
    const { stream } = await patient.stream({ url: secure.url('endless') });
    let read = 0;
    for await (const chunk of stream) {
      read += (chunk as Buffer).length;
      if (read > MEGABYTE) break;
      await wait(read < MEGABYTE / 10 ? 300 : 5); // Longer than the limit between two pieces.
    }
    await patient.close();
    expect(received).toBeGreaterThan(read);
    expect(received).toBeLessThan(read + MEGABYTE / 2);
  });

  it.each(['hang-before-headers', 'hang-mid-body'])('a signal ends %s with its own reason', async (fault) => {
    const patient = open({ rejectUnauthorized: false });
    const reason = new Error('the crawl is over');
    const controller = new AbortController();
    const request = (async () => {
      const { stream } = await patient.stream({ url: secure.url(fault), signal: controller.signal });
      await text(stream);
    })();
    setTimeout(() => controller.abort(reason), 100);
    await expect(request).rejects.toBe(reason);
  });

  it.each(['ok', 'gzip', 'deflate', 'brotli', 'gzip-twice', 'many-headers', ...AS_BROWSERS_TAKE_IT])(
    '%s is taken as it is',
    async (fault) => {
      expect(await get(secure.url(fault), client)).toBe(`<!doctype html><title>ok</title><p>/${fault}</p>`);
      const { stream, statusCode } = await client.stream({ url: secure.url(fault), method: 'HEAD' });
      expect([statusCode, await text(stream)]).toEqual([200, '']);
    },
  );

  it.each([204, 304, 404, 429, 503])('status %i is an answer', async (status) => {
    const { statusCode, headers } = await client.sendRequest({ url: secure.url(String(status), { after: 3 }) });
    expect([statusCode, headers['retry-after']]).toEqual([status, '3']);
  });

  it('ten redirects are followed over the one connection', async () => {
    const before = secure.connections;
    const { stream, url } = await client.stream({ url: secure.url('redirect-10') });
    expect(await text(stream)).toContain('/redirect-10/10');
    expect([url, secure.connections - before]).toEqual([`${secure.origin}/redirect-10/10`, 1]);
  });
});
