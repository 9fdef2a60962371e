// One connection through the relay: bytes go on to the proxy and back as they are, and are counted where they are billed, on
// the socket to the proxy.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { targetOf, UNKNOWN_TARGET } from './relay-target.ts';

/** The proxy behind the relay. */
export interface Upstream {
  /** To be reached by TLS. */
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
}

export interface ConnectionOptions {
  readonly upstream: Upstream;
  readonly connectTimeoutMillis: number;
  /** The proxy was reached. */
  onReached(): void;
  /** The proxy was not reached. The client has been told by `UNREACHABLE`. */
  onUnreachable(error: NodeJS.ErrnoException): void;
  /** Bytes since the last call. */
  onBytes(host: string, sent: number, received: number): void;
}

export interface RelayConnection {
  /** Hands what has passed since the last time to `onBytes`. */
  report(): void;
  destroy(): void;
  /** Both sides are closed, and all bytes reported. */
  readonly ended: Promise<unknown>;
}

/** What a client is answered when there is no proxy to ask. */
export const UNREACHABLE =
  'HTTP/1.1 502 Bad Gateway\r\nX-Surefoot-Relay: unreachable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** A request line that is longer than this is none. */
const MAX_LINE = 64 * 1024;

/** @param client Half-open connections allowed, on either side: an end is passed on, and the other direction goes on. */
export function relayConnection(client: Socket, options: ConnectionOptions): RelayConnection {
  let host = UNKNOWN_TARGET;
  /** Where bytes are counted: under TLS, if there is any. */
  let wire: Socket | null = null;
  let told = { sent: 0, received: 0 };

  const report = () => {
    if (wire === null) return;
    const now = { sent: wire.bytesWritten, received: wire.bytesRead };
    const [sent, received] = [now.sent - told.sent, now.received - told.received];
    told = now;
    if (sent > 0 || received > 0) options.onBytes(host, sent, received);
  };

  // What broke shows in `close`.
  client.on('error', () => {});
  const ended = new Promise((resolve) => {
    client.on('close', () => {
      if (wire === null || wire.closed) return resolve(null);
      wire.on('close', resolve);
      wire.destroy();
    });
  });
  readLine(client, (head) => {
    host = targetOf(head.toString('latin1').split(/\r?\n/, 1)[0] ?? '');
    wire = openWire(options, {
      onReady(upstream) {
        options.onReached();
        upstream.write(head);
        client.pipe(upstream).pipe(client);
        upstream.on('close', () => {
          // An end would pass for the end of the body where nothing else tells: what broke here must break there.
          if (upstream.readableEnded) client.end();
          else client.resetAndDestroy();
        });
      },
      onFailure(error) {
        // A client that leaves meanwhile breaks the connection itself.
        if (client.destroyed) return;
        options.onUnreachable(error);
        // A socket that is closed with bytes unread sends a reset, and that can overtake the answer.
        client.resume();
        client.end(UNREACHABLE);
      },
    });
    wire.on('close', report);
  });

  return {
    report,
    ended,
    destroy() {
      report();
      client.destroy();
      wire?.destroy();
    },
  };
}

/** The first line and whatever came with it. Nothing more is read until somebody asks. */
function readLine(client: Socket, onLine: (head: Buffer) => void): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    if (!head.includes('\n') && head.length < MAX_LINE) return;
    client.off('data', onData).off('end', onEnd).pause();
    onLine(head);
  };
  const onEnd = () => client.end();
  client.on('data', onData).on('end', onEnd);
}

interface WireEvents {
  onReady(upstream: Socket): void;
  onFailure(error: NodeJS.ErrnoException): void;
}

/** @returns The TCP socket, at once. */
function openWire({ upstream, connectTimeoutMillis }: ConnectionOptions, { onReady, onFailure }: WireEvents): Socket {
  const { host, port } = upstream;
  const wire = connectTcp({ host, port, allowHalfOpen: true, noDelay: true });
  const servername = isIP(host) === 0 ? host : '';
  let open = false;
  const fail = (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    if (!open) onFailure(error);
    open = true;
    wire.destroy();
  };
  const ready = (socket: Socket) => {
    clearTimeout(timer);
    open = true;
    onReady(socket);
  };
  const timer = setTimeout(() => {
    const took = `No connection within ${connectTimeoutMillis / 1_000} s.`;
    fail(Object.assign(new Error(took), { code: 'ETIMEDOUT' }));
  }, connectTimeoutMillis);
  wire.on('error', fail);
  wire.on('close', () => clearTimeout(timer));
  wire.once('connect', () => {
    if (!upstream.tls) return ready(wire);
    const secure = connectTls({ socket: wire, servername, host });
    secure.on('error', fail);
    secure.once('secureConnect', () => ready(secure));
  });
  return wire;
}
