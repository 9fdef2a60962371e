// The HTTP lane: Crawlee's CheerioCrawler with the site's labelled router, this project's client, verdicts and pace.
import type { CheerioCrawler } from '@crawlee/cheerio';
import {
  createCheerioRouter,
  type BaseHttpClient,
  type CheerioCrawlingContext,
  type Log,
  type Request,
  type RequestQueue,
  type SessionPoolOptions,
} from '@crawlee/cheerio';

import type { Site } from '../core/site.ts';
import { VerdictError } from '../core/verdict.ts';
import { judgePage, createJudge, createPreparation, type Preparation } from './hooks.ts';
import { HttpLaneCrawler } from './lane-crawler.ts';
import { createErrorHandler, type OutcomeOptions, type Recourse } from './outcome.ts';
import { toPage, type PageFlight } from './page.ts';

/** What the crawler needs of the frontier besides Crawlee's own `IRequestManager`. */
export interface Lane extends Recourse, Pick<Preparation['lane'], 'setDelay'> {
  /** Says that the answer to a request has begun to arrive. */
  arrived(request: Request): void;
  flightOf(
    request: Request,
  ): PageFlight & { readonly claimedAt: number; enter(phase: 'robots' | 'requesting' | 'handler'): void };
}

export interface HttpCrawlerOptions extends Pick<
  OutcomeOptions,
  'maxRetryAfterMillis' | 'secondPass' | 'redact' | 'onDeadLetter' | 'now' | 'random'
> {
  site: Site;
  /** An `IRequestManager`; see the cast below. */
  frontier: Lane;
  client: BaseHttpClient;
  /** Pages in flight at once, from the first second. */
  concurrency: number;
  /** The headers of a request; see headers.ts. */
  headers: Preparation['headers'];
  /** Null: robots.txt is not asked for. */
  robots: Preparation['robots'];
  /** Makes a session that has the cookies of `--cookies`; Crawlee's own if left out. */
  createSession?: NonNullable<SessionPoolOptions['createSessionFunction']> | undefined;
  /** Runs a handler so that `Dataset.pushData()` inside it is staged too (storage/staging.ts). */
  duringPage: <T>(stage: (dataset: string, rows: readonly string[]) => void, handler: () => Promise<T>) => Promise<T>;
  log: Log;
}

/** Creates the lane's crawler. `run()` ends when the frontier is finished or stopped. */
export function createHttpCrawler(options: HttpCrawlerOptions): CheerioCrawler {
  const { site, frontier, concurrency, duringPage, log } = options;
  const router = createCheerioRouter(site.userData);
  for (const [label, handler] of Object.entries(site.routes)) {
    // The router has parsed `userData` by this label's schema before it calls the handler.
    router.addHandler(label, (context) => handler(context as unknown as Parameters<typeof handler>[0]));
  }
  const handle = async (context: CheerioCrawlingContext) => {
    const flight = frontier.flightOf(context.request);
    assertRoute(context.request, site);
    const page = toPage(context, site, flight);
    flight.measure(Buffer.byteLength(page.html));
    judgePage(page, site);
    flight.enter('handler');
    const stage = (dataset: string, rows: readonly string[]) => {
      for (const row of rows) flight.stage(dataset, row);
    };
    // The router only reads `request`; the handlers it calls take a Page.
    await duringPage(stage, async () => router(page as unknown as CheerioCrawlingContext));
  };
  const handleError = createErrorHandler({ ...options, recourse: frontier });

  return new HttpLaneCrawler(
    {
      // The documented `requestManager` option throws in 3.18.1; any manager works as `requestQueue`.
      requestQueue: frontier as unknown as RequestQueue,
      // `getSchema` lets Crawlee check userData when a request is added, not only when it is handled.
      requestHandler: Object.assign(handle, { getSchema: router.getSchema.bind(router) }),
      errorHandler: ({ request, session }, error) => {
        // A refused session is not asked again; its cookies and its identity are known there.
        if (handleError(request, error) === 'blocked') session?.retire();
      },
      preNavigationHooks: [createPreparation({ lane: frontier, headers: options.headers, robots: options.robots })],
      httpClient: options.client,
      ignoreSslErrors: false,
      // The client has limits of its own, each with a name; these two are only the net below.
      navigationTimeoutSecs: 60,
      requestHandlerTimeoutSecs: 120,
      // Any type gets as far as `judgeType`, so that a 404 that is no HTML is a 404.
      additionalMimeTypes: ['*/*'],
      maxConcurrency: concurrency,
      autoscaledPoolOptions: {
        // Passing any option here replaces CheerioCrawler's own preset, so all of it stands here.
        desiredConcurrency: concurrency,
        snapshotterOptions: { eventLoopSnapshotIntervalSecs: 2, maxBlockedMillis: 100 },
        // Crawlee looks at the whole machine's CPU: beside another busy program a crawl would fall to one page at a time.
        systemStatusOptions: { maxEventLoopOverloadedRatio: 0.7, maxCpuOverloadedRatio: 1 },
        maybeRunIntervalSecs: 0.05,
        loggingIntervalSecs: null,
      },
      sessionPoolOptions: {
        maxPoolSize: concurrency,
        blockedStatusCodes: [],
        persistStateKey: 'SESSIONS_HTTP',
        ...(options.createSession && { createSessionFunction: options.createSession }),
      },
      // The figures that count are committed with each page (core/checkpoint.ts).
      statisticsOptions: { id: 'http', persistenceOptions: { enable: false } },
      statusMessageLoggingInterval: 3_600,
      log,
    },
    createJudge(frontier),
  );
}

/** Lowers how many pages a running crawler has in flight at once. */
export function limitConcurrency({ autoscaledPool }: CheerioCrawler, concurrency: number): void {
  if (!autoscaledPool) return;
  autoscaledPool.maxConcurrency = Math.min(autoscaledPool.maxConcurrency, concurrency);
  autoscaledPool.desiredConcurrency = Math.min(autoscaledPool.desiredConcurrency, concurrency);
}

/** One request with a label that the site does not have fails; Crawlee's router would end the crawl. */
function assertRoute({ label }: Request, site: Site): void {
  if (label !== undefined && Object.hasOwn(site.routes, label)) return;
  throw new VerdictError('fatal', `Site "${site.name}" has no route ${label}; it has ${Object.keys(site.routes).join(', ')}.`);
}
