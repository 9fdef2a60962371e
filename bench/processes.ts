// What every table needs: the target in a process of its own, and a crawler in another, timed by the target.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Target {
  /** Its first list page. */
  readonly url: string;
  /** Pages served since this was last asked, and the milliseconds from the first request to the end of the last answer. */
  stats(): Promise<{ served: number; millis: number }>;
  close(): void;
}

export interface Run {
  readonly pages: number;
  readonly millis: number;
  readonly peakBytes: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs something of this project by tsx, as `npm start` does. */
export const tsx = (file: string, ...args: string[]) => ['node', '--import', 'tsx', join(ROOT, file), ...args];

/** @param wait Milliseconds that each page waits. */
export async function startTarget(stories: number, wait = 0): Promise<Target> {
  const [command = '', ...args] = tsx('bench/target/server.ts', String(stories), String(wait));
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async stats() {
      const answer = await fetch(new URL('/stats', url));
      return (await answer.json()) as { served: number; millis: number };
    },
    close: () => void child.kill(),
  };
}

/** Runs a crawler over the target until it ends by itself. @param command Gets a folder of its own. */
export async function runCrawler(target: Target, command: (folder: string) => readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  await target.stats();
  const [program = '', ...args] = command(folder);
  const env = {
    ...process.env,
    CRAWLEE_STORAGE_DIR: folder,
    CRAWLEE_LOG_LEVEL: 'ERROR',
    NODE_OPTIONS: '--max-old-space-size=6000',
  };
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  let peakBytes = 0;
  const watching = setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(child.pid))), 100);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watching);
  const { served, millis } = await target.stats();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
  return { pages: served, millis, peakBytes };
}

/** Linux keeps a process's own peak. */
function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    return 0; // It has ended, or this is no Linux.
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
