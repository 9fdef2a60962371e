// The headers of tier `impersonate`, made of those of the header policy. What browsers really send is looked at in fingerprint/.
import { describe, expect, it } from 'vitest';

import { toBrowserHeaders, toImpitHeaders, type Impersonated } from '../../../src/fetch/clients/browser-headers.ts';
import { createHeaderPolicy, type HeaderPolicyOptions } from '../../../src/fetch/headers.ts';

interface Asked {
  mode?: HeaderPolicyOptions['mode'];
  own?: Record<string, string>;
  sessionId?: string;
}

function headersOf(browser: Impersonated, { mode = 'browser', own = {}, sessionId = 'one' }: Asked = {}) {
  const policy = createHeaderPolicy({ mode, version: '1.0.0' });
  const given = policy({ request: { url: 'https://shop.test/page', referer: 'https://shop.test/', headers: own }, sessionId });
  return toImpitHeaders(browser, toBrowserHeaders(browser, { ...given, Cookie: 'a=1' }));
}

/** What goes out: an empty value takes a header of impit's own out. */
const sent = (headers: Record<string, string>) => Object.keys(headers).filter((name) => headers[name] !== '');

describe('chrome', () => {
  it('the policy’s headers go out as they are, in their order, with zstd besides', () => {
    const headers = headersOf('chrome');
    expect(sent(headers).join(' ')).toBe(
      'sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform Upgrade-Insecure-Requests User-Agent Accept Sec-Fetch-Site ' +
        'Sec-Fetch-Mode Sec-Fetch-User Sec-Fetch-Dest Referer Accept-Encoding Accept-Language Cookie',
    );
    expect(headers['Accept-Encoding']).toBe('gzip, deflate, br, zstd');
    expect(headers).not.toHaveProperty('priority');
  });

  it('a header that a site leaves out is not put in again by impit', () => {
    expect(headersOf('chrome', { own: { 'Upgrade-Insecure-Requests': '' } })).toMatchObject({ 'upgrade-insecure-requests': '' });
  });

  it('an encoding that a site asks for stays', () => {
    expect(headersOf('chrome', { own: { 'accept-encoding': 'identity' } })).toMatchObject({ 'Accept-Encoding': 'identity' });
  });
});

describe('firefox', () => {
  it('sends its own headers in its own order, and nothing that only Chrome has', () => {
    expect(sent(headersOf('firefox', { own: { 'X-Own': '1' } })).join(' ')).toBe(
      'User-Agent Accept Accept-Language Accept-Encoding Referer Cookie ' +
        'Upgrade-Insecure-Requests Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User X-Own',
    );
    expect(headersOf('firefox')).toMatchObject({
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en-US,en;q=0.5',
    });
  });

  it('keeps the session’s system', () => {
    const systems = Array.from({ length: 60 }, (_, id) => headersOf('firefox', { sessionId: String(id) })['User-Agent']);
    expect(new Set(systems)).toEqual(
      new Set([
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0',
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0',
        'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
      ]),
    );
  });

  it('a site’s own values stay', () => {
    const own = { Accept: 'application/json', 'Accept-Language': 'de', 'User-Agent': 'Mozilla/5.0 Firefox/140.0' };
    expect(headersOf('firefox', { own })).toMatchObject(own);
  });
});

describe.each(['chrome', 'firefox'] as const)('%s', (browser) => {
  it('an honest crawler sends nothing of a browser besides its own headers', () => {
    const headers = headersOf(browser, { mode: 'polite' });
    expect(sent(headers)).toEqual(['User-Agent', 'Accept', 'Accept-Encoding', 'Accept-Language', 'Referer', 'Cookie']);
    for (const name of ['sec-ch-ua', 'sec-fetch-mode', 'priority', 'te']) expect(headers[name]).toBe('');
  });

  it('without a User-Agent nothing is taken out: impit fills in its whole profile', () => {
    const headers = toImpitHeaders(browser, toBrowserHeaders(browser, { Cookie: ['a=1', 'b=2'], 'X-None': undefined }));
    expect(headers).toEqual({ Cookie: 'a=1; b=2' });
  });
});
