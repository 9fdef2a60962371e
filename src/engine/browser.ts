// Opens the browser lane's crawler on the browser that this machine has. Loads Playwright, so it is only called for a page
// that needs it.
import type { BaseHttpClient } from '@crawlee/core';

import { SurefootError } from '../core/errors.ts';
import { notFetchedCounter } from '../core/meta.ts';
import type { createHttpCrawler } from '../fetch/http-crawler.ts';
import { createErrorHandler } from '../fetch/outcome.ts';
import type { Reach } from '../fetch/clients/reach.ts';
import type { BrowserLane } from '../fetch/browser-crawler.ts';
import type { Frontier } from '../frontier/frontier.ts';
import type { Settings } from '../input/schema.ts';
import type { WaysOut } from './ways-out.ts';

type Common = Omit<Parameters<typeof createHttpCrawler>[0], 'frontier' | 'client' | 'concurrency'> & {
  client?: BaseHttpClient;
};

export interface OpenBrowserOptions extends Common {
  settings: Settings;
  frontier: Frontier;
  /** The frontier's view for this lane. */
  lane: BrowserLane;
  waysOut: WaysOut;
  reach: Reach;
  say: (text: string) => void;
  /** PATH. */
  searchPath: string;
}

/** @throws {SurefootError} No browser is here; the message says where it was looked for and what helps. */
export async function openBrowserCrawler(options: OpenBrowserOptions): Promise<{ run(): Promise<unknown> }> {
  const { settings, frontier, lane, waysOut, reach, say, searchPath, ...common } = options;
  const [{ findBrowserHere }, { createBrowserCrawler }] = await Promise.all([
    import('../fetch/browser/this-machine.ts'),
    import('../fetch/browser-crawler.ts'),
  ]);
  const { browserPath, crawleeBrowserPath: defaultPath } = settings;
  const browser = await findBrowserHere({ browserPath, defaultPath, searchPath });
  if ('none' in browser) throw new SurefootError('setup', browser.none);
  if (!settings.quiet) say(`Browser: ${browser.path} ${browser.version} (${browser.source}).`);
  return createBrowserCrawler({
    ...common,
    ...(waysOut.provider && { proxyConfiguration: waysOut.provider.pageConfiguration }),
    frontier: lane,
    concurrency: settings.browserConcurrency,
    handleError: createErrorHandler({ ...common, recourse: frontier }),
    reach,
    through: waysOut.relay.through,
    lastFault: waysOut.relay.lastFault,
    browser,
    kind: settings.browser,
    loadAssets: settings.loadAssets,
    onBlocked: (kind) => frontier.count(notFetchedCounter(kind)),
  });
}
