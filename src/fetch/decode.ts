// Bytes → text as a browser does it: which encoding a body is in, and its decoding.
import { legacyHookDecode, normalizeEncoding } from '@exodus/bytes/encoding.js';
import sniff from 'html-encoding-sniffer';

import { detectEncoding, isUtf8 } from './detect-encoding.ts';
import { kindOf } from './media-type.ts';

/** How far a document's declaration of its own encoding may be from its start. */
const PRESCAN_BYTES = 1_024;
/** Browsers begin with what the prescan says and start again when a `<meta>` further on says otherwise. */
const LATE_META_BYTES = 64 * 1_024;

const BYTE_ORDER_MARKS = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
] as const;

/** Nearly every page's. */
const UTF_8 = 'utf-8';
const fromUtf8 = new TextDecoder(UTF_8);

/** A body's text, without its byte order mark. Bytes that mean nothing in its encoding become U+FFFD; it never throws.
 *  @param contentType The header as it was sent. */
export function decodeBody(bytes: Buffer, contentType: string | undefined, url?: string): string {
  return decode(bytes, encodingOf(bytes, contentType, url));
}

/** By the standard's own tables. Node's TextDecoder departs from them in 13 of 40 encodings, iconv-lite in 15.
 *  @param encoding Its name in the Encoding standard, in small letters. */
export function decode(bytes: Buffer, encoding: string): string {
  return encoding === UTF_8 ? fromUtf8.decode(bytes) : legacyHookDecode(bytes, encoding);
}

/** The name of a body's encoding in the Encoding standard. It is, in this order: the byte order mark's, the Content-Type's
 *  `charset`, the document's own (`<meta>` in HTML, the declaration in XML), UTF-8 if the bytes are that, and what they look
 *  like. A label that no browser knows counts as none.
 *  https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 *  @param url Of the page: its top-level domain is a hint. */
export function encodingOf(bytes: Buffer, contentType = '', url?: string): string {
  const kind = kindOf(contentType);
  const isHtml = kind === 'html';
  const isXml = kind === 'xhtml' || kind === 'xml';
  const [, quoted, bare] = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return (
    fromByteOrderMark(bytes) ??
    toEncoding(quoted ?? bare) ??
    (isHtml ? fromMeta(bytes) : null) ??
    (isHtml || isXml ? fromXmlDeclaration(bytes) : null) ??
    (isUtf8(bytes) ? UTF_8 : detectEncoding(bytes, url))
  );
}

function fromByteOrderMark(bytes: Buffer): string | null {
  return BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0] ?? null;
}

function fromMeta(bytes: Buffer): string | null {
  const early = prescan(bytes);
  if (early !== null) return early;
  const [head = ''] = bytes.toString('latin1', 0, LATE_META_BYTES).split(/<body[\s>]/i, 1);
  for (const { index } of head.matchAll(/<meta[\s/]/gi)) {
    const late = index < PRESCAN_BYTES ? null : prescan(bytes.subarray(index));
    if (late !== null) return late;
  }
  return null;
}

function prescan(bytes: Buffer): string | null {
  try {
    return toEncoding(sniff(bytes.subarray(0, PRESCAN_BYTES), { defaultEncoding: '' }));
  } catch {
    return null; // The package trips over `content="text/html; charset"`.
  }
}

function fromXmlDeclaration(bytes: Buffer): string | null {
  const start = bytes.toString('latin1', 0, PRESCAN_BYTES);
  if (start.startsWith('<\0?\0x\0')) return 'utf-16le';
  if (start.startsWith('\0<\0?\0x')) return 'utf-16be';
  const [, double, single] = /^<\?xml\s[^>]*?\bencoding\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(start) ?? [];
  const encoding = toEncoding(double ?? single);
  // Its letters have just been read one byte each.
  return encoding?.startsWith('utf-16') ? 'utf-8' : encoding;
}

/** An encoding's name by one of its labels (https://encoding.spec.whatwg.org/#names-and-labels): `latin1` → `windows-1252`. */
function toEncoding(label = ''): string | null {
  return /^utf-?8$/i.test(label) ? UTF_8 : normalizeEncoding(label);
}
