// Which browser the browser lane uses. Pure: what is there is asked of `there`; browser-crawler.ts starts what is found.
import { posix, win32 } from 'node:path';

import { SurefootError } from '../../core/errors.ts';

export interface FoundBrowser {
  readonly path: string;
  /** For people: `--browser-path`, `CRAWLEE_DEFAULT_BROWSER_PATH`, `Playwright's download`, `the system`. */
  readonly source: string;
  /** `156.0.8078.79`; '' where it cannot be asked (Windows). */
  readonly version: string;
}

export interface FindBrowserOptions {
  /** `--browser-path`. */
  readonly browserPath?: string | undefined;
  /** CRAWLEE_DEFAULT_BROWSER_PATH. */
  readonly defaultPath?: string | undefined;
  /** PATH, as the system writes it. */
  readonly searchPath: string;
  readonly platform: NodeJS.Platform;
  /** The folder of the user who runs this. */
  readonly home: string;
  readonly there: {
    exists(path: string): boolean;
    /** What `<path> --version` prints; null if it does not run. */
    versionOf(path: string): string | null;
    /** Where Playwright puts what it downloads: `chromium.executablePath()`. */
    playwrightPath(): string | null;
    /** The names in a folder; none if there is no such folder. */
    list(folder: string): readonly string[];
  };
}

/** In PATH, the lightest first. */
export const SYSTEM_NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
] as const;

const ELSEWHERE: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  win32: [
    String.raw`C:\Program Files\Google\Chrome\Application\chrome.exe`,
    String.raw`C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`,
    String.raw`C:\Program Files\Chromium\Application\chrome.exe`,
    String.raw`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`,
  ],
};

/** @returns The first that is there and runs; or `none`, a message with where it was looked for and what helps.
 *  @throws {SurefootError} kind `input`: the browser that `--browser-path` names is not there or does not run. */
export function findBrowser(options: FindBrowserOptions): FoundBrowser | { readonly none: string } {
  const { browserPath, defaultPath, platform, there } = options;
  const looked: string[] = [];
  const tried = (path: string, source: string): FoundBrowser | null => {
    const problem = problemOf(path, options);
    if (typeof problem !== 'string') return { path, source, version: problem.version };
    looked.push(`${path} (${problem})`);
    return null;
  };

  if (browserPath !== undefined) {
    const found = tried(browserPath, '--browser-path');
    if (found) return found;
    throw new SurefootError(
      'input',
      `--browser-path names ${looked[0]}. Leave it out to use a browser that is installed, or run "npx playwright install chromium-headless-shell".`,
    );
  }
  if (defaultPath) {
    const found = tried(defaultPath, 'CRAWLEE_DEFAULT_BROWSER_PATH');
    if (found) return found;
  }
  for (const path of playwrightPaths(options)) {
    if (!there.exists(path)) continue;
    const found = tried(path, "Playwright's download");
    if (found) return found;
  }
  if (looked.length === (defaultPath ? 1 : 0)) looked.push("Playwright's download (not there)");
  for (const path of systemPaths(options)) {
    if (!there.exists(path)) continue;
    const found = tried(path, 'the system');
    if (found) return found;
  }
  const names = platform === 'win32' ? 'Chrome, Chromium and Edge in their usual places' : `${SYSTEM_NAMES.join(', ')} in PATH`;
  return {
    none:
      `No browser was found. It was looked for as ${[...looked, names].join(', ')}. ` +
      `One of these brings one: "npx playwright install chromium-headless-shell"${platform === 'linux' ? ', "apt-get install chromium-headless-shell" (Debian, as root)' : ''}; or name yours with --browser-path.`,
  };
}

/** What is wrong with it, in words, or its version. */
function problemOf(path: string, { platform, there }: FindBrowserOptions): string | { version: string } {
  if (!there.exists(path)) return 'not there';
  // chrome.exe --version opens a window instead.
  if (platform === 'win32') return { version: '' };
  const version = /\d+(?:\.\d+){1,3}/.exec(there.versionOf(path) ?? '')?.[0];
  return version === undefined ? 'does not run' : { version };
}

/** Its Chromium, and beside it the headless shell of the same revision (Playwright does not say where that is):
 *  `ms-playwright/chromium-1228/…` and `ms-playwright/chromium_headless_shell-1228/<folder>/<program>`. */
function playwrightPaths({ platform, there }: FindBrowserOptions): string[] {
  const chromium = there.playwrightPath();
  if (chromium === null) return [];
  const { sep, join } = platform === 'win32' ? win32 : posix;
  const parts = chromium.split(sep);
  const at = parts.findIndex((part) => /^chromium-\d+$/.test(part));
  if (at === -1) return [chromium];
  const shell = [...parts.slice(0, at), (parts[at] ?? '').replace('chromium-', 'chromium_headless_shell-')].join(sep);
  const programs = there
    .list(shell)
    .flatMap((folder) => there.list(join(shell, folder)).map((file) => join(shell, folder, file)))
    .filter((path) => /[/\\](?:chrome-headless-shell|headless_shell)(?:\.exe)?$/.test(path));
  return [...programs, chromium];
}

function systemPaths({ searchPath, platform, home }: FindBrowserOptions): string[] {
  if (platform === 'win32') {
    const own = win32.join(home, 'AppData', 'Local', 'Google', 'Chrome', 'Application', 'chrome.exe');
    return [...(ELSEWHERE.win32 ?? []), own];
  }
  const folders = searchPath.split(':').filter(Boolean);
  return [...SYSTEM_NAMES.flatMap((name) => folders.map((folder) => posix.join(folder, name))), ...(ELSEWHERE[platform] ?? [])];
}
