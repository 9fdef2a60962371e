// Closes what asks for consent, by Crawlee's own helper, without the door that its packages open.
import { createRequire } from 'node:module';

import type { playwrightUtils } from '@crawlee/playwright';
import type { Page as BrowserPage } from 'playwright';

let loaded: Pick<typeof playwrightUtils, 'closeCookieModals'> | null = null;

/** Loaded for the first page that a site prepares: it takes half a second. */
export async function closeBanners(page: BrowserPage): Promise<void> {
  loaded ??= load();
  await loaded.closeCookieModals(page);
}

/** As @crawlee/browser-pool 3.18.1 is loaded (proxy-server.js), it opens a proxy that forwards for whoever finds its port, on
 *  all of this machine's addresses, so that Playwright has one to name at the start of a browser. Here none is named, and
 *  none is opened. */
function load(): typeof playwrightUtils {
  const require = createRequire(import.meta.url);
  const fromPool = createRequire(require.resolve('@crawlee/browser-pool'));
  const { Server } = fromPool('proxy-chain') as { Server: { prototype: { listen: () => Promise<void> } } };
  const { listen } = Server.prototype;
  Server.prototype.listen = async () => {};
  try {
    return (require('@crawlee/playwright') as { playwrightUtils: typeof playwrightUtils }).playwrightUtils;
  } finally {
    Server.prototype.listen = listen;
  }
}
