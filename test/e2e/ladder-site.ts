// A site of the demo's stories, some of which only scripts render, or only a browser gets to see. It says who asked for what.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { challengePage, passes, SCRIPT, SCRIPT_PATH, shellPage } from '../../src/demo/obstacles.ts';
import { itemPage, listPage } from '../../src/demo/pages.ts';
import { demoStoryById } from '../../src/demo/stories.ts';

export interface LadderSite {
  readonly url: string;
  /** Requests by path, in order, as performance.now(). */
  readonly hits: Map<string, number[]>;
  close(): void;
}

export interface LadderSiteOptions {
  stories: number;
  /** @default 100 */
  perPage?: number;
  /** Whether a story is rendered by its script. @param index Its place in the lists. */
  isScripted?: (index: number) => boolean;
  /** Whether a story opens for browsers only. */
  isChallenged?: (index: number) => boolean;
  /** How long the script of scripted pages takes to come. @default 0 */
  scriptMillis?: number;
  /** Any other page, by its path. */
  pages?: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;
}

export async function startLadderSite(options: LadderSiteOptions): Promise<LadderSite> {
  const { stories, perPage = 100, isScripted = () => false, isChallenged = () => false, scriptMillis = 0, pages = {} } = options;
  const hits = new Map<string, number[]>();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    hits.set(path, [...(hits.get(path) ?? []), performance.now()]);
    const { pathname, searchParams } = new URL(path, 'http://site.test');
    const html = (body: string, status = 200) =>
      response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
    const page = pages[pathname];
    if (page) return page(response, request);
    if (pathname === SCRIPT_PATH) {
      setTimeout(() => response.writeHead(200, { 'content-type': 'text/javascript' }).end(SCRIPT), scriptMillis);
      return;
    }
    if (pathname === '/news') return html(listPage(Number(searchParams.get('p') ?? 1), { stories, perPage }));
    const story = demoStoryById(Number(searchParams.get('id')), stories);
    if (!story) return html('Not here', 404);
    if (isScripted(story.index)) return html(shellPage(story));
    if (isChallenged(story.index) && !passes(story, request.headers.cookie)) return html(challengePage(story), 403);
    return html(itemPage(story));
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/news`,
    hits,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
