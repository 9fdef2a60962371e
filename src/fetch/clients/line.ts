// One way out of this machine, direct or through one proxy, and the connections that it keeps: undici's for HTTP/1.1, our own
// for HTTP/2. Which of the two it is, the server says when TLS is set up.
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';

import type { buildConnector, Dispatcher } from 'undici';

import type { CountTraffic, TrafficKey } from '../../core/proxy.ts';
import type { Limits } from './faults.ts';
import { MAX_HEAD_BYTES, mendHeads } from './heads.ts';
import { openHttp2, type Http2Session, type Payload } from './http2.ts';
import { createMeter } from './meter.ts';
import type { ProxyAddress } from './proxy-address.ts';
import type { Reach } from './reach.ts';
import type { Answer, Outgoing } from './redirects.ts';
import { dueIn, markErrors, openTcp, openTls } from './sockets.ts';
import { handshakeFault, openTunnel, reachProxy, refusalOf } from './tunnel.ts';
import { Agent, DecoratorHandler } from './undici.ts';

/** How long an unused connection is kept, unless the server's Keep-Alive header says less. */
const KEEP_ALIVE_MILLIS = 30_000;
/** Servers whose TLS sessions are kept, for short handshakes. */
const MAX_TLS_SESSIONS = 100;
/** A refusal is read up to here for what it says about traffic. */
const MAX_REFUSAL_BYTES = 2_048;

export interface LineOptions {
  readonly limits: Limits;
  readonly proxy: ProxyAddress | null;
  /** Of targets; a proxy's own certificate is always verified. */
  readonly rejectUnauthorized: boolean;
  readonly count: CountTraffic | undefined;
  readonly reach: Reach | undefined;
  readonly key: Omit<TrafficKey, 'host'>;
  /** Runs what outlives the page that is being fetched. */
  readonly inOwnContext: <Args extends unknown[], Result>(work: (...args: Args) => Result, ...args: Args) => Result;
  /** Origins that offer HTTP/2 and then want HTTP/1.1: they are added, and asked for HTTP/1.1 alone. */
  readonly http1Only: Set<string>;
}

export interface Line {
  /** @param onSent Called when the request goes out. */
  send(outgoing: Outgoing, signal: AbortSignal, onSent?: () => void): Promise<Answer>;
  /** Tells `count` what has passed the connections to this host. */
  report(host: string): void;
  /** Cuts what is under way and closes all connections, those that are being set up too. What they sent and received has
   *  been told when this resolves. */
  close(): Promise<void>;
}

export function createLine(options: LineOptions): Line {
  const { limits, proxy, rejectUnauthorized, count, key, http1Only, inOwnContext, reach } = options;
  const meter = createMeter(count, key);
  const sockets = new Set<Socket>();
  const sessions = new Map<string, Set<Http2Session>>();
  const tlsSessions = new Map<string, Buffer>();

  const openSocket = async ({ hostname, host, protocol, port, servername }: buildConnector.Options): Promise<Socket> => {
    const watch = (socket: Socket) => {
      meter.watch(socket, host ?? hostname);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    };
    const isSecure = protocol === 'https:';
    const targetPort = Number(port) || (isSecure ? 443 : 80);
    let due = dueIn(limits.connectTimeoutMillis);
    const socket = proxy
      ? await reachProxy(proxy, limits.connectTimeoutMillis, watch)
      : await openTcp(hostname, targetPort, due, watch, reach?.lookup);
    if (!isSecure) return socket;
    const target = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${targetPort}`;
    if (proxy) {
      due = dueIn(limits.connectTimeoutMillis);
      await openTunnel(socket, proxy, target, limits.connectTimeoutMillis);
    }
    const origin = `https://${host ?? hostname}`;
    const protocols = http1Only.has(origin) ? ['http/1.1'] : ['h2', 'http/1.1'];
    const secured = await openTls(
      socket,
      { hostname, servername, protocols, rejectUnauthorized, session: tlsSessions.get(origin) },
      due,
      (session) => keepSome(tlsSessions, origin, session),
    ).catch((error: unknown) => {
      throw proxy ? handshakeFault(proxy, target, error) : error;
    });
    if (secured.alpnProtocol === 'h2') throw new SpeaksHttp2(keepSession(secured, origin));
    return secured;
  };

  const keepSession = (socket: TLSSocket, origin: string): Http2Session => {
    const ofOrigin = sessions.get(origin) ?? new Set();
    const session = openHttp2(socket, origin, {
      idleTimeoutMillis: limits.idleTimeoutMillis,
      keepAliveMillis: KEEP_ALIVE_MILLIS,
      onHttp1Required() {
        http1Only.add(origin);
        sessions.delete(origin);
      },
      onClose() {
        ofOrigin.delete(session);
        if (ofOrigin.size === 0 && sessions.get(origin) === ofOrigin) sessions.delete(origin);
      },
    });
    sessions.set(origin, ofOrigin.add(session));
    return session;
  };

  const connect = async (options: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    const outcome = await openSocket(options).catch((error: Error) => error);
    if (outcome instanceof Error) callback(outcome, null);
    else callback(null, mendHeads(markErrors(outcome)));
  };
  const agent = new Agent({
    connect: (options, callback) => void inOwnContext(connect, options, callback),
    maxHeaderSize: MAX_HEAD_BYTES, // Its own limit of 16 KiB is less than some sites' policies take.
    headersTimeout: 0, // The whole request's own limit.
    bodyTimeout: limits.idleTimeoutMillis,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
  });

  const noting = agent.compose((dispatch) => (options, handler) => {
    const { opaque } = options as { opaque?: unknown };
    return dispatch(options, typeof opaque === 'function' ? noteStart(handler, opaque as () => void) : handler);
  });

  return {
    async send({ url, method, headers, body }, signal, onSent) {
      const { origin } = url;
      const path = url.pathname + url.search;
      if (url.protocol === 'http:') {
        const payload = (body ?? null) as UndiciBody;
        if (!proxy) return noting.request({ origin, path, method, headers, body: payload, signal, opaque: onSent });
        // To the proxy, which is asked for the whole URL: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
        const asked = proxy.authorization === null ? headers : { ...headers, 'proxy-authorization': proxy.authorization };
        const answer = await noting.request({
          origin,
          path: origin + path,
          method,
          headers: asked,
          body: payload,
          signal,
          opaque: onSent,
        });
        await checkRefusal(proxy, answer);
        return answer;
      }
      const { payload, type } = await toPayload(body);
      const outgoing = { url, method, headers: type === null ? headers : { 'content-type': type, ...headers }, body: payload };
      for (const session of sessions.get(origin) ?? []) {
        if (!session.isFree) continue;
        onSent?.();
        return session.send(outgoing, signal);
      }
      try {
        const sent = { origin, path, method, headers: outgoing.headers, body: payload, signal, opaque: onSent };
        return await noting.request(sent);
      } catch (error) {
        if (!(error instanceof SpeaksHttp2)) throw error;
        onSent?.();
        return error.session.send(outgoing, signal);
      }
    },
    report: meter.report,
    async close() {
      for (const ofOrigin of sessions.values()) for (const session of ofOrigin) session.destroy();
      const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      await agent.destroy();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** Tells when a request goes out: undici says so to its handler, but to nobody who only awaits the answer. */
function noteStart(handler: Dispatcher.DispatchHandler, onSent: () => void): Dispatcher.DispatchHandler {
  const noting: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
  const start = noting.onRequestStart?.bind(noting);
  noting.onRequestStart = (...args) => {
    onSent();
    start?.(...args);
  };
  return noting;
}

type UndiciBody = NonNullable<Dispatcher.DispatchOptions['body']> | null;

/** What a connection that undici asked for ends with if its server chose HTTP/2: undici has sent nothing yet. */
class SpeaksHttp2 extends Error {
  readonly session: Http2Session;

  constructor(session: Http2Session) {
    super('The server has chosen HTTP/2.');
    this.session = session;
  }
}

/** Of an http target the proxy's answer and the target's look alike, but for these.
 *  @throws {TransportError} `proxy-refused` */
async function checkRefusal(
  proxy: ProxyAddress,
  { statusCode, statusText, headers, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'statusText' | 'headers' | 'body'>,
) {
  if (statusCode !== 402 && (statusCode !== 407 || headers['proxy-authenticate'] === undefined)) return;
  let said = statusText;
  for await (const chunk of body) {
    said += (chunk as Buffer).toString('latin1');
    if (said.length > MAX_REFUSAL_BYTES) break;
  }
  const refusal = refusalOf(proxy, statusCode, said);
  if (refusal) throw refusal;
}

/** A body that can be sent a second time: the first time may be what tells that the server speaks HTTP/2. */
async function toPayload(body: Outgoing['body']): Promise<{ payload: Payload; type: string | null }> {
  if (body === undefined || body === '') return { payload: null, type: null };
  if (typeof body === 'string' || body instanceof Uint8Array) return { payload: body, type: null };
  if (body instanceof FormData) {
    const form = new Response(body);
    return { payload: new Uint8Array(await form.arrayBuffer()), type: form.headers.get('content-type') };
  }
  return { payload: await buffer(Readable.from(body as AsyncIterable<Uint8Array>)), type: null };
}

function keepSome<Value>(kept: Map<string, Value>, key: string, value: Value): void {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > MAX_TLS_SESSIONS && oldest !== undefined) kept.delete(oldest);
}
