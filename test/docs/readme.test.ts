// What README, the guide and the other documents show is true: commands are run in a copy of the project, TypeScript is
// compiled, SQL is queried, and what they print is what the documents say.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { parse as parseDotenv } from 'dotenv';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadInput } from '../../src/input/load.ts';
import { helpText } from '../../src/input/program.ts';
import { formatSnapshot } from '../../src/report/live.ts';
import { openingLine } from '../../src/report/opening.ts';
import { toProgressLine } from '../../src/report/progress.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy } from '../proxy/forward-proxy.ts';
import { blocksOf, COMMANDS, GUIDE, ROOT } from './documents.ts';
import { copyProject, start, startBookshop, writeInto, type Ended } from './project.ts';

const MAIN = 'npx tsx src/main.ts ';
/** The sources among the blocks, by the path in their first line. */
const SOURCES = blocksOf('ts').map((text) => [/^\/\/ (src\/\S+\.ts)$/m.exec(text)?.[1], text] as const);

let project: string;
let shop: Awaited<ReturnType<typeof startBookshop>>;
let proxy: ForwardProxy;
let echo: Awaited<ReturnType<typeof startIpEcho>>;
const printed = new Map<string, Ended>();

beforeAll(async () => {
  project = copyProject();
  shop = await startBookshop();
  echo = await startIpEcho();
  // The account that README puts into `.env`.
  const { DECODO_USER: user = '', DECODO_PASS: pass = '' } = parseDotenv(blocksOf('dotenv', GUIDE).join('\n'));
  proxy = await startForwardProxy({ user, pass });
});
afterAll(async () => {
  shop.close();
  await echo.close();
  await proxy.close();
  rmSync(project, { recursive: true });
});

/** Runs a command of a document, with more words and variables where it would need the network. */
async function run(command: string, more = '', variables: Record<string, string> = {}): Promise<Ended> {
  const ended = await start(project, `${command} ${more}`, variables).ended;
  printed.set(command, ended);
  return ended;
}

/** A proxy of this machine in the place of Decodo's gateway; the account is for `.env` to say. */
function gateway(): Record<string, string> {
  return { DECODO_HOST: proxy.host, DECODO_PORT: String(proxy.port), DECODO_ECHO_URL: echo.url };
}

async function expectAccepted(command: string) {
  const input = await loadInput(command.slice(MAIN.length).split(' '), { env: {}, cwd: project });
  if (input.kind !== 'settings') throw new Error(`"${command}" prints a text`);
  return input.settings;
}

/** The first row of the summary's first table. */
function figuresOf(stdout: string): string[] {
  return [...(/Succeeded.*\n.*\n(.*)/.exec(stdout)?.[1] ?? '').matchAll(/\d+/g)].map(([figure]) => figure);
}

/** A site's CSV, as lines: the header, and the rows in order. */
function rowsOf(storage: string, site: string): string[] {
  const dir = join(project, storage, 'exports');
  const file = readdirSync(dir).find((name) => name.endsWith(`-${site}.csv`)) ?? '';
  const [header = '', ...rows] = readFileSync(join(dir, file), 'utf8').trimEnd().split('\n');
  return [header, ...rows.toSorted()];
}

/** A script of package.json that takes too long to run here; CI and `npm run check` do. */
async function expectScript(command: string) {
  const name = /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? '';
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const script = scripts[name];
  expect(script, `package.json has no script "${name}"`).toBeDefined();
  for (const called of script?.matchAll(/npm run (\S+)/g) ?? []) expect(scripts).toHaveProperty([called[1] ?? '']);
  for (const file of script?.match(/\S+\.ts/g) ?? []) expect(existsSync(join(ROOT, file)), file).toBe(true);
}

/** A command of Apify's, which needs an account there. */
async function expectApify(command: string) {
  const { code, stdout, stderr } = await start(project, command.replace('apify', 'apify help')).ended;
  expect(code).toBe(0);
  expect(stdout + stderr).toContain(command.replace('npx', '$'));
}

const COPIED = 'cp -r src/routes/hackernews src/routes/bookshop';
const CRAWLED = `${MAIN}--site bookshop`;

/** What is done about each command, in an order in which a reader could run them. */
const CHECKS: Record<string, (command: string) => Promise<void>> = {
  async 'npm install'() {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: { '': object } };
    const { dependencies, devDependencies } = manifest;
    expect(lock.packages['']).toMatchObject({ dependencies, devDependencies });
  },
  async 'npm start'(command) {
    expect(await run(command, '--silent')).toMatchObject({ code: 0 });
    expect(readdirSync(join(project, 'storage/exports')).map((name) => name.replace(/^.*\./, ''))).toEqual(['csv', 'json']);
  },
  'npm test': expectScript,
  async [`${MAIN}https://news.ycombinator.com/news --max-requests 10`](command) {
    expect(await expectAccepted(command)).toMatchObject({ startUrls: ['https://news.ycombinator.com/news'], maxRequests: 10 });
  },
  async 'mkdir src/routes/books'(command) {
    expect(await run(command)).toMatchObject({ code: 0 });
    for (const [path, text] of SOURCES) if (path?.startsWith('src/routes/books/')) writeInto(project, path, text);
  },
  async [`${MAIN}--site books`](command) {
    await checked('mkdir src/routes/books');
    // 2: the one book that cannot be fetched.
    expect(await run(command, `${shop.url} --format csv --storage-dir storage-books`)).toMatchObject({ code: 2 });
    const prices = [1, 2, 5, 6].map((book) => `Book ${book},${book}.5,New,${new URL(`/books/${book}`, shop.url)}`);
    expect(rowsOf('storage-books', 'books')).toEqual(['title,price,shelf,url', ...prices]);
  },
  async [COPIED](command) {
    expect(await run(command)).toMatchObject({ code: 0 });
    for (const [path, text] of SOURCES) if (path !== undefined) writeInto(project, path, text);
  },
  async [CRAWLED](command) {
    await checked(COPIED);
    expect((await expectAccepted(command)).startUrls).toEqual([]);
    // 2: the one book that cannot be fetched.
    expect(await run(command, `${shop.url} --format csv`)).toMatchObject({ code: 2 });
    const prices = [1, 2, 5, 6].map((book) => `Book ${book},${book}.5,New,${new URL(`/books/${book}`, shop.url)}`);
    expect(rowsOf('storage', 'bookshop')).toEqual(['title,price,shelf,url', ...prices]);
  },
  async [`${MAIN}--site bookshop --workers 2`](command) {
    await checked(CRAWLED);
    const { code, stdout } = await run(command, `${shop.url} --storage-dir storage-workers`);
    expect(code).toBe(2);
    expect(figuresOf(stdout)).toEqual(figuresOf(printed.get(CRAWLED)?.stdout ?? ''));
  },
  async [`${MAIN}verify --proxy rotating`](command) {
    writeInto(project, '.env', blocksOf('dotenv', GUIDE).join('\n'));
    const { code, stdout } = await run(command, `--url ${shop.url}`, gateway());
    expect(stdout).toMatch(/ok +Proxy .*\(rotating\): 5 requests at once came from 5 addresses/);
    expect(code).toBe(0);
  },
  async [`${MAIN}--site bookshop --proxy rotating --price-per-gb 4 --max-cost 5`](command) {
    await checked(`${MAIN}verify --proxy rotating`);
    await checked(CRAWLED);
    const before = proxy.log.length;
    const { code, stdout } = await run(command, `${shop.url} --storage-dir storage-proxy`, gateway());
    expect(stdout).toMatch(/Through the proxy: .*\nCost: /);
    // robots.txt, two shelves and six books.
    expect(proxy.log.length - before).toBe(9);
    expect(code).toBe(2);
  },
  async [`${MAIN}retry-failed --verdict transient,throttled`](command) {
    await checked(CRAWLED);
    expect(await run(command)).toEqual({
      code: 0,
      stdout: 'Nothing to put back: the one dead letter does not match the filters.\n',
      stderr: '',
    });
  },
  async [`${MAIN}status --live`](command) {
    await checked(CRAWLED);
    const { code, stdout } = await run(command);
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing is live');
  },
  async [`${MAIN}status`](command) {
    await checked(CRAWLED);
    const { code, stdout } = await run(command);
    expect(code).toBe(0);
    expect(stdout).toContain('HTTP 400');
  },
  async [`${MAIN}export --format jsonl,csv --out results`](command) {
    await checked(CRAWLED);
    expect(await run(command)).toMatchObject({ code: 0 });
    const endings = readdirSync(join(project, 'results')).map((name) => name.replace(/^.*bookshop/, ''));
    expect(endings.toSorted()).toEqual(['-failed.json', '-rejected.json', '.csv', '.jsonl']);
  },
  async [`${MAIN}verify`](command) {
    const { code, stdout } = await run(command, `--url ${shop.url}`);
    expect(stdout).toMatch(/ok +Node\.js.*\n.*ok +Storage.*\n.*ok +Network/);
    expect(code).toBe(0);
  },
  async [`${MAIN}demo-site`](command) {
    const { child, ended } = start(project, command);
    const url = await new Promise<string>((resolve) => {
      child.stdout.on('data', (line) => resolve(/http:\S+news/.exec(String(line))?.[0] ?? ''));
    });
    expect((await fetch(url)).status).toBe(200);
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  },
  async [`${MAIN}--help`](command) {
    expect(await run(command)).toEqual({ code: 0, stdout: `${helpText()}\n`, stderr: '' });
  },
  async [`${MAIN}--input input.json --storage-dir storage/nightly`](command) {
    const [json = ''] = blocksOf('json', GUIDE);
    writeInto(project, 'input.json', json);
    expect(await expectAccepted(command)).toMatchObject(JSON.parse(json) as object);
  },
  'npx apify login': expectApify,
  'npx apify push': expectApify,
  'npx apify call': expectApify,
  'npx apify run': expectApify, // It is run in test/actor/local.test.ts.
  'npm run bench': expectScript,
  'npm run bench:frontier -- 1000 10000': expectScript,
  'npm run check': expectScript,
  'npm run test:crawlee': expectScript,
};

const checks = new Map<string, Promise<void>>();

/** Checks a command, once: what another one needs is asked for by it, so that each can be run alone. */
function checked(command: string): Promise<void> {
  const check = checks.get(command) ?? CHECKS[command]?.(command) ?? Promise.resolve();
  checks.set(command, check);
  return check;
}

describe('the commands', () => {
  it('each have a check here', () => expect(Object.keys(CHECKS).toSorted()).toEqual([...new Set(COMMANDS)].toSorted()));

  it.each(Object.keys(CHECKS))('%s', checked);
});

it('README has at most 150 lines, and a page of the guide 200', () => {
  for (const { path, lines } of GUIDE) expect(lines, path).toBeLessThanOrEqual(path === 'README.md' ? 150 : 200);
});

it('has no block in README or the guide that nobody checks', () => {
  const languages = GUIDE.flatMap(({ blocks }) => blocks.map(({ language }) => language));
  expect([...new Set(languages)].toSorted()).toEqual(['dotenv', 'json', 'sh', 'sql', 'text', 'ts']);
});

describe('the TypeScript', () => {
  it('says in its first line where it belongs', () => {
    for (const [path, text] of SOURCES) expect(text).toMatch(`// ${path}\n`);
  });

  it('compiles there, as strictly as the project', async () => {
    await checked('mkdir src/routes/books');
    await checked(COPIED);
    writeInto(
      project,
      'tsconfig.readme.json',
      JSON.stringify({ extends: './tsconfig.json', include: ['src/routes/books', 'src/routes/bookshop'] }),
    );
    const { code, stdout } = await start(project, 'npx tsc -p tsconfig.readme.json').ended;
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });
});

it('the SQL finds the rejected row and the failed page', async () => {
  await checked(CRAWLED);
  const db = new Database(join(project, 'storage/crawl.sqlite'));
  const found = blocksOf('sql').map((query) => db.prepare(query).all());
  db.close();
  expect(found).toMatchObject([
    [{ url: new URL('/books/3', shop.url).href, reason: expect.stringContaining('price') as string }],
    [{ url: new URL('/books/4', shop.url).href, error: expect.stringContaining('HTTP 400') as string }],
  ]);
});

/** Figures and the widths that depend on them set aside, and which browser it is; progress comes as it likes. */
function shape(picture: string): string {
  return picture
    .replaceAll(/^\d.* pages done, .*\n/gm, '')
    .replaceAll(/^Browser: .*$/gm, 'Browser: one')
    .replaceAll(/[\dTZ.,:]*\d[\dTZ.,:]*/g, '#')
    .replaceAll('# min # s', '# s')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/─+/g, '─')
    .trim();
}

describe('the pictures', () => {
  const pictures = blocksOf('text', GUIDE);
  const checks: [beginsWith: string, check: (picture: string) => void | Promise<void>][] = [
    ['██', (picture) => expect(picture).toContain(toProgressLine({ done: 74, known: 93, failed: 0 }, 19.8))],
    [
      'Crawling the bundled',
      async (picture) => {
        await checked('npm start');
        const { stdout, stderr } = printed.get('npm start') as Ended;
        expect(shape(stderr + stdout)).toContain(shape(picture));
      },
    ],
    [
      'Crawling http:',
      (picture) => {
        const input = { site: 'hackernews', startUrls: ['http://127.0.0.1:8931/news'], maxRequests: null };
        const run = { input, startedAt: '', finishedAt: null, demoPort: null };
        expect(picture).toBe(openingLine({ run, resumes: true, demoUrl: null, total: 404, handled: 401, proxies: null }));
      },
    ],
    [
      '477 of',
      (picture) => {
        const page = { label: 'DETAIL', tier: 'http', phase: 'waiting', ageMillis: 3_200 };
        const flights = [
          { ...page, url: 'http://127.0.0.1:8977/item?id=40461000' },
          { ...page, label: 'LIST', phase: 'handler', ageMillis: 10, url: 'http://127.0.0.1:8977/news?p=17' },
        ];
        const hosts = [
          { host: '127.0.0.1:8977', inFlight: 2, window: 10, restsUntil: 0 },
          { host: '127.0.0.1:8978', inFlight: 0, window: 5, restsUntil: 24_000 },
        ];
        expect(picture).toBe(formatSnapshot({ total: 497, handled: 477, flights, hosts, nextWake: 24_000 }, 0));
      },
    ],
    [
      'storage/',
      async (picture) => {
        await checked(CRAWLED);
        const names = [...picture.matchAll(/^ {2}([\w.]+)/gm)].map(([, name]) => name);
        expect(readdirSync(join(project, 'storage'))).toEqual(
          expect.arrayContaining(names.filter((name) => name !== 'key_value_stores')) as string[],
        );
      },
    ],
    ['Exit codes:', (picture) => expect(helpText()).toContain(picture)],
    [
      '┌',
      (picture) => {
        const bench = readFileSync(join(ROOT, 'bench/frontier.ts'), 'utf8');
        for (const title of picture.split('\n')[1]?.split('│').slice(1, -1) ?? []) expect(bench).toContain(`'${title.trim()}'`);
      },
    ],
  ];

  it('each have a check here', () => {
    const found = pictures.map((picture) => checks.find(([begin]) => picture.startsWith(begin))?.[0] ?? '');
    expect(found.toSorted()).toEqual(checks.map(([begin]) => begin).toSorted());
  });

  it.each(checks)('%s...', (begin, check) => check(pictures.find((picture) => picture.startsWith(begin)) as string));
});
