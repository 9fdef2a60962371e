// Pages that misbehave on purpose: each may lose its own try, in a time that has limits, and none the crawl.
import { expect, it } from 'vitest';

import { crawlBrowser, describeBrowser, html, startServer, type Answer } from './lab.ts';

const script = (code: string): Answer => html(`<h1>page</h1><script>${code}</script>`);

/** Those that are read all the same. */
const READ: Readonly<Record<string, Answer>> = {
  '/alerts': script('setInterval(() => alert("Subscribe!"), 0)'),
  '/alerts-30': script('setInterval(() => alert("Subscribe!"), 30)'),
  '/alert-in-frame': html('<h1>page</h1><iframe srcdoc="<script>setInterval(() => parent.alert(1), 0)</script>"></iframe>'),
  '/confirm-once': script('if (confirm("Cookies?")) document.body.innerHTML = ""'),
  '/unload': script('onbeforeunload = (event) => { event.preventDefault(); return "stay"; }'),
  '/print': script('setInterval(() => print(), 10)'),
  '/permissions': script(
    'Notification.requestPermission(); navigator.geolocation.getCurrentPosition(() => {}); navigator.mediaDevices?.getUserMedia({ video: true })',
  ),
  '/pushes': script('let n = 0; setInterval(() => history.pushState(0, "", "?" + n++), 5)'),
  '/opens': script('setInterval(() => open("/popup"), 20)'),
  '/socket': script('setInterval(() => new WebSocket("ws://" + location.host + "/nothing"), 20)'),
  '/download': script('setInterval(() => { location = "/file" }, 50)'),
};

/** Those that nobody can read to the end. */
const LOST: Readonly<Record<string, Answer>> = {
  '/gate': script('let a; do { a = confirm("Are you 18?") } while (!a)'),
  '/alert-for-ever': script('while (true) alert("again")'),
  '/prompts': script('setInterval(() => { let s = ""; while (!s) { s = prompt("name?") } }, 10)'),
  '/spins': script('while (true);'),
  '/reloads': script('location.reload()'),
  '/goes-on': script('location = "?" + Math.random()'),
};

/** Those that may be either. */
const OPEN: Readonly<Record<string, Answer>> = {
  '/logs': script('setInterval(() => { for (let i = 0; i < 200; i++) console.log("x".repeat(1000)) }, 1)'),
  '/throws': script('setInterval(() => Promise.reject(new Error("mine")), 1); onerror = () => { throw 1 }'),
  '/closes': script('setTimeout(() => { window.close(); open("", "_self").close() }, 0)'),
  '/grows': script('setInterval(() => { for (let i = 0; i < 2000; i++) document.body.append(document.createElement("i")) }, 10)'),
  '/frames': html('<h1>page</h1><iframe src="/frames?1"></iframe><iframe src="/frames?2"></iframe>'),
  '/goes-on-later': script('setTimeout(() => { location = "?" + Math.random() }, 30)'),
  '/writes': script('setInterval(() => { document.open(); document.write("<h1>page</h1>"); document.close() }, 10)'),
};

const HELPERS: Readonly<Record<string, Answer>> = {
  '/popup': script('alert(1); onbeforeunload = () => "stay"; setInterval(() => alert(2), 0)'),
  '/file': (response) => response.writeHead(200, { 'content-type': 'application/zip' }).end('PK'),
};

describeBrowser('pages that nag, loop, grow and go on for ever', () => {
  it('lose their own try at most, and the crawl goes on', { timeout: 300_000 }, async () => {
    const ordinary = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`/ordinary-${n}`, html(`<h1>${n}</h1>`)]));
    const server = await startServer({ ...READ, ...LOST, ...OPEN, ...HELPERS, ...ordinary });
    const hostile = Object.keys({ ...READ, ...LOST, ...OPEN });
    const between = Object.keys(ordinary);
    const paths = hostile.flatMap((path, at) => (at % 2 === 0 ? [path, between[at / 2] ?? []].flat() : [path]));
    const { rows, failures } = await crawlBrowser({ urls: paths.map((path) => server.origin + path), concurrency: 4 });
    const read = new Set(rows.map(({ path }) => path));
    const failed = Object.fromEntries(failures.map(({ path, message }) => [path, message]));
    expect(
      Object.keys(READ)
        .filter((path) => !read.has(path))
        .map((path) => [path, failed[path]]),
    ).toEqual([]);
    expect(between.filter((path) => !read.has(path))).toEqual([]);
    expect(Object.keys(LOST).filter((path) => failed[path] === undefined)).toEqual([]);
    expect(failures.filter(({ verdict }) => verdict === 'fatal')).toEqual([]);
  });
});
