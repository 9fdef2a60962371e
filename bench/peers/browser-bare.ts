// Playwright alone, in a process of its own: a page for each place, used again, or a context for each page.
// `tsx bench/peers/browser-bare.ts URL STORAGE_DIR CONCURRENCY BROWSER again|context`
import { chromium, type Page } from 'playwright';

const [url = '', , concurrency = '2', executablePath = '', way = 'again'] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const first = await browser.newPage();
await first.goto(url);
const waiting = await first.$$eval('a.item', (links) => links.map((link) => (link as unknown as { href: string }).href));
await first.close();

async function read(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.waitForSelector('.title');
  await page.content();
}

await Promise.all(
  Array.from({ length: Number(concurrency) }, async () => {
    const kept = way === 'again' ? await (await browser.newContext()).newPage() : null;
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      if (kept) {
        await read(kept, address);
        continue;
      }
      const context = await browser.newContext();
      await read(await context.newPage(), address);
      await context.close();
    }
  }),
);
await browser.close();
process.exit(0);
