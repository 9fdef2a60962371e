// The heads of answers over HTTP/1.1, read as Chromium reads them and handed on as the standard has them, for undici's parser
// takes nothing else. Interim answers are read over: https://www.rfc-editor.org/rfc/rfc9110#section-15.2
import type { Socket } from 'node:net';

import { TransportError } from '../../core/transport.ts';

/** Of one answer's heads together, as Chrome has it. */
export const MAX_HEAD_BYTES = 256 * 1_024;

/** Chromium looks for the status line behind up to four bytes that belong to nothing. */
const MAX_SLOP = 4;
const END_OF_HEAD = /\n\r*\n/;

const STRICT = /^HTTP\/1\.[01] [2-9]\d\d(?: [^\r\n\0]*)?\r\n(?:[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
/** More than one header that says where the body ends, a length that is no number, or one where there is no body. */
const UNSURE =
  /\n(?:content-length|transfer-encoding):[^\n]*\n(?:[^\n]+\n)*?(?:content-length|transfer-encoding):|\ncontent-length:(?![\t ]*\d{1,15}[\t ]*\r\n)|\ntransfer-encoding:(?![\t ]*chunked[\t ]*\r\n)|^HTTP\/1\.\d (?:204|304)[^\n]*\n(?:[^\n]+\n)*?content-length:/i;

export interface Head {
  readonly status: number;
  /** As it is handed on, a character a byte. */
  readonly text: string;
  /** Bytes that it takes up as it came. */
  readonly length: number;
}

/** The head at the beginning of what has come: `more` if its end is still to come, `none` if it will never be one.
 *  @param received A character a byte. */
export function readHead(received: string): Head | 'more' | 'none' {
  const start = /http/i.exec(received.slice(0, MAX_SLOP + 4))?.index;
  if (start === undefined)
    return received.length < MAX_SLOP + 4 && !/[^\r\nhtp]/i.test(received.slice(MAX_SLOP)) ? 'more' : 'none';
  const end = END_OF_HEAD.exec(received);
  if (end === null) return received.length > MAX_HEAD_BYTES ? 'none' : 'more';
  const length = end.index + end[0].length;
  const sent = received.slice(0, length);
  if (STRICT.test(sent) && !UNSURE.test(sent)) return { status: Number(sent.slice(9, 12)), text: sent, length };
  return { ...toStrict(sent.slice(start)), length };
}

/** As net/http/http_util.cc and http_response_headers.cc of Chromium read it. */
function toStrict(sent: string): Pick<Head, 'status' | 'text'> {
  // A line ends with either character; the line behind it may go on with a value.
  const [statusLine = '', ...lines] = sent.split(/[\r\n]+/);
  const { version, status, reason } = readStatusLine(statusLine);
  let headers: [name: string, value: string][] = [];
  let last: [name: string, value: string] | null = null;
  for (const line of lines) {
    if (last && /^[ \t]/.test(line)) {
      last[1] = `${last[1]} ${line.trim()}`;
      continue;
    }
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:(.*)$/.exec(line) ?? [];
    last = name === undefined || value === undefined ? null : [name, value.trim()];
    if (last) headers.push(last);
  }
  const ofEnd = endOfBody(headers, version, status);
  // Where it ends is not certain enough for another answer behind it.
  headers = [
    ...headers.filter(([name]) => !/^(?:content-length|transfer-encoding|connection|keep-alive)$/i.test(name)),
    ...ofEnd,
  ];
  headers.push(['Connection', 'close']);
  // Of bytes that no parser takes in a value, nothing is lost that anybody reads.
  const text = headers.map(([name, value]) => `${name}: ${value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ')}\r\n`).join('');
  return { status, text: `HTTP/1.${version} ${status} ${reason}\r\n${text}\r\n` };
}

function readStatusLine(line: string): { version: 0 | 1; status: number; reason: string } {
  const [, major = '0', minor = '0', rest = ''] = /^http(?:\/(\d+)\.(\d+))?(.*)$/i.exec(line) ?? [];
  const version = Number(major) > 1 || (major === '1' && Number(minor) > 0) ? 1 : 0;
  const [, status = '200', reason = ''] = /^[^ ]* +(\d+)(.*)$/.exec(rest) ?? [];
  return { version, status: Number(status), reason: reason.trim().replaceAll('\0', ' ') };
}

/** What says where the body ends; without, the connection's end does. Lengths that contradict each other are left for the
 *  parser to refuse: https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function endOfBody(headers: readonly [string, string][], version: number, status: number): [string, string][] {
  if (status === 204 || status === 304) return [];
  const valuesOf = (wanted: string) =>
    headers.filter(([name]) => name.toLowerCase() === wanted).flatMap(([, value]) => value.split(',').map((part) => part.trim()));
  const isChunked = version === 1 && valuesOf('transfer-encoding').some((coding) => coding.toLowerCase() === 'chunked');
  if (isChunked) return [['Transfer-Encoding', 'chunked']];
  const lengths = [...new Set(valuesOf('content-length'))];
  const isLength = lengths.length > 1 || /^\d{1,18}$/.test(lengths[0] ?? '');
  return isLength ? lengths.map((length) => ['Content-Length', length]) : [];
}

/** Puts strict heads in the place of those that come, before anybody reads from the socket. Bodies pass as they are.
 *  A request is told from its body by being text that has a request line, which is how undici writes it. */
export function mendHeads<Kind extends Socket>(socket: Kind): Kind {
  let isHeadDue = false;
  let received = '';
  let interimBytes = 0;
  const { write, push } = socket;
  const pass = (bytes: Buffer | null, encoding?: BufferEncoding) => push.call(socket, bytes, encoding);

  socket.write = ((...args: Parameters<typeof write>) => {
    const [sent] = args as unknown[];
    if (typeof sent === 'string' && sent.includes(' HTTP/1.1\r\n')) {
      isHeadDue = true;
      interimBytes = 0;
    }
    return write.apply(socket, args);
  }) as typeof write;

  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (!isHeadDue) return pass(chunk, encoding);
    if (chunk === null) {
      isHeadDue = false;
      if (received !== '') pass(Buffer.from(received, 'latin1'));
      return pass(null);
    }
    if (received === '' && isStrict(chunk)) {
      isHeadDue = false;
      return pass(chunk);
    }
    received += chunk.toString('latin1');
    for (;;) {
      const head = readHead(received);
      if (head === 'more') return true;
      if (head === 'none' || head.status < 100 || head.status >= 200) {
        const mended = head === 'none' ? received : head.text + received.slice(head.length);
        isHeadDue = false;
        received = '';
        return pass(Buffer.from(mended, 'latin1'));
      }
      received = received.slice(head.length);
      interimBytes += head.length;
      const fault = faultOfInterim(head.status, interimBytes);
      if (fault !== null) {
        socket.destroy(fault);
        return false;
      }
    }
  };
  return socket;
}

/** Whether what has come begins with a whole head that is as it should be, as nearly all are. */
function isStrict(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = bytes.toString('latin1', 0, end + 4);
  return STRICT.test(head) && !UNSURE.test(head);
}

function faultOfInterim(status: number, bytes: number): TransportError | null {
  if (status === 101)
    return new TransportError('bad-answer', 'The server changes to another protocol (101), which nobody asked for.');
  return bytes > MAX_HEAD_BYTES ? new TransportError('bad-answer', 'The answer never comes to its own head.') : null;
}
