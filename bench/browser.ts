// `npm run bench -- browser`: a crawl of an application, made by a script, in a browser: this project, stock Crawlee and bare
// Playwright at the same concurrency, in alternating rounds over one target. What is claimed is ratios of one run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { findBrowserHere } from '../src/fetch/browser/this-machine.ts';
import { readSearchPath } from '../src/input/load.ts';
import { median, runCrawler, tsx, type Run } from './processes.ts';

const PAGES = 120;

interface Fetched {
  readonly documents: number;
  readonly scripts: number;
  readonly bytes: number;
}

export interface BrowserFigures {
  readonly way: string;
  readonly pagesPerSecond: number;
  readonly cpuMillis: number;
  readonly peakBytes: number;
  /** Of the target: requests a page, scripts a crawl, bytes a page. */
  readonly documents: number;
  readonly scripts: number;
  readonly bytes: number;
}

/** @param rounds Each contender runs so often, in turn; its median counts. */
export async function compareBrowsers(rounds: number, say: (line: string) => void): Promise<BrowserFigures[]> {
  const browser = await findBrowserHere({ searchPath: readSearchPath() });
  if ('none' in browser) throw new Error(browser.none);
  const [command = '', ...args] = tsx('bench/target/application.ts', String(PAGES));
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  let fetched: Fetched = { documents: 0, scripts: 0, bytes: 0 };
  const target = {
    url,
    async stats() {
      const seen = (await (await fetch(new URL('/stats', url))).json()) as Fetched & { millis: number };
      fetched = seen;
      return { served: seen.documents, millis: seen.millis };
    },
    served: async () => 0,
    close: () => void child.kill(),
  };
  const ways = [2, 4].flatMap((places) => [
    {
      way: `Surefoot, ${places} at once`,
      command: (folder: string) => tsx('bench/peers/browser-ours.ts', url, folder, String(places)),
    },
    ...[
      ['stock Crawlee, PlaywrightCrawler', 'browser-stock.ts', ''],
      ['bare Playwright, pages used again', 'browser-bare.ts', 'again'],
      ['bare Playwright, a context a page', 'browser-bare.ts', 'context'],
    ].map(([name, file, how = '']) => ({
      way: `${name}, ${places} at once`,
      command: (folder: string) => tsx(`bench/peers/${file}`, url, folder, String(places), browser.path, how),
    })),
  ]);
  const runs = new Map<string, (Run & Fetched)[]>(ways.map(({ way }) => [way, []]));
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const { way, command: commandOf } of ways) {
        const run = await runCrawler(target, commandOf);
        runs.get(way)?.push({ ...run, ...fetched });
        say(`${round}/${rounds} ${way}: ${((PAGES * 1_000) / run.millis).toFixed(1)} pages/s, ${JSON.stringify(fetched)}`);
      }
    }
  } finally {
    target.close();
  }
  return [...runs].map(([way, own]) => ({
    way,
    pagesPerSecond: median(own.map(({ millis }) => (PAGES * 1_000) / millis)),
    cpuMillis: median(own.map(({ cpuMillis }) => cpuMillis / PAGES)),
    peakBytes: median(own.map(({ peakBytes }) => peakBytes)),
    documents: median(own.map(({ documents }) => documents / PAGES)),
    scripts: median(own.map(({ scripts }) => scripts)),
    bytes: median(own.map(({ bytes }) => bytes / PAGES)),
  }));
}
