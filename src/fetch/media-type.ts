// What a body is to be read as, by its Content-Type: the same for both lanes, and as browsers take it.

/** `html` and `xhtml` are pages, `xml` is a tree as well (a feed, a sitemap), `text` is plain text or JSON. */
export type Kind = 'html' | 'xhtml' | 'xml' | 'text' | 'other';

/** Browsers look into a body that comes with one of these, or with no type at all, and most often find a page.
 *  https://mimesniff.spec.whatwg.org/#supplied-mime-type-detection-algorithm */
const UNKNOWN = new Set(['unknown/unknown', 'application/unknown', '*/*']);
const READ = /^(?:text|application)\/(?:[\w.+-]+\+)?(xml|json)$/;
/** All other text is shown as it is, and so are scripts; but these are saved. */
const SHOWN =
  /^text\/(?!(?:x-)?(?:calendar|vcalendar|vcard|csv|vcf|qif|rtf|tsv|ldif)$|(?:comma|tab)-separated)|^application\/(?:x-)?(?:java|ecma)script$/;

/** @param contentType As it was sent. What is no type (empty, `html`) counts as none. */
export function kindOf(contentType: string | readonly string[] | undefined): Kind {
  const [type = ''] = String(contentType ?? '')
    .trim()
    .toLowerCase()
    .split(/[;,\s]/, 1);
  if (type === 'text/html' || !type.includes('/') || UNKNOWN.has(type)) return 'html';
  if (type === 'application/xhtml+xml') return 'xhtml';
  const [, format] = READ.exec(type) ?? [];
  if (format === 'xml') return 'xml';
  return format === 'json' || SHOWN.test(type) ? 'text' : 'other';
}

/** The beginnings of what looks like text and is none. */
const SIGNATURE = /^(?:GIF8|%PDF-|%!PS-Adobe-|Rar!)/;
const SNIFFED_BYTES = 1_445;

/** Whether a body is no text, by its beginning: asked of one that came without a type. */
export function isBinary(bytes: Buffer): boolean {
  const start = bytes.subarray(0, SNIFFED_BYTES);
  const text = start.toString('latin1');
  // UTF-16 is text too.
  return !/^(?:\xff\xfe|\xfe\xff)/.test(text) && (SIGNATURE.test(text) || start.some(isBinaryByte));
}

/** https://mimesniff.spec.whatwg.org/#binary-data-byte */
function isBinaryByte(byte: number): boolean {
  return byte < 0x20 && byte !== 0x1b && (byte < 0x09 || byte > 0x0d || byte === 0x0b);
}

/** Whether a Content-Type says what a body is. */
export function isTyped(contentType: string | undefined): boolean {
  const essence = essenceOf(contentType ?? '');
  return essence !== null && !UNKNOWN.has(essence);
}

/** Of several Content-Types, in one header or in more, the one that holds: the last that is a type, with the charset of one
 *  before it that is the same but for that. https://fetch.spec.whatwg.org/#concept-header-extract-mime-type */
export function extractType(values: readonly string[]): string | undefined {
  let [held, essence, charset] = ['', '', ''];
  for (const value of values.flatMap((line) => line.match(/(?:"(?:\\.|[^"\\])*"?|[^",])+/g) ?? [])) {
    const own = essenceOf(value);
    if (own === null || own === '*/*') continue;
    const [named = ''] = /;\s*charset\s*=\s*(?:"[^"]*"?|[^\s;"]*)/i.exec(value) ?? [];
    if (named !== '' || own !== essence) charset = named;
    essence = own;
    held = named === '' ? value.trim() + charset : value.trim();
  }
  return held === '' ? values[0] : held;
}

/** In lower case; null for what is no type. */
function essenceOf(contentType: string): string | null {
  return /^\s*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)\s*(?:;|$)/.exec(contentType)?.[1]?.toLowerCase() ?? null;
}
