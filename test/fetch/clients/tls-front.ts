// TLS in front of a server that has none: what the server does to a connection, a reset too, comes out on the other side.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { createSecureContext, TLSSocket } from 'node:tls';

import type { Identity } from './certificates.ts';

export interface TlsFront {
  /** `https://localhost:PORT` */
  readonly origin: string;
  /** Accepted so far. */
  readonly connections: number;
  /** Resolves once no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** @param behind The origin of an HTTP/1.1 server. */
export async function startTlsFront(behind: string, identity: Identity): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const secureContext = createSecureContext(identity);
  let connections = 0;
  const server = createServer((raw) => {
    connections += 1;
    sockets.add(raw);
    const secured = new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    const inner = connect(Number(new URL(behind).port), '127.0.0.1');
    inner.on('error', () => raw.resetAndDestroy());
    raw.on('error', () => {});
    secured.on('error', () => {});
    raw.once('close', () => {
      sockets.delete(raw);
      inner.destroy();
    });
    secured.pipe(inner).pipe(secured);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    async idle() {
      for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await promisify(server.close.bind(server))();
    },
  };
}
