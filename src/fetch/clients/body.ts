// The body of an answer: decompressed, and never longer than its limit, whatever it claims to be.
import { Readable } from 'node:stream';

import type { SimpleHeaders } from './headers-of-answer.ts';
import { TransportError } from '../../core/transport.ts';
import { COMPRESSIONS, decompress } from './decompress.ts';
import { bodyTooLarge } from './faults.ts';

/** What `openBody` can decompress, for the Accept-Encoding header. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** More layers than any server has a reason for. */
const MAX_LAYERS = 5;

export interface BodyOptions {
  /** Of the compressed and of the decompressed body alike. */
  maxBytes: number;
  /** Whether it may announce more than it is read of. */
  beginningOnly?: boolean | undefined;
  /** Names the error that ends the body early. */
  toError: (error: unknown) => Error;
  /** Called when the raw body has come to its end: throws if that was not all of it. */
  checkEnd?: (() => void) | undefined;
}

/** Nothing is read before the reader asks, so that an error always meets its reader, and a reader that leaves takes the
 *  connection along. Without a reader no error ends the process.
 *  @param raw The body as it is sent. */
export function openBody(
  raw: Readable,
  headers: SimpleHeaders,
  { maxBytes, beginningOnly, toError, checkEnd }: BodyOptions,
): Readable {
  const chunks = read(checkEnd ? checked(raw, checkEnd) : raw, headers, maxBytes, beginningOnly);
  raw.on('error', () => {});
  return new Readable({
    read() {
      chunks.next().then(
        // undici takes a connection back one turn after its body: a request sent at once would open another.
        ({ done, value }) => (done ? setImmediate(() => this.push(null)) : this.push(value)),
        (error: unknown) => this.destroy(toError(error)),
      );
    },
    destroy(error, done) {
      raw.destroy();
      void leave(chunks);
      done(error);
    },
  }).on('error', () => {});
}

async function* checked(raw: AsyncIterable<Buffer>, checkEnd: () => void): AsyncGenerator<Buffer, void> {
  yield* raw;
  checkEnd();
}

/** Ends the decompressors too. */
async function leave(chunks: AsyncGenerator<Buffer, void>): Promise<void> {
  try {
    await chunks.return();
  } catch {
    // Nobody waits for what was still to come.
  }
}

async function* read(
  raw: AsyncIterable<Buffer>,
  headers: SimpleHeaders,
  maxBytes: number,
  beginningOnly = false,
): AsyncGenerator<Buffer, void> {
  const layers = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => COMPRESSIONS.has(name));
  if (layers.length > MAX_LAYERS) throw new TransportError('bad-answer', `The body is compressed ${layers.length} times over.`);
  let chunks = upTo(maxBytes, raw, beginningOnly ? 0 : Number(headers['content-length'] ?? 0));
  // The last one named was applied last.
  for (const layer of layers.toReversed()) {
    chunks = upTo(maxBytes, decompress(layer, chunks));
  }
  yield* chunks;
}

/** @param announced What Content-Length says. It counts only once a body begins: the answer to a HEAD has none. */
async function* upTo(maxBytes: number, chunks: AsyncIterable<Buffer>, announced = 0): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (Math.max(bytes, announced) > maxBytes) throw bodyTooLarge(maxBytes);
    yield chunk;
  }
}
