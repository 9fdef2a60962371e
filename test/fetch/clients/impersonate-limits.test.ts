// What holds for the impersonating client however a server behaves: time, the size of a body, memory, connections, and the
// caller's own signal. impit closes no connection by itself; each of these has to show that it is closed all the same.
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { client, faultOf, front, get, open, secureUrl, server } from './impersonate-setup.ts';

const MEGABYTE = 1024 * 1024;

describe('a limit that is passed has its name, and its connection is closed', () => {
  it('no TLS within the time to connect: connect-timeout', async () => {
    const hasty = await open({ limits: { connectTimeoutMillis: 150 } });
    const error = await faultOf(get(server.silentTlsUrl, hasty));
    expect([error.fault, error.message]).toEqual(['connect-timeout', 'No connection within 0.15 s.']);
  });

  it('nothing more of a body: idle-timeout', async () => {
    const hasty = await open({ limits: { idleTimeoutMillis: 200 } });
    const error = await faultOf(get(secureUrl('hang-mid-body'), hasty));
    expect([error.fault, error.message]).toEqual(['idle-timeout', 'Nothing came for 0.2 s.']);
    await front.idle();
  });

  it.each(['hang-before-headers', 'drip'])('%s for longer than the whole request may take: request-timeout', async (fault) => {
    await get(secureUrl('ok')); // Roots of trust are read at the first handshake.
    const hasty = await open({ limits: { requestTimeoutMillis: 700 } });
    const error = await faultOf(get(secureUrl(fault, { every: 20 }), hasty));
    expect([error.fault, error.message]).toEqual(['request-timeout', 'The whole request took longer than 0.7 s.']);
    await client.close();
    await front.idle();
  });

  it('a slow reader is no slow server', async () => {
    const hasty = await open({ limits: { idleTimeoutMillis: 1_000 } });
    const { stream } = await hasty.stream({ url: secureUrl('endless') });
    for (let chunks = 0; chunks < 2; chunks++) {
      await new Promise((resolve) => stream.once('data', resolve));
      stream.pause();
      await wait(1_500);
      stream.resume();
    }
    stream.destroy();
    await front.idle();
  });
});

describe('a body over its limit stops being read', () => {
  it.each(['gzip-bomb', 'deflate-bomb', 'brotli-bomb', 'endless', 'huge-length'])('%s', async (fault) => {
    const small = await open({ limits: { maxBodyBytes: MEGABYTE } });
    const { stream } = await small.stream({ url: secureUrl(fault, { megabytes: 500 }) });
    let bytes = 0;
    const read = async () => {
      for await (const chunk of stream) bytes += (chunk as Buffer).length;
    };
    expect((await faultOf(read())).fault).toBe('body-too-large');
    expect(bytes).toBeLessThanOrEqual(MEGABYTE);
    await front.idle();
  });

  it('a slow reader holds a few pieces of a bomb in memory, not what it inflates to', async () => {
    const { stream } = await client.stream({ url: secureUrl('gzip-bomb', { megabytes: 500 }) });
    let before = 0;
    let peak = 0;
    let chunks = 0;
    for await (const _ of stream) {
      before ||= process.memoryUsage.rss();
      await wait(5); // Time in which a decompressor without bounds would go on.
      peak = Math.max(peak, process.memoryUsage.rss() - before);
      if (++chunks === 40) break;
    }
    expect(peak).toBeLessThan(60 * MEGABYTE);
  });

  it('a body of exactly the limit is whole', async () => {
    const page = await get(secureUrl('ok'));
    expect(await get(secureUrl('ok'), await open({ limits: { maxBodyBytes: page.length } }))).toBe(page);
    const short = await open({ limits: { maxBodyBytes: page.length - 1 } });
    expect((await faultOf(get(secureUrl('ok'), short))).fault).toBe('body-too-large');
  });
});

describe('a connection is closed', () => {
  it('when a reader leaves early, read or unread, compressed or not', async () => {
    for (const fault of ['endless', 'hang-mid-body', 'drip', 'gzip-bomb']) {
      const url = secureUrl(fault, { every: 20 });
      const unread = await client.stream({ url });
      unread.stream.destroy();
      const read = await client.stream({ url });
      read.stream.once('data', () => read.stream.destroy());
      await new Promise((resolve) => read.stream.once('close', resolve));
    }
    await front.idle();
  });

  it('when nobody reads the body, at the request’s timeout', async () => {
    await get(secureUrl('ok'));
    await client.close();
    const hasty = await open({ limits: { requestTimeoutMillis: 3_000 } });
    const { stream } = await hasty.stream({ url: secureUrl('endless') });
    const error = await faultOf(wait(3_200).then(() => text(stream)));
    expect(error.fault).toBe('request-timeout');
    stream.destroy();
    await front.idle();
  });

  it('by close(), under whatever hangs on it', async () => {
    const hanging = [get(secureUrl('hang-before-headers')), get(secureUrl('hang-mid-body'))].map(faultOf);
    while (front.connections === 0 || server.hits.size === 0) await wait(20);
    await wait(100);
    await client.close();
    for (const fault of hanging) expect((await fault).fault).toMatch(/reset|cut-body/);
    await front.idle();
    await expect(client.stream({ url: secureUrl('ok') })).rejects.toThrow('closed');
  });

  it('an error waits for its reader, however late, and without a reader ends nothing', async () => {
    const { stream: read } = await client.stream({ url: secureUrl('cut-length') });
    await client.stream({ url: secureUrl('cut-length') });
    await wait(100); // An 'error' event without a listener would fail the whole test run.
    expect((await faultOf(text(read))).fault).toBe('cut-body');
  });

  it('one that is broken leaves the others of its session to their work', async () => {
    const whole = Promise.all(Array.from({ length: 3 }, (_, id) => get(secureUrl('drip', { every: 20, id }))).map(faultOf));
    const hasty = await client.stream({ url: secureUrl('endless') });
    hasty.stream.destroy();
    expect(await get(secureUrl('ok'))).toContain('ok');
    await client.close();
    await whole;
  });
});

describe('an AbortSignal', () => {
  it.each(['hang-before-headers', 'hang-mid-body'])('ends %s with its own reason', async (fault) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const before = server.hits.get(`/${fault}/abort`)?.length ?? 0;
    const request = get(secureUrl(fault, { id: 'abort' }), client, { signal: controller.signal });
    const outcome = expect(request).rejects.toBe(reason);
    while ((server.hits.get(`/${fault}/abort`)?.length ?? 0) === before) await wait(20);
    await wait(50);
    controller.abort(reason);
    await outcome;
    await front.idle();
  });

  it('that is aborted already sends nothing', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(get(secureUrl('ok', { id: 'never' }), client, { signal })).rejects.toThrow('too late');
    expect(server.hits.has('/ok/never')).toBe(false);
  });
});
