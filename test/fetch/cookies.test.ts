import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Configuration, SessionPool, type Session } from '@crawlee/core';
import { MemoryStorage } from '@crawlee/memory-storage';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { readCookieFile, type Cookie } from '../../src/fetch/cookie-file.ts';
import { secretValues, sessionsWithCookies } from '../../src/fetch/cookies.ts';
import { findJsonError } from '../../src/input/json-error.ts';
import { newFolder } from '../storage/sqlite/fixture.ts';

const dir = mkdtempSync(join(tmpdir(), 'cookies-'));
afterAll(() => rmSync(dir, { recursive: true }));

const NOW = Date.UTC(2026, 10, 22);
const LATER = 4_000_000_000;
const CANARY = 'canary-7f3a9c';

function read(text: string) {
  const path = join(dir, 'jar');
  writeFileSync(path, text);
  return readCookieFile(path, { now: NOW, findJsonError });
}

const cookie = (more: Partial<Cookie> = {}): Cookie => ({
  name: 'sid',
  value: CANARY,
  domain: 'example.com',
  hostOnly: false,
  path: '/',
  secure: true,
  httpOnly: true,
  expires: LATER,
  ...more,
});

describe('a cookie file', () => {
  it("may be Netscape's", () => {
    const text = [
      '\uFEFF# Netscape HTTP Cookie File',
      '',
      `#HttpOnly_.example.com\tTRUE\t/\tTRUE\t${LATER}\tsid\t${CANARY}`,
      `www.example.com\tFALSE\t/a\tfalse\t0\tlang\ten=1, "x"`,
      `www.example.com\tFALSE\t/\tFALSE\t0\tempty`,
    ].join('\r\n');
    expect(read(text)).toEqual({
      cookies: [
        cookie(),
        cookie({
          name: 'lang',
          value: 'en=1, "x"',
          domain: 'www.example.com',
          hostOnly: true,
          path: '/a',
          secure: false,
          httpOnly: false,
          expires: null,
        }),
        cookie({
          name: 'empty',
          value: '',
          domain: 'www.example.com',
          hostOnly: true,
          secure: false,
          httpOnly: false,
          expires: null,
        }),
      ],
      expired: 0,
    });
  });

  const extension = [
    {
      domain: '.example.com',
      expirationDate: LATER,
      hostOnly: false,
      httpOnly: true,
      name: 'sid',
      path: '/',
      sameSite: 'no_restriction',
      secure: true,
      session: false,
      storeId: '0',
      value: CANARY,
      id: 1,
    },
    {
      domain: 'www.example.com',
      hostOnly: true,
      httpOnly: false,
      name: 'a',
      path: '/',
      sameSite: null,
      secure: false,
      session: true,
      storeId: null,
      value: '1',
    },
  ];
  const playwright = [
    {
      name: 'sid',
      value: CANARY,
      domain: '.example.com',
      path: '/',
      expires: LATER,
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
    },
    {
      name: 'a',
      value: '1',
      domain: 'www.example.com',
      path: '/',
      expires: -1,
      httpOnly: false,
      secure: false,
      sameSite: 'None',
    },
  ];
  it.each([
    ["a browser extension's list", extension],
    ["Playwright's storage state", { cookies: playwright, origins: [] }],
    ["Puppeteer's list", playwright],
    ['an object with an address', { url: 'https://www.example.com', cookies: extension }],
  ])('may be JSON: %s', (_, json) => {
    const others = { domain: 'www.example.com', hostOnly: true, secure: false, httpOnly: false, expires: null };
    expect(read(`\n ${JSON.stringify(json, null, 2)}`).cookies).toEqual([cookie(), cookie({ name: 'a', value: '1', ...others })]);
  });

  it('loses those that have expired, and says how many', () => {
    const line = (seconds: number, name: string) => `a.example\tFALSE\t/\tFALSE\t${seconds}\t${name}\t1`;
    const { cookies, expired } = read(
      [line(NOW / 1000 - 1, 'old'), line(NOW / 1000 + 1, 'new'), line(0, 'session'), line(1, 'older')].join('\n'),
    );
    expect(cookies.map(({ name }) => name)).toEqual(['new', 'session']);
    expect(expired).toBe(2);
  });

  it.each([
    [
      'spaces for tabs',
      `\n\n.example.com TRUE / TRUE 0 sid ${CANARY}`,
      /jar, line 3: a cookie has 7 fields with tabs between, this line has 1 \(no tab at all/,
    ],
    ['a Cookie header', `Cookie: sid=${CANARY}`, /jar, line 1: a cookie has 7 fields/],
    ['a field too many', `a.example\tTRUE\t/\tTRUE\t0\tsid\tx\t${CANARY}`, /jar, line 1: .* has 8/],
    ['columns out of order', `sid\t${CANARY}\t/\tTRUE\t0\ta.example\tx`, /jar, line 1, field 2: must be TRUE or FALSE/],
    [
      'a date for an expiry',
      `a.example\tTRUE\t/\tTRUE\t2030-01-01\tsid\t${CANARY}`,
      /jar, line 1: field 5, the expiry, must be a number/,
    ],
    ['a semicolon', `a.example\tTRUE\t/\tTRUE\t0\tsid\t${CANARY};x`, /jar, line 1: the value of sid must be ASCII, without ";"/],
    ['a value beyond ASCII', `a.example\tTRUE\t/\tTRUE\t0\tsid\t${CANARY}é`, /jar, line 1: the value of sid must be ASCII/],
    ['no name', `a.example\tTRUE\t/\tTRUE\t0\t\t${CANARY}`, /jar, line 1: the name must have/],
    ['no path', `a.example\tTRUE\tx\tTRUE\t0\tsid\t${CANARY}`, /jar, line 1: the path of sid must begin with "\/"/],
    [
      'an address for a domain',
      `https://a.example/\tTRUE\t/\tTRUE\t0\tsid\t${CANARY}`,
      /jar, line 1: the domain of sid must be the name of a host/,
    ],
    ['JSON that breaks off', `[\n{"name":"sid","value":"${CANARY}"\n`, /jar, line 3, column 1: the JSON breaks off here/],
    ['JSON with a slip', `[\n{"name":"sid","value":${CANARY}}]`, /jar, line 2, column 23: the JSON breaks off here/],
    [
      'JSON of another kind',
      `{"sid":"${CANARY}"}`,
      /jar: must be a list of cookies as a browser extension exports them, or an object/,
    ],
    [
      'a cookie without a domain',
      `[{"name":"a","value":"1","domain":"a.example"},{"name":"sid","value":"${CANARY}"}]`,
      /jar, cookie 2: domain: .*\. A cookie has name, value, domain/,
    ],
    [
      'a text for an expiry',
      `[{"name":"sid","value":"${CANARY}","domain":"a.example","expires":"${CANARY}"}]`,
      /jar, cookie 1: expires: .*number/,
    ],
    ['a text for a cookie', `["${CANARY}"]`, /jar, cookie 1: it: /],
    ['nothing', '\n# none\n', /jar holds no cookies\. It takes Netscape's cookies\.txt/],
    ['an empty list', '{"cookies":[]}', /jar holds no cookies/],
  ])('with %s is refused, by its place and without a value', (_, text, message) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'SurefootError', kind: 'input', message: expect.stringMatching(message) });
    expect(String((thrown as Error).stack)).not.toContain(CANARY);
    expect((thrown as Error).cause).toBeUndefined();
  });

  it('that is not there is named', () => {
    expect(() => readCookieFile(join(dir, 'none.txt'), { now: NOW, findJsonError })).toThrow(
      /^\[input\] The cookie file cannot be read: ENOENT.*none\.txt/,
    );
  });
});

/** A pool over a store in memory; two of them over one store are a run and its resumption. */
function openPool(storage: MemoryStorage, cookies: readonly Cookie[]) {
  const config = new Configuration({ storageClient: storage, persistStorage: false, purgeOnStart: false });
  const createSessionFunction = sessionsWithCookies(cookies, { maxUsageCount: 7 });
  return SessionPool.open({ maxPoolSize: 1, createSessionFunction, persistStateKey: 'SESSIONS' }, config);
}

const openStorage = () => new MemoryStorage({ persistStorage: false, localDataDirectory: newFolder() });

async function firstSession(cookies: readonly Cookie[]): Promise<Session> {
  const pool = await openPool(openStorage(), cookies);
  return pool.getSession();
}

describe('a session', () => {
  it.each<[string, Partial<Cookie>, Record<string, boolean>]>([
    [
      'for a domain and its subdomains',
      {},
      {
        'https://example.com/': true,
        'https://a.b.example.com/x': true,
        'https://badexample.com/': false,
        'https://example.org/': false,
      },
    ],
    ['for one host', { hostOnly: true }, { 'https://example.com/': true, 'https://www.example.com/': false }],
    ['for https', {}, { 'http://example.com/': false }],
    ['for http too', { secure: false }, { 'http://example.com/': true, 'https://example.com/': true }],
    [
      'for a path',
      { path: '/a' },
      {
        'https://example.com/a': true,
        'https://example.com/a/b': true,
        'https://example.com/ab': false,
        'https://example.com/': false,
      },
    ],
    [
      'for an address',
      { domain: '127.0.0.1', hostOnly: true, secure: false },
      { 'http://127.0.0.1:8080/': true, 'http://127.0.0.2/': false },
    ],
    ['for localhost', { domain: 'localhost', hostOnly: true }, { 'http://localhost:8080/': true }],
    ['for localhost as a domain', { domain: 'localhost' }, { 'http://localhost:8080/': true }],
    ['without an expiry', { expires: null }, { 'https://example.com/': true }],
    ['that never expires', { expires: 1e12 }, { 'https://example.com/': true }],
    [
      'with a __Host- name',
      { name: '__Host-sid', hostOnly: true },
      { 'https://example.com/': true, 'https://www.example.com/': false },
    ],
  ])('sends a cookie %s where a browser would', async (_, more, sent) => {
    const session = await firstSession([cookie(more)]);
    const found = Object.keys(sent).map((url) => [url, session.getCookieString(url) === `${more.name ?? 'sid'}=${CANARY}`]);
    expect(Object.fromEntries(found)).toEqual(sent);
  });

  it('sends any value that a file may hold, unchanged', async () => {
    const value = fc
      .string({ unit: fc.constantFrom(...Array.from('aZ09 "\'=,%\\/<>[]{}|^~`!#$&()*+-.:?@_')), maxLength: 30 })
      .filter((text) => text === text.trim());
    const pool = await openPool(openStorage(), []);
    await fc.assert(
      fc.asyncProperty(value, async (text) => {
        const [kept] = read(JSON.stringify([{ name: 'v', value: text, domain: 'example.com' }])).cookies;
        const made = await sessionsWithCookies([kept as Cookie])(pool);
        expect(made.getCookieString('https://example.com/')).toBe(`v=${text}`);
      }),
    );
  });

  it('begins with the cookies, each new one', async () => {
    const pool = await openPool(openStorage(), [cookie()]);
    const first = await pool.getSession();
    first.retire();
    const second = await pool.getSession();
    expect(second.id).not.toBe(first.id);
    expect(second.getCookieString('https://example.com/')).toBe(`sid=${CANARY}`);
    expect(second.maxUsageCount).toBe(7);
  });

  it('that is restored keeps what the site has set since, and what the site took away stays away', async () => {
    const storage = openStorage();
    const before = await openPool(storage, [cookie(), cookie({ name: 'gone' })]);
    const session = await before.getSession();
    session.setCookie('sid=renewed; Domain=example.com; Path=/', 'https://example.com/');
    session.setCookie('mine=1', 'https://example.com/');
    session.setCookie('gone=; Domain=example.com; Path=/; Max-Age=0', 'https://example.com/');
    await before.persistState();

    const after = await openPool(storage, [cookie(), cookie({ name: 'gone' })]);
    const restored = await after.getSession(session.id);
    expect(restored?.getCookieString('https://example.com/').split('; ').toSorted()).toEqual(['mine=1', 'sid=renewed']);
  });

  it('that is restored takes over the cookies of another file: a new login', async () => {
    const storage = openStorage();
    const before = await openPool(storage, [cookie()]);
    const { id } = await before.getSession();
    await before.persistState();

    const after = await openPool(storage, [cookie({ value: 'newer' })]);
    expect((await after.getSession(id))?.getCookieString('https://example.com/')).toBe('sid=newer');
  });

  it('that is restored keeps its cookies when no file is named', async () => {
    const storage = openStorage();
    const before = await openPool(storage, [cookie()]);
    const { id } = await before.getSession();
    await before.persistState();

    const after = await openPool(storage, []);
    expect((await after.getSession(id))?.getCookieString('https://example.com/')).toBe(`sid=${CANARY}`);
  });

  it.each<[Partial<Cookie>, RegExp]>([
    [{ domain: 'co.uk' }, /The cookie sid for co\.uk cannot be used: .*public suffix/],
    [{ name: '__Host-sid' }, /The cookie __Host-sid for example\.com cannot be used: its name promises/],
    [{ name: '__Secure-sid', secure: false }, /cannot be used: its name promises/],
  ])('cannot begin with %j, which is said at once', (more, message) => {
    expect(() => sessionsWithCookies([cookie(more)])).toThrow(message);
    expect(() => sessionsWithCookies([cookie(more)])).not.toThrow(CANARY);
  });
});

it('values long enough to be secrets are what the redactor is told of', () => {
  expect(secretValues([cookie(), cookie({ value: '1' }), cookie({ value: 'en-US' })])).toEqual([CANARY]);
});
