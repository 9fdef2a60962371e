import { inspect } from 'node:util';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRedactor, redactData } from '../../src/platform/redact.ts';

const none = createRedactor([]);

describe('a secret that is known', () => {
  // Signs that every encoding treats in its own way, and letters that no sentence below has.
  const canary = fc
    .string({
      unit: fc.constantFrom(...Array.from('XQZJ7890%+/=&?#@:;!*()[]{}<>|^~`\'"\\ $,.-_é€🐤\n\t')),
      minLength: 6,
      maxLength: 40,
    })
    .filter((text) => text.trim() === text && /[XQZJ7890].*[XQZJ7890]/s.test(text));

  const asUrl = (secret: string) => {
    const url = new URL('http://gate.example:7000/path');
    url.username = 'user-abc';
    url.password = secret;
    return url.href;
  };
  const failure = (secret: string) => {
    const cause = new Error(`connect failed: ${secret}`, { cause: new Error(`inner ${secret}`) });
    return Object.assign(new Error(`outer ${secret}`, { cause }), { headers: { authorization: secret }, list: [[secret]] });
  };
  const base64 = (secret: string) => Buffer.from(secret).toString('base64');
  const guises: Record<string, (secret: string) => string> = {
    'as it is': (secret) => `got ${secret} back`,
    'the whole text': (secret) => secret,
    'the userinfo of a URL': asUrl,
    'the userinfo of a URL within a URL': (secret) => `http://host.example/?to=${encodeURIComponent(asUrl(secret))}`,
    'a header': (secret) => `X-Anything: ${secret}\r\nAccept: a`,
    'an error with causes, inspected': (secret) => inspect(failure(secret)),
    "an error's stack": (secret) => String(failure(secret).stack),
    'an object, inspected': (secret) => inspect({ deep: { list: [secret] } }),
    JSON: (secret) => JSON.stringify({ list: [secret] }),
    'JSON within JSON': (secret) => JSON.stringify(JSON.stringify({ list: [secret] })),
    'percent-encoded': (secret) => `/a?b=${encodeURIComponent(secret)}&c=1`,
    'percent-encoded twice': (secret) => `/a?b=${encodeURIComponent(encodeURIComponent(secret))}`,
    'percent-encoded in small letters': (secret) => encodeURIComponent(secret).replace(/%../g, (byte) => byte.toLowerCase()),
    'every byte percent-encoded': (secret) =>
      [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    'a form': (secret) => String(new URLSearchParams({ field: secret })),
    'base64 of user:secret': (secret) => `sent ${base64(`user:${secret}`)} off`,
    'base64 of secret:': (secret) => base64(`${secret}:`),
    'base64 of a longer name:secret': (secret) => base64(`user-abcd:${secret}`),
    base64url: (secret) => Buffer.from(`user-ab:${secret}\n`).toString('base64url'),
    'base64, percent-encoded': (secret) => encodeURIComponent(base64(`u:${secret}`)),
    HTML: (secret) => secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    CSV: (secret) => `"a","${secret.replaceAll('"', '""')}"`,
  };

  /** Whether a text still has what it was made of: the longest piece of the guise that is the secret's own. */
  const survives = (redacted: string, secret: string) =>
    [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64(secret).slice(0, -4)]
      .filter((form) => form.length > 3)
      .some((form) => redacted.includes(form));

  it.each(Object.keys(guises))('never survives in %s', (guise) => {
    fc.assert(
      fc.property(canary, (secret) => {
        const dressed = (guises[guise] as (secret: string) => string)(secret);
        const redacted = createRedactor([secret])(dressed);
        expect(redacted).toContain('***');
        expect(survives(redacted, secret)).toBe(false);
        // Nor most of it: what is left of the secret's letters is less than a recognisable run.
        const bare = /[XQZJ7890]{5,}/.exec(secret)?.[0];
        if (bare) expect(redacted).not.toContain(bare);
      }),
      { numRuns: 150 },
    );
  });

  it('is found as the password of a proxy URL that was registered as a whole', () => {
    const redact = createRedactor(['http://user-abc:p%40ss%2Fw0rd@gate.example:7000']);
    expect(redact('p@ss/w0rd and p%40ss%2Fw0rd')).toBe('*** and ***');
  });

  it('is masked as a whole when another secret is its beginning', () => {
    expect(createRedactor(['hunter2', 'hunter2-and-more'])('a hunter2-and-more b hunter2 c')).toBe('a *** b *** c');
  });

  it('of less than four characters is not looked for: it would take words out of every line', () => {
    expect(createRedactor(['', 'a', 'abc'])('abc a cab')).toBe('abc a cab');
  });
});

describe('a secret that nobody registered', () => {
  it.each([
    ['http://user:pw@gate.example:7000/x', 'http://***@gate.example:7000/x'],
    ['via http://key@gate.example, socks5://u:p@[::1]:9', 'via http://***@gate.example, socks5://***@[::1]:9'],
    ['http://u:p@ss@gate.example/', 'http://***@gate.example/'],
    ['Invalid URL: http://user:p/a#s?s@gate:7000', 'Invalid URL: http://***@gate:7000'],
    ['/?proxy=http%3A%2F%2Fu%3Ap%40gate.example', '/?proxy=http%3A%2F%2F***%40gate.example'],
    ['Authorization: Basic dTpw\r\nAccept: */*', 'Authorization: ***\r\nAccept: */*'],
    ['proxy-authorization:Basic dTpw', 'proxy-authorization:***'],
    ['Cookie: sid=1; "odd"=2, x', 'Cookie: ***'],
    ['{"set-cookie":["a=1; Path=/","b=[2]"],"accept":"*/*"}', '{"set-cookie":["***"],"accept":"*/*"}'],
    ['{"Cookie":"a=\\"1\\"","n":1}', '{"Cookie":"***","n":1}'],
    ['{\\"authorization\\":\\"Bearer x\\",\\"n\\":1}', '{\\"authorization\\":\\"***\\",\\"n\\":1}'],
    ["{ authorization: 'Basic x', accept: 'y' }", "{ authorization: '***', accept: 'y' }"],
    ["[ 'Cookie', 'a=1', 'Accept', 'y' ]", "[ 'Cookie', '***', 'Accept', 'y' ]"],
    ["Map(1) { 'cookie' => 'a=1' }", "Map(1) { 'cookie' => '***' }"],
    ["'cookie': 'cut off in the mid", "'cookie': ***"],
    ["{ username: 'u', password: 'p', port: 1 }", "{ username: 'u', password: '***', port: 1 }"],
    ['Could not parse cookie header string: sid=1', 'Could not parse cookie header string: ***'],
    ['https://a.example/?token=x&page=2', 'https://a.example/?token=***&page=2'],
    ['https://a.example/?page=2&api_key=x#top', 'https://a.example/?page=2&api_key=***#top'],
    ['https://a.example/login?password=x%26y', 'https://a.example/login?password=***'],
    ['https://a.example/cb#access_token=x&state=y', 'https://a.example/cb#access_token=***&state=y'],
    ['https://a.example/vote?id=1&auth=x', 'https://a.example/vote?id=1&auth=***'],
    ['https://a.example/x;jsessionid=1?b=2', 'https://a.example/x;jsessionid=***'],
    ['/login?next=%2Fa%3Ftoken%3Dx%26b%3D1', '/login?next=%2Fa%3Ftoken%3D***%26b%3D1'],
    ['DECODO_PASSWORD=x', 'DECODO_PASSWORD=***'],
    ['refused Bearer abcdef1234567890', 'refused Bearer ***'],
    ['got eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln back', 'got *** back'],
  ])('%s', (text, redacted) => {
    expect(none(text)).toBe(redacted);
  });

  const places: Record<string, (secret: string) => string> = {
    'password of a URL': (secret) => Object.assign(new URL('http://u@h.example'), { password: secret }).href,
    'name of a URL': (secret) => Object.assign(new URL('http://h.example'), { username: secret }).href,
    'URL within an error': (secret) =>
      inspect(new Error('no', { cause: new Error(Object.assign(new URL('http://u@h.example'), { password: secret }).href) })),
    'header line': (secret) => `Cookie: ${secret}\nAccept: a`,
    'header as JSON': (secret) => JSON.stringify({ authorization: secret, n: 1 }),
    'header as JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ 'set-cookie': [secret, secret], n: 1 })),
    'header, inspected': (secret) => inspect({ headers: { 'set-cookie': [secret, secret], n: 1 } }, { depth: 5 }),
    'raw headers, inspected': (secret) => inspect(['Authorization', secret, 'Accept', 'a']),
    'query parameter': (secret) => `https://a.example/?api_key=${encodeURIComponent(secret)}&b=1`,
  };

  it.each(Object.keys(places))('never survives as the %s', (place) => {
    const printable = fc
      .string({
        unit: fc.constantFrom(...Array.from('XQZJ7890%+/=&?#@:;!*()[]{}<>|^~`\'"\\$,.-_ ')),
        minLength: 6,
        maxLength: 40,
      })
      .filter((text) => text.trim() === text && /[XQZJ7890]{4}/.test(text));
    fc.assert(
      fc.property(printable, (secret) => {
        const redacted = none((places[place] as (secret: string) => string)(secret));
        expect(redacted).toContain('***');
        expect(redacted).not.toContain((/[XQZJ7890]{4,}/.exec(secret) as RegExpExecArray)[0]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('ordinary text', () => {
  const redact = createRedactor(['K9-canary-7f3a', 'http://user:Zq81xxyz@gate.example:7000']);

  it.each([
    'Interrupted: 1,204 of 2,000 pages done. Run the same command again to go on.',
    'Failed after 4 attempts: DETAIL https://news.example.com/item?id=42&p=3: HTTP 503 Service Unavailable',
    'GET http://127.0.0.1:8080/@scope/package/-/package-1.0.0.tgz took 12 ms',
    'Write to someone@example.com about https://example.com/a/b@2x.png',
    'Unexpected token < in JSON at position 0',
    'https://example.com/list?page=2&pageToken=abc&keyboard=us&sort=asc',
    'Basic information about bearer bonds; the cookies were eaten, the keys kept.',
    'The cookie jar has 3 cookies, authorization is not needed, no secret is known',
    '{ cookies: 3, authorization: undefined, n: 1 }',
    '{"token":null,"passwords":2}',
    '{"a":"b","url":"http://example.com","mail":"x@example.com"}',
    '/home/user/project/node_modules/@crawlee/core/session_pool/session.js:12:34',
    'Überblick über Zürich 東京 — 100 % of “it”',
    '',
  ])('stays as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('stays as it is, whatever its words', () => {
    const word = fc.string({
      unit: fc.constantFrom(...Array.from('abcdefghilmnorstu0123456789éß東.,;:!-()[]{}\'"&%#?/ \n')),
      maxLength: 200,
    });
    // No name of a field or header, no "@" and no scheme: the letters for them are missing or the property says so.
    fc.assert(
      fc.property(word, (text) => {
        fc.pre(!/basic|bearer|secret|[?&;](?:auth|sig|sid)/.test(text));
        expect(redact(text)).toBe(text);
      }),
    );
  });

  it('is not changed by a second time', () => {
    const piece = fc.constantFrom(
      'http://u:p@h/',
      'Cookie: a=1',
      '"authorization":"x"',
      "'set-cookie': [ 'a', 'b' ]",
      'token=x',
      'Basic dTpwYXNz1',
      '\n',
      ' ',
      ',',
      '"',
      "'",
      '\\',
      '[',
      ']',
      'K9-canary-7f3a',
      '%40',
      '@',
      'password: ',
      '***',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const once = redact(pieces.join(''));
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['://', 30_000],
    ['http://a:b', 10_000],
    ['cookie:"', 10_000],
    ["'set-cookie': [ '", 5_000],
    ['password', 10_000],
    ['%3A%2F%2F', 10_000],
    ['a', 100_000],
    ['\\', 100_000],
    ['Basic a', 10_000],
    ['eyJaaaaaaaa', 10_000],
  ])('made of %j, over and over, takes no time to speak of', (piece, times) => {
    const started = performance.now();
    redact(piece.repeat(times));
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('costs next to nothing', () => {
    const line = 'INFO  Fetched https://news.example.com/item?id=4242 in 132 ms, 3 links, 1 row, 20 of 2,000 done';
    const started = performance.now();
    for (let index = 0; index < 20_000; index++) redact(line);
    expect((performance.now() - started) / 20_000).toBeLessThan(0.05);
  });
});

describe('data that is written as JSON', () => {
  it('keeps its shape, without the secrets in its texts, keys and secret fields', () => {
    const redact = createRedactor(['K9-canary-7f3a']);
    const data = {
      url: 'http://u:p@h.example/?token=x&a=1',
      startUrls: ['http://a.example/?q=K9-canary-7f3a'],
      headers: { authorization: 'Basic x', 'Set-Cookie': ['a=1', 'b=2'], accept: '*/*' },
      proxyPassword: 'hunter',
      'K9-canary-7f3a': 1,
      attempts: [{ error: 'Cookie: a=1', status: 503, at: null, retry: true }],
    };
    expect(redactData(data, redact)).toEqual({
      url: 'http://***@h.example/?token=***&a=1',
      startUrls: ['http://a.example/?q=***'],
      headers: { authorization: '***', 'Set-Cookie': ['***', '***'], accept: '*/*' },
      proxyPassword: '***',
      '***': 1,
      attempts: [{ error: 'Cookie: ***', status: 503, at: null, retry: true }],
    });
  });
});

it.each([
  ['refuses the user name or password', 'pass', 'refuses the user name or ***'],
  ['the proxy7 of theproxy', 'proxy', 'the *** of ***'],
  ['a\\npassword', 'pass', 'a\\n***'],
  ['{"a":"\\u00e9hunter22"}', 'hunter2', '{"a":"\\u00e9***"}'],
  ['/a%20hunter2/b', 'hunter2', '/a%20***/b'],
])('a secret that is a part of a word is not told by the rest of it: %j', (text, secret, masked) => {
  expect(createRedactor([secret])(text)).toBe(masked);
});
