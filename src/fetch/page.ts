// What a crawler has fetched, as the Page that a site's handler receives.
import type { CheerioCrawlingContext, Source } from '@crawlee/cheerio';
import { prettifyError } from 'zod';

import { DATASETS } from '../core/checkpoint.ts';
import { absentFields } from '../core/absent-fields.ts';
import type { Dom, Page, Tier } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import { VerdictError } from '../core/verdict.ts';
import type { FetchedAttempt } from './lane-crawler.ts';

/** One attempt at a page, as the frontier keeps it. */
export interface PageFlight {
  readonly tier: Tier;
  stage(dataset: string, json: string): void;
  /** Drops what was staged. */
  restart(): void;
  reject(): void;
  measure(bytes: number): void;
}

/** A fetched page, whichever crawler fetched it. */
export interface FetchedPage extends Pick<Page, '$' | 'read' | 'html' | 'tier' | 'log'> {
  readonly request: CheerioCrawlingContext['request'];
  readonly response: Pick<Page['response'], 'status' | 'headers'>;
  /** Finds its links in `$`. */
  readonly enqueueLinks: CheerioCrawlingContext['enqueueLinks'];
  readonly addRequests: CheerioCrawlingContext['addRequests'];
}

/** What becomes of a page that may lack what its scripts would have made. */
export interface Rendering {
  /** Whether a page of the tier can still be sent to one that runs its scripts. */
  may(tier: Tier): boolean;
  /** Ends the page, whatever its handler makes of the error. */
  want(why: VerdictError): void;
}

/** @param rendering @default none */
export function toPage(attempt: FetchedAttempt, site: Site, flight: PageFlight, rendering?: Rendering): Page {
  const { request, answer, document, log, enqueueLinks, addRequests } = attempt;
  const { status, headers } = answer;
  const fetched: FetchedPage = {
    request,
    log,
    html: document.text,
    read: (declared) => document.read(declared),
    get $() {
      return document.$;
    },
    tier: flight.tier,
    enqueueLinks,
    addRequests,
    response: { status, headers },
  };
  return pageOf(fetched, site, flight, rendering);
}

export function pageOf(fetched: FetchedPage, site: Site, flight: PageFlight, rendering?: Rendering): Page {
  const { enqueueLinks, addRequests, html, tier, log, read } = fetched;
  // Crawlee has set `id` and `loadedUrl` by now; its own type says so only inside a handler.
  const request = fetched.request as Page['request'];
  const referer = { Referer: request.loadedUrl };
  return {
    html,
    tier,
    log,
    // Not read here: most pages' trees are never built.
    get $() {
      return fetched.$;
    },
    read,
    request,
    response: { ...fetched.response, url: request.loadedUrl },
    fetchedAt: new Date().toISOString(),
    async pushData(record) {
      const checked = site.record.safeParse(record);
      if (checked.success) {
        flight.stage(DATASETS.items, JSON.stringify(checked.data));
      } else {
        const absent = rendering?.may(tier) && hasScripts(fetched.$) ? absentFields(record, checked.error) : [];
        if (absent.length > 0) {
          const { status } = fetched.response;
          const reason = `HTTP ${status}: no ${absent.join(', ')}, on a page that has scripts`;
          // Not thrown: a handler that does not await this would end the process, and one that catches it lose the row.
          rendering?.want(new VerdictError('needs-browser', reason, { status }));
          return;
        }
        flight.reject();
        const reason = prettifyError(checked.error);
        flight.stage(DATASETS.rejected, JSON.stringify({ url: request.loadedUrl, label: request.label ?? null, reason, record }));
      }
    },
    // A link's Referer is the page it stood on, as in a browser; it is stored with the request.
    enqueueLinks: ({ transformRequestFunction, ...options } = {}) =>
      enqueueLinks({
        ...options,
        transformRequestFunction(link) {
          link.headers = { ...referer, ...link.headers };
          return transformRequestFunction ? transformRequestFunction(link) : link;
        },
      }),
    addRequests: (requests) => addRequests(requests.map((link) => withHeaders(link, referer))),
  };
}

/** Scripts that could make what is missing; data in JSON could not. */
function hasScripts($: Dom): boolean {
  return $('script').is((_, { attribs }) => !attribs['type'] || /module|javascript/i.test(attribs['type']));
}

function withHeaders(link: string | Source, headers: Record<string, string>): Source {
  const source = typeof link === 'string' ? { url: link } : link;
  source.headers = { ...headers, ...source.headers };
  return source;
}
