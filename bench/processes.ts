// What every table needs: the target in a process of its own, and a crawler in another, timed by the target.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Target {
  /** Its first list page. */
  readonly url: string;
  /** Pages served since this was last asked, and the milliseconds from the first request to the end of the last answer. */
  stats(): Promise<{ served: number; millis: number }>;
  /** Pages served so far, since `stats` was last asked. */
  served(): Promise<number>;
  close(): void;
}

export interface Run {
  readonly pages: number;
  /** From the first request to the end of the last answer. */
  readonly millis: number;
  /** Of all its processes; 0 where nothing tells. */
  readonly peakBytes: number;
  /** Of all its processes and threads, from their start to their end; 0 where nothing tells. */
  readonly cpuMillis: number;
}

export interface RunOptions {
  /** For Node, in NODE_OPTIONS. @default a heap that stock Crawlee needs */
  nodeOptions?: string;
  /** Told every 100 ms of what it holds now. */
  onLook?(bytes: number): void;
  /** Ends it, as an operator would. */
  signal?: AbortSignal;
}

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** With what each crawl of ours runs: 50 pages at once, by plain HTTP. */
export const FLAGS = ['--concurrency', '50', '--host-concurrency', '50', '--tiers', 'http', '--quiet'];

/** Runs the crawler as `npm start` does: compiled, where it has changed. */
export const surefoot = (...args: string[]) => ['node', join(ROOT, 'scripts/start.mjs'), ...args];

/** Runs something else of this project. */
export const tsx = (file: string, ...args: string[]) => ['node', '--import', 'tsx', join(ROOT, file), ...args];

/** @param wait Milliseconds that each page waits. @param perPage Stories on a list page. */
export async function startTarget(stories: number, wait = 0, perPage = 30): Promise<Target> {
  const [command = '', ...args] = tsx('bench/target/server.ts', String(stories), String(wait), String(perPage));
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async stats() {
      const answer = await fetch(new URL('/stats', url));
      return (await answer.json()) as { served: number; millis: number };
    },
    async served() {
      const answer = await fetch(new URL('/served', url));
      return Number(await answer.text());
    },
    close: () => void child.kill(),
  };
}

/** Runs a crawler over the target until it ends by itself. @param command Gets a folder of its own. */
export async function runCrawler(
  target: Target,
  command: (folder: string) => readonly string[],
  { nodeOptions = '--max-old-space-size=6000', onLook = () => {}, signal }: RunOptions = {},
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  await target.stats();
  const [program = '', ...args] = command(folder);
  const env = {
    ...process.env,
    CRAWLEE_STORAGE_DIR: folder,
    CRAWLEE_LOG_LEVEL: 'ERROR',
    NODE_OPTIONS: nodeOptions,
  };
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  const seen = new Map<number, Usage>();
  const watching = setInterval(() => {
    const usage = usageOf(child.pid);
    // One that is ending has no memory any more.
    for (const [pid, used] of usage) if (used.bytes > 0) seen.set(pid, used);
    onLook(sumOf(usage, ({ bytes }) => bytes));
  }, 100);
  signal?.addEventListener('abort', () => void child.kill('SIGTERM'), { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watching);
  const { served, millis } = await target.stats();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  if (code !== 0 && !signal?.aborted) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
  const cpuMillis = sumOf(seen, (used) => used.cpuMillis);
  return { pages: served, millis, peakBytes: sumOf(seen, (used) => used.peakBytes), cpuMillis };
}

/** Of one process. */
interface Usage {
  readonly bytes: number;
  /** Linux keeps a process's own peak. */
  readonly peakBytes: number;
  readonly cpuMillis: number;
}

/** A process and its children by PID; empty when it has ended, or where this is no Linux. */
function usageOf(pid: number | undefined): Map<number, Usage> {
  const usage = new Map<number, Usage>();
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1_024;
    // Behind the name, which may have spaces: utime is the 12th field, stime the 13th, in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const cpuMillis = (Number(fields[11]) + Number(fields[12])) * 10;
    usage.set(pid as number, { bytes: bytes('VmRSS'), peakBytes: bytes('VmHWM'), cpuMillis });
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean);
      for (const child of children) for (const [other, used] of usageOf(Number(child))) usage.set(other, used);
    }
  } catch {
    // It has ended meanwhile.
  }
  return usage;
}

function sumOf(usage: ReadonlyMap<number, Usage>, of: (used: Usage) => number): number {
  return [...usage.values()].reduce((sum, used) => sum + of(used), 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
