// A copy of the project in which a README's commands can be run as they stand, and a site for its example to crawl.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { ROOT } from './documents.ts';

/** What the commands read; `npm start` compiles. */
const NEEDED = ['src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** @returns The copy's folder. Its `node_modules` are the project's own. */
export function copyProject(): string {
  const dir = mkdtempSync(join(tmpdir(), 'surefoot-readme-'));
  for (const path of NEEDED) cpSync(join(ROOT, path), join(dir, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** This machine's own settings of Surefoot, and whose proxies it uses. */
const SETTINGS = /^(?:SUREFOOT_|DECODO_|PROXY_URLS$)/;

/** Starts a command in a folder, as a shell would, without this machine's own settings of Surefoot.
 *  @param variables Set for it. */
export function start(dir: string, command: string, variables: Readonly<Record<string, string>> = {}) {
  const own = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const env = { ...Object.fromEntries(own), ...variables };
  // Node instead of npx, which takes a second of its own to find what it starts.
  const program = command.replace(/^npx tsx /, 'exec node --import tsx ').replace(/^npx /, 'exec node_modules/.bin/');
  const child = spawn(program, { cwd: dir, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Promise<Ended> = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [code]]) => ({ code: code as number | null, stdout, stderr }),
  );
  return { child, ended };
}

export function writeInto(dir: string, path: string, content: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
}

/** A shop with six books on two pages; book 3 has no price, book 4 cannot be fetched. */
export async function startBookshop(): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url = '/' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://bookshop');
    const book = Number(/^\/books\/(\d+)$/.exec(pathname)?.[1]);
    response.statusCode = book === 4 ? 400 : 200;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(book > 0 ? bookPage(book) : shelfPage(Number(searchParams.get('page') ?? 1)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/shelves/new`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function bookPage(book: number): string {
  return `<h1>Book ${book}</h1><p class="price">${book === 3 ? 'sold out' : `€${book}.50`}</p>`;
}

function shelfPage(page: number): string {
  const books = [1, 2, 3].map((place) => `<li class="book"><a href="/books/${(page - 1) * 3 + place}">A book</a></li>`);
  return `<h1>New</h1><ul>${books.join('')}</ul>${page === 1 ? '<a class="next" href="?page=2">More</a>' : ''}`;
}
