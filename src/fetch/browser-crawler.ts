// The browser lane: a crawler of Crawlee's beside the HTTP lane, with the same frontier, headers, verdicts and handlers.
// Playwright is loaded here and nowhere else, and only when this is called.
import type {
  BasicCrawler,
  IRequestManager,
  Log,
  ProxyConfiguration,
  Request,
  RequestQueue,
  SessionPoolOptions,
} from '@crawlee/cheerio';

import { toError } from '../core/errors.ts';
import type { Page } from '../core/page.ts';
import type { ProxyMode } from '../core/proxy.ts';
import type { Site } from '../core/site.ts';
import { VerdictError, type Verdict } from '../core/verdict.ts';
import type { BlockedKind } from './browser/assets.ts';
import { putCookies, takeCookies } from './browser/cookies.ts';
import { closeBanners } from './browser/banners.ts';
import { createBrowsers } from './browser/browsers.ts';
import { createWays } from './browser/exits.ts';
import { BrowserLaneCrawler, type Attempt } from './browser/lane-crawler.ts';
import { createTabs, type Lent } from './browser/tabs.ts';
import type { FoundBrowser } from './browser/find-browser.ts';
import { extraHeaders, userAgentOverride, valueOf } from './browser/identity.ts';
import { createLauncher, describeLaunchError, maySandbox, type BrowserKind } from './browser/launcher.ts';
import { nameBrowserError } from './browser/net-errors.ts';
import type { RequestRules } from './browser/requests.ts';
import { neededRendering } from './browser/rendering.ts';
import { createRests } from './browser/rest.ts';
import { visit, type Visit } from './browser/visit.ts';
import { ofBrowser } from './browser/waits.ts';
import type { Reach } from './clients/reach.ts';
import { readByTree } from './fields/tree.ts';
import type { FollowedSessions } from './followed-sessions.ts';
import { createPageHandler, type PageHandlerOptions } from './handler.ts';
import { createEntry, createHopJudge, createRefresh, ledFrom, type Preparation } from './hooks.ts';
import { createAdder } from './links/adding.ts';
import { pageOf, type PageFlight } from './page.ts';

/** What the crawler needs of the frontier besides Crawlee's own `IRequestManager`. */
export interface BrowserLane extends Pick<Preparation['lane'], 'setDelay'>, Pick<IRequestManager, 'addRequestsBatched'> {
  /** Says that the answer to a request has begun to arrive. */
  arrived(request: Request): Promise<void>;
  flightOf(request: Request): PageFlight & {
    readonly labelWorks: boolean;
    readonly claimedAt: number;
    rendering(needed: boolean): void;
    enter(phase: 'robots' | 'connecting' | 'waiting' | 'parsing' | 'handler'): void;
  };
}

export interface BrowserCrawlerOptions {
  site: Site;
  /** An `IRequestManager`; see the cast below. */
  frontier: BrowserLane;
  /** Pages open at once, from the first second. */
  concurrency: number;
  /** The headers of a request (headers.ts). The browser sends its own Accept, client hints and the like; of these it takes
   *  the User-Agent if it is no Chrome's, the language, the Referer, and whatever no browser sends by itself. */
  headers: Preparation['headers'];
  /** Null: robots.txt is not asked for. */
  robots: Preparation['robots'];
  createSession?: NonNullable<SessionPoolOptions['createSessionFunction']> | undefined;
  /** Sessions at once. @default concurrency */
  maxSessions?: number;
  /** Null: a page takes any session. @default null */
  followed?: FollowedSessions | null;
  duringPage: PageHandlerOptions['duringPage'];
  hold?: NonNullable<PageHandlerOptions['hold']>;
  /** Acts on a failed attempt (outcome.ts). */
  handleError: (request: Request, error: unknown) => Exclude<Verdict, 'ok'>;
  /** Takes secrets out of what is told of a browser that does not start. */
  redact: (text: string) => string;
  log: Log;
  /** Left out: pages leave from this machine's own address. */
  proxyConfiguration?: ProxyConfiguration | undefined;
  /** The relay that counts the traffic of a proxy (proxy/relay.ts). */
  through?: ((proxyUrl: string, key: { tier: 'browser'; proxy: ProxyMode }) => Promise<string>) | undefined;
  /** The relay's `lastFault`. */
  lastFault?: ((proxyUrl: string) => { readonly message: string } | null) | undefined;
  modeOf?: ((label: string | undefined) => ProxyMode) | undefined;
  /** Where pages may lead. @default anywhere */
  reach?: Reach | undefined;
  browser: FoundBrowser;
  kind: BrowserKind;
  /** Whether pictures, fonts, media and trackers are fetched (browser/assets.ts). */
  loadAssets: boolean;
  /** Told of each request that was not let out. */
  onBlocked?: (kind: BlockedKind) => void;
  /** @default not as root and not in a container */
  sandbox?: boolean;
}

/** A visit's waits are limited one by one (browser/visit.ts); these are only the net below. */
const VISIT_SECS = 180;
const HANDLER_SECS = 120;

/** Creates the lane's crawler. `run()` ends when the frontier is finished or stopped; a browser is started for the first page.
 *  @throws {SurefootError} kind `input`: Patchright is wanted and not installed. */
export async function createBrowserCrawler(options: BrowserCrawlerOptions): Promise<BasicCrawler> {
  const { site, frontier, concurrency, followed = null, handleError, log, browser, kind } = options;
  const machine = { platform: process.platform, arch: process.arch };
  const launch = await createLauncher({ kind, browser, machine, sandbox: options.sandbox ?? maySandbox() });
  let started = false;
  const ways = createWays(options);
  const rests = createRests();
  const tabs = createTabs(
    createBrowsers(async () => {
      try {
        const running = await launch();
        started = true;
        return running;
      } catch (error) {
        throw notStarted(toError(error));
      }
    }),
    ways,
    // Each start page begins a session of its own.
    followed ? concurrency : Infinity,
  );
  const enter = createEntry({ lane: frontier, robots: options.robots });
  const judgeHop = createHopJudge(options.robots);
  const { duringPage, hold } = options;
  const handler = createPageHandler({ site, lane: frontier, duringPage, ...(hold && { hold }) });
  const next = createRefresh({ site, robots: options.robots });
  const adder = createAdder(frontier, handler.getSchema);

  /** Tells the browser what the page's requests are to be. */
  const equip = async (
    { profile, tab }: Lent,
    { request, session }: Attempt,
    { headers, onHop }: { headers: Record<string, string>; onHop: RequestRules['onHop'] },
  ) => {
    const version = tab.page.context().browser()?.version() ?? browser.version;
    const again = request.retryCount > 0;
    const [, , , cookies] = await Promise.all([
      tab.identify(userAgentOverride(headers, version, machine)),
      tab.requests.rule({
        url: request.url,
        loadAssets: options.loadAssets,
        onBlocked: options.onBlocked ?? (() => {}),
        // A try again must not get what the session has kept of the one before; so a browser's own reload says it.
        headers: { ...extraHeaders(headers), ...(again && { 'Cache-Control': 'max-age=0' }) },
        method: request.method,
        payload: request.payload,
        onHop,
      }),
      // Of the browser itself, whatever else there is to say: a tab that was used before may stand in one that stands still.
      tab.cdp.send('Target.getTargetInfo'),
      putCookies(profile.context, session, profile.cookies, { url: request.url, header: valueOf(headers, 'cookie') }),
    ]);
    profile.cookies = cookies;
  };

  const visitPage = async (attempt: Attempt): Promise<Visit> => {
    const { request, session } = attempt;
    const headers = options.headers(request, session);
    const way = await ways.choose(request, session);
    if (way) attempt.proxyInfo = way.info;
    // A request's own cookies are nobody else's.
    const alone = valueOf(headers, 'cookie') !== undefined;
    const { hostname } = new URL(request.url);
    const lent = await tabs.lend({ session, way, hostname, led: ledFrom(request), alone });
    const { tab, profile } = lent;
    const faultOf = (url: string) => (profile.exit ? ways.faultOf(way, profile.exit, url) : null);
    let fit = false;
    let forbidden: unknown = null;
    const onHop = async (url: string) =>
      judgeHop?.(url, request.url, request).catch((error: unknown) => {
        forbidden = error;
        throw error;
      });
    try {
      await ofBrowser(equip(lent, attempt, { headers, onHop: judgeHop ? onHop : null }));
      try {
        const seen = await visit(tab, {
          url: request.url,
          referer: valueOf(headers, 'referer'),
          rests,
          restKey: `${hostname} ${request.label ?? ''}`,
          waitFor: ruleOf(site.browser?.waitFor, request.label),
          prepare: ruleOf(site.browser?.prepare, request.label),
          onArrived() {
            // Of an http page, what its exit says in the proxy's place looks like an answer.
            if (faultOf(request.url) !== null) return;
            // A store that cannot be written fails the page's own commit.
            frontier.arrived(request).catch(() => {});
          },
          next: ({ response, ...document }) =>
            next({ request, answer: { ...response, url: tab.page.url() }, document: toDocument(document) }),
          faultOf,
          // A page's banner is in nobody's way if the helper trips over it.
          closeBanners: async () => closeBanners(tab.page).catch(() => {}),
        });
        if (forbidden !== null) throw forbidden;
        request.loadedUrl = tab.page.url();
        const needed = await neededRendering(tab.activity.answer, seen.html);
        if (needed !== undefined) frontier.flightOf(request).rendering(needed);
        fit = true;
        return seen;
      } catch (error) {
        throw forbidden ?? error;
      } finally {
        // Those of a refusal too: the next try is known by them.
        const cookies = await ofBrowser(takeCookies(profile.context, session, profile.cookies)).catch(() => null);
        if (cookies) profile.cookies = cookies;
      }
    } finally {
      // Nothing of the page is asked for any more, and the next one of its session need not wait for the handler.
      await tabs.giveBack(lent, fit);
    }
  };

  /** Crawlee would end the crawl for it. */
  function notStarted(error: Error): VerdictError {
    const said = options.redact(describeLaunchError(error));
    // One that has worked before may work again.
    const verdict = started || /timeout/i.test(said) ? 'transient' : 'fatal';
    return new VerdictError(verdict, `The browser ${browser.path} (${browser.source}) does not start: ${said}`);
  }

  return new BrowserLaneCrawler<Visit>(
    {
      // As in http-crawler.ts: any manager works as `requestQueue`.
      requestQueue: frontier as unknown as RequestQueue,
      requestHandler: () => {},
      errorHandler: ({ request, session }, error) => {
        if (handleError(request, error) === 'blocked' && !followed?.isBound(request)) session?.retire();
      },
      maxConcurrency: concurrency,
      autoscaledPoolOptions: {
        desiredConcurrency: concurrency,
        snapshotterOptions: { eventLoopSnapshotIntervalSecs: 2, maxBlockedMillis: 100 },
        // As in the HTTP lane: Crawlee looks at the whole machine's CPU.
        systemStatusOptions: { maxEventLoopOverloadedRatio: 0.7, maxCpuOverloadedRatio: 1 },
        maybeRunIntervalSecs: 0.05,
        loggingIntervalSecs: null,
      },
      sessionPoolOptions: {
        maxPoolSize: options.maxSessions ?? concurrency,
        blockedStatusCodes: [],
        persistStateKey: 'SESSIONS_BROWSER',
        ...(options.createSession && { createSessionFunction: options.createSession }),
      },
      statisticsOptions: { id: 'browser', persistenceOptions: { enable: false } },
      statusMessageLoggingInterval: 3_600,
      log,
    },
    {
      prepare: ({ request }) => enter(request),
      sessionOf: followed?.of,
      visit: visitPage,
      async handle({ request, session, log }, { response, ...seen }) {
        const own = followed && session ? followed.adder(adder, session) : adder;
        await handler.handle(request, (flight) => {
          const document = toDocument(seen);
          return pageOf({ request, document, response, tier: 'browser', log, adder: own }, site, flight);
        });
      },
      explain: nameBrowserError,
      settle: ({ request }) => handler.settle(request),
      close: () => tabs.close(),
    },
    { visitSecs: VISIT_SECS, handlerSecs: HANDLER_SECS },
  );
}

function toDocument({ html, encoding, $ }: Omit<Visit, 'response'>) {
  const read: Page['read'] = (declared) => readByTree($, declared);
  return { text: html, isMarkup: true, encoding, $, read };
}

function ruleOf<Rule>(
  byLabel: Readonly<Record<string, Rule | undefined>> | undefined,
  label: string | undefined,
): Rule | undefined {
  return label === undefined ? undefined : byLabel?.[label];
}
