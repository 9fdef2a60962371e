// DETAIL: a story's own page, item?id=… Pushes one STORY. Anything but the id may be missing: job ads have no author,
// dead stories no link. A missing field becomes null or 0; it never throws, for throwing means "fetch this page again".
import { attribute, fields, one, text, texts, type FieldValues } from '../../core/fields.ts';
import type { Dom, Handler } from '../../core/page.ts';
import { type DetailData, toCount, toItemId, toText, toUrl } from './records.ts';

// The newest markup first, then that of 2022 and 2020, which saved pages and mirrors still have.
const TITLE_LINK = '.titleline > a, a.titlelink, a.storylink';

/** The story's block, without the comments. Read in one pass that ends with the block: most of a page is comments. */
export const STORY_BLOCK = fields(
  {
    story: one('table.fatitem', {
      rowId: attribute('tr.athing', 'id'),
      title: text(TITLE_LINK),
      href: attribute(TITLE_LINK, 'href'),
      // Score, author and comment count are only ever read from the line under the title: comments have authors too.
      subtext: one('.subtext', { score: text('.score'), author: text('.hnuser'), links: texts('a') }),
    }),
  },
  { required: ['story'] },
);

type Story = NonNullable<FieldValues<(typeof STORY_BLOCK)['fields']>['story']>;

export const detail: Handler<DetailData> = async (page) => {
  const { request, response } = page;
  const story = page.read(STORY_BLOCK)?.story ?? storyByRow(page.$);
  const { subtext } = story;

  const id = toItemId(new URL(response.url).searchParams.get('id')) ?? toItemId(story.rowId);
  const title = toText(story.title ?? '');
  if (title === null) page.log.debug(`No story title, linked from ${request.userData.foundOn ?? 'the input'}`);

  await page.pushData({
    id,
    title,
    url: toUrl(story.href ?? undefined, response.url),
    score: toCount(subtext?.score ?? ''),
    author: toText(subtext?.author ?? ''),
    commentCount: toCount(subtext?.links.find(isCommentCount)),
    itemUrl: id === undefined ? response.url : new URL(`item?id=${id}`, response.url).href,
    fetchedAt: page.fetchedAt,
    tier: page.tier,
  });
};

/** "124 comments" (with a no-break space, which \s includes) or "1 comment"; "discuss", or nothing, is 0. */
function isCommentCount(link: string): boolean {
  return /^\s*[\d,]+\s+comments?\s*$/.test(link);
}

/** Where a page has no block for its story: its row, and the next one. */
function storyByRow($: Dom): Story {
  const row = $('tr.athing:not(.comtr)').first();
  const both = row.add(row.next());
  const titleLink = both.find(TITLE_LINK).first();
  const subtext = both.find('.subtext').first();
  return {
    rowId: row.attr('id') ?? null,
    title: titleLink.text(),
    href: titleLink.attr('href') ?? null,
    subtext: {
      score: subtext.find('.score').first().text(),
      author: subtext.find('.hnuser').first().text(),
      links: subtext
        .find('a')
        .toArray()
        .map((link) => $(link).text()),
    },
  };
}
