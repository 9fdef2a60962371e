// A server on this machine that speaks the Web Scraping API's two generations. What it says of a page is in the page's path.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { z } from 'zod';

export const TOKENS = { older: 'b2xkOnRva2VuLWNhbmFyeQ==', current: 'new-token-canary-4711' };

/** What the API takes for a page of any site; anything else it refuses with 422. */
const PARAMETERS = z.strictObject({
  target: z.literal('universal').optional(),
  url: z.url().max(2_056),
  headless: z.enum(['html', 'png']).optional(),
  geo: z.string().optional(),
  locale: z.string().optional(),
  session_id: z.string().regex(/^\w+$/).optional(),
  http_method: z.enum(['GET', 'POST']).optional(),
  payload: z.base64().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  cookies: z.record(z.string(), z.string()).optional(),
  force_headers: z.boolean().optional(),
  force_cookies: z.boolean().optional(),
});

export interface Call {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: z.output<typeof PARAMETERS>;
}

export interface ScrapingApiServer {
  readonly url: string;
  readonly host: string;
  /** Those whose token and parameters were right. */
  readonly calls: Call[];
  close(): Promise<void>;
}

type Answer = (response: ServerResponse, call: Call, page: URL) => void;

const PAGE = '<!doctype html><meta charset="windows-1251"><title>Grüße, мир</title><p>漢字 and 🚀';

/** By the first part of the page's path. */
const ANSWERS: Record<string, Answer> = {
  ok: (response, _call, page) => {
    // As the target sent them: the body's framing says nothing of the text here.
    const headers = {
      'Content-Type': 'text/html; charset=windows-1251',
      'Content-Encoding': 'br',
      'Content-Length': '7',
      'X-Shop': 'yes',
    };
    sendResult(response, { content: PAGE, status_code: 200, url: `${page.href}?final`, task_id: '1', headers, cookies: [] });
  },
  empty: (response, _call, page) =>
    sendResult(response, { content: '', status_code: 200, url: page.href, task_id: '2', headers: null }),
  status: (response, _call, page) =>
    sendResult(response, {
      content: `<title>The shop's own ${page.pathname}</title>`,
      status_code: Number(page.pathname.split('/')[2]),
      url: page.href,
      task_id: '3',
      headers: { 'Retry-After': '30' },
    }),
  'failed-inside': (response, { body }, page) =>
    send(response, 200, {
      status: 'failed',
      status_code: Number(page.pathname.split('/')[2]),
      message: `We were not able to scrape the target ${JSON.stringify(body.cookies ?? {})} ${JSON.stringify(body.headers ?? {})}`,
      task_id: '4',
    }),
  'failed-result': (response, _call, page) =>
    sendResult(response, { content: '', status_code: 613, url: page.href, task_id: '5' }),
  'http-status': (response, call, page) => {
    const status = Number(page.pathname.split('/')[2]);
    const message = `No.\n  You sent ${call.headers.authorization}`;
    send(response, status, { status: 'failed', message }, status === 429 ? { 'retry-after': '7' } : {});
  },
  gateway: (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
  'no-json': (response) => response.end('<h1>It works!</h1>'),
  'no-result': (response) => send(response, 200, { results: [] }),
  'no-text': (response, _call, page) =>
    sendResult(response, { content: { parsed: true }, status_code: 200, url: page.href, task_id: '6' }),
  large: (response, _call, page) =>
    sendResult(response, {
      content: '"'.repeat(Number(page.pathname.split('/')[2])),
      status_code: 200,
      url: page.href,
      task_id: '7',
    }),
  hang: () => {},
  cut: (response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('{"results":[');
    setTimeout(() => response.socket?.destroy(), 30);
  },
};

export async function startScrapingApi(): Promise<ScrapingApiServer> {
  const calls: Call[] = [];
  const sockets = new Set<Socket>();

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const generation = { '/v2/scrape': 'older', '/v1/scrape': 'current' }[request.url ?? ''];
    if (request.method !== 'POST' || (generation !== 'older' && generation !== 'current')) {
      send(response, 404, { status: 'failed', message: 'No such route' });
      return;
    }
    const { authorization } = request.headers;
    if (authorization !== `${generation === 'older' ? 'Basic' : 'Bearer'} ${TOKENS[generation]}`) {
      send(response, 401, { status: 'failed', message: `${authorization} is unknown` });
      return;
    }
    const body = PARAMETERS.safeParse(await json(request));
    if (!body.success || (generation === 'current' && body.data.target === undefined)) {
      send(response, 422, { status: 'failed', message: body.error?.message ?? 'target is required' });
      return;
    }
    const call: Call = { path: request.url ?? '', headers: request.headers, body: body.data };
    calls.push(call);
    const page = new URL(body.data.url);
    ANSWERS[page.pathname.split('/')[1] ?? '']?.(response, call, page);
  };

  const server = createServer((request, response) => void answer(request, response));
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    calls,
    async close() {
      for (const socket of sockets) socket.destroy();
      await promisify(server.close.bind(server))();
    },
  };
}

function sendResult(response: ServerResponse, result: object): void {
  send(response, 200, { results: [{ ...result, created_at: '2026-01-15 12:00:00', updated_at: '2026-01-15 12:00:09' }] });
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip', ...headers });
  response.end(gzipSync(JSON.stringify(body)));
}
