// What a handler receives: one fetched page, whichever tier fetched it.
import type {
  CheerioCrawlingContext,
  Dictionary,
  EnqueueLinksOptions as CrawleeOptions,
  LoadedRequest,
  Request,
  Source,
} from 'crawlee';

import type { Declaration, FieldMap, FieldValues } from './fields.ts';

/** Crawlee's `$`. Cheerio's own `CheerioAPI` does not match it under NodeNext, so this alias is the only name for it. */
export type Dom = CheerioCrawlingContext['$'];

/** How a page can be fetched, the cheapest first: a plain client; one that shakes hands as Chrome or Firefox does; a real
 *  browser; and Decodo's Site Unblocker and Web Scraping API, which cost money a page. */
export const TIERS = ['http', 'impersonate', 'browser', 'unblocker', 'api'] as const;

export type Tier = (typeof TIERS)[number];

/** The tiers that run a page's scripts. */
export const RENDERING: readonly Tier[] = ['browser', 'unblocker', 'api'];
/** Those of services that are paid by the page. */
export const SERVICES: readonly Tier[] = ['unblocker', 'api'];

/** Options of Crawlee's `enqueueLinks`, but for those that its crawl has no use for: links always go to the crawl's own frontier,
 *  which asks for robots.txt itself, and are on disk when the call resolves. */
export type EnqueueLinksOptions = Omit<
  CrawleeOptions,
  'requestQueue' | 'robotsTxtFile' | 'respectRobotsTxtFile' | 'pseudoUrls' | 'skipNavigation' | 'cache'
>;

/** A handler's view of one page. Take it apart by name (`{ $, pushData }`): spread (`{ ...page }`), it loses `$` and `html`,
 *  which are only made when they are asked for. */
export interface Page<UserData extends Dictionary = Dictionary> {
  /** Crawlee's request; `userData` has been parsed by the site's schema for this label. */
  readonly request: LoadedRequest<Request<UserData>>;
  /** The page, parsed when this is first read. */
  readonly $: Dom;
  /** Reads what `fields()` has declared: the same values as by `$`, at a fraction of the time.
   *  @returns Null if a required field is not there. */
  read<Fields extends FieldMap>(declared: Declaration<Fields>): FieldValues<Fields> | null;
  /** The page's text, decoded. */
  readonly html: string;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    /** After redirects. For a link of the page, see `resolve()`. */
    readonly url: string;
  };
  readonly tier: Tier;
  /** When the response arrived, ISO 8601, UTC. */
  readonly fetchedAt: string;
  readonly log: CheerioCrawlingContext['log'];

  /** Stages one record. It is checked by the site's schema and committed together with the page, never alone:
   *  a handler that throws leaves no row. A record that fails its schema goes to the rejected rows. */
  pushData(record: Dictionary): Promise<void>;
  /** A link as a browser follows it: against the page's `<base>`, if it has one, with the query in the page's own encoding.
   *  @returns The absolute URL; null if `href` is none. */
  resolve(href: string): string | null;
  /** Finds links and adds them. They are on disk when this resolves; a URL that is known already is skipped. */
  enqueueLinks(options?: EnqueueLinksOptions): Promise<unknown>;
  /** Adds requests. A request without a label gets the site's `labelOf(url)`. On disk when this resolves. */
  addRequests(requests: (string | Source)[]): Promise<void>;
}

/** Extracts one kind of page. Throwing sends the page round again; nothing it pushed is kept. */
export type Handler<UserData extends Dictionary = Dictionary> = (page: Page<UserData>) => Promise<void>;
