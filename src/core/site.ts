// The contract a folder of routes fulfils: defineSite().
import type { z } from 'zod';

import type { Handler, Page, Tier } from './page.ts';
import type { ProxyMode } from './proxy.ts';
import { checkSite } from './site-rules.ts';

/** A Zod object per label: what `request.userData` holds for it. */
export type UserDataSchemas = Readonly<Record<string, z.ZodObject>>;

/** What `defineSite()` takes. */
export interface SiteDefinition<Schemas extends UserDataSchemas> {
  /** The folder's name under `src/routes/`, and the value of `--site`. */
  name: string;
  /** Crawled when the command line names no URL and the demo site is not meant. Absolute http(s) URLs. */
  startUrls: readonly string[];
  /** The label of a URL that was added without one: start URLs, and links from `addRequests()`. */
  labelOf(url: URL): keyof Schemas & string;
  /** One record as it goes to the export; its keys, in this order, are the CSV's columns. */
  record: z.ZodObject;
  /** What a page that came with 200 means, where the site can tell and nobody else could: a list without rows is a
   *  throttle, an empty mount point wants a browser. Null: a page as it should be. */
  judge?(page: Page): 'throttled' | 'blocked' | 'needs-browser' | null;
  /** Headers of a request beyond the policy's (`--headers`), such as Authorization: asked for at each request and never
   *  stored, which `request.headers` are. */
  headers?(url: URL): Record<string, string>;
  /** Whether addresses that differ only behind `#` are pages of their own (`keep`), as with routes such as `#/topic/1`, or one
   *  page (`drop`). @default 'drop' */
  fragments?: 'drop' | 'keep';
  /** Whether a page that sends its reader on within ten seconds (`<meta http-equiv="refresh">`, the Refresh header) is left for
   *  where it leads to, or is handled itself. A browser follows one that waits for nothing by itself. @default 'follow' */
  refresh?: 'follow' | 'ignore';
  /** Whether a page may be fetched in any of the crawl's sessions, or in that of the page that added it (`follow`): a login made
   *  in a handler is then known to what it adds. Each start page begins a session. @default 'any' */
  session?: 'any' | 'follow';
  /** Pins the tier of a label: its pages are fetched so from the first try, and climb from there if they must. */
  tier?: { readonly [Label in keyof Schemas]?: Tier };
  /** How pages of a label leave this machine, where that is another way than `--proxy` says. */
  proxy?: { readonly [Label in keyof Schemas]?: ProxyMode };
  /** What a page needs in tier `browser` before it is read. */
  browser?: BrowserRules<keyof Schemas & string>;
  /** Labels (UPPER_SNAKE) and the `userData` that each carries. */
  userData: Schemas;
  /** One handler a label. */
  routes: { [Label in keyof Schemas]: Handler<z.output<Schemas[Label]>> };
}

/** How a page in a real browser is brought to the state that is read. Labels that are not named need nothing. */
export interface BrowserRules<Label extends string = string> {
  /** What is waited for: a CSS selector, or that the network is at rest. Without: the page's `load` event. */
  readonly waitFor?: { readonly [Name in Label]?: { readonly selector: string } | 'network-at-rest' };
  /** Called once the page is there, before it is read: for infinite scroll, buttons, and the like. */
  readonly prepare?: { readonly [Name in Label]?: (view: BrowserView) => Promise<void> };
}

/** What a site may do with a page in a real browser. */
export interface BrowserView {
  /** Scrolls to the end until nothing is added any more. @param options.maxSeconds @default 30 */
  scrollToEnd(options?: { maxSeconds?: number }): Promise<void>;
  /** Clicks the first element that matches. @returns False if there is none within the time. @param options.timeoutMillis @default 5,000 */
  click(selector: string, options?: { timeoutMillis?: number }): Promise<boolean>;
  /** Waits until an element is there. @returns False if it is not within the time. @param options.timeoutMillis @default 10,000 */
  waitFor(selector: string, options?: { timeoutMillis?: number }): Promise<boolean>;
}

/** A checked site, as the engine uses it: labels are plain strings from here on. */
export interface Site {
  readonly name: string;
  readonly startUrls: readonly string[];
  readonly labelOf: (url: URL) => string;
  readonly record: z.ZodObject;
  readonly judge?: (page: Page) => 'throttled' | 'blocked' | 'needs-browser' | null;
  readonly headers?: (url: URL) => Record<string, string>;
  readonly fragments?: 'drop' | 'keep';
  readonly refresh?: 'follow' | 'ignore';
  readonly session?: 'any' | 'follow';
  readonly tier?: Readonly<Partial<Record<string, Tier>>>;
  readonly proxy?: Readonly<Partial<Record<string, ProxyMode>>>;
  readonly browser?: BrowserRules;
  readonly userData: UserDataSchemas;
  readonly routes: Readonly<Record<string, Handler>>;
}

/** Declares a site. Labels in `routes`, `userData` and `labelOf` must agree, which the types check; what can be checked
 *  without them is checked here too.
 *  @throws {SurefootError} kind `site`: see site-rules.ts. */
export function defineSite<const Schemas extends UserDataSchemas>(definition: SiteDefinition<Schemas>): Site {
  const site: Site = {
    ...definition,
    // Each handler is only ever called with userData that its own label's schema has parsed (fetch/handler.ts).
    routes: definition.routes as Readonly<Record<string, Handler<never>>> as Readonly<Record<string, Handler>>,
  };
  checkSite(site);
  return site;
}
