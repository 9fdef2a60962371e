// What a run remembers of its first pages: names that are counted once, in the store's figures, so that a restart knows them
// too and all further pages pay nothing for them.
import type { Tier } from './page.ts';
import type { PageEnd } from './run-store.ts';

/** Examples that are kept of start URLs that are missing. */
const MISSING_KEPT = 3;
/** Characters of a URL that are kept: a name is a key in the store. */
const URL_CHARS = 500;

/** A page that is over. */
export interface EndedPage {
  readonly url: string;
  readonly label: string;
  readonly end: PageEnd;
  readonly tier: Tier;
  /** HTTP status of the last failed attempt, if an answer came. */
  readonly status: number | null;
  /** Of its decoded body. */
  readonly bytes: number;
  /** Rows that it pushed, rejected ones included. */
  readonly rows: number;
  /** Links that its handler found, known or not; null: it looked for none. */
  readonly links: number | null;
  /** Whether a person named it, and no page led to it. */
  readonly isStart: boolean;
}

export interface Facts {
  /** Whether any page of a label has succeeded. */
  works(label: string): boolean;
  /** The names that a page adds. They are known from now on. */
  of(page: EndedPage): string[];
  /** Takes back what `of` has given, if it could not be written. */
  forget(names: readonly string[]): void;
}

/** @param counters Of the store. */
export function openFacts(counters: Readonly<Record<string, number>>): Facts {
  const known = new Set(
    Object.keys(counters)
      .filter((name) => FACT.test(name))
      .map(keyOf),
  );
  let missing = [...known].filter((name) => name.startsWith(MISSING)).length;
  return {
    works: (label) => known.has(`works ${label}`),
    of({ url, label, end, tier, bytes, rows, links, status, isStart }) {
      const names: string[] = [];
      if (end === 'succeeded') {
        if (!known.has(`works ${label}`)) names.push(`works ${label} ${tier} ${bytes} ${url.slice(0, URL_CHARS)}`);
        if (links !== null && links + rows === 0) names.push(`barren ${label}`);
        else if (rows > 0 || links !== null) names.push(`fruitful ${label}`);
      }
      if (end === 'missing' && isStart && missing < MISSING_KEPT)
        names.push(`${MISSING}${status ?? 0} ${url.slice(0, URL_CHARS)}`);
      const news = names.filter((name) => !known.has(keyOf(name)));
      for (const name of news) known.add(keyOf(name));
      missing += news.filter((name) => name.startsWith(MISSING)).length;
      // Each is counted, and only the first ones named.
      return end === 'missing' && isStart ? [...news, 'missing-starts'] : news;
    },
    forget(names) {
      for (const name of names) if (known.delete(keyOf(name)) && name.startsWith(MISSING)) missing--;
    },
  };
}

const MISSING = 'missing-start ';
const FACT = /^(?:works|barren|fruitful|missing-start) /;

/** A label is said to work once, whichever page has shown it. */
function keyOf(name: string): string {
  return name.startsWith('works ') ? name.split(' ', 2).join(' ') : name;
}

/** The first page of a label that succeeded. */
export interface FirstPage {
  readonly label: string;
  readonly tier: string;
  readonly bytes: number;
  readonly url: string;
  /** Whether handlers have looked for links on pages of the label, and none of these had a link or a row. */
  readonly isBarren: boolean;
}

/** Of each label that works. */
export function firstPagesOf(counters: Readonly<Record<string, number>>): FirstPage[] {
  return Object.keys(counters)
    .filter((name) => name.startsWith('works '))
    .map((name) => {
      const [, label = '', tier = '', bytes, url = ''] = name.split(' ');
      const isBarren = `barren ${label}` in counters && !(`fruitful ${label}` in counters);
      return { label, tier, bytes: Number(bytes), url, isBarren };
    });
}

/** A start URL that is missing. */
export interface MissingStart {
  readonly url: string;
  readonly status: number | null;
}

/** How many start URLs are missing, and the first of them. */
export function missingStartsOf(counters: Readonly<Record<string, number>>): { count: number; first: MissingStart[] } {
  const first = Object.keys(counters)
    .filter((name) => name.startsWith(MISSING))
    .slice(0, MISSING_KEPT)
    .map((name) => {
      const [status = '', url = ''] = name.slice(MISSING.length).split(' ');
      return { url, status: Number(status) || null };
    });
  return { count: counters['missing-starts'] ?? 0, first };
}
