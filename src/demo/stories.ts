// The demo site's stories: made up, endless, and a function of their number alone, so that a test or a benchmark
// knows the right answer for every page without fetching it.

/** One story, as its pages show it. */
export interface DemoStory {
  /** Place in the list, from 0. */
  readonly index: number;
  readonly id: number;
  readonly kind: 'link' | 'text' | 'job';
  readonly title: string;
  /** The title's link as written in the page: absolute, or `item?id=…` of a text post. */
  readonly href: string;
  /** 0 for a job, which shows none. */
  readonly score: number;
  readonly author: string | null;
  readonly commentCount: number;
}

/** What a crawl must find for one story; `fetchedAt` and `tier` are the crawl's own. */
export interface DemoRecord {
  id: number;
  title: string;
  url: string;
  score: number;
  author: string | null;
  commentCount: number;
  itemUrl: string;
}

const FIRST_ID = 40_000_000;
// The ids between two stories are its comments'.
const ID_STEP = 1000;

// Titles that break careless exports and parsers: formulas, quotes, markup, commas, scripts other than Latin.
const AWKWARD_TITLES = new Map([
  [3, '=SUM(A1:A9) is the most popular program ever written'],
  [8, 'Über Größen, Maße und Bücher: Umlaute in Datenbanken'],
  [12, '漢字を描くための小さなフォントエディタ'],
  [16, 'Emoji in file names 🚀, and other things I regret 🧨'],
  [21, '"Good enough", a decade later'],
  [26, "It's <b>not</b> bold: escaping HTML &amp; friends"],
  [34, '+1 is not a code review'],
  [42, '-0, NaN and other numbers that surprise'],
  [45, '@home: a rack under the stairs'],
  [50, 'Commas, "quotes", and ‘curly’ ones; a CSV horror story'],
  [57, 'Почему кириллица ломает поиск'],
]);

const MANNERS = [
  'small',
  'fast',
  'boring',
  'self-hosted',
  'solar-powered',
  'forgotten',
  'tiny',
  'reliable',
  'portable',
  'hand-made',
];
const THINGS = [
  'compiler',
  'text editor',
  'weather station',
  'key-value store',
  'ray tracer',
  'spreadsheet',
  'radio',
  'bread oven',
];
const ENDINGS = ['in 500 lines of C', 'that runs for a year', 'without a framework', 'for my parents', 'on a ten-year-old phone'];
const QUESTIONS = ['How do you back up', 'What replaced', 'Who still maintains', 'When did you last rewrite', 'Why do we need'];
const HOSTS = ['example.com', 'blog.example.org', 'notes.example.net', 'www.example.edu'];
const NAMES = [
  'amber',
  'birch',
  'cobalt',
  'dune',
  'ember',
  'fjord',
  'gale',
  'heron',
  'iris',
  'juniper',
  'kelp',
  'larch',
  'moss_42',
  'nova-9',
];

/** A whole number from 0 to `below - 1` that depends on its arguments alone. */
export function draw(index: number, salt: number, below: number): number {
  let mixed = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
}

function pick(words: readonly string[], index: number, salt: number): string {
  return words[draw(index, salt, words.length)] ?? '';
}

/** A made-up user name. */
export function demoUser(index: number, salt: number): string {
  return pick(NAMES, index, salt) + String(draw(index, salt + 1, 900));
}

/** Story number `index`, from 0. */
export function demoStory(index: number): DemoStory {
  const kind = index % 29 === 10 ? 'job' : index % 7 === 4 ? 'text' : 'link';
  const id = FIRST_ID + index * ID_STEP;
  const path = `${pick(THINGS, index, 6).replace(' ', '-')}/${index}`;
  return {
    index,
    id,
    kind,
    title: AWKWARD_TITLES.get(index) ?? titleOf(kind, index),
    href:
      kind === 'text'
        ? `item?id=${id}`
        : `https://${pick(HOSTS, index, 5)}/${path}${index % 10 === 2 ? '?from=demo&page=1' : ''}`,
    score: kind === 'job' ? 0 : 1 + draw(index, 7, index % 5 === 0 ? 1500 : 300),
    author: kind === 'job' ? null : demoUser(index, 8),
    commentCount: kind === 'job' ? 0 : commentCountOf(index),
  };
}

/** The story with this id, or undefined if there is none among the first `count`. */
export function demoStoryById(id: number, count: number): DemoStory | undefined {
  const index = (id - FIRST_ID) / ID_STEP;
  return Number.isInteger(index) && index >= 0 && index < count ? demoStory(index) : undefined;
}

/** What a crawl of the demo site must find, in list order: as many records as stories.
 *  @param options.count Stories on the site. Default 90.
 *  @param options.url The site's start URL, against which its links resolve. Default `http://127.0.0.1/news`. */
export function demoStories({ count = 90, url = 'http://127.0.0.1/news' } = {}): DemoRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const { id, title, href, score, author, commentCount } = demoStory(index);
    const itemUrl = new URL(`item?id=${id}`, url).href;
    return { id, title, url: new URL(href, url).href, score, author, commentCount, itemUrl };
  });
}

function titleOf(kind: DemoStory['kind'], index: number): string {
  const thing = pick(THINGS, index, 2);
  if (kind === 'job') return `Example Industries (No. ${index}) Is Hiring a ${thing} engineer`;
  if (kind === 'text') return `Ask HN: ${pick(QUESTIONS, index, 1)} your ${pick(MANNERS, index, 3)} ${thing}?`;
  return `${index % 11 === 6 ? 'Show HN: ' : ''}A ${pick(MANNERS, index, 3)} ${thing} ${pick(ENDINGS, index, 4)}`;
}

/** Most stories are talked about; some are not yet ("discuss"), and a few have exactly one comment. */
function commentCountOf(index: number): number {
  if (index % 9 === 5) return 0;
  if (index % 31 === 6) return 1;
  return 8 + draw(index, 9, 20);
}
