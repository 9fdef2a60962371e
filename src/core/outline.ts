// A page in outline: what a reader would see of it, and what its markup does besides. Read in one pass over the text,
// which stops as soon as there is enough to read: an ordinary page never pays for the questions that follow.

/** A page that shows more characters than this has content of its own, whatever else it carries. */
const TEXT_LIMIT = 2_500;
/** Of tags and scripts, the first this many characters are kept. */
const CODE_LIMIT = 128 * 1024;
const NOSCRIPT_LIMIT = 2_000;

/** What `outlineOf()` keeps of a page. Everything is lower case, with white space collapsed and quotes straightened. */
export interface Outline {
  /** Visible text, titles and `<noscript>` not counted; empty for a page that is `long`. */
  readonly text: string;
  /** There are more than 2,500 characters of text. Reading stopped there: the rest of the outline is not complete. */
  readonly long: boolean;
  readonly title: string;
  /** What `<noscript>` says. */
  readonly noscript: string;
  /** Tags and scripts without text, comments, styles and data (JSON); empty for a page that is `long`. */
  readonly code: string;
  /** Where external scripts come from. */
  readonly scriptSources: readonly string[];
  /** Scripts of either kind, data not counted. */
  readonly scripts: number;
  readonly links: number;
  readonly images: number;
  /** Fields to be filled in, but for a CAPTCHA's answer: a page to be used, not to be passed. */
  readonly entries: number;
  /** `<article>`, players, frames: what a challenge has no use for. */
  readonly furniture: number;
  /** `<meta http-equiv="refresh">` that names a URL. */
  readonly redirects: boolean;
}

/** Elements whose content is no markup. */
const RAW = new Set(['script', 'style', 'noscript', 'title', 'textarea', 'iframe', 'template', 'svg']);
const FURNITURE = new Set(['article', 'dl', 'video', 'audio', 'object', 'embed', 'frame', 'select']);
const NO_ENTRY = /\stype\s*=\s*["']?(?:hidden|submit|button|image|reset|checkbox|radio)|captcha|answer|verif/i;
const DATA_SCRIPT = /\stype\s*=\s*["']?[\w./+-]*json/i;
const SOURCE = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

/** Reads the outline of a page, or of any text: it never throws, and its time is linear in the length. */
export function outlineOf(html: string): Outline {
  /** Where it begins and ends, by turns: of an ordinary page nobody asks for it. */
  const code: number[] = [];
  const scriptSources: string[] = [];
  const count = { scripts: 0, links: 0, images: 0, entries: 0, furniture: 0 };
  let text = '';
  let title: string | undefined;
  let noscript = '';
  let redirects = false;
  let codeRoom = CODE_LIMIT;

  const keepCode = (from: number, to: number) => {
    if (codeRoom <= 0) return;
    code.push(from, Math.min(to, from + codeRoom));
    codeRoom -= to - from;
  };
  const addText = (from: number, to: number) => {
    if (from >= to) return;
    // White space alone counts for little, so a run may be longer than the limit before it is cut.
    const run = html.slice(from, Math.min(to, from + 4 * TEXT_LIMIT));
    // Neither markup's own spaces nor a puzzle of brackets (Cloudflare once hid them in the page) are text.
    if (LETTER.test(run)) text += ` ${SPACES.test(run) ? run.trim().replaceAll(/\s+/g, ' ') : run.trim()}`;
  };

  let at = 0;
  while (at < html.length && text.length <= TEXT_LIMIT) {
    const open = html.indexOf('<', at);
    addText(at, open === -1 ? html.length : open);
    if (open === -1) break;
    const name = tagName(html, open + (html.charCodeAt(open + 1) === SLASH ? 2 : 1));
    if (name === '') {
      at = afterNoTag(html, open);
      continue;
    }
    const end = tagEnd(html, open + 1);
    const closing = html.charCodeAt(open + 1) === SLASH;
    at = end;
    if (closing) continue;
    const tag = html.slice(open, end);
    if (name === 'a') count.links += /\shref\s*=/i.test(tag) ? 1 : 0;
    else if (name === 'img' || name === 'picture') count.images += 1;
    else if (name === 'input') count.entries += NO_ENTRY.test(tag) ? 0 : 1;
    else if (name === 'meta') redirects ||= /refresh/i.test(tag) && /url\s*=/i.test(tag);
    else if (FURNITURE.has(name)) count.furniture += 1;
    if (!RAW.has(name)) {
      keepCode(open, end);
      continue;
    }
    const close = new RegExp(`</${name}(?![a-z\\d-])`, 'gi');
    close.lastIndex = end;
    const inside = close.exec(html)?.index ?? html.length;
    at = inside;
    if (name === 'script') {
      if (DATA_SCRIPT.test(tag)) continue;
      count.scripts += 1;
      const source = SOURCE.exec(tag);
      if (source) scriptSources.push((source[1] ?? source[2] ?? source[3] ?? '').toLowerCase());
      keepCode(open, inside);
    } else if (name === 'noscript') {
      const told = html.slice(end, Math.min(inside, end + NOSCRIPT_LIMIT)).replaceAll(/<[^>]*>/g, ' ');
      if (noscript.length < NOSCRIPT_LIMIT) noscript += ` ${told}`;
    } else if (name === 'iframe') {
      keepCode(open, end);
      addText(end, inside);
    } else if (name === 'title') {
      title ??= html.slice(end, Math.min(inside, end + 500));
    } else if (name === 'textarea') {
      count.entries += 1;
    }
  }
  const long = text.length > TEXT_LIMIT;
  return {
    text: long ? '' : plain(text),
    long,
    title: plain(title ?? ''),
    noscript: plain(noscript),
    code: long ? '' : partsOf(html, code).toLowerCase(),
    scriptSources,
    ...count,
    redirects,
  };
}

function partsOf(html: string, ends: readonly number[]): string {
  let parts = '';
  for (let nth = 0; nth < ends.length; nth += 2) parts += html.slice(ends[nth], ends[nth + 1]);
  return parts;
}

const SLASH = 47;
const EQUALS = 61;

const LETTER = /[\p{L}\p{N}]/u;
/** White space that is not the one space it comes to. */
const SPACES = /\s\s|[^\S ]/;

/** The name of a tag in lower case, of at most 24 letters; '' where none begins. */
function tagName(html: string, from: number): string {
  let at = from;
  for (; at < from + 24 && isNamePart(html.charCodeAt(at), at === from); at += 1);
  return at === from ? '' : html.slice(from, at).toLowerCase();
}

function isNamePart(char: number, first: boolean): boolean {
  const letter = char | 32;
  if (letter >= 97 && letter <= 122) return true;
  return !first && ((char >= 48 && char <= 58) || char === 45);
}

/** Where `<` opens no element: a comment, a doctype, or just the character. */
function afterNoTag(html: string, open: number): number {
  const next = html.charAt(open + 1);
  if (next !== '!' && next !== '?' && next !== '/') return open + 1;
  const comment = html.startsWith('<!--', open);
  const end = comment ? html.indexOf('-->', open + 2) : html.indexOf('>', open);
  return end === -1 ? html.length : end + (comment ? 3 : 1);
}

/** The index after a tag's `>`, which may stand in a quoted value too. */
function tagEnd(html: string, from: number): number {
  let last = 0;
  for (let at = from; at < html.length; at += 1) {
    const char = html.charCodeAt(at);
    if (char === 62) return at + 1;
    if ((char === 34 || char === 39) && last === EQUALS) {
      at = html.indexOf(char === 34 ? '"' : "'", at + 1);
      if (at === -1) return html.length;
    }
    if (char > 32) last = char;
  }
  return html.length;
}

const NAMED: Readonly<Record<string, string>> = {
  nbsp: ' ',
  amp: '&',
  quot: '"',
  apos: "'",
  rsquo: "'",
  lt: '<',
  gt: '>',
  hellip: '...',
};

/** Lower case, entities decoded, white space collapsed, typographic quotes and dots as they are typed. */
function plain(text: string): string {
  return text
    .replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return point <= 0x10_ff_ff ? String.fromCodePoint(point) : whole;
    })
    .toLowerCase()
    .replaceAll(/[‘’]/g, "'")
    .replaceAll('…', '...')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
