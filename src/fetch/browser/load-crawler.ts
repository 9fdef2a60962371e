// Loads Crawlee's browser packages without the door that they open.
import { createRequire } from 'node:module';

import type * as LaneCrawler from './lane-crawler.ts';

/** As @crawlee/browser-pool 3.18.1 is loaded (proxy-server.js), it opens a proxy that forwards for whoever finds its port, on
 *  all of this machine's addresses, so that Playwright has one to name at the start of a browser. Here none is named, and
 *  none is opened. */
export async function loadBrowserCrawler(): Promise<typeof LaneCrawler> {
  const fromPool = createRequire(createRequire(import.meta.url).resolve('@crawlee/browser-pool'));
  const { Server } = fromPool('proxy-chain') as { Server: { prototype: { listen: () => Promise<void> } } };
  const { listen } = Server.prototype;
  Server.prototype.listen = async () => {};
  try {
    return await import('./lane-crawler.ts');
  } finally {
    Server.prototype.listen = listen;
  }
}
