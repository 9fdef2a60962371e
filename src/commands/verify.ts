// The `verify` command: whether a crawl could run here, one line a check.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../core/errors.ts';
import { makeFolder } from '../make-folder.ts';
import { createHeaderPolicy } from '../fetch/headers.ts';
import { probe } from '../fetch/probe.ts';
import type { Settings } from '../input/schema.ts';
import { verifyProxy } from './verify-proxy.ts';

/** As `engines` in package.json. */
const OLDEST_NODE = [20, 19] as const;

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** A crawl can do without. */
  readonly optional?: boolean;
  readonly detail: string;
}

/** @returns The text to print, and whether all is well. */
export async function verifyCommand(
  settings: Settings,
  { version, searchPath }: { version: string; searchPath: string },
): Promise<{ text: string; ok: boolean }> {
  const { storageDir, url } = settings;
  // First: settings that cannot be are no finding.
  const proxy = await verifyProxy(settings, version);
  const checks = [checkNode(process.versions.node), checkStorage(storageDir), await checkNetwork(url, version)];
  if (proxy) checks.push({ name: 'Proxy', ok: proxy.ok, detail: proxy.detail });
  checks.push(await checkBrowser(settings, searchPath));
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(
    ({ name, ok, optional, detail }) => `${ok ? 'ok    ' : optional ? 'none  ' : 'FAILED'}  ${name.padEnd(width)}  ${detail}`,
  );
  if (proxy?.table) lines.push(proxy.table);
  return { text: lines.join('\n'), ok: checks.every(({ ok, optional }) => ok || optional) };
}

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return { name: 'Node.js', ok, detail: ok ? version : `${version} is too old; ${OLDEST_NODE.join('.')} or newer is needed.` };
}

function checkStorage(storageDir: string): Check {
  const file = join(storageDir, `.verify-${process.pid}`);
  try {
    makeFolder(storageDir);
    writeFileSync(file, '');
    rmSync(file);
    return { name: 'Storage', ok: true, detail: `${storageDir} can be written` };
  } catch (error) {
    return { name: 'Storage', ok: false, detail: `${storageDir} cannot be written: ${messageOf(error)}` };
  }
}

/** Pages that need none are crawled without one. */
async function checkBrowser({ browserPath, crawleeBrowserPath: defaultPath }: Settings, searchPath: string): Promise<Check> {
  const name = 'Browser';
  try {
    const { findBrowserHere } = await import('../fetch/browser/this-machine.ts');
    const found = await findBrowserHere({ browserPath, defaultPath, searchPath });
    if ('none' in found) return { name, ok: false, optional: true, detail: found.none };
    return { name, ok: true, detail: `${found.path} ${found.version} (${found.source})` };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}

async function checkNetwork(url: string, version: string): Promise<Check> {
  const name = 'Network';
  try {
    const { status, userAgent, millis } = await probe(
      url,
      createHeaderPolicy({ mode: 'browser', version })({ request: { url }, sessionId: '' }),
    );
    const agent =
      userAgent === null ? 'the answer does not say which User-Agent arrived' : `User-Agent that arrived: ${userAgent}`;
    return { name, ok: status < 400, detail: `${url}: HTTP ${status} in ${Math.round(millis)} ms; ${agent}` };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}
