// Crawlee's context as the Page that a site's handler receives.
import type { CheerioCrawlingContext, Source } from '@crawlee/cheerio';
import { load } from 'cheerio';
import { prettifyError } from 'zod';

import { DATASETS } from '../core/checkpoint.ts';
import type { Page } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import { decodeBody } from './decode.ts';

/** One attempt at a page, as the frontier keeps it. */
export interface PageFlight {
  stage(dataset: string, json: string): void;
  reject(): void;
  measure(bytes: number): void;
}

export function toPage(context: CheerioCrawlingContext, site: Site, flight: PageFlight): Page {
  const { response, log } = context;
  // Crawlee has set `id` and `loadedUrl` by now; its own type says so only inside a handler.
  const request = context.request as Page['request'];
  const html =
    typeof context.body === 'string' ? context.body : decodeBody(Buffer.from(context.body), response.headers['content-type']);
  const referer = { Referer: request.loadedUrl };
  return {
    request,
    html,
    // JSON and the like come without one.
    $: context.$ ?? load(''),
    response: { status: response.statusCode ?? 0, headers: response.headers, url: request.loadedUrl },
    tier: 'http',
    fetchedAt: new Date().toISOString(),
    log,
    async pushData(record) {
      const checked = site.record.safeParse(record);
      if (checked.success) {
        flight.stage(DATASETS.items, JSON.stringify(checked.data));
      } else {
        flight.reject();
        const reason = prettifyError(checked.error);
        flight.stage(DATASETS.rejected, JSON.stringify({ url: request.loadedUrl, label: request.label ?? null, reason, record }));
      }
    },
    // A link's Referer is the page it stood on, as in a browser; it is stored with the request.
    enqueueLinks: ({ transformRequestFunction, ...options } = {}) =>
      context.enqueueLinks({
        ...options,
        transformRequestFunction(link) {
          link.headers = { ...referer, ...link.headers };
          return transformRequestFunction ? transformRequestFunction(link) : link;
        },
      }),
    addRequests: (requests) => context.addRequests(requests.map((link) => withHeaders(link, referer))),
  };
}

function withHeaders(link: string | Source, headers: Record<string, string>): Source {
  const source = typeof link === 'string' ? { url: link } : link;
  source.headers = { ...headers, ...source.headers };
  return source;
}
