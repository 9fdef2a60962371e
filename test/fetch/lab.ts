// A crawl put together as crawl.ts does it, over a server of the test's own, on a clock that runs twenty times as fast.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Configuration, log, type Source } from '@crawlee/core';
import type { CheerioCrawler } from '@crawlee/cheerio';
import { vi } from 'vitest';
import { z } from 'zod';

import type { DeadLetter } from '../../src/core/dead-letter.ts';
import type { Handler, Page } from '../../src/core/page.ts';
import { defineSite, type Site } from '../../src/core/site.ts';
import { createPlainClient } from '../../src/fetch/clients/plain.ts';
import { sessionsWithCookies } from '../../src/fetch/cookies.ts';
import { createFollowedSessions } from '../../src/fetch/followed-sessions.ts';
import { createHeaderPolicy } from '../../src/fetch/headers.ts';
import { toHeadered } from '../../src/fetch/hooks.ts';
import { withConfiguration } from '../../src/engine/configuration.ts';
import { createHttpCrawler } from '../../src/fetch/http-crawler.ts';
import { createRobots } from '../../src/fetch/robots.ts';
import { Frontier } from '../../src/frontier/frontier.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/client.ts';
import { stageDatasets } from '../../src/storage/staging.ts';

const SPEED = 20;

/** Makes Date.now() run fast: a wait of a second takes 50 ms. @returns The end of it. */
export function speedUpClock(): () => void {
  const begin = performance.timeOrigin + performance.now();
  const clock = vi
    .spyOn(Date, 'now')
    .mockImplementation(() => begin + (performance.timeOrigin + performance.now() - begin) * SPEED);
  return () => clock.mockRestore();
}

export interface Hit {
  /** On the fast clock. */
  readonly at: number;
}

export interface LabServer {
  readonly origin: string;
  /** Requests by path, in order. */
  readonly hits: Map<string, Hit[]>;
  close(): Promise<void>;
}

/** @param answers By path; `hit` counts from 1. A path without one is a page that names itself. */
export async function startServer(
  answers: Record<string, (response: ServerResponse, hit: number, request: IncomingMessage) => unknown>,
): Promise<LabServer> {
  const hits = new Map<string, Hit[]>();
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] as string;
    const seen = hits.get(path) ?? [];
    hits.set(path, seen);
    seen.push({ at: Date.now() });
    const answer = answers[path] ?? page(path);
    void answer(response, seen.length, request);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** An answer with HTML. */
export const page =
  (text: string, links: readonly string[] = []) =>
  (response: ServerResponse) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const anchors = links.map((href) => `<a href="${href}">${href}</a>`).join('');
    response.end(`<!doctype html><html><head><title>${text}</title></head><body><h1>${text}</h1>${anchors}</body></html>`);
  };

/** An answer with a status, as text. */
export const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(code, { 'content-type': 'text/html', ...headers });
    response.end(`<h1>${code}</h1>`);
  };

/** A site whose handlers are found by path. A path without one pushes a record. */
export function labSite(handlers: Record<string, Handler> = {}): Site {
  const handle: Handler = async (page: Page) => {
    const { pathname } = new URL(page.request.url);
    await (handlers[pathname] ?? pushPath)(page);
  };
  return defineSite({
    name: 'lab',
    startUrls: [],
    labelOf: (url) => (url.pathname.startsWith('/list') ? 'LIST' : 'PAGE'),
    record: z.object({ path: z.string(), n: z.int() }),
    userData: { LIST: z.object({}), PAGE: z.object({ foundOn: z.string().optional() }) },
    routes: { LIST: handle, PAGE: handle },
  });
}

export const pushPath: Handler = async (page) => page.pushData({ path: new URL(page.request.url).pathname, n: 1 });

export interface Crawled {
  readonly frontier: Frontier;
  readonly letters: DeadLetter[];
  readonly ends: Record<string, number>;
  readonly counters: Record<string, number>;
  rows(dataset: string): Promise<Record<string, unknown>[]>;
}

interface LabOptions {
  storage: SqliteStorage;
  site: Site;
  urls: readonly (string | Source)[];
  concurrency?: number;
  /** @default as many as in flight at all */
  hostConcurrency?: number;
  /** Whether robots.txt is asked for. @default false */
  robots?: boolean;
  /** The rest before the second pass, in milliseconds; null: there is none. @default null */
  secondPassDelayMillis?: number | null;
  /** @default half an hour */
  maxRetryAfterMillis?: number;
  /** Called with the crawl before it runs. */
  onStart?: (crawl: { frontier: Frontier; crawler: CheerioCrawler }) => void;
}

/** Crawls to the end. */
export async function crawlLab(options: LabOptions): Promise<Crawled> {
  const { storage, site, urls, concurrency = 20, hostConcurrency = concurrency, secondPassDelayMillis = null } = options;
  const { robots = false, maxRetryAfterMillis = 1_800_000, onStart } = options;
  const staging = stageDatasets(storage);
  const config = new Configuration({ storageClient: staging.client, purgeOnStart: false });
  const letters: DeadLetter[] = [];
  log.setLevel(log.LEVELS.OFF);
  return withConfiguration(config, async () => {
    await openLaneQueue(config);
    const store = await storage.openRun({ limits: { hostConcurrency, delayMillis: 0 }, random: () => 0 });
    const frontier = await Frontier.open({ store, site, secondPassDelayMillis: secondPassDelayMillis ?? 0 });
    await frontier.addRequestsBatched([...urls]);
    const client = createPlainClient();
    const policy = createHeaderPolicy({ mode: 'polite', version: '0' });
    const crawler = createHttpCrawler({
      site,
      frontier,
      client,
      concurrency,
      headers: (request, session, url) => policy({ request: toHeadered(request, site, url), sessionId: session?.id ?? '' }),
      robots: robots ? createRobots({ client, headers: (url) => policy({ request: { url }, sessionId: '' }) }) : null,
      maxRetryAfterMillis,
      secondPass: secondPassDelayMillis !== null,
      redact: (text) => text,
      followed: site.session === 'follow' ? createFollowedSessions(sessionsWithCookies([])) : null,
      duringPage: staging.duringPage,
      onDeadLetter: (letter) => letters.push(letter),
      log,
    });
    onStart?.({ frontier, crawler });
    try {
      await crawler.run();
    } finally {
      await client.close();
    }
    const ends: Record<string, number> = {};
    for (const { end, pages } of (await store.totals()).tallies) ends[end] = (ends[end] ?? 0) + pages;
    const rows = async (name: string) => {
      const { id } = await storage.datasets().getOrCreate(name);
      return (await storage.dataset(id).listItems()).items as Record<string, unknown>[];
    };
    return { frontier, letters, ends, counters: (await store.totals()).counters, rows };
  });
}
