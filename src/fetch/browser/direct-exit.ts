// The way out of a session that goes through no proxy: a port of this machine, for as long as its context is open, that looks names
// up and connects. Chromium alone would go wherever a page's scripts, frames, workers and sockets ask it to; here every one of
// its connections is judged by the address that is dialled (clients/reach.ts). What passes is not looked at.
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { TransportError } from '../../core/transport.ts';
import { DEFAULT_LIMITS, nameFault } from '../clients/faults.ts';
import { authorityOf, splice } from '../clients/loopback.ts';
import type { LedFrom, Reach } from '../clients/reach.ts';
import { dueIn, openTcp } from '../clients/sockets.ts';
import { readSocksRequest, socksReply } from '../clients/socks.ts';
import { targetOf, type Exit } from './exit.ts';

/** As Chromium has it by itself: a slow site is no fault of the way to it. */
const CONNECT_MILLIS = 30_000;
const LIMITS = { ...DEFAULT_LIMITS, connectTimeoutMillis: CONNECT_MILLIS };

/** @param from Which page leads to what is asked for now. */
export async function openDirectExit(reach: Reach, from: LedFrom): Promise<Exit> {
  const sockets = new Set<Socket>();
  const faults = new Map<string, TransportError>();
  const keep = (socket: Socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };

  /** Connections to hosts that not every page may reach. */
  const judged = new Map<Socket, string>();

  const connect = async (inner: Socket): Promise<void> => {
    const target = await readSocksRequest(inner, true);
    if (!target) return void inner.destroy();
    const { hostname, port } = target;
    const authority = authorityOf(target);
    try {
      const admitted = reach.admit(hostname, { from, proxied: false });
      if (admitted) {
        judged.set(inner, hostname);
        inner.once('close', () => judged.delete(inner));
      }
      await admitted;
      const outer = await openTcp(hostname, port, dueIn(CONNECT_MILLIS), keep, reach.lookup);
      if (inner.destroyed) return void outer.destroy();
      faults.delete(authority);
      inner.write(socksReply(true));
      splice(inner, outer);
    } catch (error) {
      const fault = nameFault(error, 'sending', LIMITS);
      if (fault instanceof TransportError) faults.set(authority, fault);
      inner.end(socksReply(false));
    }
  };

  const server = createServer({ noDelay: true }, (inner) => {
    keep(inner);
    connect(inner).catch(() => inner.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    server: `socks5://127.0.0.1:${port}`,
    faultOf: (url) => faults.get(targetOf(url)) ?? null,
    turn(next) {
      for (const [socket, to] of judged) if (to !== next.hostname) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
