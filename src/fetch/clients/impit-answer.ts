// An answer of impit's in the shape that all our clients give: impit has decompressed it, and its body is pulled piece by piece.
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import { idleTimeout, type Limits } from './faults.ts';
import type { SimpleHeaders } from './headers-of-answer.ts';
import { nameImpitFault } from './impit-faults.ts';
import type { Answer } from './redirects.ts';

/** As much of impit's response as is used. */
export interface ImpitResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array>;
}

/** What impit decompresses. Any other, and one layer over another, it leaves as it is. */
const DECOMPRESSED = /^(?:gzip|deflate|br|zstd)$/;
/** `Headers` joins what came more than once; a second one of these is dropped, as Node does. */
const ONE_WORD = new Set(['age', 'content-length', 'retry-after']);

export interface ImpitAnswerOptions {
  readonly limits: Limits;
  /** Ends the body, by its own reason. */
  readonly signal: AbortSignal;
  /** Called when the body is left before its end, read or not. */
  readonly onLeft: () => void;
}

export function toAnswer(response: ImpitResponse, options: ImpitAnswerOptions): Answer {
  const body = toReadable(response, options);
  return {
    statusCode: response.status,
    statusText: response.statusText,
    headers: toSimpleHeaders(response.headers),
    trailers: {},
    body: Object.assign(body, { dump: ({ limit }: { limit: number }) => dump(body, limit) }),
  };
}

/** impit takes a connection back on a thread of its own. Asked at once, it would open another, and a page's redirects would
 *  leave a rotating proxy by several exits. */
const SETTLE_MILLIS = 5;

async function dump(body: Readable, limit: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) if ((bytes += (chunk as Buffer).length) > limit) break;
  await wait(SETTLE_MILLIS);
}

function toSimpleHeaders(headers: Headers): SimpleHeaders {
  const simple: SimpleHeaders = {};
  for (const [name, value] of headers) {
    // Twice the same; two that differ cannot be told from one with a comma.
    if (name === 'location') simple[name] = value.replace(/^(.+), \1$/, '$1');
    // A date has a comma of its own.
    else simple[name] = ONE_WORD.has(name) && !/^[A-Z][a-z]{2}, /.test(value) ? value.split(', ', 1)[0] : value;
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) simple['set-cookie'] = cookies;
  if (DECOMPRESSED.test(headers.get('content-encoding') ?? '')) delete simple['content-encoding'];
  return simple;
}

/** impit reads no further than it is asked to, so the idle limit counts only while somebody asks. */
function toReadable(response: ImpitResponse, { limits, signal, onLeft }: ImpitAnswerOptions): Readable {
  const reader = response.body.getReader();
  let ended = false;
  const body: Readable = new Readable({
    read() {
      void pull();
    },
    destroy(error, done) {
      signal.removeEventListener('abort', abort);
      if (!ended) {
        onLeft();
        void cancel(reader);
      }
      done(error);
    },
  });
  const pull = async () => {
    const late = setTimeout(() => body.destroy(idleTimeout(limits.idleTimeoutMillis)), limits.idleTimeoutMillis);
    try {
      const { done, value } = await reader.read();
      ended = done;
      body.push(done ? null : value);
    } catch (error) {
      body.destroy(nameImpitFault(error, 'reading', limits));
    } finally {
      clearTimeout(late);
    }
  };
  const abort = () => body.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  // Without a reader no error ends the process.
  return body.on('error', () => {});
}

async function cancel(reader: ReadableStreamDefaultReader): Promise<void> {
  try {
    await reader.cancel();
  } catch {
    // Whoever reads the body has been told.
  }
}
