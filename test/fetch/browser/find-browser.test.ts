// Which browser is found, in which order, and what is said when there is none.
import { describe, expect, it } from 'vitest';

import { findBrowser, type FindBrowserOptions } from '../../../src/fetch/browser/find-browser.ts';

const SHELL = '/home/me/.cache/ms-playwright/chromium_headless_shell-1228/chrome-headless-shell-linux64/chrome-headless-shell';
const DOWNLOAD = '/home/me/.cache/ms-playwright/chromium-1228/chrome-linux64/chrome';

/** @param files Programs that are there, and what each says to --version. */
function find(files: Record<string, string | null>, options: Partial<Omit<FindBrowserOptions, 'there'>> = {}) {
  const paths = Object.keys(files);
  const sep = options.platform === 'win32' ? '\\' : '/';
  return findBrowser({
    searchPath: '/usr/local/bin:/usr/bin',
    platform: 'linux',
    home: '/home/me',
    ...options,
    there: {
      exists: (path) => Object.hasOwn(files, path),
      versionOf: (path) => files[path] ?? null,
      playwrightPath: () => DOWNLOAD,
      list: (folder) => [
        ...new Set(
          paths.filter((path) => path.startsWith(folder + sep)).map((path) => path.slice(folder.length + 1).split(sep)[0] ?? ''),
        ),
      ],
    },
  });
}

const all = {
  '/opt/mine': 'Chromium 101.0.1',
  '/opt/default': 'Chromium 102.0.1',
  [SHELL]: 'Google Chrome for Testing 149.0.7827.55',
  [DOWNLOAD]: 'Google Chrome for Testing 149.0.7827.55',
  '/usr/bin/chromium-headless-shell': 'Chromium 156.0.8078.79',
  '/usr/local/bin/chromium': 'Chromium 155.0.1.2 built on Debian',
  '/usr/bin/google-chrome': 'Google Chrome 154.0.1.2 ',
};

describe('a browser is looked for', () => {
  it.each([
    ['--browser-path', '/opt/mine', '101.0.1', { browserPath: '/opt/mine', defaultPath: '/opt/default' }, []],
    ['CRAWLEE_DEFAULT_BROWSER_PATH', '/opt/default', '102.0.1', { defaultPath: '/opt/default' }, []],
    ["Playwright's download", SHELL, '149.0.7827.55', {}, []],
    ["Playwright's download", DOWNLOAD, '149.0.7827.55', { defaultPath: '/not/there' }, [SHELL]],
    ['the system', '/usr/bin/chromium-headless-shell', '156.0.8078.79', {}, [SHELL, DOWNLOAD]],
    ['the system', '/usr/local/bin/chromium', '155.0.1.2', {}, [SHELL, DOWNLOAD, '/usr/bin/chromium-headless-shell']],
  ])('by %s: %s', (source, path, version, options, without) => {
    const files = Object.fromEntries(Object.entries(all).filter(([file]) => !(without as string[]).includes(file)));
    expect(find(files, options)).toEqual({ source, path, version });
  });

  it('and passed over if it does not run, as a stub of a package manager', () => {
    expect(find({ '/usr/bin/chromium-browser': null, '/usr/bin/google-chrome': 'Google Chrome 154.0.1.2' })).toMatchObject({
      path: '/usr/bin/google-chrome',
    });
  });

  it.each([
    ['darwin', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '154.0.1.2'],
    ['win32', String.raw`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, ''],
    ['win32', String.raw`C:\Users\me\AppData\Local\Google\Chrome\Application\chrome.exe`, ''],
  ] as const)('on %s where its installer puts it: %s', (platform, path, version) => {
    const home = platform === 'win32' ? String.raw`C:\Users\me` : '/Users/me';
    expect(find({ [path]: 'Google Chrome 154.0.1.2' }, { platform, home })).toEqual({ path, version, source: 'the system' });
  });
});

describe('without a browser', () => {
  it('the message lists where it was looked for and the commands that help', () => {
    const found = find({ '/usr/bin/chromium-browser': null }, { defaultPath: '/opt/default' });
    expect(found).toEqual({
      none:
        "No browser was found. It was looked for as /opt/default (not there), Playwright's download (not there), " +
        '/usr/bin/chromium-browser (does not run), chromium-headless-shell, chromium, chromium-browser, google-chrome, ' +
        'google-chrome-stable, microsoft-edge in PATH. One of these brings one: "npx playwright install chromium-headless-shell", ' +
        '"apt-get install chromium-headless-shell" (Debian, as root); or name yours with --browser-path.',
    });
  });

  it.each([
    ['/opt/none', 'not there'],
    ['/opt/broken', 'does not run'],
  ])('a --browser-path of %s (%s) is an error, whatever else is there', (browserPath, problem) => {
    expect(() => find({ ...all, '/opt/broken': null }, { browserPath })).toThrow(
      `[input] --browser-path names ${browserPath} (${problem}).`,
    );
  });
});
