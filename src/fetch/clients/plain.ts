// The HTTP client of tier `http`: undici with kept-alive connections, behind Crawlee's BaseHttpClient. Every limit has a
// name of its own, and a body is never longer in memory than its limit allows.
import { buffer } from 'node:stream/consumers';

import type {
  BaseHttpClient,
  HttpRequest,
  HttpResponse,
  RedirectHandler,
  ResponseTypes,
  StreamingHttpResponse,
} from '@crawlee/core';
import { Agent, buildConnector, request as send, type Dispatcher } from 'undici';

import { decodeBody } from '../decode.ts';
import { openBody } from './body.ts';
import { DEFAULT_LIMITS, nameFault, requestTimeout, type Limits, type Phase } from './faults.ts';
import { follow } from './redirects.ts';

export type PlainClientOptions = Partial<Limits>;

/** How long an unused connection is kept, unless the server's Keep-Alive header says less. */
const KEEP_ALIVE_MILLIS = 30_000;

/** A client and its connections. One call is one request to the server, plus its redirects: nothing is tried again here, not
 *  even on a kept connection that the server closed as it was taken up. undici looks at such a connection first, so that
 *  is rare, and the request comes round again as `reset`. */
export interface PlainClient extends BaseHttpClient {
  /** Cuts what is under way and closes all connections. */
  close(): Promise<void>;
}

/** `stream()` resolves with the headers. Its body must be read to the end or destroyed: until then it holds a connection, at
 *  most until the request's timeout. Certificates are always verified; Node's own NODE_EXTRA_CA_CERTS adds to the known ones.
 *  Both throw TransportError (core/transport.ts), `stream()`'s body likewise; any status is an answer, not an error. */
export function createPlainClient(options: PlainClientOptions = {}): PlainClient {
  const limits = { ...DEFAULT_LIMITS, ...options };
  const agent = new Agent({
    connect: connector(limits.connectTimeoutMillis),
    headersTimeout: limits.idleTimeoutMillis,
    bodyTimeout: limits.idleTimeoutMillis,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
  });

  const stream = async (request: HttpRequest, onRedirect?: RedirectHandler): Promise<StreamingHttpResponse> => {
    // Sending it directly would show the address that the proxy is there to hide.
    if (request.proxyUrl) throw new Error('The plain HTTP client has no proxies.');
    const deadline = startDeadline(limits.requestTimeoutMillis, request.signal);
    const toError = (error: unknown, phase: Phase) =>
      deadline.passed ? requestTimeout(limits.requestTimeoutMillis) : nameFault(error, phase, limits);
    try {
      const { answer, headers, url, redirectUrls } = await follow(
        ({ url, method, headers, body }) =>
          send(url, { method, headers, body: (body ?? null) as Body | null, dispatcher: agent, signal: deadline.signal }),
        request,
        onRedirect,
      );
      const { maxBodyBytes: maxBytes } = limits;
      const body = openBody(answer.body, headers, { maxBytes, toError: (error) => toError(error, 'reading') });
      body.once('close', deadline.clear);
      const progress = { percent: 0, transferred: 0 };
      return {
        stream: body,
        statusCode: answer.statusCode,
        statusMessage: answer.statusText,
        headers,
        trailers: answer.trailers,
        url: addressOf(url, new URL(request.url)),
        redirectUrls,
        complete: true,
        request,
        downloadProgress: progress,
        uploadProgress: progress,
      };
    } catch (error) {
      deadline.clear();
      throw toError(error, 'sending');
    }
  };

  return {
    stream,
    async sendRequest<Type extends keyof ResponseTypes = 'text'>(request: HttpRequest<Type>): Promise<HttpResponse<Type>> {
      const { stream: body, downloadProgress: _down, uploadProgress: _up, ...response } = await stream(request as HttpRequest);
      const bytes = await buffer(body);
      return { ...response, request, body: toType(request.responseType, bytes, response.headers) as ResponseTypes[Type] };
    },
    close: () => agent.destroy(),
  };
}

/** Where an answer is from, without a name and a password that only a redirect has told: the address is stored with the
 *  request, and what a handler makes of it is exported. */
function addressOf({ href, username, password }: URL, asked: URL): string {
  if (username === asked.username && password === asked.password) return href;
  const address = new URL(href);
  address.username = '';
  address.password = '';
  return address.href;
}

type Body = NonNullable<Dispatcher.DispatchOptions['body']>;

function toType(type: keyof ResponseTypes = 'text', bytes: Buffer, headers: HttpResponse['headers']): unknown {
  if (type === 'buffer') return bytes;
  const text = decodeBody(bytes, headers['content-type']?.toString());
  return type === 'json' ? JSON.parse(text) : text;
}

/** undici takes a reset for the end of a body that has no other end than the connection's (HTTP/1.0), and half a page would
 *  pass for a whole one. It knows the reset by its code, so the code is changed before undici sees it. */
function connector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      socket?.prependListener('error', (broken: NodeJS.ErrnoException) => {
        if (broken.code === 'ECONNRESET') broken.code = 'EPIPE';
      });
      if (error) callback(error, null);
      else callback(null, socket);
    });
}

/** The time limit of the whole request, and the caller's own signal, as one signal. */
function startDeadline(millis: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  const deadline = {
    signal: controller.signal,
    passed: false,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
  const timer = setTimeout(() => {
    deadline.passed = true;
    deadline.clear();
    controller.abort();
  }, millis);
  if (outer?.aborted) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  return deadline;
}
