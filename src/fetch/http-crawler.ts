// The HTTP lane: Crawlee's CheerioCrawler with the site's labelled router, each page parsed once.
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import {
  CheerioCrawler,
  cheerioCrawlerEnqueueLinks,
  createCheerioRouter,
  type CheerioCrawlerOptions,
  type CheerioCrawlingContext,
  type EnqueueLinksOptions,
  type Log,
  type Request,
  type RequestQueue,
} from '@crawlee/cheerio';
import { load, type CheerioOptions } from 'cheerio';
import { prettifyError } from 'zod';

import { DATASETS } from '../core/checkpoint.ts';
import type { Dom, Page } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import { VerdictError, verdictOfStatus } from '../core/verdict.ts';
import { createErrorHandler, type OutcomeOptions, type Recourse } from './outcome.ts';

/** A refused response's body up to this size is read to its end. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** One attempt at a page, as the frontier keeps it. */
interface Flight {
  stage(dataset: string, json: string): void;
  reject(): void;
  measure(bytes: number): void;
}

/** What the crawler needs of the frontier besides Crawlee's own `IRequestManager`. */
interface Lane extends Recourse {
  flightOf(request: Request): Flight;
}

export interface HttpCrawlerOptions {
  site: Site;
  /** An `IRequestManager`; see the cast below. */
  frontier: Lane;
  /** Pages in flight at once, from the first second. */
  concurrency: number;
  /** Runs a handler so that `Dataset.pushData()` inside it is staged too (storage/staging.ts). */
  duringPage: <T>(stage: (dataset: string, rows: readonly string[]) => void, handler: () => Promise<T>) => Promise<T>;
  onDeadLetter?: OutcomeOptions['onDeadLetter'];
  log: Log;
}

/** Creates the lane's crawler. `run()` ends when the frontier is finished or stopped. */
export function createHttpCrawler(options: HttpCrawlerOptions): CheerioCrawler {
  const { site, frontier, concurrency, duringPage, log } = options;
  const router = createCheerioRouter(site.userData);
  for (const [label, handler] of Object.entries(site.routes)) {
    // The router has parsed `userData` by this label's schema before it calls the handler.
    router.addHandler(label, (context) => handler(context as unknown as Page));
  }
  const handle = async (context: CheerioCrawlingContext) => {
    const flight = frontier.flightOf(context.request);
    flight.measure(Buffer.byteLength(context.body));
    const stage = (dataset: string, rows: readonly string[]) => {
      for (const row of rows) flight.stage(dataset, row);
    };
    // The router only reads `request`; the handlers it calls take a Page.
    const page = toPage(context, site, flight) as unknown as CheerioCrawlingContext;
    await duringPage(stage, async () => router(page));
  };
  const handleError = createErrorHandler({
    recourse: frontier,
    ...(options.onDeadLetter && { onDeadLetter: options.onDeadLetter }),
  });

  return new HttpLaneCrawler({
    // The documented `requestManager` option throws in 3.18.1; any manager works as `requestQueue`.
    requestQueue: frontier as unknown as RequestQueue,
    // `getSchema` lets Crawlee check userData when a request is added, not only when it is handled.
    requestHandler: Object.assign(handle, { getSchema: router.getSchema.bind(router) }),
    errorHandler: ({ request }, error) => handleError(request, error),
    ignoreSslErrors: false,
    maxConcurrency: concurrency,
    autoscaledPoolOptions: {
      // Passing any option here replaces CheerioCrawler's own preset, so all of it stands here.
      desiredConcurrency: concurrency,
      snapshotterOptions: { eventLoopSnapshotIntervalSecs: 2, maxBlockedMillis: 100 },
      systemStatusOptions: { maxEventLoopOverloadedRatio: 0.7 },
      maybeRunIntervalSecs: 0.05,
      loggingIntervalSecs: null,
    },
    sessionPoolOptions: { maxPoolSize: concurrency, blockedStatusCodes: [], persistStateKey: 'SESSIONS_HTTP' },
    // The figures that count are committed with each page (core/checkpoint.ts).
    statisticsOptions: { id: 'http', persistenceOptions: { enable: false } },
    statusMessageLoggingInterval: 3_600,
    log,
  });
}

class HttpLaneCrawler extends CheerioCrawler {
  constructor(options: CheerioCrawlerOptions) {
    super(options);
    // Before Crawlee's own hook, which would call a 404 that is not HTML a wrong content type.
    this.postNavigationHooks.unshift(judge);
  }

  /** Parses a page once: Crawlee builds a `dom`, and then a `$` from a second parse. */
  protected override async _parseHTML(response: IncomingMessage, isXml: boolean, context: CheerioCrawlingContext) {
    const body = await text(response);
    // The options are Crawlee's: its link extraction expects htmlparser2's tree.
    const $ = load(body, { xmlMode: isXml, _useHtmlParser2: true } as CheerioOptions) as unknown as Dom;
    const { enqueueLinks, request } = context;
    return {
      body,
      $,
      get dom() {
        return $.root()[0] as never;
      },
      enqueueLinks: async (options?: EnqueueLinksOptions) =>
        cheerioCrawlerEnqueueLinks({
          ...(options && { options }),
          $,
          originalRequestUrl: request.url,
          ...(request.loadedUrl && { finalRequestUrl: request.loadedUrl }),
          enqueueLinks,
        }),
    };
  }

  /** Crawlee would wrap every broken connection in an error without its code, as a proxy's fault. */
  protected override isProxyError(): boolean {
    return false;
  }

  /** Whether to try again is for the error handler alone (fetch/outcome.ts); Crawlee would not even ask it for some errors. */
  protected override _canRequestBeRetried(): boolean {
    return true;
  }
}

/** Throws what a response means, unless it is a page for the site's handler. */
function judge({ response }: CheerioCrawlingContext): void {
  const status = response.statusCode ?? 0;
  const retryAfter = response.headers['retry-after'];
  const verdict = verdictOfStatus(status, retryAfter !== undefined);
  if (verdict === 'ok') return;
  discard(response);
  throw new VerdictError(verdict, `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(), retryAfter);
}

/** Lets a short body run out, so that the connection can be used again; drops the connection otherwise. */
function discard(response: IncomingMessage): void {
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  response.on('error', () => {}); // Its request has its verdict already.
  if (length <= MAX_DISCARDED_BYTES) response.resume();
  else response.destroy();
}

/** A page as a handler sees it. */
function toPage(context: CheerioCrawlingContext, site: Site, flight: Flight): Page {
  const { response, log } = context;
  // Crawlee has set `id` and `loadedUrl` by now; its own type says so only inside a handler.
  const request = context.request as Page['request'];
  const html = typeof context.body === 'string' ? context.body : Buffer.from(context.body).toString(context.contentType.encoding);
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
    enqueueLinks: (options) => context.enqueueLinks(options),
    addRequests: (requests) => context.addRequests(requests),
  };
}
