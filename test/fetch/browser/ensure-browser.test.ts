// npm's `prepare` with commands of the test's own: it brings a browser if it can, and never fails an installation.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { SYSTEM_NAMES } from '../../../src/fetch/browser/find-browser.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/ensure-browser.mjs');

/** @param commands Shell scripts by name: all there is in PATH. `$BIN` is their folder. */
function prepare(commands: Record<string, string>, env: Record<string, string> = {}) {
  const bin = mkdtempSync(join(tmpdir(), 'surefoot-bin-'));
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
  const add = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  for (const [name, script] of Object.entries(commands)) add(name, `echo "${name} $*" >> "$BIN/log"\n${script}`);
  writeFileSync(join(bin, 'log'), '');
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], {
    encoding: 'utf8',
    timeout: 60_000,
    // Playwright's own folder is an empty one; its download cannot be there.
    env: { PATH: bin, BIN: bin, HOME: bin, PLAYWRIGHT_BROWSERS_PATH: join(bin, 'none'), ...env },
  });
  const ran = readFileSync(join(bin, 'log'), 'utf8').trim().split('\n').filter(Boolean);
  return { status, stderr, said: stdout.trim().split('\n'), ran, bin };
}

const BROWSER = 'echo "Chromium 156.0"';
const MAKES_BROWSER = String.raw`printf '#!/bin/sh\necho "Chromium 156.0"\n' > "$BIN/chromium-headless-shell"; /bin/chmod +x "$BIN/chromium-headless-shell"`;
const isRoot = process.getuid?.() === 0;
const DEBIAN = { SUREFOOT_DEBIAN_MARK: '/dev/null' };
const NOT_DEBIAN = { SUREFOOT_DEBIAN_MARK: '/not/there' };

it('does nothing when a browser is there', () => {
  const { status, said, ran, bin } = prepare({ chromium: BROWSER, npx: 'exit 1', 'apt-get': 'exit 1' });
  expect({ status, said, ran }).toEqual({
    status: 0,
    said: [`browser: ${bin}/chromium is there`],
    ran: ['chromium --version'],
  });
});

it.each([
  ['NODE_ENV', { NODE_ENV: 'production' }],
  ['--omit=dev', { npm_config_omit: 'optional dev' }],
  ['SUREFOOT_SKIP_BROWSER', { SUREFOOT_SKIP_BROWSER: '1' }],
])('does nothing where %s says so', (_, env) => {
  const { status, said, ran } = prepare({ npx: MAKES_BROWSER }, env);
  expect({ status, ran }).toEqual({ status: 0, ran: [] });
  expect(said).toEqual([expect.stringContaining('not looked for')]);
});

it('downloads one, and installs nothing besides', () => {
  const { status, said, ran } = prepare({ npx: MAKES_BROWSER, 'apt-get': 'exit 1' }, DEBIAN);
  expect(status).toBe(0);
  expect(said).toEqual([expect.stringMatching(/was downloaded by "npx playwright install chromium-headless-shell"$/)]);
  expect(ran).toEqual(['npx --no-install playwright install chromium-headless-shell']);
});

it.skipIf(!isRoot)('installs a package when the download fails, as root on Debian', () => {
  const { said, ran } = prepare({ npx: 'exit 1', 'apt-get': `[ "$1" = update ] || { ${MAKES_BROWSER}; }` }, DEBIAN);
  expect(said).toEqual([expect.stringMatching(/was installed by "apt-get install chromium-headless-shell"$/)]);
  expect(ran.slice(1)).toEqual(['apt-get update', 'apt-get install --yes --no-install-recommends chromium-headless-shell']);
});

it.each([
  ['nothing works', { npx: 'exit 1', 'apt-get': 'exit 1' }, DEBIAN],
  ['the download says it is well and brings nothing', { npx: 'exit 0' }, NOT_DEBIAN],
  ['there is no npx', {}, NOT_DEBIAN],
  ['the browser is a stub that does not run', { 'chromium-browser': 'exit 1', npx: 'exit 1' }, NOT_DEBIAN],
])('never fails an installation: %s', (_, commands, env) => {
  const { status, said, stderr } = prepare(commands, env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(said).toEqual([expect.stringMatching(/^browser: none is there, and "npx playwright install .+ did not bring one/)]);
});

it('looks for the same names as the crawl', () => {
  const names = /SYSTEM_NAMES = \[([^\]]+)\]/.exec(readFileSync(SCRIPT, 'utf8'))?.[1] ?? '';
  expect([...names.matchAll(/'([^']+)'/g)].map(([, name]) => name)).toEqual([...SYSTEM_NAMES]);
});
