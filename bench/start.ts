// How long a process takes to its help text and to the first request of a crawl: as `npm start` runs it when nothing has
// changed, and by tsx.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { median, ROOT } from './processes.ts';

const RUNS = 5;

const WAYS: Readonly<Record<string, readonly string[]>> = {
  'as `npm start` runs it': ['scripts/start.mjs'],
  'by tsx': ['--import', 'tsx', 'src/main.ts'],
};

export interface StartFigures {
  readonly way: string;
  /** Milliseconds from the start of the process: to the end of `--help`, and to the first request of a crawl. */
  readonly help: number;
  readonly firstRequest: number;
}

export async function measureStart(): Promise<StartFigures[]> {
  const figures: StartFigures[] = [];
  for (const [way, args] of Object.entries(WAYS)) {
    const help: number[] = [];
    const firstRequest: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      help.push(await timeToHelp(args));
      firstRequest.push(await timeToFirstRequest(args));
    }
    figures.push({ way, help: median(help), firstRequest: median(firstRequest) });
  }
  return figures;
}

async function timeToHelp(args: readonly string[]): Promise<number> {
  const begin = performance.now();
  const child = spawn('node', [...args, '--help'], { cwd: ROOT, stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - begin;
}

/** robots.txt is the first thing that is asked for. */
async function timeToFirstRequest(args: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/news`;
  const begin = performance.now();
  const child = spawn('node', [...args, url, '--storage-dir', folder, '--quiet', '--tiers', 'http'], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const asked = once(server, 'request').then(() => performance.now());
  const firstAt = await Promise.race([asked, ended.then(() => null)]);
  child.kill('SIGKILL');
  await ended;
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  if (firstAt === null) throw new Error(`${args.join(' ')} asked for nothing.`);
  return firstAt - begin;
}
