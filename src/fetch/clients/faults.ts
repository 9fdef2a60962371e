// Names what ended a request: the errors of Node (its HTTP/2 too), undici and zlib as TransportError, and the limits they passed.
import { faultOfCode, TransportError, type TransportFault } from '../../core/transport.ts';

/** The limits of one request. */
export interface Limits {
  /** Until the connection stands: name look-up and TLS included. Through a proxy it counts twice: up to the proxy, and from
   *  there on. @default 5,000 */
  connectTimeoutMillis: number;
  /** Between two pieces of an answer. How long its first may take, the whole request alone limits. @default 10,000 */
  idleTimeoutMillis: number;
  /** From the start to the last byte of the body, redirects included. @default 30,000 */
  requestTimeoutMillis: number;
  /** Of the body, both as it is sent and decompressed: a small gzip can hold gigabytes. @default 20 MiB */
  maxBodyBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  connectTimeoutMillis: 5_000,
  idleTimeoutMillis: 10_000,
  requestTimeoutMillis: 30_000,
  maxBodyBytes: 20 * 1024 * 1024,
};

/** How far a request had come. The same broken connection cuts a body, or leaves none. */
export type Phase = 'sending' | 'reading';

const ZLIB_CODE = /^(Z_|ERR__|ERR_BROTLI)/;

/** The code of a parser's error where the connection has had an answer before (sockets.ts). */
export const ON_USED_CONNECTION = 'ON_USED_CONNECTION';

/** HTTP/2: a stream or its whole connection was given up by the server. https://nodejs.org/api/errors.html#err_http2_error */
const GIVEN_UP = new Set([
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_STREAM_ERROR',
]);

/** A TransportError, or the error itself if it is none of the transport's (an abort from outside, a wrong argument). */
export function nameFault(error: unknown, phase: Phase, limits: Limits): Error {
  if (error instanceof TransportError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  // Several addresses were tried: the first error stands for all.
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const fault = faultInPhase(inner, phase);
  if (fault === null) return error;
  return new TransportError(fault, sentence(fault, inner.message, limits), { cause: error });
}

function faultInPhase(error: Error, phase: Phase): TransportFault | null {
  const code = 'code' in error ? String(error.code) : '';
  if (error.name === 'HTTPParserError') return parserFault(error.message, code, phase);
  // Also what undici says of a head that it cannot read on from a Content-Length, such as a second one.
  if (phase === 'sending' && code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'bad-answer';
  // The other side closed in good order: before the headers there is nothing yet that it could have cut.
  if (phase === 'reading' && code === 'UND_ERR_SOCKET') return 'cut-body';
  if (GIVEN_UP.has(code)) return phase === 'reading' ? 'cut-body' : 'reset';
  // Frames that are none.
  if (code === 'ERR_HTTP2_ERROR') return 'bad-answer';
  const fault = faultOfCode(code);
  return fault === null && ZLIB_CODE.test(code) ? 'bad-answer' : fault;
}

/** undici's parser gives no code of its own. */
function parserFault(message: string, code: string, phase: Phase): TransportFault {
  // An answer that begins as one and goes on wrong is this request's own.
  const isRest = code === ON_USED_CONNECTION && message.includes('(Expected HTTP/');
  if (phase === 'sending') return isRest ? 'reset' : 'bad-answer';
  // The end of a connection that was not to be kept alive, before the last chunk.
  return message.includes('EOF') ? 'cut-body' : 'bad-answer';
}

function sentence(fault: TransportFault, message: string, limits: Limits): string {
  switch (fault) {
    case 'connect-timeout':
      return connectTimeout(limits.connectTimeoutMillis).message;
    case 'idle-timeout':
      return idleTimeout(limits.idleTimeoutMillis).message;
    case 'cut-body':
      return `The body ended before it was complete (${message}).`;
    case 'bad-answer':
      return message.includes('content-length header') ? "The answer's head is not HTTP/1.1." : message;
    case 'reset':
      return `The connection broke (${message}).`;
    default:
      return message;
  }
}

export function connectTimeout(millis: number): TransportError {
  return new TransportError('connect-timeout', `No connection within ${inSeconds(millis)}.`);
}

export function idleTimeout(millis: number): TransportError {
  return new TransportError('idle-timeout', `Nothing came for ${inSeconds(millis)}.`);
}

export function requestTimeout(millis: number): TransportError {
  return new TransportError('request-timeout', `The whole request took longer than ${inSeconds(millis)}.`);
}

export function bodyTooLarge(maxBytes: number): TransportError {
  return new TransportError('body-too-large', `The body is longer than ${Number((maxBytes / 1024 / 1024).toFixed(3))} MB.`);
}

/** For a message. */
export function inSeconds(millis: number): string {
  return `${millis / 1_000} s`;
}
