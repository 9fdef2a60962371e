// LIST: news, newest, ask, show, jobs, front?day=… Adds every story's page, and the next list page.
import type { Handler } from '../../core/page.ts';
import { type ListData, toItemId, toUrl } from './records.ts';

// A comment's row is an `athing` too: `comtr` among a story's comments, without a mark of its own on /newcomments.
const STORY_ROW = 'tr.athing:not(.comtr):not(:has(td.default))';

export const list: Handler<ListData> = async (page) => {
  const { $, request, response } = page;

  // Links are relative and a request may have been redirected: resolve against where the page really came from.
  const stories = $(STORY_ROW)
    .toArray()
    .map((row) => toItemId($(row).attr('id')))
    .filter((id) => id !== undefined)
    .map((id) => ({
      url: new URL(`item?id=${id}`, response.url).href,
      label: 'DETAIL',
      userData: { foundOn: response.url },
    }));

  const { pageNumber } = request.userData;
  const moreUrl = toUrl($('a.morelink').attr('href'), response.url);
  const more = moreUrl === null ? [] : [{ url: moreUrl, label: 'LIST', userData: { pageNumber: pageNumber + 1 } }];

  // Add what you find, however often you find it: a URL that is known already is skipped.
  await page.addRequests([...stories, ...more]);
  page.log.debug(`List page ${pageNumber}: ${stories.length} stories`, { url: response.url });
};
