// What `--workers` brings: the same crawl by one process and by several, in turn, against a server in a process of its own.
// `npm run bench:workers [-- STORIES ROUNDS WORKERS]`. Pages per second are counted by the server, from its first request to
// its last, so that no start-up is in them; what the ratios are worth depends on what else the machine does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import Table from 'cli-table3';

import { itemPage, listPage } from '../src/demo/pages.ts';
import { demoStory } from '../src/demo/stories.ts';

const SERVE = '--serve';
const PER_PAGE = 30;
/** Distinct bodies of item pages; a page is found by its address alone. */
const BODIES = 200;
/** The demo's stories have 18 comments on average; twice as many make pages of 35 KB. */
const MORE_COMMENTS = 2;

interface Served {
  readonly pages: number;
  readonly millis: number;
}

interface Measured {
  /** Pages per second. */
  readonly rate: number;
  /** CPU milliseconds a page; NaN where it cannot be told. */
  readonly cpu: number;
}

const [first = '6000', second = '5', third = '2'] = process.argv.slice(2);
if (first === SERVE) serve(Number(second));
else await compare(Number(first), Number(second), Number(third));

async function compare(stories: number, rounds: number, workers: number): Promise<void> {
  const all = new Map<number, Measured[]>([1, workers].map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [count, measured] of all) {
      const one = await crawl(stories, count);
      measured.push(one);
      console.log(
        `round ${round + 1}, --workers ${count}: ${one.rate.toFixed(0)} pages/s, ${one.cpu.toFixed(2)} ms of CPU a page, load ${loadavg()[0]?.toFixed(1)}`,
      );
    }
  }
  const table = new Table({
    head: ['--workers', 'pages/s, median', 'lowest', 'highest', 'ratio', 'CPU ms a page, median'],
    style: { head: [], border: [], compact: true },
  });
  const ratesOf = (count: number) => (all.get(count) ?? []).map(({ rate }) => rate);
  const cpuOf = (count: number) => median((all.get(count) ?? []).map(({ cpu }) => cpu));
  for (const count of all.keys()) {
    const rates = ratesOf(count);
    const figures = [median(rates), Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0));
    table.push([count, ...figures, (median(rates) / median(ratesOf(1))).toFixed(2), cpuOf(count).toFixed(2)]);
  }
  console.log(table.toString());
  const ratios = ratesOf(workers).map((rate, round) => rate / (ratesOf(1)[round] ?? NaN));
  console.log(
    `Ratios of each round: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}; median ${median(ratios).toFixed(2)}.`,
  );
  console.log(`By CPU alone, with ${workers} cores for the crawl: ${((workers * cpuOf(1)) / cpuOf(workers)).toFixed(2)}.`);
}

async function crawl(stories: number, workers: number): Promise<Measured> {
  const server = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), SERVE, String(stories)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string];
  const url = line.trim();
  const served = async () => (await (await fetch(new URL('/served', url))).json()) as Served;
  const expected = stories + Math.ceil(stories / PER_PAGE);
  const storageDir = mkdtempSync(join(tmpdir(), 'surefoot-bench-'));
  const limits = ['--concurrency', '40', '--host-concurrency', '40', '--tiers', 'http', '--quiet', '--format', 'json'];
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const args = ['--import', 'tsx', main, url, '--storage-dir', storageDir, '--workers', String(workers), ...limits];
  try {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(child, 'exit');
    const samples: { pages: number; cpu: number }[] = [];
    while (child.exitCode === null && child.signalCode === null) {
      const { pages } = await served();
      if (pages > expected / 3 && pages < expected * 0.9) samples.push({ pages, cpu: cpuMillisOf(child.pid ?? 0) });
      await Promise.race([sleep(200), ended]);
    }
    const { pages, millis } = await served();
    if (child.exitCode !== 0 || pages !== expected)
      throw new Error(`${pages} pages of ${expected}, exit code ${child.exitCode}.`);
    const [from, to] = [samples[0], samples.at(-1)];
    return { rate: (pages / millis) * 1_000, cpu: from && to ? (to.cpu - from.cpu) / (to.pages - from.pages) : NaN };
  } finally {
    server.kill();
    rmSync(storageDir, { recursive: true });
  }
}

/** User and system time of a process and its children, all threads; NaN without /proc. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function cpuMillisOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    // In hundredths of a second, which is what Linux counts in for all programs.
    const own = (Number(fields[11]) + Number(fields[12])) * 10;
    return children.reduce((sum, child) => sum + (cpuMillisOf(Number(child)) || 0), own);
  } catch {
    return NaN;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** A server that costs as little as it can: pages are there before the first request, and HTTP is read as these crawls write
 *  it, a GET without a body at a time. */
function serve(stories: number): void {
  const bodies = Array.from({ length: Math.min(BODIES, stories) }, (_, index) => {
    const story = demoStory(index);
    return toAnswer(itemPage({ ...story, commentCount: story.commentCount * MORE_COMMENTS }));
  });
  const lists = Array.from({ length: Math.ceil(stories / PER_PAGE) }, (_, index) =>
    toAnswer(listPage(index + 1, { stories, perPage: PER_PAGE })),
  );
  let pages = 0;
  let [since, until] = [0, 0];
  const answerTo = (path: string): Buffer => {
    const item = /^\/item\?id=(\d+)/.exec(path)?.[1];
    const list = /^\/news(?:\?p=(\d+))?$/.exec(path);
    if (path === '/served')
      return toAnswer(JSON.stringify({ pages, millis: until - since } satisfies Served), 'application/json');
    const answer = item === undefined ? lists[Number(list?.[1] ?? NaN) - 1] : bodies[(Number(item) / 1_000) % bodies.length];
    const found = answer ?? (path === '/news' ? lists[0] : undefined);
    if (!found) return toAnswer('User-agent: *\nAllow: /\n', 'text/plain');
    pages++;
    until = performance.now();
    since ||= until;
    return found;
  };
  const listen = (socket: Socket) => {
    let received = '';
    socket.setNoDelay();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const [, path = '/'] = received.slice(0, end).split(' ', 2);
        received = received.slice(end + 4);
        socket.write(answerTo(path));
      }
    });
  };
  const server = createServer(listen).listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/news`);
  });
}

function toAnswer(body: string, type = 'text/html; charset=utf-8'): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}
