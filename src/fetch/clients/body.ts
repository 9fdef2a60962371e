// The body of an answer: decompressed, and never longer than its limit, whatever it claims to be.
import { pipeline, Readable } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type BrotliDecompress,
  type Gunzip,
} from 'node:zlib';

import type { SimpleHeaders } from './headers-of-answer.ts';
import { TransportError } from '../../core/transport.ts';
import { bodyTooLarge } from './faults.ts';

/** What `openBody` can decompress, for the Accept-Encoding header. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** All that are registered: https://www.iana.org/assignments/http-parameters. Another name (`UTF-8`, `none`, `aws-chunked`)
 *  is no compression, and nothing is to be undone for it, as in a browser. */
const COMPRESSIONS = new Set([
  'aes128gcm',
  'br',
  'compress',
  'dcb',
  'dcz',
  'deflate',
  'exi',
  'gzip',
  'pack200-gzip',
  'x-compress',
  'x-gzip',
  'zstd',
]);

/** More layers than any server has a reason for. */
const MAX_LAYERS = 5;
/** Bytes behind a gzip. */
const MAX_LINE_END = 4;

export interface BodyOptions {
  /** Of the compressed and of the decompressed body alike. */
  maxBytes: number;
  /** Names the error that ends the body early. */
  toError: (error: unknown) => Error;
  /** Called when the raw body has come to its end: throws if that was not all of it. */
  checkEnd?: (() => void) | undefined;
}

/** Nothing is read before the reader asks, so that an error always meets its reader, and a reader that leaves takes the
 *  connection along. Without a reader no error ends the process.
 *  @param raw The body as it is sent. */
export function openBody(raw: Readable, headers: SimpleHeaders, { maxBytes, toError, checkEnd }: BodyOptions): Readable {
  const chunks = read(checkEnd ? checked(raw, checkEnd) : raw, headers, maxBytes);
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

async function* read(raw: AsyncIterable<Buffer>, headers: SimpleHeaders, maxBytes: number): AsyncGenerator<Buffer, void> {
  const layers = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => COMPRESSIONS.has(name));
  if (layers.length > MAX_LAYERS) throw new TransportError('bad-answer', `The body is compressed ${layers.length} times over.`);
  let chunks = upTo(maxBytes, raw, Number(headers['content-length'] ?? 0));
  // The last one named was applied last.
  for (const layer of layers.toReversed()) {
    chunks = upTo(maxBytes, decompress(layer, layer.endsWith('gzip') ? withoutLineEnd(chunks) : chunks));
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

async function* decompress(encoding: string, compressed: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  const first = await compressed.next();
  // No body at all (HEAD, 204, Content-Length: 0) is no gzip that was cut.
  if (first.done) return;
  const decoder = createDecoder(encoding, first.value);
  const whole = async function* () {
    yield first.value;
    yield* compressed;
  };
  // The error of whichever breaks first comes out of the decoder.
  yield* pipeline(whole, decoder, () => {}) as AsyncIterable<Buffer>;
}

/** Some pages have a line end behind their gzip. Browsers stop before it; Node would look for another gzip there, and lose what
 *  it has. gzip itself ends with the length, which no page has that would end so: it would be 167 MB at least. */
async function* withoutLineEnd(compressed: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  let held: Buffer | null = null;
  for await (const next of compressed) {
    const chunk: Buffer = held === null ? next : Buffer.concat([held, next]);
    const [lineEnd = ''] = /[\r\n]*$/.exec(chunk.subarray(-MAX_LINE_END).toString('latin1')) ?? [];
    const end = chunk.length - lineEnd.length;
    held = lineEnd === '' ? null : chunk.subarray(end);
    if (end > 0) yield chunk.subarray(0, end);
  }
}

function createDecoder(encoding: string, start: Buffer): Gunzip | BrotliDecompress {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      // The standard means zlib's format; some servers send the bare one. https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2
      return ((start[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new TransportError('bad-answer', `The body is compressed by "${encoding}", which was not asked for.`);
  }
}
