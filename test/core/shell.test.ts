// Shells are told from short pages, and from server-rendered ones that keep an empty box for a widget.
import { existsSync, readFileSync } from 'node:fs';

import { load, type CheerioOptions } from 'cheerio';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { outlineOf } from '../../src/core/outline.ts';
import type { Dom } from '../../src/core/page.ts';
import { isShell } from '../../src/core/shell.ts';
import { html } from './block-fixtures.ts';

const parse = (page: string) => load(page, { _useHtmlParser2: true } as CheerioOptions) as unknown as Dom;
const shell = (page: string) => isShell(parse(page), outlineOf(page));
const bundle = '<script src="/assets/index-4f2.js" defer></script>';
const prose = '<p>The tea shop opens at nine, and the kettle is on long before the first guest has found the door.</p>';

describe('isShell', () => {
  it.each([
    ['React', `<noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div>${bundle}`],
    ['React, notice in the mount point', `<div id="root">You need to enable JavaScript to run this app.</div>${bundle}`],
    [
      'Vue',
      `<noscript><strong>We're sorry but teas doesn't work properly without JavaScript enabled.</strong></noscript><div id=app></div>${bundle}`,
    ],
    ['Angular', `<app-root></app-root>${bundle}`],
    ['AngularJS', `<div ng-view></div>${bundle}`],
    [
      'Next.js with data',
      `<div id="__next"></div><script id="__NEXT_DATA__" type="application/json">{"a":"${'tea '.repeat(200)}"}</script>${bundle}`,
    ],
    ['Nuxt with a spinner', `<div id="__nuxt"><svg><title>Loading</title><path d=""/></svg></div>${bundle}`],
    ['Gatsby', `<div id="___gatsby"></div>${bundle}`],
    ['a loading text', `<div id="app"><img src="/logo.svg" alt=""><div class="spinner">Loading…</div></div>${bundle}`],
    ['a loading text in German', `<div id="app">Wird geladen...</div>${bundle}`],
    ['a mount point of the site’s own name', `<div id="teas-app"></div>${bundle}`],
    [
      'a footer beside it',
      `<div id="root"></div><footer><p>© 2024 Teas Limited, all rights reserved everywhere.</p></footer>${bundle}`,
    ],
    [
      'a cookie notice beside it',
      `<div id="root"></div><div>This site uses cookies to remember what you put into your cart.</div>${bundle}`,
    ],
    ['an inline script alone', '<div id="app"></div><script>start()</script>'],
    ['a nameless box', `<div class="page"></div>${bundle}`],
    ['nothing but scripts', bundle],
    ['nothing but a notice', `<div>Please enable JavaScript to view this page.</div>${bundle}`],
  ])('%s: needs a browser', (_, body) => {
    expect(shell(html('Teas', body))).toBe(true);
  });

  it.each([
    ['a page without scripts', '<p>Hello</p>'],
    ['an empty page', ''],
    ['an empty mount point without scripts', '<div id="app"></div>'],
    ['data alone are no scripts', '<div id="app"></div><script type="application/ld+json">{}</script>'],
    ['a short page that loads a counter', '<h1>It works!</h1><script src="/counter.js"></script>'],
    ['a short page in its mount point', `<div id="root"><h1>Hello</h1><p>One line.</p></div>${bundle}`],
    [
      'a short page beside an empty box',
      `<h1>Opening hours</h1><p>Monday to Friday from nine to five, or ring the bell.</p><div id="app"></div>${bundle}`,
    ],
    ['a page with an empty box', `${prose.repeat(4)}<div id="app"></div>${bundle}`],
    [
      'a page that tells of scripts',
      `${prose.repeat(4)}<noscript>Please enable JavaScript</noscript><div id="root"></div>${bundle}`,
    ],
    [
      'a page with a place for its app, all in boxes',
      `<div>Teas of Darjeeling, first flush</div><div>12.50, in stock again</div><div id="app-promo"></div>${bundle}`,
    ],
    [
      'a page with a chat',
      `<div>Teas of Darjeeling, first flush</div><div>12.50, in stock again</div><div id="whats-app"></div>${bundle}`,
    ],
    ['a page with a Facebook box', `<h1>Teas</h1><div id="fb-root"></div>${bundle}`],
    ['a form beside an empty box', `<input type="password"><div id="root"></div>${bundle}`],
    ['pictures and no words', `${'<img src="/tea.jpg">'.repeat(6)}<div id="app"></div>${bundle}`],
    ['links and no words', `${'<a href="/tea"></a>'.repeat(11)}<div id="app"></div>${bundle}`],
    ['frames', `<iframe src="/tea"></iframe>${bundle}`],
    ['a redirect by script', '<script>location.replace("/en/")</script>'],
  ])('%s: is a page', (_, body) => {
    expect(shell(html('Teas', body))).toBe(false);
  });

  it('a page that sends its reader elsewhere is for the site, not for a browser', () => {
    expect(shell(html('', `<div id="root"></div>${bundle}`, '<meta http-equiv="refresh" content="0; url=/en/">'))).toBe(false);
    expect(shell(html('', `<div id="root"></div>${bundle}`, '<meta http-equiv="refresh" content="300">'))).toBe(true);
  });

  it('never flags a page with a text of its own, wherever its empty boxes are', () => {
    const ids = fc.constantFrom('app', 'root', '__next', 'react-root');
    fc.assert(
      fc.property(fc.array(fc.lorem(), { minLength: 60, maxLength: 120 }), ids, fc.boolean(), (words, id, first) => {
        const text = `<div>${words.join(' ')}</div>`;
        const box = `<div id="${id}"></div>`;
        expect(shell(html('', first ? `${box}${text}${bundle}` : `${text}${box}${bundle}`))).toBe(false);
      }),
    );
  });
});

const REAL = process.env['SUREFOOT_REAL_PAGES'] ?? '/work/shared/real-pages';

it.skipIf(!existsSync(REAL)).each([
  ['shells/react-hn-index.html', true],
  ['shells/twitter-shell.html', true],
  // Filed as a shell, but it is an article of 15,000 characters: a `</script` without its `>` misled whoever counted.
  ['shells/emotion-de-shell.html', false],
  ['ordinary/neg-backstage.html', false],
  ['ordinary/neg-incapsula-article-lopinion.html', false],
  ['ordinary/neg-page-with-recaptcha.html', false],
])('real page %s', (file, expected) => {
  expect(shell(readFileSync(`${REAL}/${file}`, 'utf8'))).toBe(expected);
});
