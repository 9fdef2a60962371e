// A browser that dies or does not start costs the pages that were in it one try, and nothing else.
import { readdirSync, readFileSync } from 'node:fs';

import { expect, it, onTestFinished } from 'vitest';

import { createHeaderPolicy } from '../../../src/fetch/headers.ts';
import { crawlBrowser, describeBrowser, html, labBrowser, startServer } from './lab.ts';

/** Processes of this one's own: Chromium's, by what their command lines say. */
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
/** And the one that it may be started by is a shell. */
const BROWSER_ITSELF = /^(?!\/bin\/sh |.* --type=).*remote-debugging-pipe/;
const RENDERER = /--type=renderer/;

describeBrowser('a browser that is killed', () => {
  it.each([
    ['as a whole, while a page is loading', BROWSER, '/loading'],
    ['as a whole, while a page is waited for', BROWSER, '/waiting'],
    ['in the process of one page, while it is waited for', RENDERER, '/waiting'],
    ['in the process of one page, while it is asked what is in it', RENDERER, '/busy'],
  ])('%s, costs one try', async (_, pattern, path) => {
    let kills = 0;
    const kill = () => {
      if (kills > 0) return;
      const pids = ownBrowsers(pattern);
      expect(pids).not.toEqual([]);
      kills = pids.length;
      for (const pid of pids) process.kill(pid, 'SIGKILL');
    };
    const server = await startServer({
      '/loading': (response, hit, request) => {
        if (kills > 0) return html('<h1>loaded</h1>')(response, hit, request);
        response.writeHead(200, { 'content-type': 'text/html' }).write('<h1>half a');
        setTimeout(kill, 300);
      },
      '/waiting': html('<h1>there</h1><script>fetch("/pending")</script>'),
      '/busy': (response, hit, request) => {
        // Once loaded it does not say what is in it: that is asked and open when the process dies.
        const spin = '<script>addEventListener("load", () => setTimeout(() => { for (;;); }, 50))</script>';
        const body = kills > 0 ? '<h1>idle</h1>' : `<h1>busy</h1>${spin}`;
        if (kills === 0) setTimeout(kill, 2_000);
        html(body)(response, hit, request);
      },
      '/pending': (response) => {
        if (kills > 0) response.end('{}');
        else setTimeout(kill, 300);
      },
      '/after': html('<h1>after</h1>'),
    });
    const started = performance.now();
    const { failures, rows } = await crawlBrowser({ urls: [server.origin + path, `${server.origin}/after`], retries: 3 });
    expect(failures).toMatchObject([{ path, verdict: 'transient', message: expect.stringMatching(/crashed/) as string }]);
    expect(rows.map((row) => row.path).toSorted((a, b) => a.localeCompare(b))).toEqual(['/after', path]);
    expect(ownBrowsers(BROWSER)).toEqual([]);
    // No wait of the visit's has run out: the message says so, and the time.
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describeBrowser('a browser that stands still', () => {
  it('costs its page one try, in a time that has limits, and is not left behind', async () => {
    const stop = () => {
      const pids = ownBrowsers(BROWSER_ITSELF);
      expect(pids).not.toEqual([]);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      onTestFinished(() => {
        for (const pid of ownBrowsers(BROWSER_ITSELF).filter((left) => pids.includes(left))) process.kill(pid, 'SIGKILL');
      });
    };
    let asked = 0;
    const server = await startServer({
      '/first': html('<h1>first</h1>'),
      '/page': (...args) => html(asked === 0 ? '<h1>x</h1><script>fetch("/pending")</script>' : '<h1>x</h1>')(...args),
      '/pending': () => {
        asked += 1;
        setTimeout(stop, 100);
      },
    });
    let tries = 0;
    const policy = createHeaderPolicy({ mode: 'browser', version: '0', contact: '' });
    const started = performance.now();
    const { failures, rows } = await crawlBrowser({
      urls: [`${server.origin}/first`, `${server.origin}/page`],
      retries: 3,
      options: {
        maxSessions: 1,
        // Asked for while the tab of the page before waits, and before anything is said to it.
        headers: (request) => {
          if (request.url.endsWith('/page')) tries += 1;
          if (tries === 1 && request.url.endsWith('/page')) stop();
          return policy({ request, sessionId: '' });
        },
      },
    });
    expect(failures.map(({ verdict, message }) => `${verdict}: ${message}`)).toEqual([
      'transient: The browser did not answer for 10 s: it stands still.',
      expect.stringMatching(/^transient: The page did not answer for 10 s/) as string,
    ]);
    expect(rows).toEqual([{ path: '/first' }, { path: '/page' }]);
    expect(ownBrowsers(BROWSER)).toEqual([]);
    // Ten seconds for each thing that is waited for, and Crawlee's own five for a page to close.
    expect(performance.now() - started).toBeLessThan(110_000);
  });
});

describeBrowser('a browser that does not start', () => {
  it('fails the pages that need it with one sentence, and the crawl ends in good order', async () => {
    const server = await startServer({ '/': html('<h1>x</h1>') });
    const { failures } = await crawlBrowser({
      urls: [`${server.origin}/`],
      options: { browser: { ...labBrowser(), path: '/bin/false' } },
    });
    const { source } = labBrowser();
    const message = `The browser /bin/false (${source}) does not start: it ended at once.`;
    expect(failures).toMatchObject([{ verdict: 'fatal', message }]);
  });
});
