// Counts the traffic of clients whose sockets nobody else sees (impit, Chromium): they are given a port of this machine for
// their proxy, and every byte is passed on to the real one and back. Credentials pass through, so the port opens nothing.
import { AsyncResource } from 'node:async_hooks';
import { createServer, type AddressInfo, type Server } from 'node:net';

import { whyUnreached, type CountTraffic, type TrafficKey } from '../core/proxy.ts';
import { relayConnection, type RelayConnection, type Upstream } from './relay-connection.ts';

export interface RelayOptions {
  readonly count: CountTraffic;
  /** For the connection to the proxy, TLS included. Once it stands, there is no limit here. @default 5,000 */
  readonly connectTimeoutMillis?: number;
  /** Between two counts of a connection that stays open. @default 1,000 */
  readonly reportEveryMillis?: number;
}

/** Why a proxy was not reached. */
export interface RelayFault {
  /** Node's: ECONNREFUSED, ENOTFOUND, ETIMEDOUT, or that of a certificate. */
  readonly code: string;
  /** For people; names the proxy's host, and neither a user nor a password. */
  readonly message: string;
}

export interface Relay {
  /** @param proxyUrl http(s)://user:pass@host:port.
   *  @param key What the traffic is counted by; the host is read off each connection.
   *  @returns The same URL with an `http:` port of this machine for its host: one for each proxy, tier and mode. */
  through(proxyUrl: string, key: Omit<TrafficKey, 'host'>): Promise<string>;
  /** A client sees no more than a 502 (with the header `X-Surefoot-Relay: unreachable`, which few clients show of a CONNECT).
   *  @param url A proxy's, or the one that `through()` made of it.
   *  @returns What kept the last connection to this proxy from being made; null if it was made, or none was tried. */
  lastFault(url: string): RelayFault | null;
  /** Cuts what is under way; all of it has been counted when this resolves. */
  close(): Promise<void>;
}

export function createRelay({ count, connectTimeoutMillis = 5_000, reportEveryMillis = 1_000 }: RelayOptions): Relay {
  const ports = new Map<string, Promise<number>>();
  const servers = new Set<Server>();
  const connections = new Set<RelayConnection>();
  const faults = new Map<string, RelayFault>();
  /** A port → the proxy behind it. */
  const proxies = new Map<number, string>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  // A server lives in the async context it was opened in, and that of a page would keep the page in memory.
  const context = new AsyncResource('SurefootRelay');

  const add = (connection: RelayConnection) => {
    connections.add(connection);
    timer ??= setInterval(() => connections.forEach(({ report }) => report()), reportEveryMillis).unref();
  };
  const drop = (connection: RelayConnection) => {
    connections.delete(connection);
    if (connections.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };

  const open = (proxy: string, upstream: Upstream, key: Omit<TrafficKey, 'host'>) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const connection = relayConnection(client, {
        upstream,
        connectTimeoutMillis,
        onReached: () => faults.delete(proxy),
        onUnreachable(error) {
          const message = `The proxy ${proxy} cannot be reached (${whyUnreached(error)}).`;
          faults.set(proxy, { code: error.code ?? 'UNKNOWN', message });
        },
        onBytes: (host, sent, received) => count({ ...key, host }, { sent, received }),
      });
      add(connection);
      void connection.ended.then(() => drop(connection));
    });
    servers.add(server);
    return new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        proxies.set(port, proxy);
        resolve(port);
      });
    });
  };

  return {
    async through(proxyUrl, key) {
      if (closed) throw new Error('The relay is closed.');
      const { proxy, upstream } = addressOf(proxyUrl);
      const name = `${key.tier} ${key.proxy} ${proxy}`;
      const port = ports.get(name) ?? context.runInAsyncScope(() => open(proxy, upstream, key));
      ports.set(name, port);
      return withPort(proxyUrl, await port);
    },
    lastFault(url) {
      const { hostname, port } = new URL(url);
      const proxy = (hostname === '127.0.0.1' && proxies.get(Number(port))) || addressOf(url).proxy;
      return faults.get(proxy) ?? null;
    },
    async close() {
      closed = true;
      const listening = [...servers].map((server) => new Promise((resolve) => server.close(resolve)));
      for (const connection of connections) connection.destroy();
      await Promise.all([...listening, ...[...connections].map(({ ended }) => ended)]);
      context.emitDestroy();
    },
  };
}

function addressOf(proxyUrl: string): { proxy: string; upstream: Upstream } {
  const { protocol, hostname, port } = new URL(proxyUrl);
  const tls = protocol === 'https:';
  const upstream = { tls, host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port || (tls ? 443 : 80)) };
  return { proxy: `${protocol}//${hostname}:${upstream.port}`, upstream };
}

function withPort(proxyUrl: string, port: number): string {
  const url = new URL(proxyUrl);
  url.protocol = 'http:';
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href.replace(/\/$/, '');
}
