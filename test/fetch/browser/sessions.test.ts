// Pages of one session share a tab, as a user's do; of another session nothing is seen, by any means.
import { expect, it } from 'vitest';

import { crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

/** Leaves something behind by every means there is, and writes down what it finds. */
const TRACES = `
  const found = [];
  const note = (what, value) => { if (value) found.push(what); };
  const store = () => new Promise((resolve) => {
    const opening = indexedDB.open('traces', 1);
    let there = true;
    opening.onupgradeneeded = () => { there = false; };
    opening.onsuccess = () => { note('indexedDB', there); opening.result.close(); resolve(); };
  });
  (async () => {
    note('cookie', document.cookie.includes('trace'));
    note('localStorage', localStorage.getItem('trace'));
    note('sessionStorage', sessionStorage.getItem('trace'));
    note('caches', await caches.has('trace'));
    note('window.name', window.name === 'trace');
    note('serviceWorker', (await navigator.serviceWorker.getRegistrations()).length > 0);
    note('opener', window.opener);
    note('history', history.length > 2);
    await store();
    const got = await (await fetch('/cached')).text();
    note('httpCache', localStorage.getItem('cached') === got);
    const channel = new BroadcastChannel('trace');
    const heard = await new Promise((resolve) => { channel.onmessage = () => resolve(true); channel.postMessage('ask'); setTimeout(resolve, 150, false); });
    note('broadcast', heard);
    channel.onmessage = () => channel.postMessage('here');
    document.cookie = 'trace=1; max-age=600';
    localStorage.setItem('trace', 1);
    localStorage.setItem('cached', got);
    sessionStorage.setItem('trace', 1);
    await caches.open('trace');
    window.name = 'trace';
    await navigator.serviceWorker.register('/worker.js');
    setInterval(() => fetch('/ticks'), 20);
    open('/popup?' + location.search, 'popup');
    document.title = JSON.stringify(found);
    document.body.insertAdjacentHTML('beforeend', '<i id="over"></i>');
  })();`;

let asked = 0;
const answers: Record<string, Answer> = {
  '/page': html(`<script>${TRACES}</script>`),
  '/popup': html('popup'),
  '/cached': (response) => response.writeHead(200, { 'cache-control': 'max-age=600' }).end(String((asked += 1))),
  '/ticks': (response) => response.end(''),
  '/worker.js': (response) =>
    response.writeHead(200, { 'content-type': 'text/javascript' }).end('onfetch = () => {}; onactivate = () => clients.claim()'),
  '/after': html('<h1>after</h1>'),
};

async function traces(sessions: number, visits: number): Promise<{ session: string; found: string[] }[]> {
  const server = await startServer(answers);
  const seen: { session: string; found: string[] }[] = [];
  const ids = new Map<string, string>();
  const { failures } = await crawlBrowser({
    urls: Array.from({ length: visits }, (_, n) => `${server.origin}/page?${n}`),
    concurrency: 1,
    site: { browser: { waitFor: { PAGE: { selector: '#over' } } } },
    options: {
      maxSessions: sessions,
      headers: (request, session) => {
        ids.set(request.url, session?.id ?? '');
        return {};
      },
    },
    async handler({ $, request }) {
      seen.push({ session: ids.get(request.url) ?? '', found: JSON.parse($('title').text()) as string[] });
    },
  });
  expect(failures).toEqual([]);
  return seen;
}

describeBrowser('the state of a session', () => {
  it('is what a user\u2019s tab would keep: its storage, its cache and its cookies', async () => {
    const [first, second, third] = await traces(1, 3);
    expect(first?.found).toEqual([]);
    const kept = ['cookie', 'localStorage', 'sessionStorage', 'caches', 'serviceWorker', 'indexedDB', 'httpCache'];
    expect(second?.found).toEqual(expect.arrayContaining(kept));
    expect(third?.found).toEqual(expect.arrayContaining(kept));
    // Timers, windows and channels of the page before are gone.
    for (const gone of ['broadcast', 'opener']) expect(second?.found).not.toContain(gone);
  });

  it('is seen by no other session, by any means', async () => {
    const seen = await traces(4, 12);
    const firsts = seen.filter(({ session }, at) => seen.findIndex((other) => other.session === session) === at);
    expect(firsts).toHaveLength(4);
    expect(firsts.map(({ found }) => found)).toEqual([[], [], [], []]);
  });
});

describeBrowser('a tab', () => {
  it('runs nothing of a page that was read, and takes none of its events for the next one\u2019s', async () => {
    let ticks = 0;
    const server = await startServer({
      ...answers,
      '/ticks': (response) => response.end(String((ticks += 1))),
      '/ticking': html(
        '<h1>ticking</h1><script>setInterval(() => fetch("/ticks"), 10); setTimeout(() => { location = "/elsewhere" }, 4_000)</script>',
      ),
      '/elsewhere': html('<h1>elsewhere</h1>'),
    });
    const counts: number[] = [];
    const { rows, failures } = await crawlBrowser({
      urls: ['/ticking', '/after', '/after?2', '/after?3'].map((path) => server.origin + path),
      site: { browser: { waitFor: { PAGE: { selector: 'h1' } } } },
      options: { maxSessions: 1 },
      async handler(page) {
        counts.push(ticks);
        await page.pushData({ path: new URL(page.request.url).pathname, title: page.$('h1').text() });
      },
    });
    expect(failures).toEqual([]);
    expect(rows.map(({ title }) => title)).toEqual(['ticking', 'after', 'after', 'after']);
    // Those that were under way when their page was left may still arrive; a timer that runs on would have made a hundred.
    expect((counts[3] ?? 0) - (counts[1] ?? 0)).toBeLessThan(30);
  });

  it('that hangs, crashes or will not be left is thrown away, not waited for', { timeout: 120_000 }, async () => {
    const server = await startServer({
      '/hangs-later': html('<h1>x</h1><script>addEventListener("pagehide", () => { for (;;); })</script>'),
      '/stays': html('<h1>x</h1><script>onbeforeunload = (event) => { event.preventDefault(); return "stay" }</script>'),
      '/after': html('<h1>after</h1>'),
    });
    const urls = ['/hangs-later', '/stays', '/after'].map((path) => server.origin + path);
    const { rows, failures } = await crawlBrowser({ urls, options: { maxSessions: 1 } });
    expect(failures).toEqual([]);
    expect(rows.map(({ path }) => path)).toEqual(['/hangs-later', '/stays', '/after']);
  });
});
