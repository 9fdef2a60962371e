// Stands between impit and the network, on this machine alone: impit neither closes a connection before its garbage is
// collected, nor limits the time to connect, nor says what a proxy refused. Here it is told where to connect (SOCKS 5), and
// each of its sockets belongs to a wire that can be cut. What passes is not looked at: TLS is between impit and the target.
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { TransportError } from '../../core/transport.ts';
import { connectTimeout, nameFault, type Limits } from './faults.ts';
import type { Meter } from './meter.ts';
import type { ProxyAddress } from './proxy-address.ts';
import type { Reach } from './reach.ts';
import { dueIn, openTcp, type DueTime } from './sockets.ts';
import { readSocksRequest, socksReply, type SocksRequest } from './socks.ts';
import { openTunnel, reachProxy } from './tunnel.ts';

export interface WireOptions {
  readonly proxy: ProxyAddress | null;
  readonly meter: Meter;
  /** @default anywhere */
  readonly reach?: Reach | undefined;
}

/** The connections of one impit client, to https targets. */
export interface Wire {
  /** For impit's `proxyUrl`. The one secret in it is the wire's own. */
  readonly url: string;
  /** Connections that were asked for so far. */
  readonly asked: number;
  /** Why the latest connection to this target failed: a new object for each failure. */
  faultOf(url: URL): TransportError | undefined;
  /** Cuts all connections, now and for good. */
  cut(): void;
}

export interface Loopback {
  openWire(options: WireOptions): Wire;
  close(): Promise<void>;
}

interface OpenWire extends WireOptions {
  asked: number;
  readonly sockets: Set<Socket>;
  /** By the target's authority. */
  readonly faults: Map<string, TransportError>;
}

export async function openLoopback(limits: Limits): Promise<Loopback> {
  const wires = new Map<string, OpenWire>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (inner) => {
    inner.on('error', () => {});
    keep(sockets, inner);
    connect(inner, wires, limits).catch(() => inner.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;

  return {
    openWire(options) {
      const token = randomUUID();
      const wire: OpenWire = { ...options, asked: 0, sockets: new Set(), faults: new Map() };
      wires.set(token, wire);
      return {
        // "h": names are looked up here, or by the proxy.
        url: `socks5h://${token}:x@127.0.0.1:${port}`,
        get asked() {
          return wire.asked;
        },
        faultOf: ({ hostname, port }) => wire.faults.get(`${hostname}:${port || 443}`),
        cut() {
          wires.delete(token);
          for (const socket of wire.sockets) socket.destroy();
        },
      };
    },
    async close() {
      wires.clear();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What keeps the process alive is a request's own time limit, not a connection that waits for the next request. */
function keep(sockets: Set<Socket>, socket: Socket): void {
  socket.unref();
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

async function connect(inner: Socket, wires: ReadonlyMap<string, OpenWire>, limits: Limits): Promise<void> {
  const target = await readSocksRequest(inner);
  const wire = target && wires.get(target.user);
  if (!wire) return void inner.destroy();
  wire.asked += 1;
  keep(wire.sockets, inner);
  const authority = authorityOf(target);
  const fail = (fault: TransportError) => wire.faults.set(authority, fault);
  try {
    const { outer, due } = await dial(target, authority, wire, limits);
    if (inner.destroyed) return void outer.destroy();
    inner.write(socksReply(true));
    awaitHandshake(inner, outer, due, fail);
    splice(inner, outer);
  } catch (error) {
    const fault = nameFault(error, 'sending', limits);
    if (fault instanceof TransportError) fail(fault);
    inner.end(socksReply(false));
  }
}

async function dial(
  { hostname, port }: SocksRequest,
  authority: string,
  { proxy, meter, sockets, reach }: OpenWire,
  { connectTimeoutMillis: limit }: Limits,
): Promise<{ outer: Socket; due: DueTime }> {
  const watch = (socket: Socket) => {
    meter.watch(socket, authority.replace(/:443$/, ''));
    keep(sockets, socket);
  };
  const due = dueIn(limit);
  if (!proxy) return { outer: await openTcp(hostname, port, due, watch, reach?.lookup), due };
  const outer = await reachProxy(proxy, limit, watch);
  const dueTunnel = dueIn(limit);
  await openTunnel(outer, proxy, authority, limit);
  return { outer, due: dueTunnel };
}

export function authorityOf({ hostname, port }: Pick<SocksRequest, 'hostname' | 'port'>): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}

/** A connection stands once TLS does. The target's first bytes stand for that: its part of the handshake comes in one go. */
function awaitHandshake(inner: Socket, outer: Socket, { at, limitMillis }: DueTime, fail: (fault: TransportError) => void): void {
  const late = () => {
    fail(connectTimeout(limitMillis));
    inner.resetAndDestroy();
  };
  const timer = setTimeout(late, Math.max(0, at - performance.now()));
  const done = () => clearTimeout(timer);
  outer.once('data', done);
  inner.once('close', done);
}

/** Passes bytes between two sockets, each as it ends or breaks. */
export function splice(inner: Socket, outer: Socket): void {
  // A reset has to arrive as one: as an end it could make half a page a whole one.
  outer.on('error', () => inner.resetAndDestroy());
  outer.once('close', () => inner.destroySoon());
  inner.once('close', () => outer.destroy());
  inner.pipe(outer);
  outer.pipe(inner);
}
