// Globs over URLs: as minimatch has them with `nocase`, which is what Crawlee's enqueueLinks takes, but for dots, which mean
// nothing in a URL, and for the address of an IPv6 host, which is no class of characters.

/** Alternatives that the braces of one glob may come to. */
const MAX_ALTERNATIVES = 1_000;

/** - `*`: anything but a slash, `?`: one character of these; a segment that is one `*` is not empty
 *  - `**` as a segment: any number of segments
 *  - `{a,b}` and `{1..3}`: alternatives; `[a-z]`, `[!a-z]`: one character
 *  - `@(a|b)`, `?(a)`, `*(a)`, `+(a)`, `!(a)`: one, at most one, any number, at least one, anything but
 *  - `\`: the next character is meant as it is
 *  Small and capital letters are one; several slashes are one, and one more may follow at the end of the URL.
 *  @returns Whether a URL matches.
 *  @throws {RangeError} Too many alternatives. */
export function matcherOf(glob: string): (url: string) => boolean {
  const literal = glob.trim().replace(IPV6, (_, scheme: string, address: string) => `${scheme}\\[${address}\\]`);
  const pattern = new RegExp(`^(?:${expand(literal).map(toSource).join('|')})$`, 'i');
  return (url) => pattern.test(url.replaceAll(/\/{2,}/g, '/'));
}

const IPV6 = /^([^/]*:\/\/)\[([\da-f.]*:[\da-f.:]*:[\da-f.:]*)\]/i;

/** The alternatives that braces stand for. */
function expand(glob: string): string[] {
  const brace = findBrace(glob);
  if (brace === null) return [glob];
  const { start, end, parts } = brace;
  const rests = expand(glob.slice(end + 1));
  const expanded = parts.flatMap(expand).flatMap((part) => rests.map((rest) => glob.slice(0, start) + part + rest));
  if (expanded.length > MAX_ALTERNATIVES)
    throw new RangeError(`The glob "${glob}" has more than ${MAX_ALTERNATIVES} alternatives.`);
  return expanded;
}

/** The first braces that have alternatives in them; others are meant as they are. */
function findBrace(glob: string): { start: number; end: number; parts: string[] } | null {
  for (let start = 0; start < glob.length; start++) {
    if (glob[start] === '\\') start++;
    else if (glob[start] === '{') {
      const inside = split(glob, start + 1, '}', ',');
      if (inside === null) continue;
      const parts = inside.parts.length > 1 ? inside.parts : range(inside.parts[0] ?? '');
      if (parts !== null) return { start, end: inside.end, parts };
    }
  }
  return null;
}

/** What stands between brackets that have been opened, parted where no others are open.
 *  @returns Null if they are never closed. */
function split(glob: string, from: number, close: '}' | ')', by: ',' | '|'): { end: number; parts: string[] } | null {
  const open = close === '}' ? '{' : '(';
  const parts: string[] = [];
  let depth = 0;
  let begin = from;
  for (let at = from; at < glob.length; at++) {
    const char = glob[at];
    if (char === '\\') at++;
    else if (char === open) depth++;
    else if (char === close && depth > 0) depth--;
    else if (depth === 0 && (char === by || char === close)) {
      parts.push(glob.slice(begin, at));
      begin = at + 1;
      if (char === close) return { end: at, parts };
    }
  }
  return null;
}

/** `1..3`, `09..11` and `a..c`. */
function range(text: string): string[] | null {
  const [, from = '', to = ''] = /^(-?\d+)\.\.(-?\d+)$/.exec(text) ?? /^([a-z])\.\.([a-z])$/i.exec(text) ?? [];
  if (from === '') return null;
  const isNumber = /\d/.test(from);
  const [first, last] = isNumber ? [Number(from), Number(to)] : [from.charCodeAt(0), to.charCodeAt(0)];
  const step = first <= last ? 1 : -1;
  const width = isNumber && /^-?0\d|^-?\d+\D+0\d/.test(text) ? Math.max(from.length, to.length) : 0;
  const count = Math.min(Math.abs(last - first), MAX_ALTERNATIVES) + 1;
  return Array.from({ length: count }, (_, index) => {
    const value = first + index * step;
    return isNumber ? String(value).padStart(width, '0') : String.fromCharCode(value);
  });
}

function toSource(glob: string): string {
  const segments = glob.split(/\/+/);
  const last = segments.length - 1;
  const sources = segments.map((segment, index) => {
    if (segment === '**') return index === last ? '.*' : '(?:[^/]*/)*';
    return segmentSource(segment) + (index === last ? '' : '/');
  });
  return sources.join('') + (segments[last] === '' || segments[last] === '**' ? '' : '/?');
}

function segmentSource(segment: string): string {
  const source = partSource(segment);
  // An empty segment is matched by an empty one alone.
  return /^\[|^[*?](?!\()/.test(segment) ? `(?=[^/])${source}` : source;
}

function partSource(part: string): string {
  let source = '';
  for (let at = 0; at < part.length; at++) {
    const char = part[at] as string;
    const group = part[at + 1] === '(' && '*?+@!'.includes(char) ? split(part, at + 2, ')', '|') : null;
    if (group !== null) {
      const choices = group.parts.map(partSource).join('|');
      const rest = partSource(part.slice(group.end + 1));
      return (
        source + (char === '!' ? `(?!(?:${choices})${rest}(?:/|$))[^/]*` : `(?:${choices})${char === '@' ? '' : char}`) + rest
      );
    }
    const set = char === '[' ? CLASS.exec(part.slice(at)) : null;
    if (set !== null) {
      const [all, negated, chars = ''] = set;
      source += `[${negated ? '^/' : ''}${chars.replaceAll(/\\(.)|([[\]^\\])/g, (_, escaped: string, odd: string) => `\\${escaped ?? odd}`)}]`;
      at += all.length - 1;
    } else if (char === '*') {
      source += '[^/]*';
      while (part[at + 1] === '*' && part[at + 2] !== '(') at++;
    } else if (char === '?') source += '[^/]';
    else source += literal(char === '\\' && at + 1 < part.length ? (part[++at] as string) : char);
  }
  return source;
}

/** The first `]` is one of the characters. */
const CLASS = /^\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]/;

/** URLs have no letters beyond ASCII; a glob may. */
function literal(char: string): string {
  const written = /[\0-\x7f]/.test(char) ? char : encodeURIComponent(char.replaceAll(/\p{Surrogate}/gu, '\ufffd'));
  return written.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
