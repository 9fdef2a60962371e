// What a response or an error means: the table, row by row, and what holds for every status.
import { load, type CheerioOptions } from 'cheerio';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { outlineOf } from '../../src/core/outline.ts';
import type { Dom } from '../../src/core/page.ts';
import { TRANSPORT_FAULTS, TransportError, type TransportFault } from '../../src/core/transport.ts';
import { judgeResponse, judgeText, VerdictError, verdictOfError, verdictOfStatus, type Verdict } from '../../src/core/verdict.ts';
import { BLOCK_PAGES, html, ORDINARY_PAGES } from './block-fixtures.ts';

describe('verdictOfStatus', () => {
  it.each<[status: number, hasRetryAfter: boolean, verdict: Verdict]>([
    [200, false, 'ok'],
    [204, false, 'ok'],
    [304, false, 'ok'],
    [400, false, 'fatal'],
    [401, false, 'blocked'],
    [402, false, 'fatal'],
    [403, false, 'blocked'],
    [403, true, 'blocked'],
    [404, false, 'missing'],
    [404, true, 'missing'],
    [405, false, 'fatal'],
    [407, false, 'proxy'],
    [408, false, 'transient'],
    [409, false, 'fatal'],
    [410, false, 'missing'],
    [418, false, 'fatal'],
    [425, false, 'transient'],
    [428, false, 'blocked'],
    [429, false, 'throttled'],
    [429, true, 'throttled'],
    [451, false, 'fatal'],
    [500, false, 'transient'],
    [500, true, 'transient'],
    [502, false, 'transient'],
    [503, false, 'transient'],
    [503, true, 'throttled'],
    [504, false, 'transient'],
    [599, false, 'transient'],
    [999, false, 'blocked'],
  ])('%i (Retry-After: %s) is %s', (status, hasRetryAfter, verdict) => {
    expect(verdictOfStatus(status, hasRetryAfter)).toBe(verdict);
  });

  it('hands no error page to a handler, and refuses no page that arrived', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.boolean(), (status, hasRetryAfter) => {
        expect(verdictOfStatus(status, hasRetryAfter) === 'ok').toBe(status < 400);
      }),
    );
  });
});

describe('verdictOfError', () => {
  const withCode = (code: string, message = 'it broke') => Object.assign(new Error(message), { code });

  it.each<Exclude<Verdict, 'ok'>>(['missing', 'throttled', 'blocked', 'transient', 'needs-browser', 'proxy', 'fatal'])(
    'a VerdictError keeps its verdict: %s',
    (verdict) => {
      expect(verdictOfError(new VerdictError(verdict, 'served Content-Type'))).toBe(verdict);
    },
  );

  it.each([
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_UNTRUSTED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('a certificate that is not valid (%s) is fatal', (code) => {
    expect(verdictOfError(withCode(code))).toBe('fatal');
  });

  it.each([
    'ECONNRESET',
    'ECONNREFUSED',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENOTFOUND',
    'ERR_HTTP2_STREAM_ERROR',
    'Z_BUF_ERROR',
    'UND_ERR_BODY_TIMEOUT',
    '',
  ])('a connection that broke (%s) is transient', (code) => {
    expect(verdictOfError(withCode(code))).toBe('transient');
  });

  it.each(Object.keys(TRANSPORT_FAULTS) as TransportFault[])('a transport error means what its fault means: %s', (fault) => {
    expect(verdictOfError(new TransportError(fault, 'it broke'))).toBe(TRANSPORT_FAULTS[fault]);
  });

  it('an answer that is no HTTP (HPE_INVALID_CONSTANT) is fatal', () => {
    expect(verdictOfError(withCode('HPE_INVALID_CONSTANT'))).toBe('fatal');
  });

  it.each([
    ['a content type that Crawlee does not parse', 'Resource http://x/ served Content-Type image/png, but only text/html'],
    ['an encoding that Crawlee does not know', 'Resource http://x/ served with unsupported charset/encoding: xyz'],
  ])('%s is fatal', (_, message) => {
    expect(verdictOfError(new Error(message))).toBe('fatal');
  });

  it.each([
    ['a handler that threw', new TypeError('Cannot read properties of undefined')],
    ['a timeout', new Error('requestHandler timed out after 60 seconds')],
    ['a code that is no text', Object.assign(new Error('x'), { code: 42 })],
    ['a string', 'served Content-Type'],
    ['undefined', undefined],
    ['null', null],
  ])('%s is transient', (_, thrown) => {
    expect(verdictOfError(thrown)).toBe('transient');
  });

  it('keeps Retry-After as it was sent', () => {
    expect(new VerdictError('throttled', 'HTTP 429', { retryAfter: ' 120 ' }).retryAfter).toBe(' 120 ');
    expect(new VerdictError('throttled', 'HTTP 429')).toMatchObject({ message: 'HTTP 429', retryAfter: undefined });
  });

  it('keeps the status, if an answer came', () => {
    expect(new VerdictError('throttled', 'HTTP 429', { status: 429, retryAfter: '1' })).toMatchObject({
      status: 429,
      retryAfter: '1',
    });
    expect(new VerdictError('transient', 'no answer').status).toBeNull();
  });
});

const parse = (page: string) => load(page, { _useHtmlParser2: true } as CheerioOptions) as unknown as Dom;
const response = (status: number, headers: Record<string, string> = {}) => ({ status, headers, url: 'https://shop.test/teas' });

describe('judgeResponse', () => {
  const page = html('Teas', '<h1>Green teas</h1><p>From 4 euros.</p>');

  it('agrees with the table of statuses on a page that is what it seems', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 999 }), fc.boolean(), (status, again) => {
        const headers: Record<string, string> = again ? { 'retry-after': '5' } : {};
        expect(judgeResponse(response(status, headers), page, null).verdict).toBe(verdictOfStatus(status, again));
        if (status !== 202)
          expect(judgeResponse(response(status, headers), '', null).verdict).toBe(verdictOfStatus(status, again));
      }),
    );
  });

  it.each(BLOCK_PAGES)('%s: %s is blocked with any status but 407', (vendor, _, blockPage) => {
    for (const status of [200, 202, 403, 404, 405, 429, 500, 503]) {
      const judged = judgeResponse(response(status, { 'retry-after': '5' }), blockPage, status === 200 ? parse(blockPage) : null);
      expect(judged).toEqual({ verdict: 'blocked', reason: `HTTP ${status}: a block page of ${vendor}` });
    }
    expect(judgeResponse(response(407), blockPage, null).verdict).toBe('proxy');
  });

  it.each(ORDINARY_PAGES)('near %s: %s is ok', (_, __, ordinary) => {
    expect(judgeResponse(response(200), ordinary, parse(ordinary))).toEqual({ verdict: 'ok', reason: 'HTTP 200' });
    expect(judgeResponse(response(404), ordinary, null).verdict).toBe('missing');
  });

  it.each([
    ['Hacker News', html('', "Sorry, we're not able to serve your requests this quickly. <a href='/'>Reload</a>")],
    ['a heading', html('429 Too Many Requests', '<center><h1>429 Too Many Requests</h1></center><hr>nginx')],
    ['an API', '{"message":"API rate limit exceeded for 192.0.2.1."}'],
    ['Cloudflare 1015', html('Access denied', '<h1>Error 1015</h1>Ray ID: 6a<h2>You are being rate limited</h2>')],
    ['a limit', html('', '<p>You have exceeded the request limit for this hour.</p>')],
    ['a plea', 'You are sending requests too quickly, please slow down.'],
  ])('%s: a page that only says too fast is throttled, unless its status says more', (_, apology) => {
    expect(judgeResponse(response(200), apology, parse(apology)).verdict).toBe('throttled');
    expect(judgeResponse(response(503), apology, null).verdict).toBe('throttled');
    expect(judgeResponse(response(400), apology, null).verdict).toBe('throttled');
    expect(judgeResponse(response(429), apology, null)).toEqual({ verdict: 'throttled', reason: 'HTTP 429' });
    expect(judgeResponse(response(404), apology, null).verdict).toBe('missing');
    expect(judgeResponse(response(403), apology, null).verdict).toBe('blocked');
  });

  it.each([
    ['an article', html('Rate limits', `<h1>Rate limits</h1><p>${'What to do about "429 Too many requests". '.repeat(10)}</p>`)],
    [
      'a proverb',
      html(
        '',
        '<blockquote>When you see the deer by the road, please slow down.</blockquote><p>— an old driver</p><a href="/1">Previous</a> <a href="/3">Next</a>',
      ),
    ],
    [
      'a driver',
      html(
        '',
        '<blockquote>You were going too fast, said the officer.</blockquote><p>— an old driver</p><a href="/1">Previous</a>',
      ),
    ],
    [
      'a definition',
      html(
        '429 Too Many Requests',
        '<h1>429 Too Many Requests</h1><p>The client has sent too many requests in a given amount of time.</p><a href="/428">428</a> <a href="/431">431</a>',
      ),
    ],
    ['a note', html('Notes', '<h1>Rate limit exceeded</h1><p>Why our crawler met it, and what Anna did.</p>')],
    [
      'a status page',
      html('Status', '<h1>All systems go</h1><p>On Monday our site was under heavy traffic, and Ben bought a server.</p>'),
    ],
    ['a form', html('API key', '<h1>Rate limit exceeded?</h1><p>Get a key.</p><input type="email">')],
  ])('%s about limits is ok', (_, about) => {
    expect(judgeResponse(response(200), about, parse(about)).verdict).toBe('ok');
  });

  it.each([
    [
      'too many',
      html(
        'Too many requests',
        '<h1>Too many requests</h1><p>You have sent too many requests in a given amount of time. Please try again later.</p>',
      ),
    ],
    ['an API', '{"status":429,"message":"Too Many Requests"}'],
  ])('%s: an apology with no other word is throttled', (_, apology) => {
    expect(judgeResponse(response(200), apology, parse(apology)).verdict).toBe('throttled');
  });

  it.each([
    ['traffic', html('Shop', "<h1>Sorry, we're experiencing heavy traffic</h1><p>Please try again in a few minutes.</p>")],
    [
      'load',
      html('503 Service Unavailable', '<h1>503 Service Unavailable</h1><p>The server is too busy. Please try again later.</p>'),
    ],
  ])('a page that says no more than that its site is busy comes again: %s', (_, busy) => {
    expect(judgeResponse(response(200), busy, parse(busy)).verdict).toBe('transient');
  });

  it("an application's shell needs a browser; with an error's status it is an error", () => {
    const shell = html('Teas', '<div id="root"></div><script src="/main.js"></script>');
    expect(judgeResponse(response(200), shell, parse(shell)).verdict).toBe('needs-browser');
    expect(judgeResponse(response(404), shell, parse(shell)).verdict).toBe('missing');
    expect(judgeResponse(response(500), shell, parse(shell)).verdict).toBe('transient');
  });

  it.each([
    ['bot management', `<script>window['__CF$cv$params']={r:'1'}</script>`],
    ['Imperva', '<script src="/_Incapsula_Resource?SWJIYLWA=7"></script>'],
    ['reCAPTCHA', '<script src="https://www.google.com/recaptcha/api.js?render=1"></script>'],
  ])('a shell that carries %s needs a browser and is not blocked', (_, script) => {
    const shell = html('Teas', `<div id="root"></div><script src="/main.js"></script>${script}`);
    expect(judgeResponse(response(200), shell, parse(shell)).verdict).toBe('needs-browser');
  });

  it.each([
    ['bot management', `<script>window['__CF$cv$params']={r:'1'}</script>`],
    ['a widget', '<div class="h-captcha" data-sitekey="1" hidden></div>'],
  ])('a shell that starts itself and carries %s needs a browser too', (_, extra) => {
    const shell = html('', `<div id="app"></div><script>start()</script>${extra}`);
    expect(judgeResponse(response(200), shell, parse(shell)).verdict).toBe('needs-browser');
  });

  it.each([
    [
      'a portal beside an empty mount point',
      '<div id="root"></div><div>Blue mug, 300 ml</div><script src="/a.js"></script>',
      'ok',
    ],
    ['a slogan beside an empty mount point', '<div id="root"></div><div>Teas for all</div><script src="/a.js"></script>', 'ok'],
    ['nothing to see', '<div id="root"></div><script src="/a.js"></script>', 'transient'],
    ['a wait without an end', '<div id="root">Loading...</div><script src="/a.js"></script>', 'transient'],
  ])('after its scripts have run, what is there is the page: %s', (_, body, verdict) => {
    const page = html('Teas', body);
    expect(
      judgeText(
        response(200),
        page,
        () => parse(page),
        () => 'ran',
      ).verdict,
    ).toBe(verdict);
  });

  it('where rendering has shown no more, a page beside an empty mount point is taken as it is; an empty one is not', () => {
    const verdict = (body: string) => {
      const page = html('Teas', `${body}<script src="/a.js"></script>`);
      return judgeText(
        response(200),
        page,
        () => parse(page),
        () => 'in-vain',
      ).verdict;
    };
    expect(verdict('<div id="root"></div><div>Teas for all</div>')).toBe('ok');
    expect(verdict('<div id="root"></div>')).toBe('needs-browser');
  });

  it('never throws', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<div id=app>', '<script>', '<script src=x>', '</script', '<p>', '<noscript>'),
    );
    fc.assert(
      fc.property(
        fc.integer(),
        fc.dictionary(fc.string(), fc.string()),
        fc.array(piece, { maxLength: 30 }),
        fc.string(),
        (status, headers, pieces, url) => {
          const body = pieces.join('');
          judgeResponse({ status, headers, url }, body, parse(body));
          judgeResponse({ status, headers, url }, body, null);
        },
      ),
    );
  });

  it.each([
    ['tags that never end', '<a ="'],
    ['tags', '<div class="a" id=b>'],
    ['mount points, each in the one before', '<div id="app"><script>1</script>'],
    ['mount points', '<div id="app"></div><script>1</script>'],
    ['entries, each in the one before', '<ul><li><script>1</script>'],
    ['paragraphs', '<p></p><script>1</script>'],
    ['comments that never end', '<!--'],
    ['scripts that never end', '<script>'],
    ['brackets', '<'],
    ['titles', '<title> </title>'],
    ['frames', '<iframe class="'],
    ['attributes in a script', '<script>class= id= <iframe dd={ refresh'],
  ])('takes time in proportion to the length: 500 KB of %s', (_, piece) => {
    const body = piece.repeat(Math.ceil(500_000 / piece.length));
    const $ = parse(body);
    const start = performance.now();
    judgeResponse(response(200), body, $);
    // Some 30 ms, 150 at worst; a search that is not linear takes minutes.
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('outlineOf', () => {
  it('reads text, title and notice, and keeps them from the code', () => {
    const page = outlineOf(
      `<title>A &amp; B…</title><style>p{}</style><!-- not <p>this</p> --><p data-x="a>b">One&#32;<b>two</b></p><noscript><i>Three</i></noscript><script src=/A.js>four</script>`,
    );
    expect(page).toMatchObject({ text: 'one two', title: 'a & b...', noscript: 'three', scripts: 1, scriptSources: ['/a.js'] });
    expect(page.code).toContain('four');
    expect(page.code).not.toMatch(/one|three|this|p\{/);
  });

  it('stops reading once there is a text', () => {
    const long = `<p>${'tea '.repeat(700)}</p>`;
    expect(outlineOf(long + '<a href="/">x</a>'.repeat(1_000))).toMatchObject({ long: true, links: 0, code: '' });
  });
});
