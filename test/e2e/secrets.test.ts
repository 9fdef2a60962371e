// A canary in every place a crawl is given or told a secret: it reaches the server it is meant for and the session state, and
// nothing else that is printed, exported or stored.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Database from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { exportRows } from '../../src/engine/exports.ts';
import { defineSite } from '../../src/core/site.ts';
import { toMeta } from '../../src/core/meta.ts';
import { withEngine } from '../../src/engine/engine.ts';
import { settingsSchema } from '../../src/input/schema.ts';
import { createRedactor } from '../../src/platform/redact.ts';
import { openStorage } from '../../src/storage/open.ts';
import { copyProject, start, writeInto } from '../docs/project.ts';
import { newStorageDir, startCrawl } from './crawl-process.ts';
import { startFlakySite, type FlakySite } from './flaky-site.ts';

/** In each secret here. */
const CANARY = /c4n4ry/i;
const COOKIE = 'c4n4ry-cookie-5f1e9b7d';
const LOGIN = { name: 'login', value: COOKIE, domain: '127.0.0.1', path: '/' };
const SET_COOKIE = 'c4n4ry-set-cookie-8a2c';

const STORIES = 15;
/** Places in the list of the stories that go wrong: late ones, so that the first process meets none; but not the last, since
 *  three failures are no reason to forget a login. */
const AT = { userinfo: 8, location: 9, ftp: 10, refusal: 11 };

let site: FlakySite;
let cookies: (string | undefined)[];
let fault: (path: string, hit: number) => string | null;
let onPage: () => void;
let held: Promise<unknown>;

beforeEach(async () => {
  cookies = [];
  fault = () => null;
  onPage = () => {};
  held = Promise.resolve();
  site = await startFlakySite({
    stories: STORIES,
    fault: (path, hit) => fault(path, hit),
    hold: () => held,
    onRequest(path, request, setHeader) {
      cookies.push(request.headers.cookie);
      setHeader('set-cookie', `visit=${SET_COOKIE}; Path=/`);
      if (path === site.storyPaths[AT.userinfo] && !request.headers.authorization) {
        // Back to the same page, now with a name and a password.
        setHeader('location', `${site.origin.replace('//', '//someone:c4n4ry-userinfo@')}${path}`);
      }
      if (path === site.storyPaths[AT.location]) setHeader('location', 'http://someone:c4n4ry-location@[nowhere/');
      if (path === site.storyPaths[AT.ftp]) setHeader('location', 'ftp://someone:c4n4ry-ftp@a.example/');
      onPage();
    },
  });
});
afterEach(() => site.close());

/** Each text in each table, by where it stands; the sessions' own record apart. */
function textsIn(storageDir: string): { place: string; text: string }[] {
  const db = new Database(join(storageDir, 'crawl.sqlite'));
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[];
    return tables.flatMap(({ name }) =>
      (db.prepare(`SELECT * FROM "${name}"`).all() as Record<string, unknown>[])
        .filter((line) => !(name === 'records' && String(line['key']).startsWith('SESSIONS_')))
        .map((line) => ({
          place: `${name} ${JSON.stringify(line['key'] ?? line['id'] ?? line['pos'] ?? '')}`,
          text: Object.values(line)
            .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)))
            .join('\n'),
        })),
    );
  } finally {
    db.close();
  }
}

function expectNoCanary(texts: readonly { place: string; text: string }[]): void {
  const found = texts.filter(({ text }) => CANARY.test(text));
  expect(
    found.map(({ place, text }) => `${place}: ${text.slice(Math.max(0, text.search(CANARY) - 60), text.search(CANARY) + 40)}`),
  ).toEqual([]);
}

const filesIn = (dir: string) => readdirSync(dir).map((name) => ({ place: name, text: readFileSync(join(dir, name), 'utf8') }));
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe('a cookie of --cookies, and one that the site sets', () => {
  it('are sent and survive a resume, and reach nothing but the session state', async () => {
    fault = (path, hit) => {
      const story = site.storyPaths.indexOf(path);
      if (story === AT.refusal) return '400';
      if (story === AT.userinfo) return hit === 1 ? '302' : null;
      return story === AT.location || story === AT.ftp ? '302' : null;
    };
    const storageDir = newStorageDir();
    const cookieFile = join(mkdtempSync(join(tmpdir(), 'surefoot-cookies-')), 'cookies.json');
    writeFileSync(cookieFile, JSON.stringify([LOGIN]));
    const args = [site.url, '--storage-dir', storageDir, '--cookies', cookieFile, '--format', 'json,jsonl,csv', '--verbose'];
    const start = () => startCrawl([...args, '--concurrency', '1', '--second-pass-delay', '1']);

    // Stopped in good order after a few pages.
    let pages = 0;
    const stopped = new Promise<void>((resolve) => {
      onPage = () => void (++pages === 5 && resolve());
    });
    const first = start();
    await stopped;
    const database = ['crawl.sqlite', 'crawl.sqlite-wal'].map((name) => join(storageDir, name));
    expect(database.map(modeOf)).toEqual(['600', '600']);
    first.child.kill('SIGINT');
    const interrupted = await first.ended;
    expect(interrupted.code, interrupted.stderr).toBe(130);
    expect(
      cookies.every((header) => header?.includes(`login=${COOKIE}`)),
      'the cookie arrives with each page',
    ).toBe(true);

    cookies = [];
    let live = '';
    // Its first page is not answered before another process has looked at it.
    onPage = () => {
      onPage = () => {};
      const looked = startCrawl(['status', '--live', '--storage-dir', storageDir]);
      held = looked.ended.then(({ stdout, stderr }) => (live = stdout + stderr));
    };
    const second = start();
    const resumed = await second.ended;
    expect(resumed.code, resumed.stderr).toBe(2);
    expect(resumed.stderr).toContain('resuming');
    expect(cookies.length).toBeGreaterThan(3);
    expect(cookies.every((header) => header?.includes(`login=${COOKIE}`))).toBe(true);
    expect(
      cookies.every((header) => header?.includes(`visit=${SET_COOKIE}`)),
      'what the site has set is sent by the next process',
    ).toBe(true);

    const status = await startCrawl(['status', '--storage-dir', storageDir]).ended;
    const again = await startCrawl(['export', '--storage-dir', storageDir]).ended;
    const exports = filesIn(join(storageDir, 'exports'));
    expect(exports.map(({ place }) => place.replace(/^.*?(-failed)?\./, '$1.')).toSorted()).toContain('-failed.json');
    expect(live).toContain(`process ${second.child.pid}`);
    expectNoCanary([
      ...[interrupted, resumed, status, again].flatMap(({ stdout, stderr }, index) => [
        { place: `stdout ${index}`, text: stdout },
        { place: `stderr ${index}`, text: stderr },
      ]),
      { place: 'status --live', text: live },
      ...exports,
      ...textsIn(storageDir),
    ]);
    // Were it nowhere, nothing would have been looked at.
    expect(CANARY.test(readFileSync(join(storageDir, 'crawl.sqlite'), 'latin1'))).toBe(true);
    expect(modeOf(join(storageDir, 'crawl.sqlite'))).toBe('600');
  });
});

it('a header that a site adds is sent, and stands in no line, export or row, not even in its own errors', async () => {
  const sent: (string | undefined)[] = [];
  site.close();
  site = await startFlakySite({
    stories: 4,
    fault: (path) => (path.startsWith('/item') ? '400' : null),
    onRequest: (_, request) => void sent.push(request.headers.authorization),
  });
  const secret = 'c4n4ry-token-77aa41';
  const secretive = defineSite({
    name: 'secretive',
    startUrls: [],
    labelOf: () => 'PAGE',
    record: z.object({ title: z.string() }),
    userData: { PAGE: z.object({}) },
    headers: () => ({ Authorization: `Bearer ${secret}` }),
    routes: {
      async PAGE(page) {
        await page.pushData({ title: page.$('title').text() });
        await page.enqueueLinks({ globs: ['**/item?id=*'] });
        // As an HTTP client's error would quote it.
        throw new TypeError(`Request failed: {"headers":{"authorization":"Bearer ${secret}"}}`);
      },
    },
  });
  const storageDir = newStorageDir();
  const settings = settingsSchema.parse({ startUrls: [site.url], storageDir, verbose: true, secondPassDelay: 0 });
  const redact = createRedactor([]);
  const storage = openStorage({ store: 'sqlite', storageDir });
  const lines: string[] = [];
  const options = {
    settings,
    startUrls: settings.startUrls,
    storage,
    site: secretive,
    maxRequests: undefined,
    cookies: [],
    version: '0.0.0',
    searchPath: '',
    forked: [],
    secrets: [],
    runId: '',
    redact,
  };
  await withEngine(
    {
      ...options,
      onLogLine: (line) => lines.push(line),
      onDeadLetter: (letter) => lines.push(JSON.stringify(letter)),
      proxies: null,
      say: () => {},
      onSecondPass: () => {},
    },
    async (engine) => {
      await engine.frontier.addRequestsBatched([site.url]);
      await engine.run();
      const run = { site: 'secretive', startUrls: [site.url], startedAt: '', finishedAt: null, status: 'unfinished' } as const;
      const meta = toMeta(run, (await engine.totals()).tallies, engine.counts(), {});
      await exportRows(storage.client, { settings, site: secretive, meta, redact });
    },
  );
  await storage.close();
  expect(sent.length).toBeGreaterThan(4);
  expect(sent.filter((header) => header !== `Bearer ${secret}`)).toEqual([]);
  expect(lines.length).toBeGreaterThan(4);
  expectNoCanary([
    ...lines.map((text) => ({ place: 'log', text })),
    ...filesIn(join(storageDir, 'exports')),
    ...textsIn(storageDir),
  ]);
});

describe('the last words of a process that an un-awaited call ends', () => {
  let project = '';
  beforeAll(() => {
    project = copyProject();
    writeInto(project, 'cookies.json', JSON.stringify([LOGIN]));
    writeInto(
      project,
      'src/routes/hackernews/index.ts',
      `import { z } from 'zod';
      import { defineSite } from '../../core/site.ts';
      export const site = defineSite({
        name: 'hackernews', startUrls: [], labelOf: () => 'PAGE', record: z.object({}), userData: { PAGE: z.object({}) },
        routes: { PAGE: async () => void Promise.reject(new Error('HTTP 500 for {"login":"${COOKIE}"}')) },
      });`,
    );
  });
  afterAll(() => rmSync(project, { recursive: true }));

  it.each([
    ['a crawl', () => `npx tsx src/main.ts ${site.url} --cookies cookies.json --storage-dir plain`],
    ['an Actor', () => `npx tsx src/main.ts --actor`],
  ])('mask what %s was given as a cookie', async (_, command) => {
    const input = { startUrls: [{ url: site.url }], initialCookies: [LOGIN] };
    writeInto(project, 'storage/key_value_stores/default/INPUT.json', JSON.stringify(input));
    const { code, stdout, stderr } = await start(project, command()).ended;
    expect(stderr).toContain('A call was not awaited');
    expect(stderr).toContain('HTTP 500 for {"login":"***"}');
    expect(code).toBe(1);
    expectNoCanary([{ place: 'output', text: stdout + stderr }]);
  });
});
