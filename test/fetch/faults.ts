// What the fault server (fault-server.ts) can do wrong, and right: one function a name.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, Readable, type Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';

const HTML = 'text/html; charset=utf-8';
/** Long enough for headers to have been read before the connection breaks. */
const SETTLE_MILLIS = 30;
const MEGABYTE = 1024 * 1024;

/** «Привет, мир» and «日本語のページ» in windows-1251 and Shift_JIS, as Python's codecs write them. */
export const CYRILLIC = { text: 'Привет, мир', bytes: Buffer.from('cff0e8e2e5f22c20ece8f0', 'hex') };
export const JAPANESE = { text: '日本語のページ', bytes: Buffer.from('93fa967b8cea82cc8379815b8357', 'hex') };

/** Answers by the letter wrong, which every browser takes. */
export const AS_BROWSERS_TAKE_IT: readonly string[] = [
  'gzip-and-line-end',
  'encoding-utf-8',
  'encoding-none',
  'encoding-aws-chunked',
  'encoding-aws-chunked-gzip',
  'long-head',
];

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** The path behind the fault's name. */
  readonly rest: string;
  /** The path up to and with the fault's name, for redirects to its own next step. */
  readonly base: string;
  readonly query: URLSearchParams;
  readonly page: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type Fault = (exchange: Exchange) => void;

const FAULTS = {
  ok: ({ response, page }) => send(response, page),

  'reset-before-headers': ({ socket }) => socket.resetAndDestroy(),
  'reset-mid-body': (exchange) => {
    sendPart(exchange, { 'content-length': '1000' });
    setTimeout(() => exchange.socket.resetAndDestroy(), SETTLE_MILLIS);
  },
  /** Without a length: the connection's end is the body's end, and here it is a reset. */
  'reset-unframed': (exchange) => {
    exchange.socket.write(`HTTP/1.0 200 OK\r\ncontent-type: ${HTML}\r\n\r\n<p>the first ha`);
    setTimeout(() => exchange.socket.resetAndDestroy(), SETTLE_MILLIS);
  },
  /** Takes the request and closes in good order, without a word. */
  'close-before-headers': ({ socket }) => socket.end(),
  'cut-headers': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'),
  'cut-length': (exchange) => {
    sendPart(exchange, { 'content-length': '1000' });
    exchange.socket.end();
  },
  'cut-length-closing': (exchange) => {
    sendPart(exchange, { 'content-length': '1000', connection: 'close' });
    exchange.socket.end();
  },
  'cut-chunk': (exchange) => {
    sendPart(exchange, {});
    exchange.socket.end();
  },
  'cut-chunk-closing': (exchange) => {
    sendPart(exchange, { connection: 'close' });
    exchange.socket.end();
  },
  /** The framing is whole; what it holds is not. */
  'cut-gzip': ({ response, page }) => send(response, cut(gzipSync(long(page))), { 'content-encoding': 'gzip' }),
  'cut-deflate': ({ response, page }) => send(response, cut(deflateSync(long(page))), { 'content-encoding': 'deflate' }),
  'cut-brotli': ({ response, page }) => send(response, cut(brotliCompressSync(long(page))), { 'content-encoding': 'br' }),

  'hang-before-headers': () => {},
  'hang-mid-body': (exchange) => sendPart(exchange, { 'content-length': '1000' }),
  drip: ({ response, query, page }) => {
    response.writeHead(200, { 'content-type': HTML }).flushHeaders();
    let sent = 0;
    const timer = setInterval(() => response.write(page[sent++ % page.length]), Number(query.get('every') ?? 1_000));
    response.once('close', () => clearInterval(timer));
  },

  'redirect-loop': ({ response, base, rest }) => redirect(response, rest === '/b' ? base : `${base}/b`),
  'redirect-self': ({ response, base }) => redirect(response, base),
  /** Comes back to its own address, but sets a cookie on the way and is content with it. */
  'redirect-cookie': ({ request, response, base, page }) =>
    request.headers.cookie?.includes('seen=1')
      ? send(response, page)
      : redirect(response, base, { 'set-cookie': 'seen=1; Path=/' }),
  /** A new cookie each time, and never content. */
  'redirect-cookie-loop': ({ response, base }) => redirect(response, base, { 'set-cookie': `seen=${Math.random()}; Path=/` }),
  'redirect-10': (exchange) => redirectTimes(exchange, 10),
  'redirect-11': (exchange) => redirectTimes(exchange, 11),
  'redirect-bad-url': ({ response }) => redirect(response, 'http://[nowhere/'),
  'redirect-mailto': ({ response }) => redirect(response, 'mailto:someone@example.com'),
  /** Redirects that announce a body, or begin one, and leave it at that. */
  'redirect-no-body': ({ response, base, rest, page }) => {
    if (rest !== '') return send(response, page);
    response.writeHead(302, { location: `${base}/on`, 'content-length': 154 }).flushHeaders();
  },
  'redirect-open-body': ({ response, base, rest, page }) => {
    if (rest !== '') return send(response, page);
    response.writeHead(302, { location: `${base}/on` }).write('<p>Mov');
  },
  'redirect-cut-body': ({ response, socket, base, rest, page }) => {
    if (rest !== '') return send(response, page);
    response.writeHead(302, { location: `${base}/on`, 'content-length': 154 }).write('<p>Mov');
    socket.end();
  },
  /** To bytes beyond ASCII, as UTF-8 and as Latin-1 have them. */
  'redirect-utf8': (exchange) => redirectOn(exchange, Buffer.from('é中').toString('latin1')),
  'redirect-latin1': (exchange) => redirectOn(exchange, 'caf\u00e9'),

  'gzip-bomb': (exchange) => sendBomb(exchange, 'gzip', createGzip()),
  'deflate-bomb': (exchange) => sendBomb(exchange, 'deflate', createDeflate()),
  'brotli-bomb': (exchange) =>
    sendBomb(exchange, 'br', createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })),
  /** A body without end, not compressed and without a length. */
  endless: ({ response }) => {
    response.writeHead(200, { 'content-type': HTML });
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  },
  'huge-length': ({ response }) => {
    response.writeHead(200, { 'content-type': HTML, 'content-length': String(1024 * MEGABYTE) });
    response.write('<p>the first of very many');
  },

  gzip: ({ response, page }) => send(response, gzipSync(page), { 'content-encoding': 'gzip' }),
  deflate: ({ response, page }) => send(response, deflateSync(page), { 'content-encoding': 'deflate' }),
  'deflate-raw': ({ response, page }) => send(response, deflateRawSync(page), { 'content-encoding': 'deflate' }),
  brotli: ({ response, page }) => send(response, brotliCompressSync(page), { 'content-encoding': 'br' }),
  'gzip-twice': ({ response, page }) => send(response, gzipSync(gzipSync(page)), { 'content-encoding': 'gzip, gzip' }),
  'gzip-empty': ({ response }) => send(response, '', { 'content-encoding': 'gzip' }),
  'gzip-that-is-none': ({ response, page }) => send(response, page, { 'content-encoding': 'gzip' }),
  'brotli-that-is-none': ({ response, page }) => send(response, page, { 'content-encoding': 'br' }),
  /** Text behind the compressed page. */
  'gzip-and-line-end': ({ response, page }) =>
    send(response, Buffer.concat([gzipSync(page), Buffer.from('\r\n')]), { 'content-encoding': 'gzip' }),
  /** A compression that nobody has asked for. */
  'unknown-encoding': ({ response, page }) => send(response, page, { 'content-encoding': 'compress' }),
  /** Names that are no compression. */
  'encoding-utf-8': ({ response, page }) => send(response, page, { 'content-encoding': 'UTF-8' }),
  'encoding-none': ({ response, page }) => send(response, page, { 'content-encoding': 'none' }),
  'encoding-aws-chunked': ({ response, page }) => send(response, page, { 'content-encoding': 'aws-chunked' }),
  'encoding-aws-chunked-gzip': ({ response, page }) => send(response, gzipSync(page), { 'content-encoding': 'aws-chunked,gzip' }),
  'many-headers': ({ response, page }) => {
    for (let nth = 0; nth < 1_000; nth += 1) response.setHeader(`x-${nth}`, 'v');
    send(response, page);
  },
  'long-head': ({ response, page }) => send(response, page, { 'content-security-policy': 'x'.repeat(40_000) }),
  /** HTTP/1.0 without a length: whole, and its end is the connection's. */
  'http-1.0': ({ socket, page }) => socket.end(`HTTP/1.0 200 OK\r\ncontent-type: ${HTML}\r\n\r\n${page}`),
  'not-http': ({ socket }) => socket.end('220 mail.example.com ESMTP\r\n'),
  'twice-the-header': ({ socket, page }) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: ${HTML}\r\ncontent-type: text/plain\r\nretry-after: 1\r\nretry-after: 2\r\n` +
        `set-cookie: a=1\r\nset-cookie: b=2\r\nvary: a\r\nvary: b\r\ncontent-length: ${Buffer.byteLength(page)}\r\n\r\n${page}`,
    ),

  'switches-protocols': (exchange) => exchange.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'),

  // Not HTTP by the letter. Node's parser does not take them; browsers do.
  'length-twice': (exchange) => sendRaw(exchange, ['content-length: LENGTH', 'content-length: LENGTH']),
  'length-and-chunks': ({ socket, page }) =>
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: ${HTML}\r\ntransfer-encoding: chunked\r\ncontent-length: 9000\r\n\r\n` +
        `${Buffer.byteLength(page).toString(16)}\r\n${page}\r\n0\r\n\r\n`,
    ),
  'line-feeds': (exchange) => sendRaw(exchange, ['content-length: LENGTH'], '\n'),
  'header-without-colon': (exchange) => sendRaw(exchange, ['content-length: LENGTH', 'no header at all']),

  /** More than its Content-Length; the rest comes when the connection is used again. */
  'too-long': ({ response, socket, page }) => {
    send(response, page);
    socket.prependListener('data', () => socket.write('</p></body></html>'));
  },

  /** Two in UTF-8, one in Latin-1. */
  'cookies-beyond-ascii': ({ response, page }) => {
    const inUtf8 = ['city=Zürich', 'name=中文'].map((cookie) => Buffer.from(cookie).toString('latin1'));
    response.setHeader('set-cookie', [...inUtf8, 'old=Z\u00fcrich']);
    send(response, Buffer.from(page)); // Beside a body of text, Node would send the headers as UTF-8 too.
  },

  'wrong-type': ({ response }) => send(response, Buffer.from('89504e470d0a1a0a', 'hex'), { 'content-type': 'image/png' }),
  'no-type': ({ response, page }) => response.writeHead(200).end(page),
  'invalid-html': ({ response, page }) => send(response, `</div><table><p>${page}<b><i></b><a href="&#x0;"<<<!--`),
  'windows-1251-header': (exchange) => sendIn(exchange, CYRILLIC.bytes, { header: 'windows-1251' }),
  'windows-1251-meta': (exchange) => sendIn(exchange, CYRILLIC.bytes, { meta: '<meta charset="windows-1251">' }),
  'shift-jis-header': (exchange) => sendIn(exchange, JAPANESE.bytes, { header: 'Shift_JIS' }),
  'shift-jis-meta': (exchange) =>
    sendIn(exchange, JAPANESE.bytes, { meta: '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">' }),

  /** What was asked, as JSON: method, headers in the order and spelling they came in, body. */
  echo: ({ request, response }) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, rawHeaders } = request;
      const answer = JSON.stringify({ method, rawHeaders, body: Buffer.concat(chunks).toString() });
      send(response, answer, { 'content-type': 'application/json' });
    });
  },
} satisfies Record<string, Fault>;

/** @throws If the name is none. */
export function faultOf(name: string): Fault {
  if (/^[2-5]\d\d$/.test(name)) return (exchange) => sendStatus(exchange, Number(name));
  if (Object.hasOwn(FAULTS, name)) return FAULTS[name as keyof typeof FAULTS];
  throw new Error(`No fault is called "${name}".`);
}

function send(response: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': HTML, 'content-length': Buffer.byteLength(body), ...headers }).end(body);
}

function sendStatus({ response, page, query, now }: Exchange, status: number): void {
  const after = query.get('after');
  const date = query.get('after-date');
  if (after !== null) response.setHeader('retry-after', after);
  if (date !== null) response.setHeader('retry-after', new Date(now + Number(date) * 1_000).toUTCString());
  response
    .writeHead(status, { 'content-type': query.get('type') ?? HTML })
    .end(status === 204 || status === 304 ? undefined : page);
}

/** Headers and the first half of a page. */
function sendPart({ response, page }: Exchange, headers: Record<string, string>): void {
  response.writeHead(200, { 'content-type': HTML, ...headers });
  response.write(page.slice(0, page.length / 2));
}

function sendIn({ response, query }: Exchange, text: Buffer, { header = '', meta = '' }): void {
  const charset = query.get('charset') ?? header;
  const body = Buffer.concat([Buffer.from(`<!doctype html>${meta}<title>`), text, Buffer.from('</title>')]);
  send(response, body, { 'content-type': charset ? `text/html; charset=${charset}` : 'text/html' });
}

/** An answer by hand. @param headers `LENGTH` in them is the page's. */
function sendRaw({ socket, page }: Exchange, headers: readonly string[], lineEnd = '\r\n'): void {
  const lines = headers.map((header) => header.replace('LENGTH', String(Buffer.byteLength(page))));
  socket.write(['HTTP/1.1 200 OK', `content-type: ${HTML}`, ...lines, '', page].join(lineEnd));
}

function redirect(response: ServerResponse, location: string, headers: Record<string, string> = {}): void {
  response.writeHead(302, { location, 'content-length': 0, ...headers }).end();
}

/** One step further down, and there the page with the path that was asked for. */
function redirectOn({ response, base, rest, page }: Exchange, step: string): void {
  if (rest === '') redirect(response, `${base}/${step}`);
  else send(response, `${page}${rest}`);
}

function redirectTimes({ response, base, rest, page }: Exchange, times: number): void {
  const step = Number(rest.slice(1));
  if (step === times) send(response, page);
  else redirect(response, `${base}/${step + 1}`);
}

function cut(compressed: Buffer): Buffer {
  return compressed.subarray(0, compressed.length - 12);
}

/** Long enough that half of its compressed form is already text. */
function long(page: string): string {
  return Array.from({ length: 200 }, (_, line) => `${page}<p>line ${line}`).join('\n');
}

/** Zeros, compressed 1000:1 and more. */
function sendBomb({ response, query }: Exchange, encoding: string, compress: Transform): void {
  const megabyte = Buffer.alloc(MEGABYTE);
  const zeros = Array.from({ length: Number(query.get('megabytes') ?? 50) }, () => megabyte);
  response.writeHead(200, { 'content-type': HTML, 'content-encoding': encoding });
  pipeline(Readable.from(zeros), compress, response, () => {}); // The client is expected to leave.
}
