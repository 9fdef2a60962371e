// The real Chromium on this machine, as a client of a test's own server.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

export interface Chromium {
  /** `chromium`, `chromium-headless-shell`. */
  readonly name: string;
  readonly version: string;
  /** Opens a page and whatever it leads to by itself. */
  visit(url: string): Promise<void>;
}

/** Time of the browser's own, which runs as fast as the machine allows. */
const PAGE_MILLIS = 3_000;

/** @param path Of the browser.
 *  @returns Null if it is not there. */
export function findChromium(path: string): Chromium | null {
  if (!existsSync(path)) return null;
  const version = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return {
    name: basename(path),
    version: /\d+(?:\.\d+)+/.exec(version)?.[0] ?? 'unknown',
    async visit(url) {
      const profile = mkdtempSync(join(tmpdir(), 'surefoot-chromium-'));
      const options = ['--headless', '--no-sandbox', '--disable-gpu', '--ignore-certificate-errors', '--lang=en-US'];
      try {
        const once = [`--user-data-dir=${profile}`, `--virtual-time-budget=${PAGE_MILLIS}`, '--dump-dom', url];
        await promisify(execFile)(path, [...options, ...once], { timeout: 60_000 });
      } finally {
        rmSync(profile, { recursive: true, maxRetries: 5 });
      }
    },
  };
}
