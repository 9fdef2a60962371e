// What a crawler has fetched, as the Page that a site's handler receives.
import type { CheerioCrawlingContext } from '@crawlee/cheerio';
import { prettifyError, type ZodError } from 'zod';

import { DATASETS } from '../core/run-store.ts';
import { absentFields } from '../core/absent-fields.ts';
import { attemptsOf } from '../core/attempts.ts';
import { RENDERING, type Dom, type Page, type Tier } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import { VerdictError } from '../core/verdict.ts';
import type { Document } from './document.ts';
import type { FetchedAttempt } from './lane-crawler.ts';
import { toLink, type Adder } from './links/adding.ts';
import { linkBaseOf } from './links/base.ts';
import { findLinks } from './links/enqueue.ts';
import { resolveLink, type LinkBase } from './links/resolve.ts';

/** One attempt at a page, as the frontier keeps it. */
export interface PageFlight {
  readonly tier: Tier;
  stage(dataset: string, json: string): void;
  reject(): void;
  /** Counts links that the handler found; 0 says that it looked for some. */
  found(links: number): void;
  /** Says whether a page that was rendered needed it. */
  rendering(needed: boolean): void;
  measure(bytes: number): void;
}

/** A fetched page, whichever crawler fetched it. */
export interface FetchedPage extends Pick<Page, 'tier' | 'log'> {
  readonly request: CheerioCrawlingContext['request'];
  readonly document: Pick<Document, 'text' | 'isMarkup' | 'encoding' | '$' | 'read'>;
  readonly response: Pick<Page['response'], 'status' | 'headers'>;
  /** Takes the links that it adds. */
  readonly adder: Adder;
}

/** What becomes of a page that may lack what its scripts would have made. */
export interface Rendering {
  /** Whether a page of the tier can still be sent to one that runs its scripts. */
  may(tier: Tier): boolean;
  /** Ends the page, whatever its handler makes of the error. */
  want(why: VerdictError): void;
}

/** @param rendering @default none */
export function toPage(attempt: FetchedAttempt, site: Site, adder: Adder, flight: PageFlight, rendering?: Rendering): Page {
  const { request, answer, document, log } = attempt;
  const { status, headers } = answer;
  const { tier } = flight;
  return pageOf({ request, document, log, tier, adder, response: { status, headers } }, site, flight, rendering);
}

export function pageOf(fetched: FetchedPage, site: Site, flight: PageFlight, rendering?: Rendering): Page {
  return new FetchedAs(fetched, site, flight, rendering);
}

/** A class, for the sake of its getters: see document.ts. Handlers take its methods apart from it. */
class FetchedAs implements Page {
  readonly request: Page['request'];
  readonly response: Page['response'];
  readonly tier: Tier;
  readonly read: Page['read'];
  readonly fetchedAt = new Date().toISOString();
  readonly #fetched: FetchedPage;
  #log: Page['log'] | undefined;
  readonly #site: Site;
  readonly #flight: PageFlight;
  readonly #rendering: Rendering | undefined;
  #base: LinkBase | null = null;

  constructor(fetched: FetchedPage, site: Site, flight: PageFlight, rendering: Rendering | undefined) {
    // Crawlee has set `id` and `loadedUrl` by now; its own type says so only inside a handler.
    this.request = fetched.request as Page['request'];
    this.response = { ...fetched.response, url: this.request.loadedUrl };
    this.tier = fetched.tier;
    this.read = fetched.document.read;
    this.#fetched = fetched;
    this.#site = site;
    this.#flight = flight;
    this.#rendering = rendering;
  }

  get html(): string {
    return this.#fetched.document.text;
  }

  // Each line of a handler's has the page's URL at its end.
  get log(): Page['log'] {
    return (this.#log ??= withUrl(this.#fetched.log, this.request.loadedUrl));
  }

  // Not read before: most pages' trees are never built.
  get $(): Dom {
    return this.#fetched.document.$;
  }

  readonly pushData: Page['pushData'] = async (record) => {
    const checked = this.#site.record.safeParse(record);
    if (checked.success) this.#flight.stage(DATASETS.items, JSON.stringify(checked.data));
    else this.#refuse(record, checked.error);
  };

  readonly resolve: Page['resolve'] = (href) => resolveLink(href, this.#linkBase)?.href ?? null;

  readonly enqueueLinks: Page['enqueueLinks'] = async (options = {}) => {
    const { document, adder, request } = this.#fetched;
    const { label, userData, forefront = false, limit } = options;
    // All of them carry the same; the schema's defaults are filled in when one is handled.
    await adder.check({ ...(label !== undefined && { label }), ...(userData && { userData }) });
    const source = {
      url: this.response.url,
      $: () => document.$,
      base: (url?: string) => (url === undefined ? this.#linkBase : linkBaseOf(document, url)),
    };
    const links = findLinks(source, options, (link) => void toLink(link, request));
    this.#flight.found(links.length);
    const added = await adder.add(links, { forefront, ...(limit !== undefined && { maxNewRequests: limit }) });
    for (const { url = '' } of added.requestsOverLimit ?? []) void options.onSkippedRequest?.({ url, reason: 'enqueueLimit' });
    return { processedRequests: added.addedRequests, unprocessedRequests: [] };
  };

  readonly addRequests: Page['addRequests'] = async (requests) => {
    const { adder, request } = this.#fetched;
    const links = requests.map((link) => toLink(typeof link === 'string' ? { url: link } : link, request));
    this.#flight.found(links.length);
    for (const link of links) await adder.check(link);
    await adder.add(links);
  };

  get #linkBase(): LinkBase {
    return (this.#base ??= linkBaseOf(this.#fetched.document, this.response.url));
  }

  #refuse(record: unknown, error: ZodError): void {
    const { request, response, tier } = this;
    const absent = this.#rendering?.may(tier) && hasScripts(this.$) ? absentFields(record, error) : [];
    if (absent.length > 0) {
      const { status } = response;
      const reason = `HTTP ${status}: ${lacking(absent.join(', '))}`;
      // Not thrown: a handler that does not await this would end the process, and one that catches it lose the row.
      this.#rendering?.want(new VerdictError('needs-browser', reason, { status }));
      return;
    }
    this.#flight.reject();
    const nowhere = RENDERING.includes(tier) ? absentFields(record, error).join(', ') : '';
    // The page as it was sent lacked the same.
    const inVain =
      nowhere !== '' &&
      (attemptsOf(request)
        .at(-1)
        ?.error.includes(`: ${lacking(nowhere)}`) ??
        false);
    if (inVain) this.#flight.rendering(false);
    const found = inVain ? `\nNothing was found for ${nowhere}, rendered or not.` : '';
    const rejected = { url: request.loadedUrl, label: request.label ?? null, reason: prettifyError(error) + found, record };
    this.#flight.stage(DATASETS.rejected, JSON.stringify(rejected));
  }
}

/** A child costs as much as a small page's parsing, and the router asks for the log of each page: it is made for a line that
 *  is written. */
function withUrl(log: Page['log'], url: string): Page['log'] {
  const own = Object.create(log) as Page['log'];
  own.internal = (level, ...line) => {
    const asked: number = level;
    if (asked <= log.getLevel()) log.child({ suffix: `(${url})` }).internal(level, ...line);
  };
  return own;
}

function lacking(fields: string): string {
  return `no ${fields}, on a page that has scripts`;
}

/** Scripts that could make what is missing; data in JSON could not. */
function hasScripts($: Dom): boolean {
  return $('script').is((_, { attribs }) => !attribs['type'] || /module|javascript/i.test(attribs['type']));
}
