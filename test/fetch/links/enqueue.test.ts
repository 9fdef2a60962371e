import type { RequestOptions } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import type { EnqueueLinksOptions } from '../../../src/core/page.ts';
import { openText } from '../../../src/fetch/document.ts';
import { linkBaseOf } from '../../../src/fetch/links/base.ts';
import { findLinks } from '../../../src/fetch/links/enqueue.ts';

const PAGE = 'http://www.a.example/dir/list';

function find(html: string, options: EnqueueLinksOptions = {}, at: { url?: string; encoding?: string } = {}): RequestOptions[] {
  const { url: page = PAGE, encoding = 'utf-8' } = at;
  const document = openText(html, { encoding });
  const base = (url = page) => linkBaseOf(document, url);
  return findLinks({ url: page, $: () => document.$, base }, options, () => {});
}

const urls = (...found: Parameters<typeof find>) => find(...found).map(({ url }) => url);
const anchors = (...hrefs: string[]) => hrefs.map((href) => `<a href="${href}">x</a>`).join('');

describe('links of the host that the page is on are found', () => {
  it.each([
    '/wiki/.NET',
    '/questions/tagged/.net',
    '/.well-known/security.txt',
    '/a/.b/c',
    '/x/...',
    '/u/..%2fx',
    '/go?next=/.hidden',
    '/q?u=http://h/.x/',
    '/q?u=http://h/../x',
    '/wiki/NET',
    '/y?v=.5',
    '/z/a.b',
    '/[a]/{b}/(c)/*/!',
    '/#.x',
  ])('%s', (path) => {
    expect(urls(anchors(path))).toEqual([new URL(path, PAGE).href]);
    expect(urls(anchors(path), {}, { url: 'http://[::1]:81/list' })).toEqual([new URL(path, 'http://[::1]:81').href]);
  });

  it('once each, in their order, whatever is not http(s) left out', () => {
    const html = anchors(
      '../b', 'a', 'a', ' a ', 'javascript:void(0)', 'mailto:a@a.example', 'tel:1', 'data:text/html,x', 'ftp://www.a.example/',
      'blob:http://www.a.example/1', 'http://', 'http://www.a.example:x/', '', '#top', 'HTTP://WWW.A.EXAMPLE/c',
    ); // prettier-ignore
    expect(urls(`${html}<a>no address</a><a name="x">x</a>`)).toEqual([
      'http://www.a.example/b',
      'http://www.a.example/dir/a',
      'http://www.a.example/dir/list#top',
      'http://www.a.example/c',
    ]);
  });
});

describe('strategy', () => {
  const others = [
    'http://www.a.example/x',
    'https://www.a.example/x',
    'http://www.a.example:81/x',
    'http://a.example/x',
    'https://m.a.example/x',
    'http://b.example/x',
    'http://xa.example/x',
    'http://www.a.example.b.example/x',
  ];
  it.each([
    [undefined, [0, 1]],
    ['same-hostname', [0, 1]],
    ['same-domain', [0, 1, 3, 4]],
    ['same-origin', [0]],
    ['all', [0, 1, 2, 3, 4, 5, 6, 7]],
  ] as const)('%s', (strategy, found) => {
    expect(urls(anchors(...others), strategy && { strategy })).toEqual(found.map((index) => others[index]));
  });

  it.each([
    ['http://a.co.uk/', ['http://www.a.co.uk/x', 'http://b.co.uk/x'], ['http://www.a.co.uk/x']],
    ['http://[::1]/', ['https://[::1]/x', 'http://[::2]/x'], ['https://[::1]/x']],
    ['http://127.0.0.1:81/', ['http://127.0.0.1:81/x', 'http://127.0.0.2:81/x'], ['http://127.0.0.1:81/x']],
    ['http://localhost/', ['http://localhost/x', 'http://a.localhost/x'], ['http://localhost/x']],
  ])('same-domain on %s', (url, links, found) => {
    expect(urls(anchors(...links), { strategy: 'same-domain' }, { url })).toEqual(found);
  });
});

describe('a page with a <base>', () => {
  it.each([
    ['<base href="/other/">', 'http://www.a.example/other/x'],
    ['<base><base href="/other/"><base href="/third/">', 'http://www.a.example/other/x'],
    ['<BASE HREF=" /other/ ">', 'http://www.a.example/other/x'],
    ['<body><p><base href="/other/"></p>', 'http://www.a.example/other/x'],
    ['<base href="//www.a.example/p/q?r">', 'http://www.a.example/p/x'],
    ['<base href="http://[">', 'http://www.a.example/dir/x'],
    ['<base href="data:text/plain,x"><base href="/second/">', 'http://www.a.example/dir/x'],
    ['<base href="javascript:0">', 'http://www.a.example/dir/x'],
    ['<!-- <base href="/other/"> -->', 'http://www.a.example/dir/x'],
    ['<script>"<base href=/other/>"</script>', 'http://www.a.example/dir/x'],
    ['<noscript><base href="/other/"></noscript>', 'http://www.a.example/dir/x'],
    ['<template><base href="/no/"></template><base href="/other/">', 'http://www.a.example/other/x'],
    ['<base target="_top">', 'http://www.a.example/dir/x'],
  ])('%s', (base, url) => expect(urls(`${base}${anchors('x')}`)).toEqual([url]));

  it('has its links followed if they lead to the host of the page, not to that of the base', () => {
    const html = `<base href="http://cdn.example/">${anchors('x', 'http://www.a.example/y', '')}`;
    expect(urls(html)).toEqual(['http://www.a.example/y']);
    expect(urls(html, { strategy: 'all' })).toEqual(['http://cdn.example/x', 'http://www.a.example/y', 'http://cdn.example/']);
  });
});

it('the query of a link is in the encoding of its page, its path in UTF-8', () => {
  const html = anchors('/names2?letter=А', '/имя?q=Привет#Я');
  expect(urls(html, {}, { encoding: 'windows-1251' })).toEqual([
    'http://www.a.example/names2?letter=%C0',
    'http://www.a.example/%D0%B8%D0%BC%D1%8F?q=%CF%F0%E8%E2%E5%F2#%D0%AF',
  ]);
});

describe('the option', () => {
  const html = `${anchors('/a/1', '/a/2', '/b/1')}<p class="next"><a href="?page=2">Next</a></p><link href="/feed">`;
  const path = (found: RequestOptions[]) => found.map(({ url }) => url.slice('http://www.a.example'.length));

  it.each([
    ['selector', { selector: '.next a, link' }, ['/dir/list?page=2', '/feed']],
    ['urls', { urls: ['c', '/d', 'http://b.example/'] }, ['/dir/c', '/d']],
    ['baseUrl', { baseUrl: 'http://www.a.example/z/', selector: '.next a' }, ['/z/?page=2']],
    ['globs', { globs: ['**/a/*', ' '] }, ['/a/1', '/a/2']],
    ['regexps', { regexps: [/\/\w\/1$/g] }, ['/a/1', '/b/1']],
    ['globs and regexps', { globs: ['**/a/*'], regexps: [/b/] }, ['/a/1', '/a/2', '/b/1']],
    ['exclude', { exclude: ['**/a/**', /page=/] }, ['/b/1']],
    ['globs and exclude', { globs: ['**/1'], exclude: [{ glob: '**/b/*' }] }, ['/a/1']],
    ['globs and strategy', { globs: ['**'], strategy: 'same-origin' as const, exclude: [{ regexp: /a/ }] }, []],
  ])('%s', (_, options, found) => expect(path(find(html, options))).toEqual(found));

  it('label and userData go with each link, and each has its own', () => {
    const [one, two] = find(html, { label: 'A', userData: { n: 1 } });
    expect([one?.userData, two?.userData]).toEqual([
      { n: 1, label: 'A' },
      { n: 1, label: 'A' },
    ]);
    expect(one?.userData).not.toBe(two?.userData);
  });

  it('globs and regexps may give the links that match what a request can have', () => {
    const found = find(html, { globs: [{ glob: '**/a/*', label: 'A' }], regexps: [{ regexp: /b/, label: 'B', method: 'POST' }] });
    expect(found.map(({ label, method }) => [label, method])).toEqual([
      ['A', undefined],
      ['A', undefined],
      ['B', 'POST'],
    ]);
  });

  it('without a strategy, globs and regexps may lead anywhere, also by a redirect', () => {
    const [link] = find(anchors('http://b.example/x'), { globs: ['**/x'] });
    expect(link).toMatchObject({ url: 'http://b.example/x' });
    expect(link).not.toHaveProperty('enqueueStrategy');
    expect(find(html)[0]).toHaveProperty('enqueueStrategy', 'same-hostname');
  });

  it('transformRequestFunction changes a link or leaves it out, before the filters', () => {
    const skipped: string[] = [];
    const found = find(html, {
      exclude: ['**/b/**'],
      transformRequestFunction: (link) => (link.url.endsWith('2') ? false : { ...link, url: `${link.url}?x`, label: 'T' }),
      onSkippedRequest: ({ url }) => void skipped.push(new URL(url).pathname),
    });
    expect(found.map(({ url, label }) => [url, label])).toEqual([['http://www.a.example/a/1?x', 'T']]);
    expect(skipped).toEqual(['/a/2', '/b/1', '/dir/list']);
  });

  it.each([
    [{ selektor: 'a' }, /no option selektor\. Did you mean selector\?/],
    [{ pseudoUrls: ['x'] }, /no option pseudoUrls/],
    [{ strategy: 'same-host' }, /strategy is one of all, same-domain, same-hostname, same-origin, got "same-host"/],
    [{ transformRequestFunction: () => ({ url: '/x' }) }, /made a link that is no absolute URL: \/x/],
  ])('%o is refused in words', (options, message) => {
    expect(() => find(html, options as EnqueueLinksOptions)).toThrow(message);
  });
});
