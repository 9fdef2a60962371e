// npm's `prepare`: sees to it that there is a browser for pages that need one. Playwright's download, else Debian's package.
// It needs no package to be installed yet, never fails an installation, and says in one line what it did. Not wanted:
// SUREFOOT_SKIP_BROWSER=1, or Playwright's own PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

// As in src/fetch/browser/find-browser.ts; a test keeps the two alike.
const SYSTEM_NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
];
const ELSEWHERE = {
  darwin: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files\\Chromium\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

const DOWNLOAD_MILLIS = 120_000;
const PACKAGE_MILLIS = 240_000;
/** Of `--version`. */
const ANSWER_MILLIS = 20_000;

const { env, platform } = process;

const outcome = await ensureBrowser().catch((error) => `none was installed (${String(error)}); the crawl goes on without one`);
process.stdout.write(`browser: ${outcome}\n`);
// Whatever still hangs must not hold an installation up.
process.exit(0);

async function ensureBrowser() {
  if (env.NODE_ENV === 'production' || (env.npm_config_omit ?? '').split(/[\s,]+/).includes('dev')) {
    return 'not looked for, as this is an installation for production';
  }
  if (env.SUREFOOT_SKIP_BROWSER || env.PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD) return 'not looked for, as the environment wants it';
  const known = await findBrowser();
  if (known) return `${known} is there`;

  const tried = [];
  const download = 'npx playwright install chromium-headless-shell';
  if (await run('npx', ['--no-install', 'playwright', 'install', 'chromium-headless-shell'], DOWNLOAD_MILLIS)) {
    const found = await findBrowser();
    if (found) return `${found} was downloaded by "${download}"`;
  }
  tried.push(download);

  if (process.getuid?.() === 0 && existsSync(env.SUREFOOT_DEBIAN_MARK ?? '/etc/debian_version')) {
    const command = 'apt-get install chromium-headless-shell';
    const ready = await run('apt-get', ['update'], PACKAGE_MILLIS);
    const install = ['install', '--yes', '--no-install-recommends', 'chromium-headless-shell'];
    if (ready && (await run('apt-get', install, PACKAGE_MILLIS))) {
      const found = await findBrowser();
      if (found) return `${found} was installed by "${command}"`;
    }
    tried.push(command);
  }
  return `none is there, and ${tried.map((command) => `"${command}"`).join(' and ')} did not bring one; pages that need one will say so`;
}

/** The path of one that runs, or null. */
async function findBrowser() {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const system = SYSTEM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const own = env.CRAWLEE_DEFAULT_BROWSER_PATH ? [env.CRAWLEE_DEFAULT_BROWSER_PATH] : [];
  for (const path of [...own, ...downloads(), ...system, ...(ELSEWHERE[platform] ?? [])]) {
    if (!isProgram(path)) continue;
    // chrome.exe --version opens a window instead.
    if (platform === 'win32' || (await run(path, ['--version'], ANSWER_MILLIS))) return path;
  }
  return null;
}

/** Playwright's Chromium, and its headless shell beside it. */
function downloads() {
  try {
    const chromium = createRequire(import.meta.url)('playwright').chromium.executablePath();
    const shell = /^(.*[/\\])chromium-(\d+)[/\\]/.exec(chromium);
    if (!shell) return [chromium];
    const folder = `${shell[1]}chromium_headless_shell-${shell[2]}`;
    const files = existsSync(folder) ? readdirSync(folder, { recursive: true }).map((file) => join(folder, String(file))) : [];
    return [...files.filter((file) => /[/\\](?:chrome-headless-shell|headless_shell)(?:\.exe)?$/.test(file)), chromium];
  } catch {
    return []; // Not installed yet.
  }
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a command ends well and in time. What it starts ends with it. */
function run(command, args, millis) {
  return new Promise((resolve) => {
    const group = platform !== 'win32';
    const child = spawn(command, args, {
      stdio: 'ignore',
      detached: group,
      shell: !group && command === 'npx',
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const late = setTimeout(() => {
      try {
        if (group && child.pid) process.kill(-child.pid, 'SIGKILL');
        else child.kill();
      } catch {
        // It has just ended.
      }
      resolve(false);
    }, millis);
    const end = (well) => {
      clearTimeout(late);
      resolve(well);
    };
    child.once('error', () => end(false));
    child.once('exit', (code) => end(code === 0));
  });
}
