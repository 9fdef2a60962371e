// Stock Crawlee, in a process of its own: CheerioCrawler as its documentation has it, with its own storage, extracting and
// adding what the site in src/routes/hackernews does. `tsx bench/peers/stock-crawlee.ts URL`
import { CheerioCrawler, createCheerioRouter, Dataset, log } from '@crawlee/cheerio';

const [url = ''] = process.argv.slice(2);
log.setLevel(log.LEVELS.ERROR);

const router = createCheerioRouter();
router.addHandler('LIST', async ({ $, request, addRequests }) => {
  const base = request.loadedUrl;
  const ids = $('tr.athing:not(.comtr)')
    .toArray()
    .map((row) => $(row).attr('id'));
  const more = $('a.morelink').attr('href');
  await addRequests([
    ...ids.map((id) => ({ url: new URL(`item?id=${id}`, base).href, label: 'DETAIL' })),
    ...(more === undefined ? [] : [{ url: new URL(more, base).href, label: 'LIST' }]),
  ]);
});
router.addHandler('DETAIL', async ({ $, request }) => {
  const story = $('table.fatitem').first();
  const link = story.find('.titleline > a, a.titlelink, a.storylink').first();
  const subtext = story.find('.subtext').first();
  const comments = subtext
    .find('a')
    .toArray()
    .map((anchor) => $(anchor).text())
    .find((text) => /comment/.test(text));
  await Dataset.pushData({
    id: Number(new URL(request.url).searchParams.get('id')),
    title: link.text(),
    url: link.attr('href'),
    score: Number.parseInt(subtext.find('.score').first().text(), 10) || 0,
    author: subtext.find('.hnuser').first().text() || null,
    commentCount: Number.parseInt(comments ?? '0', 10) || 0,
  });
});

await new CheerioCrawler({ requestHandler: router, maxConcurrency: 50 }).run([{ url, label: 'LIST' }]);
