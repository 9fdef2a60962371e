// The demo site's pages from a server that fails on demand: Hacker News' markup, with the faults of test/fetch/faults.ts.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { itemPage, listPage } from '../../src/demo/pages.ts';
import { demoStories, demoStoryById } from '../../src/demo/stories.ts';
import { faultOf } from '../fetch/faults.ts';

const PER_PAGE = 30;

export interface FlakySiteOptions {
  stories: number;
  /** What goes wrong with a request: a fault's name (`503`, `hang-before-headers`, ...) and its query, such as `503?after=1`;
   *  null: nothing. @param hit Requests for this path so far, this one included. */
  fault?: (path: string, hit: number) => string | null;
  /** @default 0 */
  delayMillis?: number;
  /** What an answer waits for. */
  hold?: () => Promise<unknown>;
  /** Sees each request; may set headers of the answer. */
  onRequest?: (path: string, request: IncomingMessage, setHeader: (name: string, value: string) => void) => void;
}

export interface FlakySite {
  /** Where a crawl starts. */
  readonly url: string;
  readonly origin: string;
  /** Path and query of each story's page, in the order of the list. */
  readonly storyPaths: readonly string[];
  /** Path and query → the time of each request (performance.now()). robots.txt, which there is none, is left out. */
  readonly hits: Map<string, number[]>;
  close(): void;
}

export async function startFlakySite(options: FlakySiteOptions): Promise<FlakySite> {
  const { stories, fault = () => null, delayMillis = 0, hold = async () => {}, onRequest = () => {} } = options;
  const hits = new Map<string, number[]>();
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const path = request.url ?? '/';
    if (path === '/robots.txt') return void response.writeHead(404).end();
    const times = [...(hits.get(path) ?? []), performance.now()];
    hits.set(path, times);
    onRequest(path, request, (name, value) => response.setHeader(name, value));
    const url = new URL(path, 'http://127.0.0.1');
    const story = demoStoryById(Number(url.searchParams.get('id')), stories);
    const page = story ? itemPage(story) : listPage(Number(url.searchParams.get('p') ?? 1), { stories, perPage: PER_PAGE });
    const [name = '', query = ''] = (fault(path, times.length) ?? 'ok').split('?');
    const exchange = { request, response, socket: request.socket, rest: '', base: path, page, now: Date.now() };
    const answer = () => faultOf(name)({ ...exchange, query: new URLSearchParams(query) });
    void hold().then(() => setTimeout(answer, delayMillis));
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/news`,
    origin,
    storyPaths: demoStories({ count: stories, url: `${origin}/news` }).map(({ itemUrl }) => itemUrl.slice(origin.length)),
    hits,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
