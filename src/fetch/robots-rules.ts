// What a robots.txt says to this crawler. Pure: robots.ts fetches the file. https://www.rfc-editor.org/rfc/rfc9309#section-2.2
// Why by hand: docs/decisions/016-robots-rules.md

export interface RobotsRules {
  /** As it was given. */
  readonly text: string;
  /** @param url Of the file's own origin. */
  isAllowed(url: string): boolean;
  /** Crawl-delay, in milliseconds; 0 when there is none. */
  readonly delayMillis: number;
}

interface Rule {
  readonly allows: boolean;
  /** What stands between the stars: of `/a*b`, `/a` and `b`. */
  readonly parts: readonly string[];
  /** Whether the path ends where the pattern does. */
  readonly isWhole: boolean;
  readonly length: number;
}

interface Group {
  rules: Rule[];
  delaySeconds: number;
}

/** @param text A character a byte, so that a path in any encoding is the path that a browser asks for.
 *  @param token Which groups are meant: those that name it, all of them together, or else those for `*`. */
export function readRobots(text: string, token: string): RobotsRules {
  const { rules, delaySeconds } = groupOf(text, token.toLowerCase());
  // The longest pattern that fits decides, and of two that are as long, the one that allows.
  const ordered = rules.toSorted((a, b) => b.length - a.length || Number(b.allows) - Number(a.allows));
  return {
    text,
    isAllowed(url) {
      const { pathname, search } = new URL(url);
      if (pathname === '/robots.txt') return true;
      const path = normalize(pathname + search)
        .replaceAll('*', '%2A')
        .replaceAll('$', '%24');
      return ordered.find((rule) => fits(rule, path))?.allows ?? true;
    },
    delayMillis: Number.isFinite(delaySeconds) && delaySeconds > 0 ? delaySeconds * 1_000 : 0,
  };
}

const KEYS: readonly (readonly [RegExp, 'agent' | 'allow' | 'disallow' | 'delay'])[] = [
  [/^user[- ]?agent$/, 'agent'],
  [/^allow$/, 'allow'],
  // Seen in the wild, and meant.
  [/^dis{1,2}al+ow$|^diasllow$/, 'disallow'],
  [/^crawl-?delay$/, 'delay'],
];

/** A group begins with the agents it is for, and ends where agents come after its rules. Of other lines (Sitemap, Host) none
 *  has a say in that; Crawl-delay is one of them, but where a blank line comes after it, its site takes the group to be over. */
function groupOf(text: string, token: string): Group {
  const own: Group = { rules: [], delaySeconds: 0 };
  const everybodys: Group = { rules: [], delaySeconds: 0 };
  let isNamed = false;
  let current = new Set<Group>();
  let hasRules = false;
  let delay: number | null = null;
  for (const line of text.replace(/^\u00ef\u00bb\u00bf|^\ufeff/, '').split(/\r\n|\r|\n/)) {
    if (line.trim() === '') hasRules ||= delay !== null;
    const [, name = '', value = ''] =
      /^\s*([a-z][a-z -]*?)\s*(?::|\s(?=\S+\s*$))\s*(.*?)\s*$/i.exec(line.split('#', 1)[0] ?? '') ?? [];
    const key = KEYS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1];
    if (key === 'agent') {
      if (hasRules) {
        current = new Set();
        hasRules = false;
        delay = null;
      }
      const agent = /^(?:[\w-]+|\*)/.exec(value)?.[0].toLowerCase();
      if (agent === token) isNamed = true;
      if (agent === token || agent === '*') current.add(agent === token ? own : everybodys);
    } else if (key === 'delay') {
      delay = Number(value === '' ? Number.NaN : value);
    } else if (key !== undefined) {
      hasRules = true;
      const rule = toRule(value, key === 'allow');
      if (rule) for (const group of current) group.rules.push(rule);
    }
    // Of those that have been named since, too.
    if (delay !== null && key !== undefined) for (const group of current) group.delaySeconds = delay;
  }
  return isNamed ? own : everybodys;
}

/** Null for a pattern that fits no path. */
function toRule(pattern: string, allows: boolean): Rule | null {
  if (!/^[/*]/.test(pattern)) return null;
  const isWhole = pattern.endsWith('$');
  const normal = normalize(isWhole ? pattern.slice(0, -1) : pattern).replaceAll('$', '%24');
  return { allows, parts: normal.split(/\*+/), isWhole, length: normal.length + Number(isWhole) };
}

function fits({ parts, isWhole }: Rule, path: string): boolean {
  const [first = '', ...others] = parts;
  if (!path.startsWith(first)) return false;
  let at = first.length;
  const last = isWhole ? others.pop() : undefined;
  for (const part of others) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  if (last === undefined) return !isWhole || at === path.length;
  return path.length - at >= last.length && path.endsWith(last);
}

/** Two forms of one path become the same: what need not be encoded is not, and what must be is, in capitals. In a query the
 *  delimiters need not be. https://www.rfc-editor.org/rfc/rfc9309#section-2.2.2 */
function normalize(path: string): string {
  const query = path.indexOf('?');
  if (query < 0) return encode(path, UNRESERVED);
  return encode(path.slice(0, query), UNRESERVED) + encode(path.slice(query), UNRESERVED_IN_QUERY);
}

const UNRESERVED = /[\w.~-]/;
const UNRESERVED_IN_QUERY = /[\w.~:/?#[\]@!&'()+,;=-]/;
const TO_ENCODE = /%[\da-f]{2}|[^\w.~:/?#[\]@!$&'()*+,;=%-]/giu;

function encode(text: string, unreserved: RegExp): string {
  return text.replaceAll(TO_ENCODE, (found) => {
    if (!found.startsWith('%')) return [...Buffer.from(found, found > '\u00ff' ? 'utf8' : 'latin1')].map(toHex).join('');
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return unreserved.test(character) ? character : found.toUpperCase();
  });
}

function toHex(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
