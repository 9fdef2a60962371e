import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { brandsOf, CHROME_MAJOR, createHeaderPolicy, type HeaderedRequest } from '../../src/fetch/headers.ts';

const browser = createHeaderPolicy({ mode: 'browser', version: '1.2.3' });
const ask = (request: HeaderedRequest, sessionId = 'session_1') => browser({ request, sessionId });
const url = 'https://www.example.com/item?id=1';

describe('a browser', () => {
  it("sends Chrome's headers in Chrome's order and case", () => {
    expect(Object.keys(ask({ url, referer: 'https://www.example.com/list' }))).toEqual([
      'sec-ch-ua',
      'sec-ch-ua-mobile',
      'sec-ch-ua-platform',
      'Upgrade-Insecure-Requests',
      'User-Agent',
      'Accept',
      'Sec-Fetch-Site',
      'Sec-Fetch-Mode',
      'Sec-Fetch-User',
      'Sec-Fetch-Dest',
      'Referer',
      'Accept-Encoding',
      'Accept-Language',
    ]);
  });

  it('names one version everywhere', () => {
    const headers = ask({ url });
    expect(headers['User-Agent']).toContain(`Chrome/${CHROME_MAJOR}.0.0.0 `);
    expect(headers['sec-ch-ua']).toContain(`"Google Chrome";v="${CHROME_MAJOR}"`);
    expect(headers['sec-ch-ua']).toContain(`"Chromium";v="${CHROME_MAJOR}"`);
  });

  // As these versions really sent it.
  it.each([
    [120, '"Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"'],
    [124, '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"'],
    [128, '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"'],
    [131, '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"'],
    [133, '"Not(A:Brand";v="99", "Google Chrome";v="133", "Chromium";v="133"'],
    [142, '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
    [151, '"Not=A?Brand";v="99", "Google Chrome";v="151", "Chromium";v="151"'],
  ])('of version %i has the brands that Chrome has', (major, brands) => {
    expect(brandsOf(major)).toBe(brands);
  });

  it.each([
    // target, referer, Sec-Fetch-Site, Referer
    ['https://www.example.com/b', undefined, 'none', undefined],
    ['https://www.example.com/b', null, 'none', undefined],
    ['https://www.example.com/b', 'no address', 'none', undefined],
    ['https://www.example.com/b', 'https://www.example.com/a?q=1#top', 'same-origin', 'https://www.example.com/a?q=1'],
    ['https://www.example.com/b', 'https://user:pw@www.example.com/a', 'same-origin', 'https://www.example.com/a'],
    ['https://www.example.com/b', 'https://shop.example.com/a?q=1', 'same-site', 'https://shop.example.com/'],
    ['https://www.example.com/b', 'https://www.example.com:8443/a', 'same-site', 'https://www.example.com:8443/'],
    ['https://www.example.com/b', 'http://www.example.com/a', 'cross-site', 'http://www.example.com/'],
    ['https://www.example.com/b', 'https://www.example.org/a', 'cross-site', 'https://www.example.org/'],
    ['https://one.co.uk/b', 'https://two.co.uk/a', 'cross-site', 'https://two.co.uk/'],
    ['https://one.github.io/b', 'https://two.github.io/a', 'cross-site', 'https://two.github.io/'],
    ['http://127.0.0.1:81/b', 'http://127.0.0.1:80/a', 'same-site', 'http://127.0.0.1/'],
    ['http://127.0.0.1/b', 'http://127.0.0.2/a', 'cross-site', 'http://127.0.0.2/'],
    ['http://localhost/b', 'https://example.com/a', 'cross-site', undefined],
  ])('going to %s from %s is %s', (target, referer, site, shown) => {
    const headers = ask({ url: target, ...(referer !== undefined && { referer }) });
    expect(headers['Sec-Fetch-Site']).toBe(site);
    expect(headers['Referer']).toBe(shown);
  });

  it('tells what it is over a secure connection alone', () => {
    const open = ask({ url: 'http://www.example.com/' });
    expect(Object.keys(open).filter((name) => /^sec-/i.test(name))).toEqual([]);
    expect(open['Accept-Encoding']).toBe('gzip, deflate');
    for (const secure of ['https://www.example.com/', 'http://localhost:8080/', 'http://127.0.0.1:1/', 'http://[::1]/']) {
      expect(ask({ url: secure })).toMatchObject({ 'sec-ch-ua-mobile': '?0', 'Accept-Encoding': 'gzip, deflate, br' });
    }
  });

  it('is the same for the life of a session, also in another process', () => {
    // Fixed: a run may be resumed by a later version of this program.
    const platforms = ['session_a', 'session_b', 'session_c', 'session_d'].map((id) => ask({ url }, id)['sec-ch-ua-platform']);
    expect(platforms).toEqual(['"Windows"', '"Windows"', '"macOS"', '"Windows"']);
    const again = createHeaderPolicy({ mode: 'browser', version: '9' });
    expect(again({ request: { url }, sessionId: 'session_a' })).toEqual(ask({ url }, 'session_a'));
  });

  it('has a User-Agent and a platform that agree, and all three of them among many sessions', () => {
    const systems = {
      '"Windows"': 'Windows NT 10.0; Win64; x64',
      '"macOS"': 'Intel Mac OS X 10_15_7',
      '"Linux"': 'X11; Linux x86_64',
    };
    const met = new Map<string, number>();
    for (let index = 0; index < 1_000; index++) {
      const headers = ask({ url }, `session_${index}`);
      const platform = headers['sec-ch-ua-platform'] as keyof typeof systems;
      expect(headers['User-Agent']).toContain(systems[platform]);
      expect(headers['Accept-Language']).toBe('en-US,en;q=0.9');
      met.set(platform, (met.get(platform) ?? 0) + 1);
    }
    expect([...met.keys()].toSorted()).toEqual(Object.keys(systems).toSorted());
    expect(met.get('"Windows"')).toBeGreaterThan(600);
  });
});

describe("a request's own headers", () => {
  it("win, whatever their case, in the policy's place and spelling; others go to the end", () => {
    const plain = ask({ url });
    const headers = ask({ url, headers: { 'X-First': '1', 'accept-language': 'de', ACCEPT: 'application/json', 'x-last': '2' } });
    expect(Object.keys(headers)).toEqual([...Object.keys(plain), 'X-First', 'x-last']);
    expect(headers).toMatchObject({ 'Accept-Language': 'de', Accept: 'application/json', 'X-First': '1' });
  });

  it('leave one out by an empty value', () => {
    expect(ask({ url, headers: { 'sec-fetch-user': '' } })).not.toHaveProperty('Sec-Fetch-User');
  });

  it('agree with Sec-Fetch-Site if one of them is a Referer', () => {
    const headers = ask({ url, referer: 'https://other.example/', headers: { referer: 'https://www.example.com/x' } });
    expect(headers).toMatchObject({ Referer: 'https://www.example.com/x', 'Sec-Fetch-Site': 'same-origin' });
  });

  it('never stand beside one of the same name', () => {
    const name = fc.constantFrom('user-agent', 'USER-AGENT', 'Referer', 'accept', 'x-a', 'X-A');
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ minLength: 1 })), (own) => {
        const names = Object.keys(ask({ url, headers: own })).map((key) => key.toLowerCase());
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });
});

describe('a polite crawler', () => {
  const polite = (contact?: string) =>
    createHeaderPolicy({ mode: 'polite', version: '1.2.3', ...(contact && { contact }) })({
      request: { url, referer: 'https://www.example.com/list' },
      sessionId: 'session_1',
    });

  it('says who it is and whom to ask, and nothing of a browser', () => {
    const headers = polite('https://example.org/bot');
    expect(headers['User-Agent']).toBe('Surefoot/1.2.3 (+https://example.org/bot)');
    expect(headers['Referer']).toBe('https://www.example.com/list');
    expect(Object.keys(headers).filter((name) => /^(sec-|upgrade|from)/i.test(name))).toEqual([]);
  });

  it('gives an e-mail address in From too', () => {
    expect(polite('crawl+me@example.org')).toMatchObject({
      'User-Agent': 'Surefoot/1.2.3 (+crawl+me@example.org)',
      From: 'crawl+me@example.org',
    });
  });

  it('does without a contact', () => {
    expect(polite()['User-Agent']).toBe('Surefoot/1.2.3');
  });

  it.each([
    'me',
    'ftp://example.org',
    'https://example.org/a b',
    'a@b.c\r\nX-Injected: 1',
    'https://example.org/)',
    'https://é.example',
  ])('refuses the contact %j', (contact) => {
    expect(() => polite(contact)).toThrow(/^\[input\] --contact must be an http\(s\) URL or an e-mail address, got /);
  });
});
