// This project over bench/target/application.ts by its browser lane, in a process of its own; all else is as the command
// `crawl` has it. `tsx bench/peers/browser-ours.ts URL STORAGE_DIR CONCURRENCY`
import { z } from 'zod';

import { defineSite } from '../../src/core/site.ts';
import { withEngine } from '../../src/engine/engine.ts';
import { loadInput, readSearchPath } from '../../src/input/load.ts';
import { openStorage } from '../../src/storage/open.ts';

const [url = '', storageDir = '', concurrency = '2'] = process.argv.slice(2);

const site = defineSite({
  name: 'application',
  startUrls: [],
  labelOf: ({ pathname }) => (pathname === '/item' ? 'DETAIL' : 'LIST'),
  userData: { LIST: z.looseObject({}), DETAIL: z.looseObject({}) },
  record: z.object({ title: z.string().min(1), price: z.number() }),
  tier: { DETAIL: 'browser' },
  routes: {
    LIST: async (page) => void (await page.enqueueLinks({ selector: 'a.item', label: 'DETAIL' })),
    DETAIL: async ({ $, pushData }) => pushData({ title: $('.title').text(), price: Number($('.price').text()) }),
  },
});

const flags = ['--browser-concurrency', concurrency, '--host-concurrency', '50', '--ignore-robots', '--quiet'];
const input = await loadInput([url, '--storage-dir', storageDir, ...flags]);
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
    searchPath: readSearchPath(),
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
