// The browser lane: Crawlee's PlaywrightCrawler beside the HTTP lane, with the same frontier, headers, verdicts and handlers.
// Playwright is loaded here and nowhere else, and only when this is called.
import type { IRequestManager, Log, ProxyConfiguration, Request, RequestQueue, SessionPoolOptions } from '@crawlee/cheerio';
import type { PlaywrightCrawler, PlaywrightCrawlingContext } from '@crawlee/playwright';

import type { Page } from '../core/page.ts';
import type { ProxyMode } from '../core/proxy.ts';
import type { Site } from '../core/site.ts';
import { VerdictError, type Verdict } from '../core/verdict.ts';
import type { BlockedKind } from './browser/assets.ts';
import { putCookies, takeCookies } from './browser/cookies.ts';
import { createExits } from './browser/exits.ts';
import type { FoundBrowser } from './browser/find-browser.ts';
import { extraHeaders, userAgentOverride, valueOf } from './browser/identity.ts';
import { createLauncher, describeLaunchError, maySandbox, type BrowserKind } from './browser/launcher.ts';
import { loadBrowserCrawler } from './browser/load-crawler.ts';
import { nameBrowserError } from './browser/net-errors.ts';
import { ruleRequests, type RequestRules } from './browser/requests.ts';
import { neededRendering } from './browser/rendering.ts';
import { openTab, type Tab } from './browser/tab.ts';
import { visit, type Visit } from './browser/visit.ts';
import { ofBrowser } from './browser/waits.ts';
import type { Reach } from './clients/reach.ts';
import { readByTree } from './fields/tree.ts';
import { createPageHandler, type PageHandlerOptions } from './handler.ts';
import { createEntry, createHopJudge, type Preparation } from './hooks.ts';
import { createAdder } from './links/adding.ts';
import { pageOf, type PageFlight } from './page.ts';

/** What the crawler needs of the frontier besides Crawlee's own `IRequestManager`. */
export interface BrowserLane extends Pick<Preparation['lane'], 'setDelay'>, Pick<IRequestManager, 'addRequestsBatched'> {
  /** Says that the answer to a request has begun to arrive. */
  arrived(request: Request): Promise<void>;
  flightOf(request: Request): PageFlight & {
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
  duringPage: PageHandlerOptions['duringPage'];
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
/** A browser grows with each page. */
const PAGES_A_BROWSER = 100;
const IDLE_SECS = 30;

/** Creates the lane's crawler. `run()` ends when the frontier is finished or stopped; a browser is started for the first page,
 *  and stopped when there has been none for half a minute.
 *  @throws {SurefootError} kind `input`: Patchright is wanted and not installed. */
export async function createBrowserCrawler(options: BrowserCrawlerOptions): Promise<PlaywrightCrawler> {
  const { site, frontier, concurrency, handleError, log, browser, kind } = options;
  const machine = { platform: process.platform, arch: process.arch };
  const { BrowserLaneCrawler } = await loadBrowserCrawler();
  const launcher = await createLauncher({ kind, browser, machine, sandbox: options.sandbox ?? maySandbox() });
  const enter = createEntry({ lane: frontier, robots: options.robots });
  const judgeHop = createHopJudge(options.robots);
  const handler = createPageHandler({ site, lane: frontier, duringPage: options.duringPage });
  const adder = createAdder(frontier, handler.getSchema);
  const exits = createExits(options);
  const visits = new WeakMap<PlaywrightCrawlingContext, Visit>();
  let started = false;

  /** Tells the browser what the page's requests are to be. @returns The cookies that it holds now. */
  const equip = async (
    tab: Tab,
    { id, request, session }: PlaywrightCrawlingContext,
    { headers, onHop }: { headers: Record<string, string>; onHop: RequestRules['onHop'] },
  ) => {
    const { page, cdp } = tab;
    exits.locate(id, async () => (await cdp.send('Target.getTargetInfo')).targetInfo.url);
    const version = page.context().browser()?.version() ?? browser.version;
    await cdp.send('Emulation.setUserAgentOverride', userAgentOverride(headers, version, machine));
    await ruleRequests(tab, {
      url: request.url,
      loadAssets: options.loadAssets,
      onBlocked: options.onBlocked ?? (() => {}),
      headers: extraHeaders(headers),
      method: request.method,
      payload: request.payload,
      onHop,
    });
    return putCookies(page.context(), session, { url: request.url, header: valueOf(headers, 'cookie') });
  };

  const visitPage = async (context: PlaywrightCrawlingContext) => {
    const { page, request, session } = context;
    const headers = options.headers(request, session);
    const tab = await openTab(page);
    const { activity } = tab;
    let forbidden: unknown = null;
    const onHop = async (url: string) =>
      judgeHop?.(url, request.url, request).catch((error: unknown) => {
        forbidden = error;
        throw error;
      });
    const cookies = await ofBrowser(equip(tab, context, { headers, onHop: judgeHop ? onHop : null }));
    try {
      const seen = await visit(tab, {
        url: request.url,
        referer: valueOf(headers, 'referer'),
        waitFor: ruleOf(site.browser?.waitFor, request.label),
        prepare: ruleOf(site.browser?.prepare, request.label),
        onArrived() {
          // Of an http page, what its exit says in the proxy's place looks like an answer.
          if (exits.faultOf(context.id, request.url) !== null) return;
          // A store that cannot be written fails the page's own commit.
          frontier.arrived(request).catch(() => {});
        },
        faultOf: (url) => exits.faultOf(context.id, url),
        // A page's banner is in nobody's way if the helper trips over it.
        closeBanners: () => context.closeCookieModals().catch(() => {}),
      });
      if (forbidden !== null) throw forbidden;
      const needed = await neededRendering(activity.answer, seen.html);
      if (needed !== undefined) frontier.flightOf(request).rendering(needed);
      visits.set(context, seen);
    } catch (error) {
      throw forbidden ?? error;
    } finally {
      // Those of a refusal too: the next try is known by them.
      await ofBrowser(takeCookies(page.context(), session, cookies)).catch(() => {});
    }
    return activity.answer;
  };

  const handle = async (context: PlaywrightCrawlingContext) => {
    const { html, $, response } = visits.get(context) as Visit;
    const { request, log } = context;
    await handler.handle(request, (flight) => {
      const read: Page['read'] = (declared) => readByTree($, declared);
      const document = { text: html, isMarkup: true, encoding: 'utf-8', $, read };
      return pageOf({ request, document, response, tier: 'browser', log, adder }, site, flight);
    });
  };

  const crawler = new BrowserLaneCrawler(
    {
      // As in http-crawler.ts: any manager works as `requestQueue`.
      requestQueue: frontier as unknown as RequestQueue,
      requestHandler: handle,
      errorHandler: ({ request, session }, error) => {
        if (handleError(request, error) === 'blocked') session?.retire();
      },
      launchContext: { launcher, useIncognitoPages: true },
      browserPoolOptions: {
        // A made-up fingerprint contradicts the engine below it, and Patchright wants none.
        useFingerprints: false,
        maxOpenPagesPerBrowser: concurrency,
        retireBrowserAfterPageCount: PAGES_A_BROWSER,
        retireInactiveBrowserAfterSecs: IDLE_SECS,
        operationTimeoutSecs: 60,
        postLaunchHooks: [
          () => {
            started = true;
          },
        ],
        prePageCreateHooks: [
          async (pageId, controller, pageOptions) => {
            // Crawlee spreads the launch's options over each context; a proxy among them would be everybody's.
            delete controller.launchContext.launchOptions?.proxy;
            const context = crawler.contextOf(pageId);
            Object.assign(pageOptions ?? {}, { acceptDownloads: false }, context && (await exits.open(context)));
          },
        ],
      },
      navigationTimeoutSecs: VISIT_SECS,
      requestHandlerTimeoutSecs: HANDLER_SECS,
      maxConcurrency: concurrency,
      autoscaledPoolOptions: {
        desiredConcurrency: concurrency,
        snapshotterOptions: { eventLoopSnapshotIntervalSecs: 2, maxBlockedMillis: 100 },
        // As in the HTTP lane: Crawlee looks at the whole machine's CPU.
        systemStatusOptions: { maxEventLoopOverloadedRatio: 0.7, maxCpuOverloadedRatio: 1 },
        maybeRunIntervalSecs: 0.05,
        loggingIntervalSecs: null,
      },
      persistCookiesPerSession: false,
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
      visit: visitPage,
      explain: (error) => (isLaunchError(error) ? notStarted(error) : nameBrowserError(error)),
      settle: ({ request }) => handler.settle(request),
      end: ({ id }) => exits.close(id),
    },
  );

  /** Crawlee would end the crawl for it. */
  function notStarted(error: Error): VerdictError {
    const said = options.redact(describeLaunchError(error));
    // One that has worked before may work again.
    const verdict = started || /timeout/i.test(said) ? 'transient' : 'fatal';
    return new VerdictError(verdict, `The browser ${browser.path} (${browser.source}) does not start: ${said}`);
  }

  return crawler;
}

function ruleOf<Rule>(
  byLabel: Readonly<Record<string, Rule | undefined>> | undefined,
  label: string | undefined,
): Rule | undefined {
  return label === undefined ? undefined : byLabel?.[label];
}

function isLaunchError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'BrowserLaunchError';
}
