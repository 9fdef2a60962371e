// What listens on an Actor's web server port: the status as a plain page and as JSON, and the platform's readiness probe.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** https://docs.apify.com/platform/actors/development/programming-interface/standby */
const PROBE = 'x-apify-container-server-readiness-probe';

export interface LiveViewOptions {
  /** 0 takes a free one. */
  port: number;
  /** `0.0.0.0` where the platform stands before it. @default 127.0.0.1 */
  host?: string;
  /** The page's text, as a terminal would show it. */
  text(): Promise<string>;
  /** What `/status.json` says. */
  status(): Promise<object>;
}

/** @returns The port it listens on. */
export async function startLiveView(options: LiveViewOptions): Promise<{ readonly port: number; close(): void }> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://live-view');
    const send = (status: number, type: string, body: string) =>
      void response
        .writeHead(status, {
          'content-type': `${type}; charset=utf-8`,
          'cache-control': 'no-store',
          'content-security-policy': "default-src 'none'",
        })
        .end(body);
    if (request.headers[PROBE] !== undefined) send(200, 'text/plain', 'ready\n');
    else if (request.method !== 'GET' && request.method !== 'HEAD') send(405, 'text/plain', 'Only GET and HEAD.\n');
    else if (pathname === '/status.json') send(200, 'application/json', JSON.stringify(await options.status()));
    else if (pathname === '/') send(200, 'text/html', toPage(await options.text()));
    else send(404, 'text/plain', 'Only / and /status.json.\n');
  };
  const server = createServer((request, response) => {
    // A store that cannot be read ends the crawl by the pages' own commits, with a better message.
    answer(request, response).catch(() => response.destroy());
  });
  await once(server.listen(options.port, options.host ?? '127.0.0.1'), 'listening');
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function toPage(text: string): string {
  const safe = text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Surefoot</title>\n<pre>${safe}</pre>\n</html>\n`;
}
