// Stock Crawlee, in a process of its own: PlaywrightCrawler as its documentation has it, with its own storage, over
// bench/target/application.ts. `tsx bench/peers/browser-stock.ts URL STORAGE_DIR CONCURRENCY BROWSER`
import { Dataset, log, PlaywrightCrawler } from '@crawlee/playwright';

const [url = '', , concurrency = '2', executablePath = ''] = process.argv.slice(2);
log.setLevel(log.LEVELS.ERROR);

await new PlaywrightCrawler({
  minConcurrency: Number(concurrency),
  maxConcurrency: Number(concurrency),
  launchContext: { launchOptions: { executablePath, args: ['--no-sandbox'] } },
  async requestHandler({ page, request, enqueueLinks }) {
    if (new URL(request.url).pathname !== '/item') {
      await enqueueLinks({ selector: 'a.item' });
      return;
    }
    await page.waitForSelector('.title');
    await Dataset.pushData({ title: await page.textContent('.title'), price: Number(await page.textContent('.price')) });
  },
}).run([url]);
process.exit(0);
