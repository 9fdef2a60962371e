// Opens connections: TCP, and TLS on top of it. Both are apart, so that there is always a TCP socket whose bytes can be
// counted, and so that TLS can begin inside a proxy's tunnel.
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { connectTimeout, ON_USED_CONNECTION } from './faults.ts';

/** When a connection has to stand. */
export interface DueTime {
  /** On the clock of performance.now(). */
  readonly at: number;
  /** The limit that it comes from, for the message. */
  readonly limitMillis: number;
}

export function dueIn(limitMillis: number): DueTime {
  return { at: performance.now() + limitMillis, limitMillis };
}

/** @param hostname An IPv6 address without brackets. Whether an address may be dialled is judged before (reach.ts).
 *  @param watch Given the socket before it connects.
 *  @param lookup Gives the addresses of a name. @default Node's
 *  @throws {TransportError} `connect-timeout`; else Node's own error. */
export async function openTcp(
  hostname: string,
  port: number,
  due: DueTime,
  watch: (socket: Socket) => void,
  lookup?: LookupFunction,
): Promise<Socket> {
  const socket = connectTcp({
    host: hostname,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    ...(lookup && { lookup }),
  });
  watch(socket);
  await opened(socket, 'connect', due);
  return socket;
}

export interface TlsOptions {
  /** What the certificate has to name. */
  readonly hostname: string;
  /** What the server is told of it. @default the hostname, unless it is an address */
  readonly servername?: string | null | undefined;
  readonly protocols: readonly string[];
  readonly rejectUnauthorized: boolean;
  /** Of an earlier connection to the same server. */
  readonly session?: Buffer | undefined;
}

/** @param onSession Given what makes the next handshake with this server a short one.
 *  @throws {TransportError} `connect-timeout`; else Node's own error. */
export async function openTls(
  socket: Socket,
  { hostname, servername, protocols, ...options }: TlsOptions,
  due: DueTime,
  onSession?: (session: Buffer) => void,
): Promise<TLSSocket> {
  const secured = connectTls({
    ...options,
    socket,
    host: hostname,
    servername: servername || (isIP(hostname) ? '' : hostname),
    ALPNProtocols: [...protocols],
  });
  socket.on('error', () => {}); // Its errors come out of the one that encrypts.
  if (onSession) secured.on('session', onSession);
  await opened(secured, 'secureConnect', due);
  return secured;
}

/** Changes the code of two errors before undici sees them:
 *  - A reset: undici takes it for the end of a body that has no other end than the connection's (HTTP/1.0), and half a page
 *    would pass for a whole one. It knows the reset by its code.
 *  - What its parser cannot understand, on a connection that has had an answer before: it may be the rest of that one, and no
 *    fault of the page that was asked for since. undici does not tell such a connection from a fresh one. */
export function markErrors<Kind extends Socket>(socket: Kind): Kind {
  let wasUsed = false;
  const { write } = socket;
  socket.write = ((...args: Parameters<typeof write>) => {
    wasUsed ||= socket.bytesRead > 0; // A request comes after an answer.
    return write.apply(socket, args);
  }) as typeof write;
  return socket.prependListener('error', (broken: NodeJS.ErrnoException) => {
    if (broken.code === 'ECONNRESET') broken.code = 'EPIPE';
    if (broken.name === 'HTTPParserError' && wasUsed) broken.code = ON_USED_CONNECTION;
  });
}

/** Resolves when the socket stands; one that does not is destroyed. */
function opened(socket: Socket, event: 'connect' | 'secureConnect', due: DueTime): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.on('error', () => {}); // The first one has been told.
      socket.destroy();
      reject(error);
    };
    const closed = () => fail(new Error('The connection was closed before it stood.'));
    const timer = setTimeout(() => fail(connectTimeout(due.limitMillis)), Math.max(0, due.at - performance.now()));
    socket.once('error', fail).once('close', closed);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', fail).off('close', closed);
      resolve();
    });
  });
}
