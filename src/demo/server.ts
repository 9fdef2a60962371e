// The demo site over HTTP, on this machine only: the default target of a crawl, the tests' fixture, the benchmark's target.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { SurefootError, messageOf } from '../core/errors.ts';
import { challengePage, obstacleOf, passes, SCRIPT, SCRIPT_PATH, shellPage } from './obstacles.ts';
import { itemPage, listPage } from './pages.ts';
import { demoStoryById, type DemoStory } from './stories.ts';

const HOST = '127.0.0.1';
// At about 20 KB a page: 5 MB. Pages are cheap to build again.
const CACHED_PAGES = 256;
// Longer than any pause of a crawl, so that a client never reuses a connection in the moment the server closes it.
const KEEP_ALIVE_MILLIS = 65_000;

export interface DemoSiteOptions {
  /** Port on 127.0.0.1; 0 takes a free one. @default 0 */
  port?: number;
  /** @default 90 */
  stories?: number;
  /** Stories on a list page. @default 30 */
  perPage?: number;
  /** How long each answer waits; a function receives path and query. @default 0 */
  delayMillis?: number | ((path: string) => number);
  /** Puts obstacles before six of the stories (obstacles.ts), for a crawl that climbs to tier `browser`. @default false */
  ladder?: boolean;
}

export interface DemoSite {
  /** Where a crawl starts: `http://127.0.0.1:PORT/news`. */
  readonly url: string;
  readonly port: number;
  /** Path and query (without parameters that mean nothing) → times requested. Paths that do not exist are not counted. */
  readonly hits: Map<string, number>;
  /** Stops at once, cutting connections that are still open. Safe to call twice. */
  close(): Promise<void>;
}

/** A path of the site: its one spelling, and its content. */
interface Route {
  key: string;
  type: 'text/html' | 'text/plain' | 'text/javascript';
  render(): string;
  /** The story whose page it is. */
  story?: DemoStory;
}

interface Reply {
  status: number;
  type: Route['type'];
  body: Buffer;
  retryAfter?: string;
}

const NOT_FOUND: Reply = {
  status: 404,
  type: 'text/html',
  body: Buffer.from('<!doctype html><title>Not found</title><p>No such page.\n'),
};
const TOO_MANY_REQUESTS: Reply = { status: 429, type: 'text/plain', body: Buffer.from('Later.\n'), retryAfter: '1' };
const UNAVAILABLE: Reply = { status: 503, type: 'text/plain', body: Buffer.from('Not now.\n') };
const METHOD_NOT_ALLOWED: Reply = { status: 405, type: 'text/plain', body: Buffer.from('Only GET and HEAD.\n') };

/** Starts the demo site.
 *  @throws {SurefootError} kind `run`: the port is taken or cannot be used. */
export async function startDemoSite(options: DemoSiteOptions = {}): Promise<DemoSite> {
  const { port = 0, stories = 90, perPage = 30, delayMillis = 0, ladder = false } = options;
  const hits = new Map<string, number>();
  const cache = new Map<string, Buffer>();
  /** Stories that have said "later" once. */
  const refused = new Set<number>();

  function bodyOf(route: Route): Buffer {
    const body = cache.get(route.key) ?? Buffer.from(route.render());
    // A Map keeps the order of insertion: putting the page back makes it the youngest, and the first key is the oldest.
    cache.delete(route.key);
    cache.set(route.key, body);
    const oldest = cache.keys().next();
    if (cache.size > CACHED_PAGES && !oldest.done) cache.delete(oldest.value);
    return body;
  }

  function replyTo({ method, url = '/', headers }: IncomingMessage): Reply {
    if (method !== 'GET' && method !== 'HEAD') return METHOD_NOT_ALLOWED;
    const route = routeOf(url, { stories, perPage, ladder });
    if (route === undefined) return NOT_FOUND;
    hits.set(route.key, (hits.get(route.key) ?? 0) + 1);
    const hindered = ladder && route.story ? hinder(route.story, headers.cookie) : null;
    return hindered ?? { status: 200, type: route.type, body: bodyOf(route) };
  }

  /** What is sent instead of a story's page, if anything is. */
  function hinder(story: DemoStory, cookies: string | undefined): Reply | null {
    const obstacle = obstacleOf(story);
    const page = (status: number, html: string): Reply => ({ status, type: 'text/html', body: Buffer.from(html) });
    if (obstacle === 'scripts') return page(200, shellPage(story));
    if (obstacle === 'challenge') return passes(story, cookies) ? null : page(403, challengePage(story));
    if (obstacle === null || refused.has(story.id)) return null;
    refused.add(story.id);
    return obstacle === 'throttled' ? TOO_MANY_REQUESTS : UNAVAILABLE;
  }

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MILLIS }, (request, response) => {
    const reply = replyTo(request);
    const wait = typeof delayMillis === 'number' ? delayMillis : delayMillis(request.url ?? '/');
    if (wait > 0) setTimeout(send, wait, request, response, reply).unref();
    else send(request, response, reply);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, port)));
    server.once('listening', resolve);
    try {
      server.listen(port, HOST);
    } catch (error) {
      reject(listenError(error, port));
    }
  });

  const actual = (server.address() as AddressInfo).port;
  return {
    url: `http://${HOST}:${actual}/news`,
    port: actual,
    hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routeOf(path: string, size: { stories: number; perPage: number; ladder: boolean }): Route | undefined {
  if (!URL.canParse(path, `http://${HOST}`)) return undefined;
  const { pathname, searchParams } = new URL(path, `http://${HOST}`);

  if (pathname === '/robots.txt') return { key: pathname, type: 'text/plain', render: () => 'User-agent: *\nAllow: /\n' };

  if (pathname === '/item') {
    const story = demoStoryById(toNumber(searchParams.get('id')), size.stories);
    return story && { key: `/item?id=${story.id}`, type: 'text/html', render: () => itemPage(story), story };
  }

  if (pathname === SCRIPT_PATH && size.ladder) return { key: pathname, type: 'text/javascript', render: () => SCRIPT };

  if (pathname === '/' || pathname === '/news') {
    const p = searchParams.get('p');
    const number = toNumber(p ?? '1');
    if (!(number >= 1 && number <= Math.max(1, Math.ceil(size.stories / size.perPage)))) return undefined;
    return { key: p === null ? pathname : `${pathname}?p=${number}`, type: 'text/html', render: () => listPage(number, size) };
  }
  return undefined;
}

/** Digits alone, else NaN. */
function toNumber(text: string | null): number {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, type, body, retryAfter }: Reply): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function listenError(cause: unknown, port: number): SurefootError {
  const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  const what = taken ? 'another program listens there' : messageOf(cause);
  return new SurefootError(
    'run',
    `The demo site cannot use port ${port} on ${HOST}: ${what}. Free it or choose another (0 takes any); a demo crawl that was left there begins again by --fresh.`,
    {
      cause,
    },
  );
}
