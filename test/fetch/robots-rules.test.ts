// What a robots.txt says, by RFC 9309 and by the cases that Google's own matcher is tested with.
import { describe, expect, it } from 'vitest';

import { readRobots } from '../../src/fetch/robots-rules.ts';

const inUtf8 = (text: string) => Buffer.from(text).toString('latin1');
const allowed = (lines: readonly string[], path: string) =>
  readRobots(inUtf8(lines.join('\n')), 'Surefoot').isAllowed(new URL(path, 'http://x.example').href);
const only = (...allows: string[]) => ['user-agent: surefoot', 'disallow: /', ...allows.map((path) => `allow: ${path}`)];
const not = (...disallows: string[]) => ['user-agent: *', ...disallows.map((path) => `disallow: ${path}`)];

describe('which group holds', () => {
  it.each<[string, readonly string[], string, boolean]>([
    ['none, where there is none', [''], '/x', true],
    ['none, before the first agent', ['disallow: /', 'user-agent: other', 'disallow: /'], '/x', true],
    ['that of our name, whatever its case', ['USER-AGENT: SureFOOT', 'DisAllow: /x'], '/x', false],
    ['that of our name before that of all', [...not('/x'), ...only('/x')], '/x', true],
    ['that of all, where ours is not named', ['user-agent: other', 'disallow: /', ...not('/y')], '/x', true],
    ['the first of all as well as the second', [...not('/x'), 'user-agent: other', 'disallow: /', ...not('/y')], '/y', false],
    ['all of our name together', [...not('/'), ...only('/a/'), 'user-agent: other', 'disallow: /', ...only('/b/')], '/a/1', true],
    ['all of our name together, the second too', [...only('/a/'), 'user-agent: o', 'disallow: /', ...only('/b/')], '/b/1', true],
    ['one for several agents', ['user-agent: other', 'user-agent: surefoot', 'user-agent: third', 'disallow: /x'], '/x', false],
    ['not the one behind its rules', ['user-agent: surefoot', 'allow: /', 'user-agent: other', 'disallow: /'], '/x', true],
    ['blank lines end nothing', ['user-agent: surefoot', '', '', 'disallow: /x'], '/x', false],
    ['an empty rule is a rule', ['user-agent: surefoot', 'disallow:', 'user-agent: other', 'disallow: /'], '/x', true],
    ['Sitemap ends nothing', ['user-agent: surefoot', 'sitemap: http://x/s', 'user-agent: other', 'disallow: /x'], '/x', false],
    ['an unknown line ends nothing', ['user-agent: surefoot', 'noindex: /y', 'user-agent: other', 'disallow: /x'], '/x', false],
    ['Crawl-delay ends nothing', ['user-agent: surefoot', 'crawl-delay: 1', 'user-agent: other', 'disallow: /x'], '/x', false],
    ['Crawl-delay and a blank line do', ['user-agent: *', 'crawl-delay: 1', '', 'user-agent: other', 'disallow: /'], '/x', true],
    ['Sitemap between rules', ['user-agent: *', 'disallow: /a', 'sitemap: http://x/s', 'disallow: /x'], '/x', false],
    ['a version behind the name', ['user-agent: Surefoot/1.0', 'disallow: /x'], '/x', false],
    ['words behind the name', ['user-agent: surefoot images', 'disallow: /x'], '/x', false],
    ['another that begins like ours', ['user-agent: surefooted', 'disallow: /x'], '/x', true],
    ['another that ours begins like', ['user-agent: sure', 'disallow: /x'], '/x', true],
    ['one whose colon was forgotten', ['user-agent surefoot', 'disallow /x'], '/x', false],
    ['one with its key misspelt', ['useragent: *', 'dissallow: /x'], '/x', false],
    ['one behind a byte order mark', ['\ufeffuser-agent: *', 'disallow: /x'], '/x', false],
    ['lines that end with CR alone', ['user-agent: *\rdisallow: /x'], '/x', false],
    ['lines that end with CR LF', ['user-agent: *\r', 'disallow: /x\r'], '/x', false],
    ['spaces around everything', ['  user-agent :  *  ', '\tdisallow :\t/x  # words'], '/x', false],
    ['a page in the place of rules', ['<!doctype html><p>user-agent: *<br>disallow: /'], '/x', true],
  ])('%s', (_, lines, path, expected) => {
    expect(allowed(lines, path)).toBe(expected);
  });
});

describe('which rule decides', () => {
  it.each<[readonly string[], string, boolean]>([
    [['disallow: /x/page.html', 'allow: /x/'], '/x/page.html', false],
    [['allow: /x/page.html', 'disallow: /x/'], '/x/page.html', true],
    [['allow: /x/page.html', 'disallow: /x/'], '/x/', false],
    [['disallow: ', 'allow: '], '/x', true],
    [['disallow: /', 'allow: /'], '/x', true],
    [['disallow: /x', 'allow: /x/'], '/x', false],
    [['disallow: /x', 'allow: /x/'], '/x/', true],
    [['allow: /page', 'disallow: /*.html'], '/page.html', false],
    [['allow: /page', 'disallow: /*.html'], '/page', true],
    [['allow: /x/page.', 'disallow: /*.html'], '/x/page.html', true],
    [['allow: /$', 'disallow: /'], '/', true],
    [['allow: /$', 'disallow: /'], '/page', false],
    [['disallow: /foo/bar$', 'allow: /foo/bar/qux'], '/foo/bar', false],
    [['disallow: /foo/bar$'], '/foo/bar/', true],
    [['disallow: /foo/quz#qux'], '/foo/quz', false],
    [['# disallow: /'], '/foo', true],
    [['disallow: /X/'], '/x/y', true],
    [['disallow: x'], '/x', true],
    [['disallow: http://x.example/x'], '/x', true],
    [['disallow: *x'], '/a/x', false],
    [['disallow: /'], '/robots.txt', true],
    [['disallow: /a$b'], '/a$bc', false],
    [['disallow: /a***b'], '/a-b', false],
    [['disallow: /*/x/*$'], '/a/x/', false],
    [['disallow: /*a*b$'], '/ab-a', true],
    [['disallow: /a*a$'], '/a', true],
  ])('%j: %s is allowed: %s', (rules, path, expected) => {
    expect(allowed(['user-agent: *', ...rules], path)).toBe(expected);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    [
      '/fish',
      ['/fish', '/fish.html', '/fish/salmon.html', '/fishheads', '/fishheads/yummy.html', '/fish.html?id=anything'],
      ['/Fish.asp', '/catfish', '/?id=fish', '/desert/fish'],
    ],
    ['/fish*', ['/fish', '/fish.html', '/fishheads/yummy.html'], ['/Fish.bar', '/catfish', '/?id=fish']],
    ['/fish/', ['/fish/', '/fish/salmon', '/fish/?id=anything'], ['/fish', '/fish.html', '/Fish/Salmon.html']],
    [
      '/*.php',
      ['/filename.php', '/folder/filename.php?parameters', '//folder/any.php.file.html', '/index?f=filename.php/'],
      ['/php/', '/index?php', '/windows.PHP'],
    ],
    ['/*.php$', ['/filename.php', '/folder/filename.php'], ['/filename.php?p', '/filename.php/', '/filename.php5', '/aaaphpaaa']],
    ['/fish*.php', ['/fish.php', '/fishheads/catfish.php?parameters'], ['/Fish.PHP']],
  ])('%s fits what Google says it fits', (pattern, fitting, others) => {
    expect(fitting.map((path) => allowed(only(pattern), path))).toEqual(fitting.map(() => true));
    expect(others.map((path) => allowed(only(pattern), path))).toEqual(others.map(() => false));
  });
});

describe('one path in two forms is one path', () => {
  // https://www.rfc-editor.org/rfc/rfc9309#section-2.2.2, and what follows from it.
  it.each([
    ['/foo/bar?baz=quz', '/foo/bar?baz=quz'],
    ['/foo/bar?baz=https://foo.bar', '/foo/bar?baz=https%3A%2F%2Ffoo.bar'],
    ['/foo/bar?baz=https%3A%2F%2Ffoo.bar', '/foo/bar?baz=https://foo.bar'],
    ['/foo/bar/ツ', '/foo/bar/%E3%83%84'],
    ['/foo/bar/%E3%83%84', '/foo/bar/ツ'],
    ['/foo/bar/%e3%83%84', '/foo/bar/%E3%83%84'],
    ['/foo/bar/%62%61%7A', '/foo/bar/baz'],
    ['/foo/bar/baz', '/foo/bar/%62%61%7A'],
    ['/%7Ejoe/', '/~joe/1'],
    ['/~joe/', '/%7ejoe/1'],
    ['/foo/%62ar', '/foo/bar'],
    ['/a b', '/a%20b'],
    ['/a"<>`{}^|b', '/a%22%3C%3E%60%7B%7D%5E%7Cb'],
    ['/a%3cd.html', '/a%3Cd.html'],
    ['/path/file-with-a-%2A.html', '/path/file-with-a-*.html'],
    ['/path/%24', '/path/$'],
    ['/100%', '/100%'],
    ['/𝒳', '/%F0%9D%92%B3'],
  ])('%s forbids %s', (pattern, path) => {
    expect(allowed(not(pattern), path)).toBe(false);
  });

  it.each([
    ['/a%2Fb', '/a/b'],
    ['/a/b', '/a%2Fb'],
    ['/a%2A', '/abc'],
    ['/foo/%E3%83%84', '/foo/%E3%83%85'],
  ])('%s does not forbid %s', (pattern, path) => {
    expect(allowed(not(pattern), path)).toBe(true);
  });

  it('takes a pattern in an old encoding by its bytes, as a browser sends them', () => {
    const text = 'user-agent: *\ndisallow: /\u00f4\u00ee\u00f0\u00f3\u00ec';
    expect(readRobots(text, 'Surefoot').isAllowed('http://x.example/%F4%EE%F0%F3%EC/1')).toBe(false);
  });

  it('stays quick with a pattern of a thousand stars and with a hundred thousand rules', () => {
    const many = Array.from({ length: 100_000 }, (_, n) => `disallow: /never/${n}`);
    const started = performance.now();
    expect(allowed(not(`/${'*a'.repeat(1_000)}b`, ...many), `/${'a'.repeat(5_000)}`)).toBe(true);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('the gap it asks for', () => {
  it.each<[readonly string[], number]>([
    [['user-agent: *', 'crawl-delay: 1.5'], 1_500],
    [['user-agent: *', 'crawl-delay: 5', 'user-agent: surefoot', 'allow: /'], 5_000],
    [['user-agent: *', 'crawl-delay: 5', '', 'user-agent: surefoot', 'crawl-delay: 2'], 2_000],
    [['user-agent: *', 'crawl-delay: soon'], 0],
    [['user-agent: *', 'crawl-delay:'], 0],
    [['user-agent: *', 'crawl-delay: -5'], 0],
    [['crawl-delay: 5'], 0],
  ])('%j: %i ms', (lines, millis) => {
    expect(readRobots(lines.join('\n'), 'Surefoot').delayMillis).toBe(millis);
  });
});
