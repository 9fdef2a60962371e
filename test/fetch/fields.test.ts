// Declared fields: one pass over the text and the whole tree give the same values, on pages of every kind.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attribute, fields, many, one, present, text, texts, type Declaration } from '../../src/core/fields.ts';
import { demoStory } from '../../src/demo/stories.ts';
import { itemPage, listPage } from '../../src/demo/pages.ts';
import { openText, parse } from '../../src/fetch/document.ts';
import { planOf } from '../../src/fetch/fields/plan.ts';
import { readByTree } from '../../src/fetch/fields/tree.ts';
import { STORY_BLOCK } from '../../src/routes/hackernews/detail.ts';
import { STORY_ROWS } from '../../src/routes/hackernews/list.ts';

const REAL = '/work/shared/real-pages/hn';

const EVERYTHING = fields({
  title: text('title'),
  first: text('p, td.title a[href]'),
  links: texts('table a'),
  last: attribute('td > a', 'href'),
  has: present('div.comment:not(.x)'),
  rows: many('tr', { id: attribute(null, 'id'), cells: many('td', { text: text('a'), bold: present('b') }) }),
  block: one('table', { inner: one('table', { all: texts('td') }), name: attribute(null, 'class') }),
});

const BY_ATTRIBUTES = fields({
  one: texts('[href="/x?a=1&b"]'),
  start: texts('a[href^="/x"], [class^=c]'),
  end: texts('[id$="7"]'),
  any: texts('[src*=x], [data-by*=B]'),
  folded: texts('[rel=NEXT], [type="Text/Css"], [data-by=bob i]'),
  word: texts('[data-by~=bob]'),
});

/** As text, then as a tree. */
function bothWays(html: string, declared: Declaration, xmlMode = false): [unknown, unknown] {
  return [openText(html, { xmlMode }).read(declared), readByTree(parse(html, xmlMode), declared)];
}

function expectSame(html: string, declared: Declaration, xmlMode = false): unknown {
  const [byText, byTree] = bothWays(html, declared, xmlMode);
  expect(byText).toEqual(byTree);
  return byText;
}

const OURS = [STORY_BLOCK, STORY_ROWS, EVERYTHING, BY_ATTRIBUTES] as const;

describe('both ways give equal values', () => {
  it('are two ways: none of these declarations needs the tree', () => {
    for (const declared of OURS) expect(planOf(declared, false)).not.toBeNull();
  });

  it('on the pages of the demo site', () => {
    for (let index = 0; index < 60; index += 1) for (const declared of OURS) expectSame(itemPage(demoStory(index)), declared);
    for (let page = 1; page <= 3; page += 1)
      for (const declared of OURS) expectSame(listPage(page, { stories: 90, perPage: 30 }), declared);
    expect(expectSame(itemPage(demoStory(0)), STORY_BLOCK)).toMatchObject({ story: { title: demoStory(0).title } });
  });

  it.skipIf(!existsSync(REAL))('on every saved page of Hacker News', () => {
    const pages = readdirSync(REAL).filter((name) => name.endsWith('.html'));
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) for (const declared of OURS) expectSame(readFileSync(join(REAL, page), 'utf8'), declared);
  });

  it('on any markup, however broken', () => {
    const piece = fc.constantFrom(
      '<table class="fatitem">',
      '<table>',
      '</table>',
      '<tr class="athing" id="7">',
      '<tr>',
      '</tr>',
      '<td class="title">',
      '<td>',
      '</td>',
      '<a href="/x?a=1&amp;b">',
      '<a>',
      '</a>',
      '<p>',
      '</p>',
      '<b>',
      '</b>',
      '<br/>',
      '</br>',
      '<img src=x>',
      '<a rel=next>',
      '<a data-by="Al Bob">',
      '<p data-by="bob al">',
      '<b type=text/css>',
      '<div class="comment">',
      '<div class=" x comment">',
      '</div>',
      '<span class="titleline">',
      '</span>',
      'text',
      '&lt;',
      '&nbsp;',
      '<script>if (a < b) "<td>"</script>',
      '<!-- <a> -->',
      '<style>',
      '</style>',
      '<title>',
      '</title>',
      '<',
      '"',
      '<![CDATA[x]]>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, xmlMode) => {
        for (const declared of OURS) expectSame(pieces.join(''), declared, xmlMode);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['tr:has(td b)', 'td + td', 'td ~ td', 'tr:first-child', 'a[href!="x"]', '> td', 'td:contains(x)'])(
    'with %s, which only the tree can tell',
    (selector) => {
      const declared = fields({ rows: many('tr', { found: text(selector), all: texts(selector) }), any: present('td') });
      expect(planOf(declared, false)).toBeNull();
      expectSame('<table><tr><td>a<td><b>x</b><a href="http://a">l</a></tr><tr><td>c</tr></table>', declared);
    },
  );
});

describe('a pass', () => {
  it('ends as soon as everything is known: what comes after is not read', () => {
    const story = itemPage(demoStory(1));
    const [known] = bothWays(story, STORY_BLOCK);
    const cut = story.indexOf('class="comment-tree"');
    expect(openText(story.slice(0, cut)).read(STORY_BLOCK)).toEqual(known);
    // An endless tail costs nothing.
    const started = performance.now();
    expect(openText(story.slice(0, cut) + '<b>x</b>'.repeat(300_000)).read(STORY_BLOCK)).toEqual(known);
    const whole = performance.now() - started;
    const all = fields({ last: text('u'), story: STORY_BLOCK.fields.story });
    const again = performance.now();
    openText(story.slice(0, cut) + '<b>x</b>'.repeat(300_000)).read(all);
    expect(whole).toBeLessThan(performance.now() - again);
  });

  it('without a required field gives null, by either way', () => {
    const declared = fields({ a: text('i'), b: one('u', { c: text('i') }) }, { required: ['b'] });
    expect(bothWays('<i>1</i>', declared)).toEqual([null, null]);
    expect(bothWays('<i>1</i><u></u>', declared)).toEqual([
      { a: '1', b: { c: null } },
      { a: '1', b: { c: null } },
    ]);
  });

  it('is as fast on a page that is as deep as it is long', () => {
    const started = performance.now();
    openText('<b>x'.repeat(300_000)).read(fields({ last: text('u') }));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('takes no attribute that an object has by itself', () => {
    expect(expectSame('<p>', fields({ a: attribute('p', 'constructor'), b: attribute('p', '__proto__') }))).toEqual({
      a: null,
      b: null,
    });
  });
});
