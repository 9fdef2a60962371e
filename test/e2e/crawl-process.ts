// Starts real crawls as child processes, and reads what they left on disk.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import Database from 'libsql';

import type { DeadLetter } from '../../src/core/dead-letter.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A crawl under way in a process of its own. */
export interface CrawlProcess {
  readonly child: ChildProcess;
  /** performance.now() when it was started. */
  readonly startedMillis: number;
  /** Resolves when it has ended. `code` is 128 + n for one that signal n ended. */
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>;
}

/** Runs the command line as `npm start` does, in the project's folder.
 *  @param options.uid For whom; only root can say. */
export function startCrawl(
  args: readonly string[],
  options: { env?: Record<string, string>; uid?: number | undefined } = {},
): CrawlProcess {
  const startedMillis = performance.now();
  const child = spawn(process.execPath, ['scripts/start.mjs', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid !== undefined && { uid: options.uid }),
  });
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const ended = output.then(([stdout, stderr, [code, signal]]) => ({
    code: typeof code === 'number' ? code : signal === 'SIGKILL' ? 137 : 1,
    stdout,
    stderr,
  }));
  return { child, startedMillis, ended };
}

/** The workers of a crawl that lives. */
export function workersOf({ child }: CrawlProcess): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(child.pid), '-f', 'dist/worker.js'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return []; // None.
  }
}

export function newStorageDir(): string {
  return mkdtempSync(join(tmpdir(), 'surefoot-e2e-'));
}

/** URLs of all requests that are marked done in the store. */
export const handledUrls = (storageDir: string): Set<string> => urlsWhere(storageDir, 'state = 2');

/** URLs of all requests whose answers had begun to arrive, by the store. */
export const inHands = (storageDir: string): Set<string> => urlsWhere(storageDir, 'handed_out = 1');

function urlsWhere(storageDir: string, condition: string): Set<string> {
  const db = new Database(join(storageDir, 'crawl.sqlite'));
  try {
    const lines = db.prepare(`SELECT json_extract(body, '$.url') AS url FROM requests WHERE ${condition}`).all() as {
      url: string;
    }[];
    return new Set(lines.map(({ url }) => url));
  } catch {
    return new Set(); // Killed before the tables were there.
  } finally {
    db.close();
  }
}

/** The dead letters beside the newest exports; none if there is no such file. */
export function readDeadLetters(storageDir: string): DeadLetter[] {
  const newest = newestExport(storageDir, (name) => name.endsWith('-failed.json'));
  if (newest === undefined) return [];
  const content = JSON.parse(readFileSync(newest, 'utf8')) as DeadLetter[] | { items: DeadLetter[] };
  return Array.isArray(content) ? content : content.items;
}

/** The newest JSON export of a storage folder. */
export function readExport(storageDir: string): { meta: Record<string, unknown>; items: Record<string, unknown>[] } {
  const newest = newestExport(storageDir, (name) => /^[^.].*(?<!-failed|-rejected)\.json$/.test(name));
  if (newest === undefined) throw new Error(`${storageDir} has no JSON export`);
  return JSON.parse(readFileSync(newest, 'utf8')) as { meta: Record<string, unknown>; items: Record<string, unknown>[] };
}

/** By when it was written: names are to the second, and the second one of a second (`-2`) comes before the first by name. */
function newestExport(storageDir: string, isWanted: (name: string) => boolean): string | undefined {
  const dir = join(storageDir, 'exports');
  return readdirSync(dir)
    .filter(isWanted)
    .map((name) => join(dir, name))
    .toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1);
}
