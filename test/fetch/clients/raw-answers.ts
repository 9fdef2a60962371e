// Answers by their bytes, right and wrong, and what becomes of them: in Chromium 156 (headless shell, tried once, on 2026-12-01)
// and in our own client.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

export const PAGE = '<!doctype html><html><head><title>t</title></head><body><p>the page</p></body></html>';

export interface RawAnswer {
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether Chromium shows the page. */
  readonly shown: boolean;
  /** What our client makes of it: the page, or a fault. @default what Chromium does, an error being `bad-answer` */
  readonly ours?: string;
  /** Whether the connection ends with it. */
  readonly ends?: boolean;
}

const OK = 'HTTP/1.1 200 OK';
const TYPE = 'Content-Type: text/html';
const LENGTH = `Content-Length: ${PAGE.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const SIZE = PAGE.length.toString(16);
const CHUNKS = `${SIZE}\r\n${PAGE}\r\n0\r\n\r\n`;

const bytes = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
const lines = (...heads: string[]) => [...heads, '', ''].join('\r\n');
const whole = (...headers: string[]) => bytes(lines(OK, TYPE, ...headers), PAGE);
const began = (statusLine: string) => bytes(lines(statusLine, TYPE, LENGTH), PAGE);
const behind = (...interim: string[]) => bytes(...interim.map((head) => `${head}\r\n\r\n`), whole(LENGTH));
const inChunks = (headers: string[], body = CHUNKS) => bytes(lines(OK, TYPE, ...headers), body);
const coded = (coding: string, body: Uint8Array) =>
  bytes(lines(OK, TYPE, `Content-Encoding: ${coding}`, `Content-Length: ${body.length}`), body);

const gzip = gzipSync(PAGE);
const deflate = deflateSync(PAGE);
const brotli = brotliCompressSync(PAGE);
const longHead = Buffer.from([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 4, 0, 1, 2, 3, 4]);

type Row = readonly [name: string, bytes: Buffer, shown: boolean, more?: Pick<RawAnswer, 'ours' | 'ends'>];

const HEADS: readonly Row[] = [
  ['as it should be', whole(LENGTH), true],
  ['behind 100', behind('HTTP/1.1 100 Continue'), true],
  ['behind 103', behind('HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload'), true],
  ['behind 102, 103, 100 and 103', behind(...[102, 103, 100, 103].map((code) => `HTTP/1.1 ${code} x`)), true],
  ['behind fifty of 100', behind(...Array.from({ length: 50 }, () => 'HTTP/1.1 100 Continue')), true],
  ['behind one that has no name', behind('HTTP/1.1 199 Odd'), true],
  ['behind one that announces a length', behind('HTTP/1.1 104 Odd\r\nContent-Length: 10'), true],
  ['behind 100 with line feeds', bytes('HTTP/1.1 100 Continue\n\n', whole(LENGTH)), true],
  // https://www.rfc-editor.org/rfc/rfc9110#section-15.2.2: nobody asked for it.
  ['behind 101', behind('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade'), true, { ours: 'bad-answer' }],
  ['behind a bare 101', behind('HTTP/1.1 101 Switching Protocols'), true, { ours: 'bad-answer' }],
  ['100 and no more', bytes('HTTP/1.1 100 Continue\r\n\r\n'), false, { ours: 'reset', ends: true }],
  ['without a reason', began('HTTP/1.1 200'), true],
  ['with a blank for a reason', began('HTTP/1.1 200 '), true],
  ['with a status line in small letters', began('http/1.1 200 ok'), true],
  ['with two blanks before the status', began('HTTP/1.1  200 OK'), true],
  ['with no blank behind the status', began('HTTP/1.1 200OK'), true],
  ['with tabs around the status', began('HTTP/1.1\t200\tOK'), true],
  ['of HTTP/1.0', began('HTTP/1.0 200 OK'), true, { ends: true }],
  ['of HTTP/1.2', began('HTTP/1.2 200 OK'), true],
  ['of HTTP/2.0', began('HTTP/2.0 200 OK'), true],
  ['of HTTP/1', began('HTTP/1 200 OK'), true],
  ['of HTTP', began('HTTP 200 OK'), true],
  ['without a status', began('HTTP/1.1'), true],
  ['with a word for a status', began('HTTP/1.1 OK'), true],
  ['with status 20', began('HTTP/1.1 20 OK'), true, { ours: 'bad-answer' }],
  ['with status 2000', began('HTTP/1.1 2000 OK'), true, { ours: 'bad-answer' }],
  ['with status 0', began('HTTP/1.1 000 OK'), true, { ours: 'bad-answer' }],
  ['with status 600', began('HTTP/1.1 600 OK'), true],
  ['of another protocol', began('ICY 200 OK'), false],
  ['behind an empty line', bytes('\r\n', whole(LENGTH)), true],
  ['behind three bytes', bytes('xyz', whole(LENGTH)), true],
  ['behind eight bytes', bytes('12345678', whole(LENGTH)), false],
  ['with a reason in UTF-8', bytes(Buffer.from('HTTP/1.1 200 Всё\r\n'), lines(TYPE, LENGTH), PAGE), true],
  ['with a NUL in its reason', began('HTTP/1.1 200 O\0K'), false, { ours: 'page' }],
  ['without a head', bytes(PAGE), false, { ends: true }],
  ['with line feeds alone', bytes([OK, TYPE, LENGTH, '', ''].join('\n'), PAGE), true],
  ['with line ends of both kinds', bytes(`${OK}\r\n${TYPE}\n${LENGTH}\r\n\n`, PAGE), true],
  ['with line feeds, and a full line end', bytes(`${OK}\n${TYPE}\n${LENGTH}\n\r\n`, PAGE), true],
  ['with a header on two lines', bytes(lines(OK, 'Content-Type: text/html;', ' charset=utf-8', LENGTH), PAGE), true],
  ['with a first header that goes on with nothing', bytes(lines(OK, ' X-A: b', TYPE, LENGTH), PAGE), true],
  ['with a line that is no header', whole('no header at all', LENGTH), true],
  ['with a header without a name', whole(': x', LENGTH), true],
  ['with blanks before its colons', bytes(lines(OK, 'Content-Type : text/html', `Content-Length : ${PAGE.length}`), PAGE), true],
  ['with a blank in a name', whole('Foo Bar: x', LENGTH), true],
  ['with a name beyond ASCII', whole('f\u00f6\u00f6: x', LENGTH), true],
  ['with brackets in a name', whole('a(b): x', LENGTH), true],
  ['with a NUL in a value', whole('X-A: a\0b', LENGTH), false, { ours: 'page' }],
  ['with a control character in a value', whole('X-A: a\u0001b', LENGTH), true],
  ['with a bare CR in a value', whole('X-A: a\rb', LENGTH), true],
  ['with a value beyond ASCII', whole('X-A: caf\u00e9', LENGTH), true],
  ['with 600 headers', whole(...Array.from({ length: 600 }, (_, n) => `X-${n}: v`), LENGTH), true],
  ['with a header of 200 kB', whole(`X-A: ${'x'.repeat(200_000)}`, LENGTH), true],
  ['with a header of 300 kB', whole(`X-A: ${'x'.repeat(300_000)}`, LENGTH), false],
];

const FRAMES: readonly Row[] = [
  ['one length twice', whole(LENGTH, LENGTH), true],
  ['one length twice in a header', whole(`${LENGTH}, ${PAGE.length}`), true],
  ['two lengths', whole(LENGTH, 'Content-Length: 5'), false, { ends: true }],
  ['two lengths in a header', whole(`${LENGTH}, 5`), false, { ends: true }],
  ...['-1', `+${PAGE.length}`, 'abc', '0x10', '', `${PAGE.length} bytes`, `${PAGE.length}.0`, '9'.repeat(23)].map(
    (length): Row => [`a length of "${length}"`, whole(`Content-Length: ${length}`), true, { ends: true }],
  ),
  ['a length with blanks around it', whole(`Content-Length:   ${PAGE.length}   `), true],
  ['a length that is too long', whole(`Content-Length: ${PAGE.length + 50}`), false, { ours: 'cut-body', ends: true }],
  ['no length', whole(), true, { ends: true }],
  ['chunks and a length', inChunks([CHUNKED, 'Content-Length: 5']), true],
  ['a length and chunks', inChunks(['Content-Length: 5', CHUNKED]), true],
  ['two lengths and chunks', inChunks(['Content-Length: 5', 'Content-Length: 6', CHUNKED]), true],
  ['chunks', inChunks([CHUNKED]), true],
  ['Chunked', inChunks(['Transfer-Encoding: Chunked']), true],
  ['chunks said twice', inChunks([CHUNKED, CHUNKED]), true],
  ['chunks, identity', inChunks(['Transfer-Encoding: chunked, identity']), true],
  ['identity, chunks', inChunks(['Transfer-Encoding: identity, chunked']), true],
  ['identity and a length', whole('Transfer-Encoding: identity', LENGTH), true],
  ['identity', whole('Transfer-Encoding: identity'), true, { ends: true }],
  ['an unknown transfer coding and a length', whole('Transfer-Encoding: xchunked', LENGTH), true],
  ['an empty transfer coding', whole('Transfer-Encoding:', LENGTH), true],
  ['chunks with extensions', inChunks([CHUNKED], `${SIZE};a=b;c="d"\r\n${PAGE}\r\n0\r\n\r\n`), true],
  ['chunks with zeros and capitals', inChunks([CHUNKED], `0000${SIZE.toUpperCase()}\r\n${PAGE}\r\n000\r\n\r\n`), true],
  [
    'chunks with blanks behind the size',
    inChunks([CHUNKED], `${SIZE}  \r\n${PAGE}\r\n0  \r\n\r\n`),
    true,
    { ours: 'bad-answer' },
  ],
  ['chunks with line feeds', inChunks([CHUNKED], `${SIZE}\n${PAGE}\n0\n\n`), true, { ours: 'bad-answer' }],
  ['chunks with a blank before the size', inChunks([CHUNKED], ` ${SIZE}\r\n${PAGE}\r\n0\r\n\r\n`), false],
  [
    'chunks with a trailer that is none',
    inChunks([CHUNKED], `${SIZE}\r\n${PAGE}\r\n0\r\nX: 1\r\nnone\r\n\r\n`),
    true,
    { ours: 'bad-answer' },
  ],
  ['chunks without the last', inChunks([CHUNKED], `${SIZE}\r\n${PAGE}\r\n`), false, { ours: 'cut-body', ends: true }],
  ['chunks that are none', whole(CHUNKED), false, { ends: true }],
  ['chunks with more behind them', inChunks([CHUNKED], `${CHUNKS}garbage`), true],
];

const CODINGS: readonly Row[] = [
  ['gzip', coded('gzip', gzip), true],
  ['gzip without its trailer', coded('gzip', gzip.subarray(0, -8)), true],
  ['gzip with half a trailer', coded('gzip', gzip.subarray(0, -3)), true],
  ['gzip with a wrong check', coded('gzip', bytes(gzip.subarray(0, -8), Buffer.alloc(8, 7))), true],
  ...['\n \n\n\n\n \n', '<!-- cached 12 -->', '\r\n\r\n\r\n\r\n', '\0'.repeat(512), '\x1f\x8bjunk', '\x1f'].map((text): Row => [
    `gzip and ${JSON.stringify(text.slice(0, 20))}`,
    coded('gzip', bytes(gzip, text)),
    true,
  ]),
  // Chromium stops behind the first: https://www.rfc-editor.org/rfc/rfc1952#section-2.2 has all of them.
  ['gzip in two members', coded('gzip', bytes(gzipSync(PAGE.slice(0, 65)), gzipSync(PAGE.slice(65)))), false, { ours: 'page' }],
  // Chromium shows what there is. Half a page is none: it comes round again.
  ['gzip cut in its data', coded('gzip', gzip.subarray(0, -20)), true, { ours: 'cut-body' }],
  [
    'gzip with name, comment, extra and check',
    coded('gzip', bytes(longHead, 'name\0words\0\0\0', deflateRawSync(PAGE), gzip.subarray(-8))),
    true,
  ],
  ['x-gzip', coded('x-gzip', gzip), true],
  ['GZIP', coded('GZIP', gzip), true],
  ['gzip that is text', coded('gzip', bytes(PAGE)), false],
  ['gzip that is broken', coded('gzip', bytes(gzip.subarray(0, 20), Buffer.alloc(20, 255), gzip.subarray(40))), false],
  ['gzip that is deflate', coded('gzip', deflate), false],
  ['deflate', coded('deflate', deflate), true],
  ['deflate without its wrapping', coded('deflate', deflateRawSync(PAGE)), true],
  ['deflate without its check', coded('deflate', deflate.subarray(0, -4)), true],
  ['deflate and words', coded('deflate', bytes(deflate, 'words')), true],
  ['deflate that is text', coded('deflate', bytes(PAGE)), false],
  ['br', coded('br', brotli), true],
  ['br and words', coded('br', bytes(brotli, 'words')), true],
  ['br cut', coded('br', brotli.subarray(0, -4)), false, { ours: 'cut-body' }],
  ['br that is text', coded('br', bytes(PAGE)), false],
  ['gzip, gzip', coded('gzip, gzip', gzipSync(gzip)), true],
  ['gzip, br', coded('gzip, br', brotliCompressSync(gzip)), true],
  ['gzip, gzip that is one', coded('gzip, gzip', gzip), false],
  ['identity', coded('identity', bytes(PAGE)), true],
  ['a coding that is none', coded('utf-8', bytes(PAGE)), true],
  ['no coding', coded('', bytes(PAGE)), true],
  ['a coding that was not asked for', coded('zstd', bytes(PAGE)), false],
];

/** By what is odd about them. */
export const RAW_ANSWERS: Readonly<Record<string, readonly RawAnswer[]>> = Object.fromEntries(
  Object.entries({ head: HEADS, framing: FRAMES, coding: CODINGS }).map(([what, rows]) => [
    what,
    rows.map(([name, sent, shown, more]): RawAnswer => ({ name, bytes: sent, shown, ...more })),
  ]),
);
