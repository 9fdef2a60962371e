// The HTTP lane: Crawlee's CheerioCrawler with the site's labelled router, this project's client, verdicts and pace.
import type {
  BaseHttpClient,
  CheerioCrawler,
  IRequestManager,
  Log,
  ProxyConfiguration,
  Request,
  RequestQueue,
  SessionPoolOptions,
} from '@crawlee/cheerio';

import { RENDERING, type Tier } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import type { FollowedSessions } from './followed-sessions.ts';
import { createPageHandler, type PageHandlerOptions } from './handler.ts';
import { createJudge, createPreparation, createRefresh, type Preparation } from './hooks.ts';
import { HttpLaneCrawler } from './lane-crawler.ts';
import { createAdder } from './links/adding.ts';
import { createErrorHandler, type OutcomeOptions, type Recourse } from './outcome.ts';
import { toPage, type PageFlight } from './page.ts';

/** What the crawler needs of the frontier besides Crawlee's own `IRequestManager`. */
export interface Lane extends Recourse, Pick<Preparation['lane'], 'setDelay'>, Pick<IRequestManager, 'addRequestsBatched'> {
  /** Says that the answer to a request has begun to arrive. */
  arrived(request: Request): Promise<void>;
  flightOf(request: Request): PageFlight & {
    readonly claimedAt: number;
    readonly tier: Tier;
    readonly labelWorks: boolean;
    enter(phase: 'robots' | 'connecting' | 'waiting' | 'parsing' | 'handler'): void;
  };
}

export interface HttpCrawlerOptions extends Pick<
  OutcomeOptions,
  'ways' | 'maxRetryAfterMillis' | 'secondPass' | 'redact' | 'onDeadLetter' | 'now' | 'random'
> {
  site: Site;
  /** An `IRequestManager`; see the cast below. */
  frontier: Lane;
  client: BaseHttpClient;
  /** Pages in flight at once, from the first second. */
  concurrency: number;
  /** Not fewer while the event loop is busy either: how many there are is decided elsewhere. @default false */
  steady?: boolean;
  /** Of the session pool. @default as many as pages in flight, in the place 0 */
  sessions?: { size: number; /** Pools beside each other are saved apart. */ place: number };
  /** The headers of a request; see headers.ts. */
  headers: Preparation['headers'];
  /** Without: requests leave from this machine's own address. */
  proxyConfiguration?: ProxyConfiguration | undefined;
  modeOf?: Preparation['modeOf'];
  /** Null: robots.txt is not asked for. */
  robots: Preparation['robots'];
  /** Makes a session that has the cookies of `--cookies`; Crawlee's own if left out. */
  createSession?: NonNullable<SessionPoolOptions['createSessionFunction']> | undefined;
  /** Null: a page takes any session. @default null */
  followed?: FollowedSessions | null;
  duringPage: PageHandlerOptions['duringPage'];
  hold?: NonNullable<PageHandlerOptions['hold']>;
  log: Log;
}

/** Creates the lane's crawler. `run()` ends when the frontier is finished or stopped. */
export function createHttpCrawler(options: HttpCrawlerOptions): CheerioCrawler {
  const { site, frontier, concurrency, followed = null, log } = options;
  const inVain = ({ url, label = '' }: Request) => options.ways?.rendersInVain?.(new URL(url).host, label) ?? false;
  const mayRender = (tier: Tier, request: Request) =>
    !RENDERING.includes(tier) && (options.ways?.climb(tier, 'needs-browser') ?? null) !== null && !inVain(request);
  const { duringPage, hold } = options;
  const handler = createPageHandler({ site, lane: frontier, duringPage, inVain, ...(hold && { hold }) });
  const adder = createAdder(frontier, handler.getSchema);
  const handleError = createErrorHandler({ ...options, recourse: frontier });

  return new HttpLaneCrawler(
    {
      // The documented `requestManager` option throws in 3.18.1; any manager works as `requestQueue`.
      requestQueue: frontier as unknown as RequestQueue,
      requestHandler: async () => {},
      errorHandler: ({ request, session }, error) => {
        // A refused session is not asked again; its cookies and its identity are known there.
        if (handleError(request, error) === 'blocked' && !followed?.isBound(request)) session?.retire();
      },
      httpClient: options.client,
      ...(options.proxyConfiguration && { proxyConfiguration: options.proxyConfiguration }),
      // The clients have limits of their own, each with a name, the longest of 180 s; these two are only the net below.
      navigationTimeoutSecs: 240,
      requestHandlerTimeoutSecs: 120,
      maxConcurrency: concurrency,
      ...(options.steady && { minConcurrency: concurrency }),
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
        maxPoolSize: options.sessions?.size ?? concurrency,
        blockedStatusCodes: [],
        persistStateKey: options.sessions?.place ? `SESSIONS_HTTP_${options.sessions.place}` : 'SESSIONS_HTTP',
        ...(options.createSession && { createSessionFunction: options.createSession }),
      },
      // The figures that count are committed with each page (core/checkpoint.ts).
      statisticsOptions: { id: 'http', persistenceOptions: { enable: false } },
      statusMessageLoggingInterval: 3_600,
      log,
    },
    {
      sessionOf: followed?.of,
      prepare: createPreparation({
        lane: frontier,
        headers: options.headers,
        robots: options.robots,
        modeOf: options.modeOf,
      }),
      judge: createJudge(frontier),
      next: createRefresh({ site, robots: options.robots }),
      onBody: (request) => frontier.flightOf(request).enter('parsing'),
      async handle(attempt) {
        const { request, session } = attempt;
        const own = followed && session ? followed.adder(adder, session) : adder;
        await handler.handle(request, (flight, want) =>
          toPage(attempt, site, own, flight, { may: (tier) => mayRender(tier, request), want }),
        );
      },
      settle: (request) => handler.settle(request),
    },
  );
}

/** Lowers how many pages a running crawler has in flight at once. */
export function limitConcurrency({ autoscaledPool }: CheerioCrawler, concurrency: number): void {
  if (!autoscaledPool) return;
  autoscaledPool.maxConcurrency = Math.min(autoscaledPool.maxConcurrency, concurrency);
  autoscaledPool.desiredConcurrency = Math.min(autoscaledPool.desiredConcurrency, concurrency);
}
