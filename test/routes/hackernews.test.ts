// The example site: which links a list page gives, and which record every variant of an item page gives.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { site } from '../../src/routes/hackernews/index.ts';
import { STORY, toCount, toItemId, toText, toUrl } from '../../src/routes/hackernews/records.ts';
import { handle, urlsOf } from './fake-page.ts';

const ORIGIN = 'https://mirror.test';
const COMMENT = `<tr class="athing comtr" id="901"><td><table><tr><td class="default"><span class="comhead"><a class="hnuser" href="user?id=eve">eve</a>
  <span class="score" id="score_901">999 points</span> <a href="item?id=901">77&nbsp;comments</a></span><div class="comment"><div class="commtext c00">hi</div></div></td></tr></table></td></tr>`;
const FLAGGED_COMMENT = `<tr class="athing comtr" id="902"><td class="default"><a class="hnuser">mallory</a><div class="comment">[flagged]</div></td></tr>`;
const COMMENTS = `<table class="comment-tree">${COMMENT}${FLAGGED_COMMENT}</table>`;

const titleRow = (cell: string, id = '7') =>
  `<tr class="athing submission" id="${id}"><td class="title"><span class="rank">1.</span></td><td class="title">${cell}</td></tr>`;
const subRow = (content: string) => `<tr><td colspan="2"></td><td class="subtext">${content}</td></tr>`;
const TITLE =
  '<span class="titleline"><a href="https://a.test/x?y=1&amp;z=2">A title</a><span class="sitebit"> (<a href="from?site=a.test">a.test</a>)</span></span>';
const SCORED = `<span class="score" id="score_7">41 points</span> by <a href="user?id=ann" class="hnuser">ann</a> <span class="age"><a href="item?id=7">6 hours ago</a></span> | <a href="hide?id=7">hide</a> | `;
const SUBLINE = `<span class="subline">${SCORED}<a href="item?id=7">12&nbsp;comments</a></span>`;
const itemPage = (rows: string) =>
  `<html><body><table id="hnmain"><tr><td><table class="fatitem">${rows}</table><br>${COMMENTS}</td></tr></table></body></html>`;

const FULL = {
  id: 7,
  title: 'A title',
  url: 'https://a.test/x?y=1&z=2',
  score: 41,
  author: 'ann',
  commentCount: 12,
  itemUrl: `${ORIGIN}/item?id=7`,
  fetchedAt: '2026-02-03T04:05:06.789Z',
  tier: 'http',
};
const EMPTY = { ...FULL, title: null, url: null, score: 0, author: null, commentCount: 0 };
const item = async (html: string, url = `${ORIGIN}/item?id=7`) => (await handle(url, html)).pushed;

describe('a story page gives exactly one record', () => {
  it.each<[string, string, object]>([
    ['markup of today', itemPage(titleRow(TITLE) + subRow(SUBLINE)), FULL],
    ['no subline', itemPage(titleRow(TITLE) + subRow(`${SCORED}<a href="item?id=7">12&nbsp;comments</a>`)), FULL],
    [
      'titlelink of 2022',
      itemPage(titleRow('<a href="https://b.test/" class="titlelink">Old</a>') + subRow(SUBLINE)),
      { ...FULL, title: 'Old', url: 'https://b.test/' },
    ],
    [
      'storylink of 2020',
      itemPage(titleRow('<a href="https://b.test/" class="storylink">Older</a>') + subRow(SUBLINE)),
      { ...FULL, title: 'Older', url: 'https://b.test/' },
    ],
    ['attributes in single quotes', itemPage(titleRow(TITLE) + subRow(SUBLINE)).replaceAll('"', "'"), FULL],
    [
      'saved by a browser: tbody, line breaks',
      itemPage(`<tbody>\n${titleRow(TITLE.replace('A title', '\n  A\n   title '))}\n${subRow(SUBLINE)}\n</tbody>`),
      FULL,
    ],
    ['no fatitem', `<table>${titleRow(TITLE)}${subRow(SUBLINE)}</table>${COMMENTS}`, FULL],
    ['no fatitem, tbody', `<table><tbody>${titleRow(TITLE)}\n${subRow(SUBLINE)}</tbody></table>${COMMENTS}`, FULL],
    ['fatitem never closed', itemPage(titleRow(TITLE) + subRow(SUBLINE)).replace('</table><br>', ''), FULL],
    [
      'one comment',
      itemPage(titleRow(TITLE) + subRow(`${SCORED}<a href="item?id=7">1 comment</a>`)),
      { ...FULL, commentCount: 1 },
    ],
    [
      'one point, thousands of comments',
      itemPage(titleRow(TITLE) + subRow(`${SCORED.replace('41 points', '1 point')}<a href="item?id=7">1,234&nbsp;comments</a>`)),
      { ...FULL, score: 1, commentCount: 1234 },
    ],
    ['thousands of points', itemPage(titleRow(TITLE) + subRow(SUBLINE.replace('41', '1,234'))), { ...FULL, score: 1234 }],
    ['discuss', itemPage(titleRow(TITLE) + subRow(`${SCORED}<a href="item?id=7">discuss</a>`)), { ...FULL, commentCount: 0 }],
    [
      'text post',
      itemPage(titleRow('<span class="titleline"><a href="item?id=7">Ask: why?</a></span>') + subRow(SUBLINE)),
      { ...FULL, title: 'Ask: why?', url: `${ORIGIN}/item?id=7` },
    ],
    [
      'job',
      itemPage(titleRow(TITLE) + subRow('<span class="age"><a href="item?id=7">4 days ago</a></span>')),
      { ...FULL, score: 0, author: null, commentCount: 0 },
    ],
    [
      'flagged: no link',
      itemPage(titleRow('<span class="titleline">[flagged]</span>') + subRow(SUBLINE)),
      { ...FULL, title: null, url: null },
    ],
    [
      'flagged: its site alone',
      itemPage(titleRow(TITLE.replace(/<a href="https.*?<\/a>/, '[flagged]')) + subRow(SUBLINE)),
      { ...FULL, title: null, url: null },
    ],
    ['dead: no link, no line', itemPage(titleRow('[dead]')), EMPTY],
    ['dead with its link', itemPage(titleRow(TITLE.replace('<a', '[dead] <a')) + subRow(SUBLINE)), FULL],
    [
      'new user: coloured name',
      itemPage(titleRow(TITLE) + subRow(SUBLINE.replace('>ann<', '><font color="#3c963c">ann</font><'))),
      FULL,
    ],
    [
      'a javascript: link',
      itemPage(titleRow('<span class="titleline"><a href="javascript:x()">Hm</a></span>') + subRow(SUBLINE)),
      { ...FULL, title: 'Hm', url: null },
    ],
    [
      'a broken link',
      itemPage(titleRow('<span class="titleline"><a href="https://[">Hm</a></span>') + subRow(SUBLINE)),
      { ...FULL, title: 'Hm', url: null },
    ],
    [
      'an empty title',
      itemPage(titleRow('<span class="titleline"><a href="https://b.test/"> </a></span>') + subRow(SUBLINE)),
      { ...FULL, title: null, url: 'https://b.test/' },
    ],
    [
      'scripts and signs of all kinds',
      itemPage(titleRow(TITLE.replace('A title', '=1+1 &lt;b&gt; ü 漢字 🚀 &quot;q&quot;')) + subRow(SUBLINE)),
      { ...FULL, title: '=1+1 <b> ü 漢字 🚀 "q"' },
    ],
    [
      'poll: scores of options',
      itemPage(
        titleRow(TITLE) +
          subRow(SUBLINE) +
          '<tr><td><table><tr class="athing" id="8"><td><span class="score">5 points</span></td></tr></table></td></tr>',
      ),
      FULL,
    ],
    [
      'a comment’s own page',
      itemPage(
        '<tr class="athing" id="7"><td class="default"><span class="comhead"><a class="hnuser">eve</a> <span class="onstory"> on: <a href="item?id=1">A story</a></span></span><div class="commtext c00">99 points</div></td></tr>',
      ),
      EMPTY,
    ],
    ['comments alone', `<html><body>${COMMENTS}</body></html>`, EMPTY],
    ['an empty page', '', EMPTY],
  ])('%s', async (_name, html, expected) => {
    const pushed = await item(html);
    expect(pushed).toEqual([expected]);
    expect(STORY.parse(pushed[0])).toEqual(expected);
  });

  it('the id comes from the story’s row when the address has none', async () => {
    const handled = await handle(`${ORIGIN}/saved/story.html`, itemPage(titleRow(TITLE) + subRow(SUBLINE)), { label: 'DETAIL' });
    expect(handled.pushed).toEqual([{ ...FULL, itemUrl: `${ORIGIN}/saved/item?id=7` }]);
  });

  it('a page without any id is pushed without one, and so rejected by the schema', async () => {
    const { pushed } = await handle(`${ORIGIN}/item?id=abc`, COMMENTS);
    expect(pushed).toHaveLength(1);
    expect(STORY.safeParse(pushed[0]).error?.issues.map((issue) => issue.path)).toEqual([['id']]);
  });

  it('resolves against the address the page came from, not the one that was asked for, and not <base>', async () => {
    const html = itemPage(
      '<base href="https://evil.test/">' + titleRow('<span class="titleline"><a href="item?id=7">T</a></span>') + subRow(SUBLINE),
    );
    const { pushed } = await handle(`${ORIGIN}/item?id=7`, html, { loadedUrl: 'http://127.0.0.1:81/hn/item?id=7' });
    expect(pushed).toMatchObject([{ url: 'http://127.0.0.1:81/hn/item?id=7', itemUrl: 'http://127.0.0.1:81/hn/item?id=7' }]);
  });
});

describe('a list page gives every story once, and the next page', () => {
  const row = (attributes: string, cells = '<td class="title"></td>') =>
    `<tr class="athing submission" ${attributes}>${cells}</tr>${subRow('')}`;
  const page = (rows: string, more = '') => `<table><tr><td><table>${rows}${more}</table></td></tr></table>`;
  const more = (href: string) => `<tr><td class='title'><a href='${href}' class='morelink' rel='next'>More</a></td></tr>`;

  it.each<[string, string, string, number[], string[]]>([
    ['news', '/news', page(row('id="1"') + row('id="2"'), more('?p=2')), [1, 2], ['/news?p=2']],
    ['the root', '/', page(row('id="1"'), more('?p=2')), [1], ['/?p=2']],
    ['2020: athing alone, news?p=', '/news', page("<tr class='athing' id='1'></tr>", more('news?p=2')), [1], ['/news?p=2']],
    ['newest', '/newest', page(row('id="1"'), more('newest?next=1&amp;n=31')), [1], ['/newest?next=1&n=31']],
    ['jobs', '/jobs', page(row('id="1"'), more('jobs?next=1&amp;n=31')), [1], ['/jobs?next=1&n=31']],
    [
      'front of a day',
      '/front?day=2024-02-29',
      page(row('id="1"'), more('front?day=2024-02-29&amp;p=2')),
      [1],
      ['/front?day=2024-02-29&p=2'],
    ],
    ['ask, last page', '/ask?p=9', page(row('id="1"')), [1], []],
    [
      'saved by a browser',
      '/news',
      page(`<tbody>${row('id="1"')}</tbody>`, more('https://mirror.test/news?p=2')),
      [1],
      ['/news?p=2'],
    ],
    [
      'rows without a usable id',
      '/news',
      page(row('') + row('id=""') + row('id="up_3"') + row('id="0"') + row('id="99999999999999999999"') + row('id="5"')),
      [5],
      [],
    ],
    ['comments between stories', '/news', page(row('id="1"') + COMMENT + FLAGGED_COMMENT + row('id="2"')), [1, 2], []],
    [
      'a comment whose cells are unknown',
      '/news',
      page(row('id="1"') + '<tr class="athing comtr" id="9"><td>gone</td></tr>'),
      [1],
      [],
    ],
    [
      'comments alone, as on /newcomments',
      '/newcomments',
      page('<tr class="athing" id="3"><td class="default"><a class="hnuser">eve</a></td></tr>', more('newcomments?next=3')),
      [],
      ['/newcomments?next=3'],
    ],
    ['a broken next link', '/news', page(row('id="1"'), more('https://[')), [1], []],
    ['an empty page', '/news', '', [], []],
  ])('%s', async (_name, path, html, ids, next) => {
    const handled = await handle(ORIGIN + path, html);
    expect(handled.label).toBe('LIST');
    expect(urlsOf(handled, 'DETAIL')).toEqual(ids.map((id) => `${ORIGIN}/item?id=${id}`));
    expect(urlsOf(handled, 'LIST')).toEqual(next.map((url) => ORIGIN + url));
    expect(handled).toMatchObject({ pushed: [], addCalls: 1 });
    expect(handled.added).toHaveLength(ids.length + next.length);
  });

  it('follows a redirect to another host and path', async () => {
    const handled = await handle('http://old.test/', page(row('id="1"'), more('?p=2')), {
      loadedUrl: 'https://new.test/hn/news',
    });
    expect(handled.added.map((request) => request.url)).toEqual([
      'https://new.test/hn/item?id=1',
      'https://new.test/hn/news?p=2',
    ]);
  });

  it('userData fits the schema of the label it goes to, and counts the pages', async () => {
    const handled = await handle(`${ORIGIN}/news?p=2`, page(row('id="1"'), more('?p=3')), { userData: { pageNumber: 2 } });
    expect(handled.added.map(({ label, userData }) => site.userData[label ?? '']?.strict().parse(userData))).toEqual([
      { foundOn: `${ORIGIN}/news?p=2` },
      { pageNumber: 3 },
    ]);
  });
});

it.each([
  ['https://news.ycombinator.com/news', 'LIST'],
  ['https://news.ycombinator.com/', 'LIST'],
  ['https://news.ycombinator.com/front?day=2024-01-01', 'LIST'],
  ['https://news.ycombinator.com/item?id=1', 'DETAIL'],
  ['http://127.0.0.1:8080/item?id=1&p=2', 'DETAIL'],
  ['https://mirror.test/hn/item?id=1', 'DETAIL'],
  ['https://mirror.test/items?id=1', 'LIST'],
  ['https://mirror.test/item', 'LIST'],
])('%s without a label is %s', (url, label) => {
  expect(site.labelOf(new URL(url))).toBe(label);
});

it('a start URL’s empty userData fits every label', () => {
  for (const schema of Object.values(site.userData)) expect(schema.safeParse({}).success).toBe(true);
});

describe('the record is strict', () => {
  it('the CSV’s columns are in the documented order', () => {
    expect(Object.keys(STORY.shape)).toEqual([
      'id',
      'title',
      'url',
      'score',
      'author',
      'commentCount',
      'itemUrl',
      'fetchedAt',
      'tier',
    ]);
  });

  it.each([
    ['id', '7'],
    ['id', 0],
    ['id', 7.5],
    ['id', undefined],
    ['title', ''],
    ['title', undefined],
    ['url', 'item?id=7'],
    ['score', -1],
    ['score', '41'],
    ['score', Number.NaN],
    ['author', ''],
    ['commentCount', 1.5],
    ['itemUrl', null],
    ['fetchedAt', 'yesterday'],
    ['tier', ''],
  ])('%s %j is rejected', (key, value) => {
    expect(STORY.safeParse(FULL).success).toBe(true);
    expect(STORY.safeParse({ ...FULL, [key]: value }).success).toBe(false);
  });
});

it.each<[unknown, unknown]>([
  [toItemId('123'), 123],
  [toItemId('012'), undefined],
  [toItemId(' 1'), undefined],
  [toItemId(null), undefined],
  [toItemId('1e3'), undefined],
  [toCount('1,234 points'), 1234],
  [toCount(' 1 point'), 1],
  [toCount('-3 points'), 0],
  [toCount('discuss'), 0],
  [toCount(undefined), 0],
  [toText(' a\n\t b '), 'a b'],
  [toText('a\u00a0b'), 'a\u00a0b'],
  [toText(' \n'), null],
  [toUrl('x', 'https://a.test/b/c'), 'https://a.test/b/x'],
  [toUrl('', 'https://a.test/'), null],
  [toUrl('//b.test', 'https://a.test/'), 'https://b.test/'],
  [toUrl('mailto:a@b.test', 'https://a.test/'), null],
  [toUrl('https://bücher.test/ü', 'https://a.test/'), 'https://xn--bcher-kva.test/%C3%BC'],
])('text of a page becomes a value: case %#', (actual, expected) => {
  expect(actual).toEqual(expected);
});

describe('real saved pages (SUREFOOT_REAL_PAGES; not part of the repository)', () => {
  const folder = join(process.env['SUREFOOT_REAL_PAGES'] ?? '/work/shared/real-pages', 'hn');
  const absent = !existsSync(folder);
  const files = absent ? [] : readdirSync(folder);
  const read = (start: string) => readFileSync(join(folder, files.find((file) => file.startsWith(start)) ?? start), 'utf8');

  it.skipIf(absent).each([
    ['list_news_', 'news', 'news?p=2'],
    ['list_jobs_', 'jobs', 'jobs?next=48816533&n=31'],
    ['old_storylink_', 'news', 'news?p=2'],
    ['old_titlelink_', 'news', 'news?p=2'],
  ])('%s: 30 stories and the next page', async (start, path, next) => {
    const handled = await handle(`https://news.ycombinator.com/${path}`, read(start));
    expect(new Set(urlsOf(handled, 'DETAIL')).size).toBe(30);
    expect(urlsOf(handled, 'DETAIL')).toHaveLength(30);
    expect(urlsOf(handled, 'LIST')).toEqual([`https://news.ycombinator.com/${next}`]);
  });

  it.skipIf(absent)('an item page: the story’s values, none of its 124 comments’', async () => {
    const { pushed } = await handle('https://news.ycombinator.com/item?id=48350598', read('item_story_'));
    expect(pushed.map((record) => STORY.parse(record))).toMatchObject([
      {
        id: 48350598,
        title: 'Chuwi Minibook X',
        url: 'https://tylercipriani.com/blog/2026/05/28/chuwi-minibook-x/',
        score: 148,
        author: 'thcipriani',
        commentCount: 124,
        itemUrl: 'https://news.ycombinator.com/item?id=48350598',
      },
    ]);
  });
});
