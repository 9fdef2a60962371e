// A browser that can be ended also when it stands still (stopped, or its machine without memory). Playwright waits for its
// answer for ever then, and so does whoever closes it: a crawl would not end.
import type { Browser } from 'playwright';

import { ofBrowser } from './waits.ts';

/** @returns The same browser; its `close()` kills its process if it does not answer. */
export async function endableBrowser(browser: Browser): Promise<Browser> {
  const pid = await processOf(browser);
  const close = browser.close.bind(browser);
  browser.close = async (options) => {
    const closed = close(options);
    await ofBrowser(closed).catch(() => {
      if (pid !== null && browser.isConnected()) kill(pid);
    });
    await ofBrowser(closed).catch(() => {});
  };
  return browser;
}

/** Playwright tells no process that it has started. */
async function processOf(browser: Browser): Promise<number | null> {
  try {
    const cdp = await ofBrowser(browser.newBrowserCDPSession());
    const { processInfo } = await ofBrowser(cdp.send('SystemInfo.getProcessInfo'));
    await ofBrowser(cdp.detach());
    return processInfo.find(({ type }) => type === 'browser')?.id ?? null;
  } catch {
    return null; // It has just ended, or stands still already: whoever opens a page in it will say so.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
