// A crawl of the browser lane alone: a real browser, a server of the test's own, and a request manager that keeps all in
// memory and takes down what becomes of each attempt.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Configuration, log, Request, type BasicCrawler, type Source } from '@crawlee/cheerio';
import { MemoryStorage } from '@crawlee/memory-storage';
import { describe, onTestFinished } from 'vitest';
import { z } from 'zod';

import { DATASETS } from '../../../src/core/run-store.ts';
import type { Handler, Page } from '../../../src/core/page.ts';
import { defineSite, type SiteDefinition } from '../../../src/core/site.ts';
import { verdictOfError } from '../../../src/core/verdict.ts';
import { createBrowserCrawler, type BrowserCrawlerOptions } from '../../../src/fetch/browser-crawler.ts';
import type { FoundBrowser } from '../../../src/fetch/browser/find-browser.ts';
import { findBrowserHere } from '../../../src/fetch/browser/this-machine.ts';
import { createHeaderPolicy } from '../../../src/fetch/headers.ts';
import { toHeadered } from '../../../src/fetch/hooks.ts';

const found = await findBrowserHere({ searchPath: process.env['PATH'] ?? '' });

if ('none' in found && process.env['CI']) throw new Error(found.none);

/** `describe`, skipped where there is no browser, which shows in the report; in CI that is a failure. */
export const describeBrowser = 'none' in found ? describe.skip : describe;

export function labBrowser(): FoundBrowser {
  if ('none' in found) throw new Error(found.none);
  return found;
}

export interface Hit {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly remoteAddress: string;
  readonly body: string;
}

export type Answer = (response: ServerResponse, hit: Hit, request: IncomingMessage) => unknown;

/** @param answers By path; any other is 404. `hits` is every request but the browser's own for an icon. */
export async function startServer(answers: Record<string, Answer>) {
  const hits: Hit[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const path = (request.url ?? '').split('?')[0] as string;
      const hit = {
        path,
        method: request.method ?? '',
        headers: request.headers,
        remoteAddress: request.socket.remoteAddress ?? '',
        body,
      };
      if (path !== '/favicon.ico') hits.push(hit);
      const answer = answers[path];
      if (answer) void answer(response, hit, request);
      else response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Nothing here</h1>');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, other: `http://localhost:${port}`, port, hits };
}

const TEXT = 'Enough to read for a page that is one. '.repeat(3);

/** An answer with HTML. */
export const html =
  (body: string, headers: Record<string, string | string[]> = {}, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(`<!doctype html><html><head><title>Lab</title></head><body><p>${TEXT}</p>${body}</body></html>`);
  };

/** A shell that its script fills. */
export const app = (script: string): Answer => {
  const page = `<!doctype html><title>App</title><div id="root"></div><script>const root = document.getElementById('root');${script}</script>`;
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  };
};

export interface Failure {
  readonly path: string;
  readonly verdict: string;
  readonly status: number | null;
  readonly retryAfter: string | undefined;
  readonly message: string;
}

export interface LabOptions {
  urls: readonly (string | Source)[];
  /** For every page. */
  handler?: Handler;
  site?: Partial<Pick<SiteDefinition<{ PAGE: z.ZodObject }>, 'headers' | 'browser' | 'judge' | 'refresh'>>;
  headers?: 'browser' | 'polite';
  concurrency?: number;
  /** How often a page that failed is tried again. @default 0 */
  retries?: number;
  options?: Partial<BrowserCrawlerOptions>;
  onStart?: (crawler: BasicCrawler) => void;
}

export interface Row {
  readonly path: string;
  readonly [key: string]: unknown;
}

/** Crawls to the end. Rows count for pages that succeeded alone. */
export async function crawlBrowser(lab: LabOptions) {
  const { concurrency = 1, retries = 0, handler = pushPath } = lab;
  const rows: Row[] = [];
  const failures: Failure[] = [];
  const pages: Page[] = [];
  const arrived: string[] = [];
  const blocked: string[] = [];
  const site = defineSite({
    name: 'lab',
    startUrls: [],
    labelOf: () => 'PAGE',
    record: z.looseObject({ path: z.string() }),
    userData: { PAGE: z.looseObject({}) },
    routes: {
      PAGE: async (page) => {
        pages.push(page);
        await handler(page);
      },
    },
    ...lab.site,
  });
  const manager = createManager((row) => rows.push(row), arrived);
  await manager.addRequestsBatched([...lab.urls]);
  const policy = createHeaderPolicy({ mode: lab.headers ?? 'browser', version: '0', contact: 'lab@example.com' });
  log.setLevel(log.LEVELS.OFF);
  const config = new Configuration({ storageClient: new MemoryStorage({ persistStorage: false }), purgeOnStart: false });
  await Configuration.storage.run(config, async () => {
    const crawler = await createBrowserCrawler({
      site,
      frontier: manager,
      concurrency,
      headers: (request, session) => policy({ request: toHeadered(request, site), sessionId: session?.id ?? '' }),
      robots: null,
      duringPage: (_stage, work) => work(),
      handleError(request, error) {
        const verdict = verdictOfError(error);
        const { status = null, retryAfter } = error as { status?: number | null; retryAfter?: string };
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ path: new URL(request.url).pathname, verdict, status, retryAfter, message });
        request.noRetry = request.retryCount >= retries;
        return verdict;
      },
      redact: (text) => text,
      log,
      browser: labBrowser(),
      kind: 'playwright',
      loadAssets: false,
      onBlocked: (kind) => blocked.push(kind),
      ...lab.options,
    });
    lab.onStart?.(crawler);
    await crawler.run();
  });
  return { rows, failures, pages, arrived, blocked };
}

export const pushPath: Handler = async (page) => page.pushData({ path: new URL(page.request.url).pathname });

function createManager(onRow: (row: Row) => void, arrived: string[]) {
  const waiting: Request[] = [];
  const known = new Set<string>();
  const staged = new Map<string, Row[]>();
  let inFlight = 0;
  let handled = 0;
  const add = (source: Source | string) => {
    const request = new Request(typeof source === 'string' ? { url: source } : (source as { url: string }));
    request.id = request.uniqueKey;
    request.label ??= 'PAGE';
    const wasAlreadyPresent = known.has(request.uniqueKey);
    if (!wasAlreadyPresent) waiting.push(request);
    known.add(request.uniqueKey);
    return { requestId: request.id, uniqueKey: request.uniqueKey, wasAlreadyPresent, wasAlreadyHandled: false };
  };
  return {
    isFinished: async () => waiting.length === 0 && inFlight === 0,
    isEmpty: async () => waiting.length === 0,
    handledCount: async () => handled,
    getTotalCount: () => known.size,
    getPendingCount: () => waiting.length,
    async fetchNextRequest() {
      const request = waiting.shift() ?? null;
      if (request) inFlight += 1;
      if (request) staged.set(request.uniqueKey, []);
      return request;
    },
    async markRequestHandled(request: Request) {
      inFlight -= 1;
      handled += 1;
      if (!request.noRetry) for (const row of staged.get(request.uniqueKey) ?? []) onRow(row);
    },
    async reclaimRequest(request: Request) {
      inFlight -= 1;
      waiting.push(request);
    },
    addRequest: async (source: Source) => add(source),
    async addRequestsBatched(sources: Iterable<Source | string> | AsyncIterable<Source | string>) {
      const addedRequests = [];
      for await (const source of sources) addedRequests.push(add(source));
      return { addedRequests, waitForAllRequestsToBeAdded: Promise.resolve([]) };
    },
    async *[Symbol.asyncIterator]() {},
    flightOf: (request: Request) => ({
      claimedAt: 0,
      labelWorks: true,
      tier: 'browser' as const,
      enter() {},
      reject() {},
      found() {},
      measure() {},
      rendering() {},
      stage(dataset: string, json: string) {
        if (dataset === DATASETS.items) staged.get(request.uniqueKey)?.push(JSON.parse(json) as Row);
      },
    }),
    arrived: async (request: Request) => void arrived.push(new URL(request.url).pathname),
    setDelay: () => null,
  };
}
