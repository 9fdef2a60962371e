// The browser of this machine: find-browser.ts, with real files and real programs to ask.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';

import { findBrowser, type FindBrowserOptions } from './find-browser.ts';

/** A start from a cold disk takes seconds. */
const VERSION_MILLIS = 20_000;

/** Loads Playwright, to ask it where its download is: for a crawl that needs a browser.
 *  @throws {SurefootError} As `findBrowser()`. */
export async function findBrowserHere(
  options: Pick<FindBrowserOptions, 'browserPath' | 'defaultPath' | 'searchPath'>,
): Promise<ReturnType<typeof findBrowser>> {
  const { chromium } = await import('playwright');
  return findBrowser({
    ...options,
    platform: process.platform,
    home: homedir(),
    there: {
      exists: existsSync,
      versionOf(path) {
        try {
          return execFileSync(path, ['--version'], {
            encoding: 'utf8',
            timeout: VERSION_MILLIS,
            stdio: ['ignore', 'pipe', 'ignore'],
          });
        } catch {
          return null;
        }
      },
      playwrightPath: () => chromium.executablePath() || null,
      list(folder) {
        try {
          return readdirSync(folder);
        } catch {
          return [];
        }
      },
    },
  });
}
