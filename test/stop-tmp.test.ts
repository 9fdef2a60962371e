import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'vitest';
import { crawlBrowser, html, startServer } from './fetch/browser/lab.ts';
function ownBrowsers(pattern: RegExp): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      parents.set(Number(name), Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))?.[1]));
    } catch {
      // It has just ended.
    }
  }
  const isOwn = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent === process.pid || (parent !== undefined && parent > 1 && isOwn(parent));
  };
  return [...parents.keys()].filter((pid) => {
    if (!isOwn(pid)) return false;
    try {
      return pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
    } catch {
      return false;
    }
  });
}

/** The browser's own process has no `--type`. */
const BROWSER = /remote-debugging-pipe(?!.*--type=)/;

it('a browser that stands still', async () => {
  let stopped: number[] = [];
  const server = await startServer({
    '/page': (r, h, q) => { if (stopped.length === 0) { setTimeout(() => { stopped = ownBrowsers(BROWSER); for (const pid of stopped) process.kill(pid, 'SIGSTOP'); console.log('stopped', stopped, new Date().toISOString()); }, 800); } html('<h1>x</h1><script>fetch("/pending")</script>')(r, h, q); },
    '/pending': () => {},
    '/two': html('<h1>two</h1>'),
  });
  const t = Date.now();
  const give = setTimeout(() => { console.log('GIVING UP after', (Date.now() - t) / 1000, 's: the crawl has not ended'); for (const pid of stopped) process.kill(pid, 'SIGKILL'); }, 200_000);
  const { rows, failures } = await crawlBrowser({ urls: [`${server.origin}/page`, `${server.origin}/two`], concurrency: 1, retries: 1 });
  clearTimeout(give);
  console.log('ended after', (Date.now() - t) / 1000, JSON.stringify({ rows, failures }));
  for (const pid of stopped) try { process.kill(pid, 'SIGKILL'); } catch {}
}, 500_000);
