// The way through a proxy: a connection to it, and for https targets a tunnel from there on, by CONNECT.
// https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { whyUnreached } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { inSeconds } from './faults.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { dueIn, openTcp, openTls } from './sockets.ts';

/** A refusal is read up to here, and no longer than this, for what it says about traffic. */
const MAX_REFUSAL_BYTES = 2_048;
const MAX_REFUSAL_MILLIS = 500;

/** @param watch Given the TCP socket before it connects.
 *  @throws {TransportError} `proxy-unreachable` */
export async function reachProxy(proxy: ProxyAddress, limitMillis: number, watch: (socket: Socket) => void): Promise<Socket> {
  const due = dueIn(limitMillis);
  try {
    const socket = await openTcp(proxy.hostname, proxy.port, due, watch);
    if (!proxy.secure) return socket;
    return await openTls(socket, { hostname: proxy.hostname, protocols: ['http/1.1'], rejectUnauthorized: true }, due);
  } catch (cause) {
    throw new TransportError('proxy-unreachable', `The proxy ${proxy.name} cannot be reached (${whyUnreached(cause)}).`, {
      cause,
    });
  }
}

/** Has the proxy connect a socket to the target. What the proxy is told of the request is the target's address alone.
 *  @param target `host:port`
 *  @throws {TransportError} `proxy-refused`, `proxy-no-route`, `proxy-unreachable` for what is no proxy at all. */
export async function openTunnel(socket: Socket, proxy: ProxyAddress, target: string, limitMillis: number): Promise<void> {
  const { response, start } = await askForTunnel(socket, proxy, target, limitMillis).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  const { statusCode: status = 0, statusMessage = '' } = response;
  if (status >= 200 && status < 300) {
    if (start.length > 0) socket.unshift(start);
    return;
  }
  const length = Number(response.headers['content-length'] ?? MAX_REFUSAL_BYTES);
  const said = mayBeRefusal(status) ? await readRefusal(socket, start, Math.min(length, MAX_REFUSAL_BYTES)) : '';
  socket.destroy();
  throw refusalOf(proxy, status, `${statusMessage} ${said}`) ?? noRoute(proxy, target, `HTTP ${status}`);
}

/** What a proxy means by a status that is its own; null if it is no word about the user or the traffic. The proxy's own
 *  words are not repeated: they may name the user.
 *  @param said Its reason and body, or the beginning of them. */
export function refusalOf(proxy: ProxyAddress, status: number, said: string): TransportError | null {
  if (!mayBeRefusal(status)) return null;
  if (status === 402 || (OF_TRAFFIC.test(said) && !OF_PACE.test(said))) {
    const message = `The proxy ${proxy.name} serves no more (HTTP ${status}): the traffic that was paid for may be used up.`;
    return new TransportError('proxy-refused', message);
  }
  if (status !== 407) return null;
  // https://help.decodo.com/docs/traffic-usage: a used-up plan is a 407 as well.
  const message = `The proxy ${proxy.name} refuses the user name or password (HTTP 407). Some proxies say so too when the traffic is used up.`;
  return new TransportError('proxy-refused', message);
}

const OF_TRAFFIC = /traffic|bandwidth|quota|balance|credits?\b|limit (?:\w+ )?(?:reached|exceeded)|exceeded (?:\w+ )?limit/i;
/** Too much at once is not too much in all. */
const OF_PACE = /thread|concurren|connections|\brate\b|too many/i;

/** 429 asks to go slower, and 5xx speaks of the target. */
function mayBeRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

/** What ended the TLS handshake behind a tunnel. What is there speaks no TLS that is understood: a bad exit more often than the
 *  target, and another exit may do better. A certificate that is not valid stays what it is, and so does a reset.
 *  @param error Node's own. */
export function handshakeFault(proxy: ProxyAddress, target: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:EPROTO$|ERR_SSL_)/.test(code) ? noTls(proxy, target, error) : error;
}

export function noTls(proxy: ProxyAddress, target: string, cause: unknown): TransportError {
  return noRoute(proxy, target, 'the TLS handshake failed', cause);
}

function noRoute({ name }: ProxyAddress, target: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('proxy-no-route', `The proxy ${name} does not get through to ${target} (${reason}).`, { cause });
}

/** @returns Its answer, and what came right after it. */
function askForTunnel(
  socket: Socket,
  proxy: ProxyAddress,
  target: string,
  limitMillis: number,
): Promise<{ response: IncomingMessage; start: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = {
      host: target,
      connection: 'keep-alive',
      ...(proxy.authorization !== null && { 'proxy-authorization': proxy.authorization }),
    };
    const request = httpRequest({ method: 'CONNECT', path: target, headers, createConnection: () => socket });
    const late = setTimeout(() => request.destroy(new Error(`no answer within ${inSeconds(limitMillis)}`)), limitMillis);
    request.once('close', () => clearTimeout(late));
    request.once('connect', (response, _socket, start: Buffer) => {
      clearTimeout(late);
      resolve({ response, start });
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      if (!error.code?.startsWith('HPE_')) return reject(noRoute(proxy, target, error.message, error));
      // The error has what came instead, which is nobody's business: hence no cause.
      reject(
        new TransportError('proxy-unreachable', `The proxy ${proxy.name} cannot be reached (what answers is no HTTP proxy).`),
      );
    });
    request.end();
  });
}

/** The body of a refusal, or its beginning. */
async function readRefusal(socket: Socket, start: Buffer, length: number): Promise<string> {
  let said = start.toString('latin1');
  if (said.length >= length) return said.slice(0, length);
  const late = setTimeout(() => socket.destroy(), MAX_REFUSAL_MILLIS);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      said += chunk.toString('latin1');
      if (said.length >= length) break;
    }
  } catch {
    // What has come is enough.
  } finally {
    clearTimeout(late);
  }
  return said.slice(0, length);
}
