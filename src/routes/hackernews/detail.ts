// DETAIL: a story's own page, item?id=… Pushes one STORY. Anything but the id may be missing: job ads have no author,
// dead stories no link. A missing field becomes null or 0; it never throws, for throwing means "fetch this page again".
import type { Dom, Handler } from '../../core/page.ts';
import { type DetailData, toCount, toItemId, toText, toUrl } from './records.ts';

// The newest markup first, then that of 2022 and 2020, which saved pages and mirrors still have.
const TITLE_LINK = '.titleline > a, a.titlelink, a.storylink';

export const detail: Handler<DetailData> = async (page) => {
  const { $, request, response } = page;
  const story = storyOf($);
  const titleLink = story.find(TITLE_LINK).first();
  // Score, author and comment count are only ever read from the line under the title: comments have authors too.
  const subtext = story.find('.subtext').first();

  const id = idOf(response.url, story);
  const title = toText(titleLink.text());
  if (title === null) page.log.debug(`No story title on ${response.url}, linked from ${request.userData.foundOn ?? 'the input'}`);

  await page.pushData({
    id,
    title,
    url: toUrl(titleLink.attr('href'), response.url),
    score: toCount(subtext.find('.score').first().text()),
    author: toText(subtext.find('.hnuser').first().text()),
    commentCount: commentCountOf($, subtext),
    itemUrl: id === undefined ? response.url : new URL(`item?id=${id}`, response.url).href,
    fetchedAt: page.fetchedAt,
    tier: page.tier,
  });
};

type Selection = ReturnType<Dom>;

/** The story's own part of the page, without the comments: its block or, where there is none, its row and the next. */
function storyOf($: Dom): Selection {
  const block = $('table.fatitem').first();
  if (block.length > 0) return block;
  const row = $('tr.athing:not(.comtr)').first();
  return row.add(row.next());
}

/** From the address or, should that hold none, from the story's row. */
function idOf(url: string, story: Selection): number | undefined {
  const row = story.find('tr.athing').addBack('tr.athing');
  return toItemId(new URL(url).searchParams.get('id')) ?? toItemId(row.attr('id'));
}

/** "124 comments" (with a no-break space, which \s includes) or "1 comment"; "discuss", or nothing, is 0. */
function commentCountOf($: Dom, subtext: Selection): number {
  const links = subtext.find('a').toArray();
  return toCount(links.map((link) => $(link).text()).find((text) => /^\s*[\d,]+\s+comments?\s*$/.test(text)));
}
