// Puts the stages of a crawl together: store, frontier, ladder, proxies, clients and both lanes' crawlers, each made once and
// handed what it needs.
import type { ChildProcess } from 'node:child_process';

import { Configuration } from '@crawlee/core';

import type { QueueCounts, TallySum } from '../core/checkpoint.ts';
import type { DeadLetter } from '../core/dead-letter.ts';
import { createLadder, type LadderMemory } from '../core/ladder.ts';
import type { Tier } from '../core/page.ts';
import type { TrafficSum } from '../core/proxy.ts';
import type { Site } from '../core/site.ts';
import type { Cookie } from '../fetch/cookie-file.ts';
import { createHttpCrawler, limitConcurrency } from '../fetch/http-crawler.ts';
import type { Ways } from '../fetch/outcome.ts';
import { openBrowserLane } from '../frontier/browser-lane.ts';
import { atomicCheckpoint } from '../frontier/checkpoint.ts';
import { Frontier } from '../frontier/frontier.ts';
import { openLaneQueue } from '../frontier/lane-queue.ts';
import { createPace } from '../frontier/pace.ts';
import { plainCheckpoint } from '../frontier/plain-checkpoint.ts';
import type { Settings } from '../input/schema.ts';
import { setUpLog } from '../platform/log.ts';
import type { ProxyProvider } from '../proxy/provider.ts';
import type { OpenStorage } from '../storage/open.ts';
import { readState, writeState } from '../storage/run.ts';
import { stageDatasets } from '../storage/staging.ts';
import { tendBrowserLane } from './browser-lane.ts';
import { openBrowserCrawler } from './browser.ts';
import { openRobots, toCommon } from './common.ts';
import { openTierClients } from './tiers.ts';
import { openWaysOut } from './ways-out.ts';
import { openWorkers, type HttpLane } from './workers.ts';

const SECOND = 1_000;
/** The second pass has this part of the concurrency. */
const SECOND_PASS_SHARE = 4;
/** What a kill can take of sessions' cookies and of the traffic's figures. */
const SAVE_EVERY_MILLIS = 2_000;
/** With workers. */
const SYSTEM_INFO_MILLIS = 5_000;

export interface EngineOptions {
  settings: Settings;
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
  /** Takes a line of Crawlee's log. */
  onLogLine: (line: string) => void;
  /** Takes what a person should know. */
  say: (text: string) => void;
  onDeadLetter: (letter: DeadLetter) => void;
  /** Told when requests that used up their tries are about to go round once more. */
  onSecondPass: (requests: number) => void;
}

/** A crawl that is ready to run. */
export interface Engine {
  readonly frontier: Frontier;
  counts(): QueueCounts;
  tallies(): TallySum[];
  counters(): Record<string, number>;
  traffic(): TrafficSum[];
  /** Why the crawl stopped before its end, if it was not asked to: a budget, or a proxy that refuses. */
  readonly stopped: string | null;
  /** Resolves when the frontier is finished or stopped and no page is in flight. */
  run(): Promise<void>;
}

/** Runs `work` with an engine. Inside, `Dataset.open()` and its like find the engine's store without being handed it. */
export async function withEngine<T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { settings, storage, site, proxies, redact, say } = options;
  const staging = stageDatasets(storage.client);
  const config = new Configuration({
    storageClient: staging.client,
    purgeOnStart: false,
    persistStateIntervalMillis: SAVE_EVERY_MILLIS,
    // Crawlee starts a `ps` each time, and only the browser's crawler goes by it here.
    ...(settings.workers > 1 && { systemInfoIntervalMillis: SYSTEM_INFO_MILLIS }),
  });
  return Configuration.storage.run(config, async () => {
    const level = settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal';
    const log = setUpLog({ level, write: (line) => options.onLogLine(redact(line)) });

    let stopped: string | null = null;
    const spent = (await readState<TrafficSum[]>(storage.client, 'TRAFFIC')) ?? [];
    const waysOut = openWaysOut({
      provider: proxies,
      settings,
      spent,
      onStop(reason) {
        if (stopped !== null) return;
        stopped = reason;
        frontier.stop();
        say(`${reason} Finishing the pages in flight.`);
      },
    });
    const memory = (await readState<LadderMemory>(storage.client, 'LADDER')) ?? undefined;
    const ladder = createLadder({ tiers: settings.tiers, pins: site.tier, memory });
    const lost = new Map<Tier, string>();
    const loseTier = (tier: Tier, why: string) => {
      if (lost.has(tier)) return;
      lost.set(tier, why);
      ladder.without(tier);
      http.loseTier(tier, why);
      say(`${why} The crawl goes on without the tier ${tier}.`);
    };
    const ways: Ways = {
      climb: (from, verdict) => ladder.climb(from, verdict),
      onProxyFault: waysOut.onFault,
      onTierGone: loseTier,
      whyNoTier: (verdict) => (verdict === 'needs-browser' || verdict === 'blocked' ? [...lost.values()].join(' ') : ''),
    };

    const queue = await openLaneQueue(config);
    const checkpoint = storage.atomic ? atomicCheckpoint(storage.atomic, queue) : plainCheckpoint(storage.client, queue);
    const frontier: Frontier = new Frontier({
      queue,
      checkpoint,
      site,
      maxRequests: options.maxRequests,
      pace: createPace({ hostConcurrency: settings.hostConcurrency, delayMillis: settings.delay }, Math.random),
      ladder,
      onBrowserNeeded: () => tender.need(),
      onLearnt: () => void writeState(storage.client, 'LADDER', ladder.memory()),
      secondPassDelayMillis: settings.secondPassDelay * SECOND,
      onDeadLetter: options.onDeadLetter,
      onSecondPass(requests) {
        http.limit(Math.ceil(settings.concurrency / SECOND_PASS_SHARE));
        options.onSecondPass(requests);
      },
    });

    const client = openTierClients({ settings, waysOut, onTierLost: loseTier });
    const robots = openRobots({ settings, client, proxies, version: options.version });
    const common = toCommon({ ...options, robots, ways, modeOf: waysOut.modeOf, duringPage: staging.duringPage, log });
    const { concurrency } = settings;
    const http =
      storage.atomic && settings.workers > 1
        ? openWorkers({
            count: settings.workers,
            forked: options.forked,
            job: {
              settings,
              site: site.name,
              cookies: options.cookies,
              secrets: options.secrets,
              runId: options.runId,
              version: options.version,
            },
            frontier,
            concurrency,
            storage: storage.atomic,
            robots,
            ledger: waysOut.ledger,
            onProxyFault: waysOut.onFault,
            onTierLost: loseTier,
            onDeadLetter: options.onDeadLetter,
            onLogLine: options.onLogLine,
            say,
          })
        : inThisProcess(createHttpCrawler({ ...common, frontier, client, concurrency }));
    const lane = openBrowserLane(frontier);
    const tender = tendBrowserLane({
      frontier,
      lane,
      open: async () => openBrowserCrawler({ ...common, frontier, lane, settings, waysOut, say, searchPath: options.searchPath }),
      onLost: (why) => loseTier('browser', why),
      onDeadLetter: options.onDeadLetter,
    });

    const save = () => writeState(storage.client, 'TRAFFIC', waysOut.ledger.sums());
    const saving = setInterval(() => void save().catch(() => {}), SAVE_EVERY_MILLIS).unref();
    // Before either crawler: the first to start would own the events, and end them for the other.
    const events = config.getEventManager();
    await events.init();
    try {
      return await work({
        frontier,
        counts: () => checkpoint.counts(),
        tallies: () => checkpoint.tallies(),
        counters: () => checkpoint.counters(),
        traffic: () => waysOut.ledger.sums(),
        get stopped() {
          return stopped;
        },
        async run() {
          const reached = waysOut.ledger.limitReached();
          if (reached !== null) {
            stopped = reached;
            frontier.stop();
          }
          if (frontier.hasWork('browser') && !frontier.isStopped) tender.need();
          await http.run();
          await tender.ended();
        },
      });
    } finally {
      clearInterval(saving);
      http.close();
      await client.close();
      await waysOut.close();
      await save();
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
