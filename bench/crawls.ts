// Whole crawls side by side: this project, stock Crawlee, and peers in Python, in alternating rounds over one target.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { FLAGS, median, runCrawler, startTarget, surefoot, tsx, type Run } from './processes.ts';

/** Debian's: its packages belong to it. */
export const PYTHON = '/usr/bin/python3';
export const PEERS = fileURLToPath(new URL('peers/crawl.py', import.meta.url));

export interface Contender {
  readonly name: string;
  /** Python packages that it needs. */
  readonly needs?: readonly string[];
  /** Left out of crawls of more pages than this: they would take hours. */
  readonly maxPages?: number;
  command(url: string, folder: string): readonly string[];
}

export const OURS: Contender = {
  name: 'Surefoot, one process, the site as shipped',
  command: (url, folder) => surefoot(url, '--storage-dir', folder, ...FLAGS),
};
export const TWO_WORKERS: Contender = {
  name: 'Surefoot, two workers, the site as shipped',
  command: (url, folder) => surefoot(url, '--storage-dir', folder, '--workers', '2', ...FLAGS),
};
export const BY_TREE: Contender = {
  name: 'Surefoot, one process, handlers with `$` (by tsx)',
  command: (url, folder) => tsx('bench/peers/by-tree.ts', url, folder),
};
export const STOCK: Contender = {
  name: 'stock Crawlee, CheerioCrawler (by tsx)',
  command: (url) => tsx('bench/peers/stock-crawlee.ts', url),
};
const python = (name: string, way: string, needs: string[], maxPages: number): Contender => ({
  name,
  needs,
  maxPages,
  command: (url) => [PYTHON, PEERS, way, url],
});
export const PYTHON_PEERS: readonly Contender[] = [
  python('Scrapy', 'scrapy', ['scrapy'], 20_000),
  python('aiohttp + lxml', 'aiohttp-lxml', ['aiohttp', 'lxml'], 20_000),
  python('aiohttp + bs4', 'aiohttp-bs4', ['aiohttp', 'bs4'], 3_000),
  python('requests + bs4, one after the other', 'requests-bs4', ['requests', 'bs4'], 3_000),
];

export interface CrawlFigures {
  readonly name: string;
  /** Null: not there, or left out. */
  readonly pagesPerSecond: number | null;
  readonly peakBytes: number;
  /** CPU time of a page, of all threads. */
  readonly cpuMillis: number;
  readonly note: string;
}

/** @param rounds Each contender runs so often, in turn; its median counts. */
export async function compareCrawls(
  contenders: readonly Contender[],
  { stories, rounds, say }: { stories: number; rounds: number; say: (line: string) => void },
): Promise<CrawlFigures[]> {
  const target = await startTarget(stories);
  const pages = stories + Math.ceil(stories / 30);
  const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  const absent = new Map<string, string>();
  for (const { name, needs = [], maxPages = Infinity } of contenders) {
    const missing = needs.filter((module) => !hasModule(module));
    if (missing.length > 0) absent.set(name, `absent: ${missing.join(', ')} not installed`);
    else if (pages > maxPages) absent.set(name, 'left out at this size');
  }
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const { name, command } of contenders) {
        if (absent.has(name)) continue;
        const run = await runCrawler(target, (folder) => command(target.url, folder));
        if (run.pages !== pages) throw new Error(`${name} fetched ${run.pages} pages of ${pages}.`);
        runs.get(name)?.push(run);
        say(`${round}/${rounds} ${name}: ${rateOf(run).toFixed(0)} pages/s`);
      }
    }
  } finally {
    target.close();
  }
  return contenders.map(({ name }) => {
    const own = runs.get(name) ?? [];
    const note = absent.get(name) ?? '';
    if (own.length === 0) return { name, pagesPerSecond: null, peakBytes: 0, cpuMillis: 0, note };
    const rates = own.map(rateOf);
    const spread = own.length > 1 ? `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}` : '';
    return {
      name,
      pagesPerSecond: median(rates),
      peakBytes: median(own.map(({ peakBytes }) => peakBytes)),
      cpuMillis: median(own.map(({ cpuMillis, pages: count }) => cpuMillis / count)),
      note: spread,
    };
  });
}

function rateOf({ pages, millis }: Run): number {
  return (pages * 1_000) / millis;
}

const known = new Map<string, boolean>();

export function hasModule(module: string): boolean {
  let there = known.get(module);
  if (there === undefined) {
    try {
      execFileSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' });
      there = true;
    } catch {
      there = false;
    }
    known.set(module, there);
  }
  return there;
}
