// A local server that fails as servers do, on demand. What it does with a request is in the request's path:
//
//   /<fault>[/anything]              fails each time:                  /cut-gzip, /429/17, /503?after=5
//   /flaky/<n>/<fault>[/anything]    fails n times, then answers `ok`: /flaky/2/reset-before-headers/story-17
//
// <fault> is `ok`, any status from 200 to 599, or a name in faults.ts. "[/anything]" makes as many pages as a test wants:
// each path is counted by itself. Query parameters, each optional:
//   after=SECS       Retry-After as a number of seconds, with any status
//   after-date=SECS  Retry-After as an HTTP date so many seconds from now
//   every=MILLIS     between two bytes of `drip` (default 1,000)
//   megabytes=N      what a `*-bomb` holds once decompressed (default 50)
//   charset=LABEL    for `windows-1251-*` and `shift-jis-*`: another label in the header
//   type=TYPE        another Content-Type, with any status
//
// /robots.txt is a 404 unless `robots` says otherwise.
//
//   const server = await startFaultServer();
//   server.url('cut-gzip');                                 // http://127.0.0.1:PORT/cut-gzip
//   server.url('429', { after: 2, id: 7, flaky: 1 });       // .../flaky/1/429/7?after=2
//   server.hits.get('/flaky/1/429/7');                      // Date.now() of each request so far; undefined if none
//   server.connections;                                     // accepted so far
//   await server.close();                                   // at once, whatever hangs
//
// Failures before any answer have addresses of their own: `silentTlsUrl` takes a connection and says nothing (connect
// timeout), `plainTextTlsUrl` is an https: URL of a server without TLS, `refusedUrl` has nobody behind it.
import { createServer, type RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';

import { faultOf } from './faults.ts';

export interface FaultServerOptions {
  /** The body of an `ok` answer. @default a title and a paragraph that name the path */
  page?: (path: string) => string;
  /** The text of /robots.txt. @default there is none */
  robots?: string;
  /** The clock of `hits` and of `after-date`, in epoch milliseconds. @default Date.now */
  now?: () => number;
  /** Speaks HTTP/2 over TLS, and HTTP/1.1 with clients that do not. Faults that break the connection itself are not for it. */
  http2?: { key: Buffer; cert: Buffer };
}

export interface FaultServer {
  /** `http://127.0.0.1:PORT`; https with `http2`. */
  readonly origin: string;
  /** Path without query → the time of each request. */
  readonly hits: ReadonlyMap<string, readonly number[]>;
  /** Connections accepted so far. */
  readonly connections: number;
  readonly silentTlsUrl: string;
  readonly plainTextTlsUrl: string;
  readonly refusedUrl: string;
  url(fault: string, options?: FaultUrlOptions): string;
  /** Resolves once no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface FaultUrlOptions {
  id?: string | number;
  /** Times it fails before it succeeds. */
  flaky?: number;
  after?: number;
  afterDate?: number;
  every?: number;
  megabytes?: number;
  charset?: string;
  type?: string;
}

export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const { page = (path) => `<!doctype html><title>ok</title><p>${path}</p>`, robots, now = Date.now } = options;
  const hits = new Map<string, number[]>();
  const sockets = new Set<Socket>();
  let connections = 0;

  const answer: RequestListener = (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const times = hits.get(pathname) ?? [];
    hits.set(pathname, [...times, now()]);
    if (pathname === '/robots.txt') return void response.writeHead(robots === undefined ? 404 : 200).end(robots);
    const [, flaky, name = '', rest = ''] = /^(?:\/flaky\/(\d+))?\/([^/]+)(.*)$/.exec(pathname) ?? [];
    const fails = flaky === undefined || times.length < Number(flaky);
    const base = pathname.slice(0, pathname.length - rest.length);
    const exchange = { request, response, socket: request.socket, rest, base, query, page: page(pathname), now: now() };
    faultOf(fails ? name : 'ok')(exchange);
  };
  // The client's own limits are what is tested: the server has none.
  const server = options.http2
    ? createSecureServer({ ...options.http2, allowHTTP1: true }, answer as never)
    : createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, answer);
  const scheme = options.http2 ? 'https' : 'http';
  const silent = createNetServer((socket) => track(sockets, socket.resume()));
  server.on('connection', (socket: Socket) => {
    connections += 1;
    track(sockets, socket);
  });
  const port = await listen(server);
  const silentPort = await listen(silent);
  const nobody = createNetServer();
  const refusedPort = await listen(nobody);
  await promisify(nobody.close.bind(nobody))();

  return {
    origin: `${scheme}://127.0.0.1:${port}`,
    hits,
    get connections() {
      return connections;
    },
    silentTlsUrl: `https://127.0.0.1:${silentPort}/`,
    plainTextTlsUrl: `https://127.0.0.1:${port}/`,
    refusedUrl: `http://127.0.0.1:${refusedPort}/`,
    url: (fault, of = {}) => `${scheme}://127.0.0.1:${port}${pathOf(fault, of)}`,
    async idle() {
      for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([promisify(server.close.bind(server))(), promisify(silent.close.bind(silent))()]);
    },
  };
}

function pathOf(fault: string, { id, flaky, afterDate, ...query }: FaultUrlOptions): string {
  faultOf(fault);
  const path = [...(flaky === undefined ? [] : ['flaky', flaky]), fault, ...(id === undefined ? [] : [id])].join('/');
  const parameters = { ...query, ...(afterDate !== undefined && { 'after-date': afterDate }) };
  const search = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return search.length === 0 ? `/${path}` : `/${path}?${search.join('&')}`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('error', () => {}); // Broken connections are this server's trade.
  socket.once('close', () => sockets.delete(socket));
}
