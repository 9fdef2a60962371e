// A real forward proxy that speaks the grammar of Decodo's gateway: each connection of a rotating user name leaves from an
// address of its own, all connections of a session from one. What the targets see is `request.socket.remoteAddress`.
//
//   const proxy = await startForwardProxy();
//   proxy.url('user-surefoot');                          // http://user-surefoot:PASSWORD@127.0.0.1:PORT, rotating
//   proxy.url('user-surefoot-country-de-session-abc');   // sticky
//   proxy.log;                                           // one entry a request or CONNECT: username, exit, hostname ...
//   await proxy.settled();                               // once every connection has ended
//   proxy.stats();                                       // bytes on its clients' sockets, connections, requests
//   proxy.fail(407);                                     // answers everything so; 402 and 503 likewise
//   proxy.fail('close');                                 // closes connections as they come
//   proxy.fail(null);
//   await proxy.close();
//
// Any name under `.test` is this machine (http://shop.test:PORT/), so one server can stand for many hosts. Chromium sends
// requests for 127.0.0.1 and localhost past its proxy unless told otherwise: names under `.test` it does not.
import dns from 'node:dns';
import http, { type Server as HttpServer } from 'node:http';
import https, { type ServerOptions as HttpsServerOptions } from 'node:https';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';

import { RequestError, Server } from 'proxy-chain';

import { parseUsername } from '../../src/proxy/decodo.ts';

/** Node's own 5 s are shorter than a test on a busy machine. */
const KEEP_ALIVE_MILLIS = 60_000;

export interface ForwardProxyOptions {
  /** The account's name, without `user-`. @default surefoot */
  user?: string;
  /** @default a word with characters that a URL escapes */
  pass?: string;
  /** Makes it a proxy that is itself reached by TLS. */
  tls?: Pick<HttpsServerOptions, 'key' | 'cert'>;
  /** @default a free one */
  port?: number;
}

/** One request, or one CONNECT. */
export interface ProxyLogEntry {
  readonly username: string;
  /** Of the client's connection, from 0 in the order they came. */
  readonly connectionId: number;
  /** The address that the target sees. */
  readonly exit: string;
  readonly hostname: string;
  readonly port: number;
  readonly method: string;
}

/** Sums over the connections of clients, the open ones included. */
export interface ProxyStats {
  /** From clients. */
  readonly received: number;
  /** To clients. */
  readonly sent: number;
  readonly connections: number;
}

export interface ForwardProxy {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly pass: string;
  readonly log: readonly ProxyLogEntry[];
  /** @param username In whole. @default `user-<user>`, which rotates */
  url(username?: string): string;
  /** How it fails from now on: by this status (407 also without looking at the password), by closing connections, not at all. */
  fail(how: number | 'close' | null): void;
  stats(): ProxyStats;
  /** Resolves once no client is connected. Clients that keep connections alive must be closed first. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const { user = 'surefoot', pass = 'p@ss:w/rd %&', tls, port = 0 } = options;
  const log: ProxyLogEntry[] = [];
  const exits = createExits();
  const closed = { received: 0, sent: 0 };
  let connections = 0;
  let failure: number | 'close' | null = null;

  // Connections to targets are not kept, or a server under test would wait for them when it closes.
  const agents = { httpAgent: new http.Agent(), httpsAgent: new https.Agent() };
  const server = new Server({
    port,
    host: '127.0.0.1',
    ...(tls ? { serverType: 'https', httpsOptions: tls } : { serverType: 'http' }),
    prepareRequestFunction: ({ request, username, password, connectionId, hostname, port }) => {
      if (typeof failure === 'number') throw new RequestError('The test wants it so.', failure);
      const asked = parseUsername(username);
      if (asked?.user !== user || password !== pass) return { requestAuthentication: true };
      const exit = exits(asked.choice.session?.id ?? connectionId);
      log.push({ username, connectionId, exit, hostname, port, method: request.method ?? '' });
      return { localAddress: exit, ipFamily: 4, dnsLookup: lookup as typeof dns.lookup, ...agents };
    },
  });
  server.on('connectionClosed', ({ stats }: { stats: { srcRxBytes: number; srcTxBytes: number } }) => {
    closed.received += stats.srcRxBytes;
    closed.sent += stats.srcTxBytes;
  });
  server.server.keepAliveTimeout = KEEP_ALIVE_MILLIS;
  server.server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections += 1;
    if (failure === 'close') socket.destroy();
  });
  await server.listen();

  return {
    host: '127.0.0.1',
    port: server.port,
    user,
    pass,
    log,
    url: (username = `user-${user}`) =>
      `http${tls ? 's' : ''}://${username}:${encodeURIComponent(pass)}@127.0.0.1:${server.port}`,
    fail(how) {
      failure = how;
    },
    stats() {
      const open = server.getConnectionIds().map((id) => server.getConnectionStats(id));
      return {
        received: open.reduce((sum, stats) => sum + (stats?.srcRxBytes ?? 0), closed.received),
        sent: open.reduce((sum, stats) => sum + (stats?.srcTxBytes ?? 0), closed.sent),
        connections,
      };
    },
    async settled() {
      while (server.getConnectionIds().length > 0) {
        await new Promise((resolve) => server.once('connectionClosed', () => setImmediate(resolve)));
      }
    },
    close: () => server.close(true),
  };
}

/** 127.0.0.2, 127.0.0.3 and so on, one for each key. Linux answers for all of 127.0.0.0/8. */
function createExits(): (key: string | number) => string {
  const known = new Map<string | number, string>();
  return (key) => {
    const number = known.size + 2;
    const exit = known.get(key) ?? `127.0.${number >> 8}.${number & 255}`;
    known.set(key, exit);
    return exit;
  };
}

const lookup: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.test')) return dns.lookup(hostname, options, callback);
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

export interface IpEcho {
  readonly port: number;
  /** By a name, so that a browser does not go past its proxy: http://echo.test:PORT/json. Only a proxy knows the name. */
  readonly url: string;
  /** The same server by its address. */
  readonly directUrl: string;
  /** Connections from each address so far. */
  readonly visits: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Answers as `https://ip.decodo.com/json` does, as far as known.
 *  @param options.countryOf By the address that asks. @default DE
 *  @param options.tls Makes it an https server. */
export async function startIpEcho(
  options: { countryOf?: (ip: string) => string; tls?: Pick<HttpsServerOptions, 'key' | 'cert'> } = {},
): Promise<IpEcho> {
  const { countryOf = () => 'DE', tls } = options;
  const visits = new Map<string, number>();
  const answer: http.RequestListener = (request, response) => {
    const ip = request.socket.remoteAddress ?? '';
    const code = countryOf(ip);
    const country = { code, name: new Intl.DisplayNames('en', { type: 'region' }).of(code) };
    response.writeHead(200, { 'content-type': 'application/json' });
    request.resume().on('end', () => response.end(JSON.stringify({ proxy: { ip }, country })));
  };
  const server: HttpServer = tls ? https.createServer(tls, answer) : http.createServer(answer);
  server.keepAliveTimeout = KEEP_ALIVE_MILLIS;
  server.on('connection', ({ remoteAddress: ip = '' }: Socket) => visits.set(ip, (visits.get(ip) ?? 0) + 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const scheme = tls ? 'https' : 'http';
  return {
    port,
    url: `${scheme}://echo.test:${port}/json`,
    directUrl: `${scheme}://127.0.0.1:${port}/json`,
    visits,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
