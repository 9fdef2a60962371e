// Undoes one Content-Encoding as Chromium does: a wrapping's own check is not looked at, and what comes behind the end is left.
// https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createInflateRaw, type BrotliDecompress, type InflateRaw } from 'node:zlib';

import { TransportError } from '../../core/transport.ts';

/** All that are registered: https://www.iana.org/assignments/http-parameters. Another name (`UTF-8`, `none`, `aws-chunked`)
 *  is no compression, and nothing is to be undone for it, as in a browser. */
export const COMPRESSIONS = new Set([
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

/** Of a gzip: its two bytes, and the one method there is. */
const START = Buffer.from([0x1f, 0x8b, 8]);
const TRAILER_BYTES = 8;
/** Flags of what stands in its head. */
const [CHECK, EXTRA, NAME, COMMENT] = [2, 4, 8, 16] as const;
/** Longer names and comments are none. */
const MAX_HEAD_BYTES = 64 * 1_024;
const NOTHING = Buffer.alloc(0);

type Chunks = AsyncGenerator<Buffer, void>;

/** @param encoding One of COMPRESSIONS.
 *  @throws {TransportError} `bad-answer` for one that was not asked for, `cut-body`; else zlib's own error. */
export async function* decompress(encoding: string, compressed: Chunks): Chunks {
  const input = createInput(compressed);
  try {
    // No body at all (HEAD, 204, Content-Length: 0) is no gzip that was cut.
    if ((await input.peek(1)).length === 0) return;
    if (encoding === 'gzip' || encoding === 'x-gzip') yield* gunzip(input);
    else if (encoding === 'deflate') yield* inflate(input);
    else if (encoding === 'br') yield* through(input, createBrotliDecompress());
    else throw new TransportError('bad-answer', `The body is compressed by "${encoding}", which was not asked for.`);
    // Whether it came to its end is for its framing to say.
    while ((await input.next()) !== null);
  } finally {
    await compressed.return();
  }
}

/** One or several, one behind the other. The check and the length at the end are skipped, there or not.
 *  https://www.rfc-editor.org/rfc/rfc1952 */
async function* gunzip(input: Input): Chunks {
  do {
    await skipHeader(input);
    yield* through(input, createInflateRaw());
    await input.peek(TRAILER_BYTES);
    input.skip(TRAILER_BYTES);
  } while (isGzip(await input.peek(START.length)));
}

function isGzip(bytes: Buffer): boolean {
  return bytes.subarray(0, START.length).equals(START);
}

async function skipHeader(input: Input): Promise<void> {
  const upTo = async (end: number) => {
    const bytes = await input.peek(end);
    if (bytes.length < end)
      throw new TransportError('cut-body', 'The body ended before it was complete (in the head of its gzip).');
    return bytes;
  };
  let end = 10;
  if (!isGzip(await input.peek(START.length)))
    throw new TransportError('bad-answer', 'The body is no gzip, as which it is declared.');
  const flags = (await upTo(end))[3] ?? 0;
  if (flags & EXTRA) end += 2 + (await upTo(end + 2)).readUInt16LE(end);
  for (const text of [NAME, COMMENT]) {
    if (!(flags & text)) continue;
    let bytes = await upTo(end + 1);
    while (!bytes.includes(0, end) && bytes.length < MAX_HEAD_BYTES) bytes = await upTo(bytes.length + 1);
    end = bytes.indexOf(0, end) + 1;
    if (end === 0) throw new TransportError('bad-answer', 'The head of the gzip has no end.');
  }
  if (flags & CHECK) end += 2;
  await upTo(end);
  input.skip(end);
}

/** The standard means zlib's format; some servers send the bare one. https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2 */
async function* inflate(input: Input): Chunks {
  const [method = 0, flags = 0] = await input.peek(2);
  if ((method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0) input.skip(2);
  yield* through(input, createInflateRaw());
}

/** What the decoder makes of the input up to its own end. What is behind that stays. */
async function* through(input: Input, decoder: InflateRaw | BrotliDecompress): Chunks {
  const given: Buffer[] = [];
  let before = 0;
  let next: Promise<Buffer | null> = Promise.resolve(null);
  const feed = async function* () {
    for (;;) {
      next = input.next();
      const chunk = await next;
      if (chunk === null) return;
      for (let taken = given[0]; taken && before + taken.length <= decoder.bytesWritten; taken = given[0]) {
        before += taken.length;
        given.shift();
      }
      given.push(chunk);
      yield chunk;
    }
  };
  // The error of whichever breaks first comes out of the decoder.
  yield* pipeline(feed, decoder, () => {}) as AsyncIterable<Buffer>;
  await next;
  input.unread(Buffer.concat(given).subarray(decoder.bytesWritten - before));
}

interface Input {
  /** Null at the end. */
  next(): Promise<Buffer | null>;
  /** At least so many bytes, unless the input ends before; they stay. */
  peek(bytes: number): Promise<Buffer>;
  skip(bytes: number): void;
  unread(bytes: Buffer): void;
}

function createInput(chunks: Chunks): Input {
  let held: Buffer = NOTHING;
  const pull = async () => {
    const { value, done } = await chunks.next();
    return done ? null : value;
  };
  return {
    async next() {
      if (held.length === 0) return pull();
      const all = held;
      held = NOTHING;
      return all;
    },
    async peek(bytes) {
      while (held.length < bytes) {
        const more = await pull();
        if (more === null) break;
        held = held.length === 0 ? more : Buffer.concat([held, more]);
      }
      return held;
    },
    skip(bytes) {
      held = held.subarray(bytes);
    },
    unread(bytes) {
      held = held.length === 0 ? bytes : Buffer.concat([bytes, held]);
    },
  };
}
