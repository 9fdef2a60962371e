// What holds however a server behaves: the size of a body, memory, connections, and the caller's own signal.
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { client, faultOf, get, open, server } from './setup.ts';

const MEGABYTE = 1024 * 1024;

describe('a body over its limit stops being read', () => {
  it.each(['gzip-bomb', 'deflate-bomb', 'brotli-bomb', 'endless', 'huge-length'])('%s', async (fault) => {
    const small = open({ maxBodyBytes: MEGABYTE });
    const { stream } = await small.stream({ url: server.url(fault, { megabytes: 500 }) });
    let bytes = 0;
    const error = await faultOf(
      (async () => {
        for await (const chunk of stream) bytes += (chunk as Buffer).length;
      })(),
    );
    expect([error.fault, error.message]).toEqual(['body-too-large', 'The body is longer than 1 MB.']);
    expect(bytes).toBeLessThanOrEqual(MEGABYTE);
    await server.idle(); // The connection is cut, not drained and kept.
  });

  it('a slow reader holds a few pieces of a bomb in memory, not what it inflates to', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const { stream } = await client.stream({ url: server.url('gzip-bomb', { megabytes: 500 }) });
    let chunks = 0;
    for await (const _ of stream) {
      await wait(5); // Time in which a decompressor without bounds would go on.
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      if (++chunks === 40) break;
    }
    expect(peak).toBeLessThan(10 * MEGABYTE);
  });

  it('a body of exactly the limit is whole', async () => {
    const page = await get(server.url('ok'));
    const exact = open({ maxBodyBytes: page.length });
    expect(await get(server.url('ok'), exact)).toBe(page);
    const short = open({ maxBodyBytes: page.length - 1 });
    expect((await faultOf(get(server.url('ok'), short))).fault).toBe('body-too-large');
  });
});

describe('connections', () => {
  it('60 requests at concurrency 5 use at most 5', async () => {
    const before = server.connections;
    const urls = Array.from({ length: 60 }, (_, id) => server.url('ok', { id: `kept-${id}` }));
    const worker = async () => {
      for (let url = urls.pop(); url !== undefined; url = urls.pop()) await get(url);
    };
    await Promise.all(Array.from({ length: 5 }, worker));
    expect(server.connections - before).toBeLessThanOrEqual(5);
  });

  it.each(['gzip', 'brotli', 'deflate', '404', 'gzip-empty'])('%s leaves its connection for the next', async (fault) => {
    const before = server.connections;
    for (let times = 0; times < 3; times++) await get(server.url(fault));
    expect(server.connections - before).toBe(1);
  });

  it('a reader that leaves early frees the connection, read or unread, compressed or not', async () => {
    for (const fault of ['endless', 'hang-mid-body', 'drip', 'gzip-bomb']) {
      const url = server.url(fault, { every: 20 });
      const unread = await client.stream({ url });
      unread.stream.destroy();
      const read = await client.stream({ url });
      read.stream.once('data', () => read.stream.destroy());
      await new Promise((resolve) => read.stream.once('close', resolve));
    }
    await server.idle();
  });

  it('a body that nobody reads gives its connection back at the request’s timeout', async () => {
    const hasty = open({ requestTimeoutMillis: 200 });
    const { stream } = await hasty.stream({ url: server.url('endless') });
    await server.idle();
    expect((await faultOf(text(stream))).fault).toBe('request-timeout');
  });

  it('an error waits for its reader, however late, and without a reader ends nothing', async () => {
    const { stream: read } = await client.stream({ url: server.url('reset-mid-body') });
    const { stream: destroyed } = await client.stream({ url: server.url('reset-mid-body') });
    const { stream: drained } = await client.stream({ url: server.url('cut-gzip') });
    await client.stream({ url: server.url('reset-mid-body') });
    drained.resume();
    await wait(100); // Past the resets. An 'error' event without a listener would fail the whole test run.
    destroyed.destroy(new Error('enough'));
    const listened = new Promise((resolve) => read.on('error', resolve).on('data', () => {}));
    expect(await listened).toMatchObject({ fault: 'reset' });
  });

  it('close() cuts what hangs', async () => {
    const patient = open({});
    const hanging = get(server.url('hang-mid-body'), patient);
    const outcome = expect(hanging).rejects.toThrow();
    await wait(50);
    await patient.close();
    await outcome;
    await server.idle();
  });
});

describe('an AbortSignal', () => {
  it.each(['hang-before-headers', 'hang-mid-body'])('ends %s with its own reason', async (fault) => {
    const patient = open({});
    const reason = new Error('the crawl is over');
    const controller = new AbortController();
    const request = (async () => {
      const { stream } = await patient.stream({ url: server.url(fault), signal: controller.signal });
      await text(stream);
    })();
    setTimeout(() => controller.abort(reason), 50);
    await expect(request).rejects.toBe(reason);
    await server.idle();
  });

  it('that was aborted before sends nothing', async () => {
    const reason = new Error('too late');
    await expect(client.stream({ url: server.url('ok', { id: 'never' }), signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(server.hits.has('/ok/never')).toBe(false);
  });
});
