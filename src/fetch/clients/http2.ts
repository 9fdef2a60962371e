// HTTP/2, for servers that choose it as TLS is set up. undici speaks it as well, but takes half a body for a whole one when a
// stream is cancelled, and drops what is under way when a server says goodbye: docs/decisions/006-plain-client-undici.md
import { connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';

import { TransportError } from '../../core/transport.ts';
import { idleTimeout } from './faults.ts';
import { MAX_HEAD_BYTES } from './heads.ts';
import type { Answer, Outgoing } from './redirects.ts';

const { NGHTTP2_CANCEL, NGHTTP2_HTTP_1_1_REQUIRED } = constants;

/** Requests at once over one connection, unless the server says fewer. */
const MAX_STREAMS = 100;
/** Of an answer: Node's own 128 are fewer than some set cookies. */
const MAX_HEADERS = 10_000;
/** What a server may send before it is read: of one body, and of all on one connection. */
const STREAM_WINDOW_BYTES = 256 * 1_024;
const SESSION_WINDOW_BYTES = 1_024 * 1_024;

export interface Http2Session {
  /** Whether it takes one more request. */
  readonly isFree: boolean;
  send(outgoing: Http2Outgoing, signal: AbortSignal): Promise<Answer>;
  destroy(): void;
}

export type Payload = string | Uint8Array | null;

export type Http2Outgoing = Omit<Outgoing, 'body'> & { readonly body: Payload };

export interface Http2Options {
  /** Between two pieces of an answer. */
  idleTimeoutMillis: number;
  /** How long it is kept without a request. */
  keepAliveMillis: number;
  /** It takes no request any more. */
  onClose: () => void;
  /** The server wants HTTP/1.1 instead. */
  onHttp1Required: () => void;
}

/** @param socket On which the server has chosen `h2`. */
export function openHttp2(socket: TLSSocket, origin: string, options: Http2Options): Http2Session {
  const session = connect(origin, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: MAX_HEAD_BYTES },
    maxHeaderListPairs: MAX_HEADERS,
  });
  let streams = 0;
  let mostStreams = MAX_STREAMS;
  // A request that got no answer in time says as much about its connection: the next one takes another.
  let isTired = false;
  session.on('error', () => {}); // Its requests have been told.
  session.once('connect', () => {
    // A request that was given up meanwhile may have ended it, and what throws here ends the process.
    if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  });
  session.on('remoteSettings', ({ maxConcurrentStreams = MAX_STREAMS }) => {
    mostStreams = Math.min(maxConcurrentStreams, MAX_STREAMS);
  });
  session.on('goaway', (code) => {
    isTired = true;
    if (code === NGHTTP2_HTTP_1_1_REQUIRED) options.onHttp1Required();
  });
  session.once('close', options.onClose);
  session.on('timeout', () => {
    if (streams === 0) session.close();
  });
  session.setTimeout(options.keepAliveMillis);
  session.unref();

  const open = (outgoing: Http2Outgoing) => {
    const stream = session.request(toHttp2Headers(outgoing), { endStream: outgoing.body === null });
    if (streams++ === 0) session.ref();
    stream.once('close', () => {
      if (stream.rstCode === NGHTTP2_HTTP_1_1_REQUIRED) options.onHttp1Required();
      if (--streams > 0) return;
      session.unref();
      if (isTired) session.close();
      else session.setTimeout(options.keepAliveMillis);
    });
    return stream;
  };

  return {
    get isFree() {
      return streams < mostStreams && !isTired && !session.closed && !session.destroyed;
    },
    destroy: () => session.destroy(),
    send: (outgoing, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const stream = open(outgoing);
        const isWhole = watchEnd(stream);
        const cancel = (reason: Error) => {
          isTired = true;
          stream.close(NGHTTP2_CANCEL);
          stream.destroy(reason);
        };
        const abort = () => cancel(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
        stream.on('error', reject);
        stream.once('close', () => {
          signal.removeEventListener('abort', abort);
          reject(new TransportError('reset', `The connection broke (${codeName(stream.rstCode)} before an answer).`));
        });
        stream.once('response', ({ [':status']: statusCode = 0, ...headers }: IncomingHttpHeaders & { ':status'?: number }) => {
          stream.setTimeout(options.idleTimeoutMillis, () => {
            // A slow reader is no slow server.
            if (stream.readableLength > 0) stream.setTimeout(options.idleTimeoutMillis);
            else cancel(idleTimeout(options.idleTimeoutMillis));
          });
          resolve({
            statusCode,
            statusText: '',
            headers,
            trailers: {},
            body: Object.assign(stream, { dump: async () => stream.close(NGHTTP2_CANCEL) }),
            checkEnd() {
              if (isWhole()) return;
              const how = codeName(stream.rstCode);
              throw new TransportError('cut-body', `The body ended before it was complete (${how}).`);
            },
          });
        });
        if (outgoing.body !== null) stream.end(outgoing.body);
      }),
  };
}

/** Node ends a body in the same way whether the server said that it was all, or cancelled the rest (RST_STREAM with NO_ERROR
 *  or CANCEL), or left. In the first case alone the stream is still open when its end is put in. */
function watchEnd(stream: ReturnType<ReturnType<typeof connect>['request']>): () => boolean {
  let isWhole = false;
  const { push } = stream;
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !stream.closed) isWhole = true;
    return push.call(stream, chunk, encoding);
  };
  return () => isWhole || stream.endAfterHeaders;
}

// https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2
const OF_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

function toHttp2Headers({ url, method, headers, body }: Http2Outgoing): OutgoingHttpHeaders {
  const sent: OutgoingHttpHeaders = {
    ':method': method,
    ':authority': url.host,
    ':scheme': 'https',
    ':path': url.pathname + url.search,
  };
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'host') sent[':authority'] = value;
    else if (value !== undefined && !OF_THE_CONNECTION.has(lower)) sent[lower] = value;
  }
  if (body !== null) sent['content-length'] = String(Buffer.byteLength(body));
  return sent;
}

// https://www.rfc-editor.org/rfc/rfc9113#section-7
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

function codeName(code = 0): string {
  return `HTTP/2 ${CODES[code] ?? `code ${code}`}`;
}
