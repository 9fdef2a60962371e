// Starts the browser: which library drives it, and with which switches.
import { existsSync } from 'node:fs';

import type { Browser, BrowserType } from 'playwright';

import { SurefootError } from '../../core/errors.ts';
import { endableBrowser } from './endable.ts';
import type { FoundBrowser } from './find-browser.ts';
import { chromeUserAgent, type Machine } from './identity.ts';

/** `patchright` is Playwright without Runtime.enable, which a page can notice. */
export type BrowserKind = 'playwright' | 'patchright';

export interface LauncherOptions {
  kind: BrowserKind;
  browser: FoundBrowser;
  machine: Machine;
  /** Whether Chromium may build its sandbox. It cannot as root, and seldom in a container. */
  sandbox: boolean;
}

/** For a start; Playwright would wait three times as long. */
const LAUNCH_MILLIS = 60_000;

const SWITCHES = [
  // One connection less that a proxy does not see, and that a closed network does not let out.
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // Or `navigator.webdriver` says what it is.
  '--disable-blink-features=AutomationControlled',
  // Where the environment names a proxy, Chromium takes it; here the crawl says what goes where.
  '--proxy-server=direct://',
  // A page's WebRTC would send UDP past any proxy, from this machine's own address.
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  // Frames of other sites would be targets of their own, past the rules for a page's requests and for what the browser
  // calls itself. The headless shell has none anyway. Contexts are processes of their own all the same.
  '--disable-site-isolation-trials',
];

/** @returns What starts one browser.
 *  @throws {SurefootError} kind `input`: the library is not installed. */
export async function createLauncher({ kind, browser, machine, sandbox }: LauncherOptions): Promise<() => Promise<Browser>> {
  const { chromium } = await loadLibrary(kind);
  const userAgent = chromeUserAgent(browser.version, machine);
  return async () => {
    const started = await chromium.launch({
      executablePath: browser.path,
      headless: true,
      // Playwright's own default is none.
      chromiumSandbox: sandbox,
      timeout: LAUNCH_MILLIS,
      // The crawl has its own way of being interrupted; Playwright's ends the process.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        ...SWITCHES,
        // For what no page's own rule reaches: workers that pages share.
        `--user-agent=${userAgent}`,
      ],
    });
    return endableBrowser(started);
  };
}

async function loadLibrary(kind: BrowserKind): Promise<{ chromium: BrowserType }> {
  if (kind === 'playwright') return import('playwright');
  try {
    // The same interface, from its own declarations.
    return (await import('patchright')) as unknown as { chromium: BrowserType };
  } catch (cause) {
    throw new SurefootError(
      'input',
      '--browser patchright needs the package patchright, which is not installed. Run "npm install patchright", or use --browser playwright.',
      { cause },
    );
  }
}

/** Whether Chromium's sandbox can work here. */
export function maySandbox(): boolean {
  return process.getuid?.() !== 0 && !existsSync('/.dockerenv');
}

/** What Playwright says of a browser that does not start, in one line, and the browser's own last words. */
export function describeLaunchError(error: Error): string {
  const text = error.message;
  const [first = ''] = text.replace(/^browserType\.launch: /, '').split('\n', 1);
  const own = [...text.matchAll(/\[err\] (.+)/g)].at(-1)?.[1];
  const said = first.includes('has been closed') ? 'it ended at once.' : first;
  return own === undefined ? said : `${said} ${own}`;
}
