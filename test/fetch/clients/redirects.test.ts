// What the plain client sends: requests, and the redirects that follow.
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { client, faultOf, get, open, server } from './setup.ts';

describe('redirects', () => {
  it('ten are followed, and the eleventh is not asked for', async () => {
    const { stream, url, redirectUrls } = await client.stream({ url: server.url('redirect-10') });
    expect(await text(stream)).toContain('/redirect-10/10');
    expect([url, redirectUrls.length]).toEqual([`${server.origin}/redirect-10/10`, 10]);
    await faultOf(get(server.url('redirect-11')));
    expect(server.hits.has('/redirect-11/11')).toBe(false);
  });

  it('a cookie set on the way is sent, and is a reason to come back to the same address', async () => {
    const { stream, url } = await client.stream({ url: server.url('redirect-cookie') }, ({ headers }, update) => {
      update.headers['Cookie'] = String(headers['set-cookie']?.[0]).split(';')[0];
    });
    expect(await text(stream)).toContain('ok');
    expect(url).toBe(server.url('redirect-cookie'));
    expect((await faultOf(get(server.url('redirect-cookie')))).fault).toBe('redirect-loop');
  });

  it('a new cookie each time is no way out of the limit', async () => {
    const request = client.stream({ url: server.url('redirect-cookie-loop') }, ({ headers }, update) => {
      update.headers['Cookie'] = String(headers['set-cookie']?.[0]).split(';')[0];
    });
    expect((await faultOf(request)).fault).toBe('too-many-redirects');
  });

  it.each([
    ['redirect-utf8', '%C3%A9%E4%B8%AD'],
    ['redirect-latin1', 'caf%E9'],
  ])('%s: a Location beyond ASCII leads where a browser would go', async (fault, path) => {
    const { stream, url } = await client.stream({ url: server.url(fault) });
    expect([await text(stream), url]).toEqual([expect.stringContaining(path), `${server.origin}/${fault}/${path}`]);
  });

  it.each(['redirect-no-body', 'redirect-open-body', 'redirect-cut-body'])(
    '%s: where it leads is fetched all the same',
    async (fault) => {
      const patient = open({ idleTimeoutMillis: 20_000 });
      const { stream, url } = await patient.stream({ url: server.url(fault), signal: AbortSignal.timeout(5_000) });
      expect([await text(stream), url]).toEqual([expect.stringContaining('ok'), `${server.origin}/${fault}/on`]);
    },
  );

  it('use one connection', async () => {
    const before = server.connections;
    await get(server.url('redirect-10'));
    expect(server.connections - before).toBe(1);
  });

  it('followRedirect: false returns the redirect itself', async () => {
    const response = await client.stream({ url: server.url('redirect-10'), followRedirect: false });
    response.stream.destroy();
    expect([response.statusCode, response.headers['location']]).toEqual([302, '/redirect-10/1']);
  });
});

describe('what is sent', () => {
  async function echoed(request: object): Promise<{ method: string; rawHeaders: string[]; body: string }> {
    const { body } = await client.sendRequest({ url: server.url('echo'), responseType: 'json', ...request });
    return body as never;
  }

  it('headers keep their order and spelling, behind the host and connection', async () => {
    const headers = { 'Sec-Ch-Ua': '"x"', 'User-Agent': 'me', Accept: '*/*', 'accept-encoding': 'gzip', 'X-Last': '1' };
    const { rawHeaders } = await echoed({ headers });
    const sent = rawHeaders.filter((_, index) => index % 2 === 0);
    expect(sent).toEqual(['host', 'connection', 'Sec-Ch-Ua', 'User-Agent', 'Accept', 'accept-encoding', 'X-Last']);
  });

  it('asks for what it can decompress, unless the caller says otherwise', async () => {
    expect((await echoed({})).rawHeaders.join()).toContain('accept-encoding,gzip, deflate, br');
    expect((await echoed({ headers: { 'Accept-Encoding': 'identity' } })).rawHeaders.join()).not.toContain('gzip');
  });

  it('cookies beyond ASCII by the bytes they came by', async () => {
    const { headers, stream } = await client.stream({ url: server.url('cookies-beyond-ascii') });
    await text(stream);
    const Cookie = [headers['set-cookie']].flat().join('; ');
    expect((await echoed({ headers: { Cookie } })).rawHeaders).toContain(Cookie);
  });

  it('a POST with its body', async () => {
    const { method, body } = await echoed({ method: 'POST', body: 'q=1', headers: { 'content-type': 'text/plain' } });
    expect([method, body]).toEqual(['POST', 'q=1']);
  });

  it('a user name and password in the URL, which no message repeats', async () => {
    const withUser = (url: string) => url.replace('//', '//user:canary@');
    const { rawHeaders } = await echoed({ url: withUser(server.url('echo')) });
    expect(rawHeaders.join()).toContain(`authorization,Basic ${btoa('user:canary')}`);
    for (const fault of ['redirect-self', 'redirect-11', 'redirect-mailto']) {
      expect((await faultOf(get(withUser(server.url(fault))))).message).not.toContain('canary');
    }
  });

  it('nothing that was meant for a proxy', async () => {
    expect((await echoed({ headers: { 'Proxy-Authorization': 'Basic canary' } })).rawHeaders.join()).not.toContain('canary');
    const route = { tier: 'http', proxy: 'rotating', sessionId: 'a' } as const;
    const url = server.url('ok', { id: 'by-proxy' });
    await expect(client.stream({ url, route })).rejects.toThrow('has no proxy');
    expect(server.hits.has('/ok/by-proxy')).toBe(false);
  });
});
