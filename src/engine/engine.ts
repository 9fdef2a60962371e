// Puts the stages of a crawl together: store, frontier, ladder, proxies, clients and both lanes' crawlers, each made once and
// handed what it needs.
import type { ChildProcess } from 'node:child_process';
import { totalmem } from 'node:os';

import type { EventManager } from '@crawlee/core';

import { createClock } from '../core/clock.ts';
import type { DeadLetter, PutOff } from '../core/dead-letter.ts';
import { createLadder, isClimbReason, type LadderMemory } from '../core/ladder.ts';
import type { Tier } from '../core/page.ts';
import type { TrafficSum } from '../core/proxy.ts';
import { RENEW_MILLIS, type Standing, type Totals } from '../core/run-store.ts';
import type { Site } from '../core/site.ts';
import { crawlee } from '../crawlee.ts';
import type { Cookie } from '../fetch/cookie-file.ts';
import { createReach } from '../fetch/clients/reach.ts';
import { createHttpCrawler, limitConcurrency } from '../fetch/http-crawler.ts';
import type { Ways } from '../fetch/outcome.ts';
import { openBrowserLane } from '../frontier/browser-lane.ts';
import { Frontier } from '../frontier/frontier.ts';
import type { FrontierOptions } from '../frontier/options.ts';
import { openLaneQueue } from '../frontier/lane-queue.ts';
import type { Settings } from '../input/schema.ts';
import { ProcessEvents } from '../platform/events.ts';
import { keepHeapSmall } from '../platform/heap.ts';
import { setUpLog } from '../platform/log.ts';
import type { Watchdog } from '../platform/watchdog.ts';
import type { ProxyProvider } from '../proxy/provider.ts';
import type { OpenStorage } from '../storage/open.ts';
import { readState, writeState } from '../storage/run.ts';
import { stageDatasets } from '../storage/staging.ts';
import { tendBrowserLane } from './browser-lane.ts';
import { openBrowserCrawler } from './browser.ts';
import { openRobots, toCommon } from './common.ts';
import { withConfiguration } from './configuration.ts';
import { openTierClients } from './tiers.ts';
import { openWaysOut } from './ways-out.ts';
import type { HttpLane } from './workers.ts';

const SECOND = 1_000;
/** The second pass has this part of the concurrency. */
const SECOND_PASS_SHARE = 4;
/** What a kill can take of sessions' cookies, of the traffic's figures and of the run's clock, where each save is paid for;
 *  RENEW_MILLIS elsewhere. */
const SAVE_PAID_EVERY_MILLIS = 30_000;

export interface EngineOptions {
  settings: Settings;
  /** Those of the run that a person has named: what it goes on with need not be what was asked for now. */
  startUrls: readonly string[];
  storage: OpenStorage;
  site: Site;
  proxies: ProxyProvider | null;
  /** Pages that the crawl takes on at most, over all restarts. */
  maxRequests: number | undefined;
  cookies: readonly Cookie[];
  /** This program's version. */
  version: string;
  /** PATH, where a browser is looked for. */
  searchPath: string;
  /** Workers that were started already (`--workers`). */
  forked: ChildProcess[];
  /** What must not be shown, for `redact` in the workers. */
  secrets: readonly string[];
  /** Names the run, for what lasts as long: a proxy's sessions. */
  runId: string;
  /** Takes secrets out of a text. */
  redact: (text: string) => string;
  /** Told which page may hold the event loop from now on. @default nobody is told */
  hold?: Watchdog['hold'];
  /** Takes a line of Crawlee's log. */
  onLogLine: (line: string) => void;
  /** Takes what a person should know. */
  say: (text: string) => void;
  onDeadLetter: (letter: DeadLetter) => void;
  /** Told of each attempt that is over. */
  onAttempt?: FrontierOptions['onAttempt'];
  /** Told of each attempt that failed and is to be repeated. */
  onAgain?: FrontierOptions['onAgain'];
  /** Told when requests that used up their tries are about to go round once more, and which of them was put off last. */
  onSecondPass: (requests: number, last: PutOff | null) => void;
  /** Where Crawlee hears of migrations and of when to save. @default events of this process */
  events?: EventManager | undefined;
}

/** A crawl that is ready to run. */
export interface Engine {
  readonly frontier: Frontier;
  counts(): Standing;
  totals(): Promise<Totals>;
  traffic(): TrafficSum[];
  /** Why the crawl stopped before its end, if it was not asked to: a budget, or a proxy that refuses. */
  readonly stopped: string | null;
  /** Saves what a restart should know and the store does not have yet. */
  save(): Promise<void>;
  /** Gives back what this process has claimed. */
  release(): Promise<void>;
  /** Resolves when the frontier is finished or stopped and no page is in flight. */
  run(): Promise<void>;
}

/** Runs `work` with an engine. Inside, `Dataset.open()` and its like find the engine's store without being handed it. */
export async function withEngine<T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { settings, storage, site, proxies, redact, say } = options;
  keepHeapSmall();
  const staging = stageDatasets(storage.client);
  const { client: records } = storage;
  const saveEveryMillis = storage.traits.paidWrites ? SAVE_PAID_EVERY_MILLIS : RENEW_MILLIS;
  const config = new crawlee.Configuration({
    storageClient: staging.client,
    purgeOnStart: false,
    // Without it Crawlee asks `ps` for the machine's; see platform/events.ts.
    memoryMbytes: Math.round(totalmem() / 2 ** 20),
    persistStateIntervalMillis: saveEveryMillis,
  });
  config.useEventManager(options.events ?? new ProcessEvents(config));
  return withConfiguration(config, async () => {
    const level = settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal';
    const log = setUpLog({ level, write: (line) => options.onLogLine(redact(line)) });

    let stopped: string | null = null;
    const spent = (await readState<TrafficSum[]>(records, 'TRAFFIC')) ?? [];
    const stop = (reason: string) => {
      if (stopped !== null) return;
      stopped = reason;
      frontier.stop();
      say(`${reason} Finishing the pages in flight.`);
    };
    const notBefore = (await readState<number>(records, 'CLOCK')) ?? 0;
    const clock = createClock({ machine: () => Date.now(), elapsed: () => performance.now(), notBefore });
    const { now } = clock;
    // Before anything waits: until when it does is by this clock.
    await writeState(records, 'CLOCK', now());
    const waysOut = openWaysOut({ provider: proxies, settings, spent, onStop: stop, now });
    const memory = (await readState<LadderMemory>(records, 'LADDER')) ?? undefined;
    const ladder = createLadder({ tiers: settings.tiers, pins: site.tier, memory });
    const lost = new Map<Tier, string>();
    /** @returns Whether it was the last one. */
    const loseTier = (tier: Tier, why: string): boolean => {
      const isLast = ladder.tiers.every((other) => other === tier);
      if (lost.has(tier)) return isLast;
      lost.set(tier, why);
      ladder.without(tier);
      http.loseTier(tier, why);
      // A plain client that nobody asked for would show the site this machine's own address.
      if (isLast) stop(`${why} --tiers has no other tier.`);
      else say(`${why} The crawl goes on without the tier ${tier}.`);
      return isLast;
    };
    const ways: Ways = {
      climb: (from, cause) => ladder.climb(from, cause),
      rendersInVain: (host, label) => ladder.rendersInVain(host, label),
      onProxyFault: waysOut.onFault,
      onTierGone: loseTier,
      whyNoTier: (cause) => (isClimbReason(cause) ? [...lost.values()].join(' ') : ''),
    };

    const store = await storage.openRun({
      limits: { hostConcurrency: settings.hostConcurrency, delayMillis: settings.delay },
      now,
      openQueue: () => openLaneQueue(config),
    });
    // A handler's `RequestQueue.open()` is bounded too.
    await openLaneQueue(config);
    const frontier: Frontier = await Frontier.open({
      store,
      site,
      maxRequests: options.maxRequests,
      hasGaps: settings.delay > 0,
      concurrency: settings.concurrency,
      ladder,
      clock,
      onArrived: waysOut.onAnswer,
      onBrowserNeeded() {
        if (!frontier.isStopped) tender.need();
      },
      // A store that cannot be written fails the pages' commits, with a better message; it must not end the process here.
      onLearnt: () => void writeState(records, 'LADDER', ladder.memory()).catch(() => {}),
      secondPassDelayMillis: settings.secondPassDelay * SECOND,
      onDeadLetter: options.onDeadLetter,
      onAttempt: options.onAttempt,
      onAgain: options.onAgain,
      onSecondPass(requests, last) {
        http.limit(Math.ceil(settings.concurrency / SECOND_PASS_SHARE));
        options.onSecondPass(requests, last);
      },
    });

    const reach = createReach({ startUrls: options.startUrls, allowPrivate: settings.allowPrivate });
    const client = openTierClients({ settings, reach, waysOut, onTierLost: loseTier });
    const robots = openRobots({ settings, client, proxies, modeOf: waysOut.modeOf, version: options.version });
    const { hold = () => () => {} } = options;
    const common = toCommon({ ...options, hold, robots, ways, modeOf: waysOut.modeOf, duringPage: staging.duringPage, log });
    const { concurrency } = settings;
    const http =
      settings.workers > 1
        ? (await import('./workers.ts')).openWorkers({
            count: settings.workers,
            forked: options.forked,
            job: {
              settings,
              startUrls: options.startUrls,
              site: site.name,
              cookies: options.cookies,
              secrets: options.secrets,
              runId: options.runId,
              version: options.version,
            },
            frontier,
            concurrency,
            storage: storage.client,
            robots,
            ledger: waysOut.ledger,
            onProxyFault: waysOut.onFault,
            onTierLost: loseTier,
            onDeadLetter: options.onDeadLetter,
            onLogLine: options.onLogLine,
            say,
          })
        : inThisProcess(createHttpCrawler({ ...common, frontier, client, concurrency }));
    const lane = openBrowserLane(frontier, { now });
    const tender = tendBrowserLane({
      frontier,
      lane,
      open: async () =>
        openBrowserCrawler({ ...common, frontier, lane, settings, waysOut, reach, say, searchPath: options.searchPath }),
      onLost: (why) => loseTier('browser', why),
      onDeadLetter: options.onDeadLetter,
    });

    const save = async () => {
      await writeState(records, 'CLOCK', now());
      await writeState(records, 'TRAFFIC', waysOut.ledger.sums());
      await store.renew();
    };
    const saving = setInterval(() => void save().catch(() => {}), saveEveryMillis).unref();
    // Before either crawler: the first to start would own the events, and end them for the other.
    const events = config.getEventManager();
    await events.init();
    try {
      return await work({
        frontier,
        counts: () => frontier.counts(),
        totals: () => store.totals(),
        release: () => store.release(),
        save,
        traffic: () => waysOut.ledger.sums(),
        get stopped() {
          // With what the pages in flight have added.
          return stopped === null ? null : (waysOut.ledger.limitReached() ?? stopped);
        },
        async run() {
          const reached = waysOut.ledger.limitReached();
          if (reached !== null) {
            stopped = reached;
            frontier.stop();
          }
          if (frontier.hasWork('browser') && !frontier.isStopped) tender.need();
          // What cannot be written any more must not be fetched either.
          await Promise.race([http.run(), store.failure]);
          await tender.ended();
        },
      });
    } finally {
      clearInterval(saving);
      http.close();
      await client.close();
      await waysOut.close();
      await save();
      await store.release();
      await events.close();
    }
  });
}

/** The HTTP lane as it is without workers. */
function inThisProcess(crawler: ReturnType<typeof createHttpCrawler>): HttpLane {
  return {
    async run() {
      await crawler.run();
    },
    limit: (concurrency) => limitConcurrency(crawler, concurrency),
    loseTier: () => {},
    close: () => {},
  };
}
