import { describe, expect, it } from 'vitest';

import { openText } from '../../../src/fetch/document.ts';
import { parseRefresh, refreshOf } from '../../../src/fetch/links/refresh.ts';

describe('a refresh is read by the rules of the HTML standard', () => {
  it.each([
    ['0', 0, null],
    ['5', 5, null],
    ['  5', 5, null],
    ['5.9', 5, null],
    ['5.9.9', 5, null],
    ['.5', 0, null],
    ['.', 0, null],
    ['5;', 5, null],
    ['5 ; ', 5, null],
    ['0;url=/x', 0, '/x'],
    ['0; url=/x', 0, '/x'],
    ['0;URL=/x', 0, '/x'],
    ["0;url='/x'", 0, '/x'],
    ['0;url="/x"', 0, '/x'],
    ["0;url='/x' rest", 0, '/x'],
    ["0;url='/x", 0, '/x'],
    ["0;url=/x'y", 0, "/x'y"],
    ["0;'/x'", 0, '/x'],
    ['0;"/x', 0, '/x'],
    ['5; URL=x', 5, 'x'],
    ['0;x', 0, 'x'],
    ['0 x', 0, 'x'],
    ['0,x', 0, 'x'],
    ['0 , url = x', 0, 'x'],
    ['0 ;\n url\t=\r\f x y ', 0, 'x y '],
    ['0;u', 0, 'u'],
    ['0;ur', 0, 'ur'],
    ['0;url', 0, 'url'],
    ['0;url x', 0, 'url x'],
    ['0;urls=x', 0, 'urls=x'],
    ['0;url==x', 0, '=x'],
    ['0;;x', 0, ';x'],
    ['0.5;x', 0, 'x'],
    ['0;url=', 0, ''],
    ['99999;url=x', 99_999, 'x'],
  ])('%j', (content, seconds, href) => expect(parseRefresh(content)).toEqual({ seconds, href }));

  it.each(['', ' ', 'x', ';url=x', 'url=x', '-1;url=x', '+0;url=x', '5x', '5s;url=x', '0=x', '0\u00a0;x'])(
    '%j is none',
    (content) => expect(parseRefresh(content)).toBeNull(),
  );
});

function sentOn(html: string, headers: Record<string, string> = {}, encoding = 'utf-8') {
  return refreshOf({ document: openText(html, { encoding }), headers, url: 'http://a.example/dir/page#x' });
}

const meta = (content: string) => `<meta http-equiv="refresh" content="${content}">`;

describe('a page sends its reader on', () => {
  it.each([
    [meta("0;URL='/real'"), 'http://a.example/real'],
    ["<META CONTENT='0; url=real' HTTP-EQUIV = ReFresh >", 'http://a.example/dir/real'],
    ['<meta http-equiv=refresh content=0;/real>', 'http://a.example/real'],
    [`<body><p>moved${meta('10;url=//b.example/#top')}`, 'http://b.example/'],
    [`<base href="/other/">${meta('0;url=real')}`, 'http://a.example/other/real'],
    [meta('0;url=/?a=1&amp;b=2'), 'http://a.example/?a=1&b=2'],
    [meta('x') + meta('0;url=/second') + meta('0;url=/third'), 'http://a.example/second'],
  ])('%s', (html, url) => expect(sentOn(html)).toBe(url));

  it('by the header, which goes first, whatever the page is', () => {
    expect(sentOn(meta('0;url=/meta'), { refresh: '0; url=/header' })).toBe('http://a.example/header');
    expect(sentOn(meta('0;url=/meta'), { refresh: 'nothing' })).toBe('http://a.example/meta');
    expect(
      refreshOf({
        document: openText('moved', { isMarkup: false }),
        headers: { refresh: '1;/real' },
        url: 'http://a.example/page',
      }),
    ).toBe('http://a.example/real');
  });

  it('in the encoding of the page', () => {
    expect(sentOn(meta('0;url=/ñ?ñ'), {}, 'windows-1252')).toBe('http://a.example/%C3%B1?%F1');
  });

  it('to itself, once it has set a cookie', () => {
    expect(sentOn(meta('0'), { 'set-cookie': 'passed=1' })).toBe('http://a.example/dir/page');
    expect(sentOn(meta('0;url=page'))).toBeNull();
    expect(sentOn(meta('5'), { 'set-cookie': 'passed=1' })).toBeNull();
  });
});

describe('a page is to be read with', () => {
  it.each([
    ['a longer wait', meta('30;url=/other')],
    ['one that reloads it', meta('5') + meta('0;url=/real')],
    ['one that reloads it by name', meta('5;url=http://a.example/dir/page#y')],
    ['one for readers without scripts', `<noscript>${meta('0;url=/no-scripts')}</noscript>`],
    ['one in a comment', `<!-- ${meta('0;url=/real')} -->`],
    ['one in a script', `<script>document.write('${meta('0;url=/real')}')</script>`],
    ['one in a template', `<template>${meta('0;url=/real')}</template>`],
    ['one to a script', meta('0;url=javascript:go()')],
    ['one to no page', meta('0;url=mailto:a@a.example')],
    ['one to no URL', meta('0;url=http://[')],
    ['another http-equiv', '<meta http-equiv="x-refresh" content="0;url=/real">'],
    ['one without a content', '<meta http-equiv="refresh">'],
    ['a name alone', '<meta name="refresh" content="0;url=/real">'],
  ])('%s', (_, html) => expect(sentOn(html)).toBeNull());
});
