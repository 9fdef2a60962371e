// Challenges are told from pages that mention, load or embed the same vendors.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { blockPageOf } from '../../src/core/block-pages.ts';
import { outlineOf } from '../../src/core/outline.ts';
import { BLOCK_PAGES, html, ORDINARY_PAGES } from './block-fixtures.ts';

const blocker = (page: string, headers: Record<string, string> = {}, url = 'https://shop.test/teas') =>
  blockPageOf({ headers, url }, outlineOf(page));

describe('blockPageOf', () => {
  it.each(BLOCK_PAGES)('%s: %s is a block page', (vendor, _, page) => {
    expect(blocker(page)).toBe(vendor);
  });

  it.each(ORDINARY_PAGES)('near %s: %s is not', (_, __, page) => {
    expect(blocker(page)).toBeNull();
  });

  it.each(BLOCK_PAGES)('%s: %s, quoted in a page with a text of its own, is not', (_, __, page) => {
    const quoted = page.replaceAll('<', '&lt;');
    expect(
      blocker(
        html('A page', `<h1>What I saw</h1><p>${'It was a long day at the tea shop. '.repeat(80)}</p><pre>${quoted}</pre>`),
      ),
    ).toBeNull();
    expect(
      blocker(html('A page', `<h1>What I saw</h1>${page}<p>${'It was a long day at the tea shop. '.repeat(80)}</p>`)),
    ).toBeNull();
  });

  it.each(BLOCK_PAGES)('%s: %s, quoted in a short post of a forum that bears its title, is not', (_, __, page) => {
    const title = /<title>(.*?)<\/title>/.exec(page)?.[1] ?? 'Help';
    const quoted = page.replaceAll('<', '&lt;');
    const menu = '<a href="/">Forum</a> <a href="/new">New</a> <a href="/log-in">Log in</a>';
    const post = `<p>Since Monday I get this at work. What is it?</p><pre>${quoted}</pre><p>Ask your provider, they know it.</p>`;
    expect(blocker(html(`${title} - Forum`, `${menu}<h1>${title}</h1>${post}<script src="/forum.js"></script>`))).toBeNull();
  });

  it.each([
    ['x-kpsdk-ct', 429, 'Kasada'],
    ['x-kpsdk-ct', 403, 'Kasada'],
    ['x-kpsdk-ct', 200, null],
  ])('believes %s with a refusal alone: %i', (header, status, vendor) => {
    const answer = { status, headers: { [header]: 'a' }, url: 'https://shop.test/' };
    expect(blockPageOf(answer, outlineOf('<script src="/149e/2d20/p.js"></script>'))).toBe(vendor);
  });

  it('takes a 202 with nothing to see for a page that is held back', () => {
    const answer = { status: 202, headers: {}, url: 'https://shop.test/' };
    expect(blockPageOf(answer, outlineOf(''))).toBe('an access check');
    expect(blockPageOf(answer, outlineOf(html('', '<script src="/x.js"></script>')))).toBe('an access check');
    expect(blockPageOf(answer, outlineOf(html('Order', '<p>Your order is being made.</p>')))).toBeNull();
  });

  it.each([
    ['cf-mitigated', 'challenge', 'Cloudflare'],
    ['x-amzn-waf-action', 'captcha', 'AWS WAF'],
    ['x-vercel-mitigated', 'challenge', 'Vercel'],
    ['x-sucuri-block', 'GEO02', 'Sucuri'],
  ])('believes %s: %s on a page with little to read, read or not', (header, value, vendor) => {
    expect(blocker('', { [header]: value })).toBe(vendor);
    expect(blocker(html('Wait', '<p>Wait</p>'), { [header]: value })).toBe(vendor);
    expect(blocker(html('Teas', `<p>${'Green tea, 4 euros. '.repeat(200)}</p>`), { [header]: value })).toBeNull();
  });

  it.each([
    ['server', 'cloudflare'],
    ['cf-ray', '8f-FRA'],
    ['x-datadome', 'protected'],
    ['x-cdn', 'Imperva'],
    ['x-iinfo', '9-1-0'],
    ['x-amzn-waf-action', 'count'],
    ['set-cookie', '_px3=1; __cf_bm=2; _abck=3'],
  ])('thinks nothing of %s: %s', (header, value) => {
    expect(blocker(html('Hours', '<p>Open 9 to 5</p>'), { [header]: value })).toBeNull();
  });

  it("knows Google's /sorry/ by its address, and nobody else's", () => {
    const page = html('Sorry', '<p>Wait</p>');
    expect(blocker(page, {}, 'https://www.google.co.uk/sorry/index?continue=x')).toBe('Google');
    expect(blocker(page, {}, 'https://shop.test/sorry/index?continue=x')).toBeNull();
  });

  it('never flags prose, whichever vendors and phrases it names', () => {
    const words = fc.constantFrom(
      'Cloudflare',
      'DataDome',
      'PerimeterX',
      'Akamai',
      'Incapsula incident ID',
      'Just a moment...',
      'captcha',
      'Access Denied',
      'verify you are human',
      'unusual traffic',
      'px-captcha',
      '_cf_chl_opt',
      'you have been blocked',
      'Reference #18.a',
      'tea',
    );
    const title = fc.constantFrom(
      'Just a moment...',
      'Access Denied',
      'Robot Check',
      'Notes',
      'Attention Required! | Cloudflare',
      '',
    );
    fc.assert(
      fc.property(title, fc.array(words, { minLength: 10, maxLength: 60 }), (heading, said) => {
        const text = said.join(' ');
        expect(blocker(html(heading, `<p>${text}</p>`.repeat(Math.ceil(2_600 / text.length))))).toBeNull();
      }),
    );
  });

  it('never throws, whatever the bytes and the headers', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<script', '<!--', '</', '<iframe', '="', "='", '>', '&#x110000;', '<title>'),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.dictionary(fc.string(), fc.string()),
        fc.string(),
        (pieces, headers, url) => {
          blocker(pieces.join(''), headers, url);
        },
      ),
    );
  });
});

const REAL = process.env['SUREFOOT_REAL_PAGES'] ?? '/work/shared/real-pages';
const real = existsSync(REAL)
  ? ['blocked', 'shells', 'ordinary', 'hn', 'encodings'].flatMap((folder) =>
      readdirSync(`${REAL}/${folder}`).map((file): [string, string] => [folder, file]),
    )
  : [];

describe.skipIf(real.length === 0)('real pages', () => {
  it.each(real)('%s/%s', (folder, file) => {
    const page = readFileSync(`${REAL}/${folder}/${file}`, 'latin1');
    expect(blocker(page) !== null).toBe(folder === 'blocked');
  });
});
