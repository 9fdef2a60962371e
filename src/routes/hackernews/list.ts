// LIST: /news, /newest, /ask, /show, /jobs, front?day=… Adds every story's page, and the next list page.
import { attribute, fields, many, present } from '../../core/fields.ts';
import type { Handler } from '../../core/page.ts';
import { type ListData, toItemId, toUrl } from './records.ts';

export const STORY_ROWS = fields({
  // A comment's row is an `athing` too: `comtr` among a story's comments, without a mark of its own on /newcomments.
  rows: many('tr.athing:not(.comtr)', { id: attribute(null, 'id'), isComment: present('td.default') }),
  more: attribute('a.morelink', 'href'),
});

export const list: Handler<ListData> = async (page) => {
  const { request, response } = page;
  const { rows = [], more: href = null } = page.read(STORY_ROWS) ?? {};

  // Links are relative and a request may have been redirected: resolve against where the page really came from.
  const stories = rows
    .filter(({ isComment }) => !isComment)
    .map(({ id }) => toItemId(id))
    .filter((id) => id !== undefined)
    .map((id) => ({
      url: new URL(`item?id=${id}`, response.url).href,
      label: 'DETAIL',
      userData: { foundOn: response.url },
    }));

  const { pageNumber } = request.userData;
  const moreUrl = toUrl(href ?? undefined, response.url);
  const more = moreUrl === null ? [] : [{ url: moreUrl, label: 'LIST', userData: { pageNumber: pageNumber + 1 } }];

  // Add what you find, however often you find it: a URL that is known already is skipped.
  await page.addRequests([...stories, ...more]);
  page.log.debug(`List page ${pageNumber}: ${stories.length} stories`);
};
