import { describe, expect, it } from 'vitest';

import { keyOf, mergedLine } from '../../src/core/identity.ts';

describe('two URLs are one request if they differ only in', () => {
  it.each([
    ['capital letters of scheme and host', 'HTTP://A.Example/x', 'http://a.example/x'],
    ['a port that is the default', 'https://a.example:443/x', 'https://a.example/x'],
    ['a slash at the end of the path', 'http://a.example/x/', 'http://a.example/x'],
    ['the slash of a host', 'http://a.example', 'http://a.example/'],
    ['the slash before a query', 'http://a.example/x/?q=1', 'http://a.example/x?q=1'],
    ['dot segments', 'http://a.example/x/../y/./z', 'http://a.example/y/z'],
    ['the order of names in the query', 'http://a.example/?b=2&a=1', 'http://a.example/?a=1&b=2'],
    ['how a blank is written', 'http://a.example/?q=a+b', 'http://a.example/?q=a%20b'],
    ['what is escaped in the query', 'http://a.example/?q=%41%7e', 'http://a.example/?q=A~'],
    ['the case of an escape', 'http://a.example/?q=%c3%A9', 'http://a.example/?q=é'],
    ['the case of an escape that is no UTF-8', 'http://a.example/?q=%e9', 'http://a.example/?q=%E9'],
    ['an equals sign without a value', 'http://a.example/?q', 'http://a.example/?q='],
    ['an equals sign in a value', 'http://a.example/?q=a=b', 'http://a.example/?q=a%3Db'],
    ['empty parts of the query', 'http://a.example/?&q=1&&', 'http://a.example/?q=1'],
    ['an empty query', 'http://a.example/?', 'http://a.example/'],
    ['utm_*', 'http://a.example/?utm_source=x&q=1&utm_campaign', 'http://a.example/?q=1'],
    ['the user', 'http://u:p@a.example/', 'http://a.example/'],
    ['the fragment', 'http://a.example/x#top', 'http://a.example/x#/route'],
  ])('%s', (_, one, other) => expect(keyOf(one)).toBe(keyOf(other)));
});

describe('two URLs are two requests if they differ in', () => {
  it.each([
    ['the scheme', 'http://a.example/', 'https://a.example/'],
    ['www', 'http://www.a.example/', 'http://a.example/'],
    ['the port', 'http://a.example:81/', 'http://a.example/'],
    ['capital letters of the path', 'http://a.example/X', 'http://a.example/x'],
    ['what is escaped in the path', 'http://a.example/%7Ejoe', 'http://a.example/~joe'],
    ['two slashes at the end', 'http://a.example/x//', 'http://a.example/x'],
    ['the order of equal names', 'http://a.example/?a=1&a=2', 'http://a.example/?a=2&a=1'],
    ['a plus that is escaped', 'http://a.example/?q=a+b', 'http://a.example/?q=a%2Bb'],
    ['an ampersand that is escaped', 'http://a.example/?q=a&b', 'http://a.example/?q=a%26b'],
    ['gclid and fbclid', 'http://a.example/?gclid=1', 'http://a.example/?fbclid=1'],
    ['a name that is like utm_', 'http://a.example/?UTM_source=x', 'http://a.example/'],
    ['letters of windows-1251', 'http://a.example/?letter=%C0', 'http://a.example/?letter=%C1'],
    ['letters of GBK', 'http://a.example/?k=%C4%E3', 'http://a.example/?k=%BA%C3'],
    ['letters of Latin-1', 'http://a.example/?name=Jos%E9', 'http://a.example/?name=Jos%E8'],
    ['bytes that are no UTF-8, in a name', 'http://a.example/?%E9=1', 'http://a.example/?%E8=1'],
    ['such a byte and what stands for it', 'http://a.example/?q=%E9', 'http://a.example/?q=%EF%BF%BD'],
  ])('%s', (_, one, other) => expect(keyOf(one)).not.toBe(keyOf(other)));
});

it('a whole alphabet of a legacy encoding has a key for each letter', () => {
  const letters = Array.from({ length: 128 }, (_, index) => `http://a.example/?l=%${(index + 128).toString(16)}`);
  expect(new Set(letters.map((url) => keyOf(url))).size).toBe(128);
});

it.each([
  ['http://a.example/x#/b', 'http://a.example/x#/b'],
  ['http://a.example/x/?b&a#!/c', 'http://a.example/x?a=&b=#!/c'],
  ['http://a.example/x#', 'http://a.example/x'],
  ['http://a.example/x#:~:text=word', 'http://a.example/x'],
  ['http://a.example/x#/b:~:text=word', 'http://a.example/x#/b'],
  ['http://a.example/#A', 'http://a.example#A'],
])('the fragment of %s is kept where a site says so', (url, key) => expect(keyOf(url, true)).toBe(key));

describe('of start URLs that are one page', () => {
  const hash = ['http://a.example/p#/topic/1', 'http://a.example/p#/user/2', 'http://a.example/p#!/x/3'];

  it('it says which ones are not fetched, and what would keep them apart', () => {
    expect(mergedLine(hash)).toBe(
      'Not fetched, as another start URL is the same page: http://a.example/p#/user/2 and 1 more. ' +
        "What stands behind # is no part of an address, unless the site has fragments: 'keep'.",
    );
    expect(mergedLine(['http://a.example/x', 'http://a.example/x/?utm_source=y'])).toMatch(/docs\/guide\/links\.md\.$/);
  });

  it('it says nothing where all are fetched, or one was named twice', () => {
    expect(mergedLine(hash, 'keep')).toBeNull();
    expect(mergedLine(['http://a.example/', 'http://a.example/b', 'http://a.example/'])).toBeNull();
    expect(mergedLine([])).toBeNull();
  });
});
