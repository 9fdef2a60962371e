// This project with handlers that use `$`, in a process of its own; all else is as the command `crawl` has it.
// `tsx bench/peers/by-tree.ts URL STORAGE_DIR`
import { withEngine } from '../../src/engine/engine.ts';
import { defineSite } from '../../src/core/site.ts';
import type { Page } from '../../src/core/page.ts';
import { loadInput } from '../../src/input/load.ts';
import { STORY, toCount, toItemId, toText, toUrl, USER_DATA } from '../../src/routes/hackernews/records.ts';
import { openStorage } from '../../src/storage/open.ts';
import { FLAGS } from '../processes.ts';

const [url = '', storageDir = ''] = process.argv.slice(2);

const site = defineSite({
  name: 'by-tree',
  startUrls: [],
  labelOf: ({ pathname }) => (pathname === '/item' ? 'DETAIL' : 'LIST'),
  userData: USER_DATA,
  record: STORY,
  routes: {
    async LIST({ $, request, response, addRequests }) {
      const stories = $('tr.athing:not(.comtr):not(:has(td.default))')
        .toArray()
        .map((row) => ({
          url: new URL(`item?id=${toItemId($(row).attr('id'))}`, response.url).href,
          label: 'DETAIL',
          userData: { foundOn: response.url },
        }));
      const more = toUrl($('a.morelink').attr('href'), response.url);
      const { pageNumber } = request.userData;
      const next = more === null ? [] : [{ url: more, label: 'LIST', userData: { pageNumber: pageNumber + 1 } }];
      await addRequests([...stories, ...next]);
    },
    async DETAIL(page: Page) {
      const { $, response } = page;
      const story = $('table.fatitem').first();
      const link = story.find('.titleline > a, a.titlelink, a.storylink').first();
      const subtext = story.find('.subtext').first();
      const texts = subtext
        .find('a')
        .toArray()
        .map((anchor) => $(anchor).text());
      await page.pushData({
        id: toItemId(new URL(response.url).searchParams.get('id')),
        title: toText(link.text()),
        url: toUrl(link.attr('href'), response.url),
        score: toCount(subtext.find('.score').first().text()),
        author: toText(subtext.find('.hnuser').first().text()),
        commentCount: toCount(texts.find((text) => /^\s*[\d,]+\s+comments?\s*$/.test(text))),
        itemUrl: response.url,
        fetchedAt: page.fetchedAt,
        tier: page.tier,
      });
    },
  },
});

const input = await loadInput([url, '--storage-dir', storageDir, ...FLAGS]);
if (input.kind !== 'settings') throw new Error('That was no crawl.');
const { settings } = input;
const storage = openStorage({ store: 'sqlite', storageDir, fresh: true });
const say = (text: string) => console.error(text);
await withEngine(
  {
    settings,
    startUrls: settings.startUrls,
    storage,
    site,
    proxies: null,
    say,
    onLogLine: say,
    maxRequests: undefined,
    cookies: [],
    forked: [],
    secrets: [],
    runId: 'bench',
    version: '0',
    searchPath: '',
    redact: (text) => text,
    onDeadLetter: ({ error }) => say(error),
    onSecondPass: () => {},
  },
  async (engine) => {
    await engine.frontier.addRequestsBatched([url]);
    await engine.run();
  },
);
await storage.close();
process.exit(0);
