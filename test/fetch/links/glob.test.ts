import { createRequire } from 'node:module';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { matcherOf } from '../../../src/fetch/links/glob.ts';

interface Minimatch {
  match(text: string): boolean;
}
/** Crawlee's own. */
const { Minimatch } = createRequire(createRequire(import.meta.url).resolve('@crawlee/core'))('minimatch') as {
  Minimatch: new (glob: string, options: { nocase: boolean; dot: boolean }) => Minimatch;
};

const H = 'http://h.example';

describe('a glob matches', () => {
  it.each([
    [`${H}/**`, `${H}/wiki/.NET`],
    [`${H}/**`, `${H}/q?u=http://h/../.x/`],
    [`${H}/*`, `${H}/.well-known`],
    [`${H}/**/*.html`, `${H}/a/.b/c.html`],
    [`${H}/**/*.html`, `${H}/c.html`],
    [`${H}/books/*`, `${H}/books/7`],
    [`${H}/books/*`, `${H}/books/7/`],
    [`${H}/books/*`, `${H}/books/7?page=2`],
    [`${H}/books/*`, `${H}//books///7`],
    [`${H}/item?id=*`, `${H}/item?id=7`],
    ['**/item?id=*', `${H}/item?id=7`],
    ['http{s,}://h.example/**', 'https://h.example/'],
    [`${H}/{a,b{c,d}}/x`, `${H}/bd/x`],
    [`${H}/{09..11}`, `${H}/10`],
    [`${H}/{a}`, `${H}/{a}`],
    [`${H}/[a-c]?`, `${H}/bx`],
    [`${H}/[!a]`, `${H}/b`],
    [`${H}/@(a|b)c`, `${H}/bc`],
    [`${H}/!(a)`, `${H}/ab`],
    [`${H}/+(ab)`, `${H}/abab`],
    [`${H}/\\*`, `${H}/*`],
    [`${H}/a(b)`, `${H}/a(b)`],
    [`${H}/日*`, new URL(`${H}/日本`).href],
    ['HTTP://H.example/A', `${H}/a`],
    [` ${H}/a\n`, `${H}/a`],
    ['http://[::1]:81/**', 'http://[::1]:81/.a/b'],
    ['http://[2001:DB8::1]/*', 'http://[2001:db8::1]/a'],
    ['**', `${H}/any?thing`],
  ])('%s: %s', (glob, url) => expect(matcherOf(glob)(url)).toBe(true));
});

describe('a glob does not match', () => {
  it.each([
    [`${H}/*`, `${H}/`],
    [`${H}/*`, `${H}/a/b`],
    [`${H}/books/*`, `${H}/books`],
    [`${H}/books/*/`, `${H}/books/7`],
    [`${H}/**/*.html`, `${H}/a.htm`],
    [`${H}/a?b`, `${H}/a/b`],
    [`${H}/[!a]`, `${H}/a`],
    [`${H}/!(a)`, `${H}/a`],
    [`${H}/a.b`, `${H}/axb`],
    [`${H}/**`, 'http://h.example.evil/'],
    ['http://[::1]:81/**', 'http://1:81/'],
    ['', `${H}/`],
  ])('%s: %s', (glob, url) => expect(matcherOf(glob)(url)).toBe(false));
});

it('a glob means what minimatch takes it for, but for segments that begin with a dot', () => {
  const globs = ['a', 'b', '/', '*', '**', '/**/', '?', '{a,b}', '{1..3}', '[ab]', '[!a]', '.', 'x', '\\*', '{a}', '1', '?x=*'];
  const urls = ['a', 'b', '/', 'ab', '1', '2', 'x', '*', '.x', '?x=1', '{a}'];
  const text = (bits: readonly string[]) => fc.array(fc.constantFrom(...bits), { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text(globs), text(urls), (glob, url) => {
      fc.pre(!/\/\.\.?(?:\/|$)/.test(url));
      // A glob's own dots are resolved by minimatch; ours takes them as they stand.
      fc.pre(!/(?:^|\/)\.\.?(?:\/|$)/.test(glob));
      const wanted = new Minimatch(`${H}/${glob}`, { nocase: true, dot: true }).match(`${H}/${url}`);
      expect(matcherOf(`${H}/${glob}`)(`${H}/${url}`)).toBe(wanted);
    }),
    { numRuns: 5_000 },
  );
});

it('a glob with too many alternatives is refused in words', () => {
  expect(() => matcherOf(`${H}/{1..99}{1..99}`)).toThrow(/more than 1000 alternatives/);
});
