// Which proxy a request goes through: by its label and its session.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { createProxyProvider, type ProxyProviderOptions } from '../../src/proxy/provider.ts';

const PASS = 'canary@7';
const base: ProxyProviderOptions = {
  mode: 'rotating',
  place: {},
  proxyUrls: [],
  decodo: { user: 'user-surefoot', pass: PASS },
  salt: 'run-1',
};
const rotatingUrl = 'http://user-surefoot:canary%407@gate.decodo.com:7000';
const page = (label?: string) => ({ request: new Request({ url: 'https://shop.test/', ...(label !== undefined && { label }) }) });

function provide(options: Partial<ProxyProviderOptions>) {
  const provider = createProxyProvider({ ...base, ...options });
  if (!provider) throw new Error('There is no proxy.');
  return provider;
}

it.each<Partial<ProxyProviderOptions>>([
  { mode: 'none', decodo: null },
  { mode: 'none', byLabel: { LIST: 'none' } },
  { mode: 'none', proxyUrls: ['nonsense'] },
])('nothing of a crawl with %j uses a proxy, and no credentials are asked for', (options) => {
  expect(createProxyProvider({ ...base, ...options })).toBeNull();
});

describe('Decodo', () => {
  it('rotating is the bare user name, whatever the session', async () => {
    const { configuration, modeOf } = provide({});
    expect(await configuration.newUrl('session_1', page())).toBe(rotatingUrl);
    expect(await configuration.newUrl('session_2', page('DETAIL'))).toBe(rotatingUrl);
    expect(modeOf('DETAIL')).toBe('rotating');
  });

  it('geo is rotating within a place', async () => {
    const { configuration } = provide({ mode: 'geo', place: { country: 'US', city: 'New York' } });
    const url = new URL((await configuration.newUrl('session_1', page())) ?? '');
    expect(url.username).toBe('user-surefoot-country-us-city-new_york');
  });

  it('sticky is one name a session, the same in a resumed run, and another in another run', async () => {
    const nameOf = async (sessionId: string, options: Partial<ProxyProviderOptions> = {}) => {
      const { configuration } = provide({ mode: 'sticky', sessionMinutes: 30, place: { country: 'de' }, ...options });
      return new URL((await configuration.newUrl(sessionId, page())) ?? '').username;
    };
    const name = await nameOf('session_1');
    expect(name).toMatch(/^user-surefoot-country-de-session-[0-9a-f]{16}-sessionduration-30$/);
    expect(await nameOf('session_1')).toBe(name);
    expect(await nameOf('session_2')).not.toBe(name);
    expect(await nameOf('session_1', { salt: 'run-2' })).not.toBe(name);
  });

  it('a label goes its own way, and the rest as --proxy says', async () => {
    const { configuration, modeOf } = provide({ mode: 'none', byLabel: { LOGIN: 'sticky', LIST: 'rotating' } });
    expect(await configuration.newUrl('session_1', page('LOGIN'))).toContain('user-surefoot-session-');
    expect(await configuration.newUrl('session_1', page('LIST'))).toBe(rotatingUrl);
    expect(await configuration.newUrl('session_1', page('DETAIL'))).toBeUndefined();
    expect(await configuration.newProxyInfo('session_1', page('DETAIL'))).toBeUndefined();
    expect(['LOGIN', 'LIST', 'DETAIL', undefined, 'constructor'].map(modeOf)).toEqual([
      'sticky',
      'rotating',
      'none',
      'none',
      'none',
    ]);
  });

  it('the password comes out of Crawlee’s proxyInfo as it went in', async () => {
    const info = await provide({}).configuration.newProxyInfo('session_1', page());
    expect(info).toMatchObject({ password: PASS, hostname: 'gate.decodo.com', port: '7000' });
  });

  it('is described without a user or a password', () => {
    const provider = provide({ byLabel: { LOGIN: 'sticky' }, place: { country: 'DE' }, mode: 'geo' });
    expect(provider.describe()).toBe('gate.decodo.com:7000 (geo, LOGIN sticky, country de)');
    expect(provider.secrets).toEqual([PASS]);
    expect(provide({ mode: 'none', byLabel: { LOGIN: 'sticky' } }).describe()).toBe('gate.decodo.com:7000 (LOGIN sticky)');
  });

  it.each<[Partial<ProxyProviderOptions>, string]>([
    [
      { decodo: null },
      '--proxy rotating needs credentials, and there are none. Put DECODO_USER and DECODO_PASS, or PROXY_URLS, into .env',
    ],
    [{ decodo: { user: 'surefoot', pass: '' } }, 'Put DECODO_PASS into .env'],
    [{ decodo: { user: '', pass: PASS } }, 'Put DECODO_USER into .env'],
    [
      { mode: 'none', byLabel: { A: 'sticky' }, decodo: null },
      "Proxy mode sticky, which the site wants for some of its pages, needs credentials, and there are none. Put DECODO_USER and DECODO_PASS, or PROXY_URLS, into .env, or take `proxy` out of the site's defineSite().",
    ],
    [{ decodo: { user: 'x', pass: PASS } }, 'DECODO_USER must have 6 to 64 characters, got 1.'],
    [{ mode: 'geo' }, '--proxy geo needs a place'],
  ])('%j stops before the crawl, and says what to put where', (options, message) => {
    expect(() => provide(options)).toThrow(message);
    expect(() => provide(options)).not.toThrow(PASS);
  });
});

describe('PROXY_URLS', () => {
  const proxyUrls = [
    ' http://u:canary1@a.test:8001',
    'https://u:can%40ary2@b.test:8002/',
    'http://token3:@c.test:80',
    'http://d.test:8004',
  ];
  const clean = [
    'http://u:canary1@a.test:8001',
    'https://u:can%40ary2@b.test:8002',
    'http://token3@c.test',
    'http://d.test:8004',
  ];

  it('rotating takes the next in turn', async () => {
    const { configuration } = provide({ proxyUrls, decodo: null });
    const urls = [];
    for (let index = 0; index < 6; index++) urls.push(await configuration.newUrl('session_1', page()));
    expect(urls).toEqual([...clean, ...clean.slice(0, 2)]);
  });

  it('sticky keeps a session with one of them, in a resumed run as well, and spreads the sessions', async () => {
    const configurations = [1, 2].map(() => provide({ proxyUrls, mode: 'sticky' }).configuration);
    const used = new Set<string | undefined>();
    for (let index = 0; index < 100; index++) {
      const [first, again] = await Promise.all(configurations.map((one) => one.newUrl(`session_${index}`, page())));
      expect(again).toBe(first);
      used.add(first);
    }
    expect(used).toEqual(new Set(clean));
  });

  it('knows what is to be kept out of all output', () => {
    expect(provide({ proxyUrls }).secrets).toEqual(['canary1', 'can@ary2', 'token3']);
    expect(provide({ proxyUrls }).describe()).toBe('the 4 proxies of PROXY_URLS (rotating)');
  });

  it.each([
    ['socks5://u:canary@a.test:1080', 'is a SOCKS proxy'],
    ['u:canary@a.test:8000', 'does not begin with http:// or https://'],
    ['ftp://u:canary@a.test:8000', 'does not begin with http:// or https://'],
    ['', 'is empty'],
    ['http://u:canary@a.test', 'has no port'],
    ['http://u:canary@a.test:8000/path', 'goes on after its port'],
    ['http://u:12#canary@a.test:8000', 'goes on after its port'],
    ['http://u:1/canary@a.test:8000', 'goes on after its port'],
    ['http://u:can#ary@a.test:8000', 'is no URL'],
    ['http://u:canary%@a.test:8000', 'has a "%" that stands for itself'],
    ['http://u:canary@a.test:99999', 'is no URL'],
  ])('%j is refused by its position, and nothing of it is shown', (url, problem) => {
    const attempt = () => provide({ proxyUrls: ['http://a.test:1', url] });
    expect(attempt).toThrow(`[input] PROXY_URLS, number 2 of 2, ${problem}`);
    expect(attempt).not.toThrow(/canary|a\.test/);
  });
});
