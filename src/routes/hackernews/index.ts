// The site "hackernews". To crawl your own site, copy this folder and go through its four files:
// here the labels and where to start, `list.ts` the links, `detail.ts` the fields, `records.ts` their types.
import { fields, present } from '../../core/fields.ts';
import { defineSite } from '../../core/site.ts';
import { detail } from './detail.ts';
import { list } from './list.ts';
import { STORY, USER_DATA } from './records.ts';

const ANY_ROW = fields({ row: present('tr.athing') });

export const site = defineSite({
  name: 'hackernews',
  startUrls: ['https://news.ycombinator.com/news'],
  // Asked for URLs that come without a label, such as those of the command line. Look at the path, never at the host:
  // the demo site and any mirror are crawled by the same code.
  labelOf: (url) => (url.pathname.endsWith('/item') && url.searchParams.has('id') ? 'DETAIL' : 'LIST'),
  // Hacker News answers 200 with a line of text, or with a list that has no rows, when it is asked too often.
  judge: (page) => (page.request.label === 'LIST' && page.read(ANY_ROW)?.row !== true ? 'throttled' : null),
  userData: USER_DATA,
  record: STORY,
  routes: { LIST: list, DETAIL: detail },
});
