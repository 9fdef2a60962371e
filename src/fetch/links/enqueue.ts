// Finds the links of a page: what `enqueueLinks()` does, in either lane. Crawlee's own makes globs of the page's host, which
// drop all links with a segment that begins with a dot, and all of an IPv6 host.
import type { RequestOptions } from '@crawlee/cheerio';

import { SurefootError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { Dom, EnqueueLinksOptions } from '../../core/page.ts';
import { matcherOf } from './glob.ts';
import { resolveLink, type LinkBase } from './resolve.ts';
import { belongsTo, isWeb, STRATEGIES, type Strategy } from './strategy.ts';

const OPTIONS = {
  selector: true,
  urls: true,
  label: true,
  userData: true,
  baseUrl: true,
  strategy: true,
  globs: true,
  regexps: true,
  exclude: true,
  transformRequestFunction: true,
  limit: true,
  forefront: true,
  onSkippedRequest: true,
  waitForAllRequestsToBeAdded: true,
} satisfies Record<keyof EnqueueLinksOptions, true>;

/** Where links are looked for. */
export interface LinkSource {
  readonly $: () => Dom;
  /** Where the page is, after redirects. */
  readonly url: string;
  /** The page's `<base>`, and its encoding. @param url The page's address, if a site says another one. */
  base(url?: string): LinkBase;
}

/** A link as it is added: Crawlee's options of a request. */
export type FoundLink = RequestOptions;

/** The links that are wanted, in the order of the page; each URL once, unless a site changes them one by one.
 *  @param prepare Called for each before the site's own `transformRequestFunction`.
 *  @throws {SurefootError} kind `site`: an option that there is none of. */
export function findLinks(source: LinkSource, options: EnqueueLinksOptions, prepare: (link: FoundLink) => void): FoundLink[] {
  assertOptions(options);
  const { baseUrl, label, userData, transformRequestFunction: transform, onSkippedRequest } = options;
  const base = source.base(baseUrl);
  const wanted = createFilter(options, baseUrl ?? source.url);
  const seen = new Set<string>();
  const links: FoundLink[] = [];
  for (const href of options.urls ?? hrefsOf(source.$(), options.selector ?? 'a')) {
    const url = resolveLink(href, base);
    // `javascript:`, `mailto:` and the like lead to no page; an empty one to the page itself, but for a `<base>`.
    if (url === null || !isWeb(url) || (href === '' && base.url === source.url)) continue;
    if (seen.has(url.href)) continue;
    if (!transform) seen.add(url.href);
    const link: FoundLink = { url: url.href, userData: { ...userData, ...(label !== undefined && { label }) } };
    if (wanted.strategy !== undefined) link.enqueueStrategy = wanted.strategy;
    prepare(link);
    const changed = transform ? transform(link) : link;
    const further = changed ? wanted.check(changed.url === url.href ? url : asUrl(changed.url)) : null;
    if (changed && further !== null) links.push(further === NOTHING ? changed : { ...changed, ...further });
    else void onSkippedRequest?.({ url: url.href, reason: 'filters' });
  }
  return links;
}

function hrefsOf($: Dom, selector: string): string[] {
  return $(selector)
    .toArray()
    .flatMap((element) => ('attribs' in element ? (element.attribs['href'] ?? []) : []));
}

/** What a pattern gives the requests that match it, beside the pattern. */
type Given = Partial<RequestOptions>;
const NOTHING: Given = {};

interface Filter {
  /** Kept with the request: where it may lead by a redirect. */
  readonly strategy: Strategy | undefined;
  /** @returns Null for a link that is not wanted. */
  check(url: URL): Given | null;
}

function createFilter({ globs = [], regexps = [], exclude = [], strategy }: EnqueueLinksOptions, page: string): Filter {
  const patterns = [...globs.filter(isSomething), ...regexps].map(toPattern);
  const excluded = exclude.filter(isSomething).map(toPattern);
  // As Crawlee has it: whoever names patterns has said where to go.
  const within = strategy ?? (patterns.length === 0 ? 'same-hostname' : undefined);
  const belongs = belongsTo(page, within ?? 'all');
  return {
    strategy: within,
    check(url) {
      if (!belongs(url) || excluded.some(({ matches }) => matches(url.href))) return null;
      if (patterns.length === 0) return NOTHING;
      return patterns.find(({ matches }) => matches(url.href))?.given ?? null;
    },
  };
}

type PatternInput = NonNullable<EnqueueLinksOptions['exclude']>[number];

function isSomething(input: PatternInput): boolean {
  const glob = typeof input === 'string' ? input : 'glob' in input ? input.glob : null;
  return glob === null || glob.trim() !== '';
}

function toPattern(input: PatternInput): { matches(url: string): boolean; given: Given } {
  if (typeof input === 'string') return { matches: matcherOf(input), given: NOTHING };
  if (input instanceof RegExp) return { matches: (url) => test(input, url), given: NOTHING };
  if ('regexp' in input) {
    const { regexp, ...given } = input;
    return { matches: (url) => test(regexp, url), given };
  }
  const { glob, ...given } = input;
  return { matches: matcherOf(glob), given };
}

/** From the beginning, whatever it has matched before: one with `g` goes on where it was. */
function test(regexp: RegExp, url: string): boolean {
  regexp.lastIndex = 0;
  return regexp.test(url);
}

function asUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new SurefootError('site', `transformRequestFunction made a link that is no absolute URL: ${url}.`);
}

function assertOptions(options: EnqueueLinksOptions): void {
  const known = Object.keys(OPTIONS);
  const stranger = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (stranger !== undefined) {
    const meant = didYouMean(stranger, known);
    throw new SurefootError('site', `enqueueLinks has no option ${stranger}.${meant} It has ${known.join(', ')}.`);
  }
  const { strategy } = options;
  if (strategy === undefined || (STRATEGIES as readonly string[]).includes(strategy)) return;
  throw new SurefootError('site', `enqueueLinks: strategy is one of ${STRATEGIES.join(', ')}, got "${strategy}".`);
}
