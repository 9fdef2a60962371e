// One worker of `--workers`: the HTTP lane in a process of its own. It fetches, judges, parses and extracts; where it stands
// and what it finds is told to the main process (engine/workers.ts), and nothing is kept or decided here that must be one.
import { totalmem } from 'node:os';

import { createLadder, isClimbReason } from '../core/ladder.ts';
import type { Tier } from '../core/page.ts';
import { RENEW_MILLIS } from '../core/run-store.ts';
import type { FromWorker, Questions, ToWorker } from '../core/worker-messages.ts';
import { toWireError } from '../core/wire-error.ts';
import { crawlee } from '../crawlee.ts';
import type { Cookie } from '../fetch/cookie-file.ts';
import { createReach } from '../fetch/clients/reach.ts';
import { createHttpCrawler } from '../fetch/http-crawler.ts';
import { ledFrom } from '../fetch/hooks.ts';
import { keepRobots } from '../fetch/robots.ts';
import { RemoteFrontier } from '../frontier/remote.ts';
import type { Settings } from '../input/schema.ts';
import { loadSite } from '../load-site.ts';
import { createChannel, type Channel } from '../platform/channel.ts';
import { setUpLog } from '../platform/log.ts';
import { ProcessEvents } from '../platform/events.ts';
import { keepHeapSmall } from '../platform/heap.ts';
import { createRedactor } from '../platform/redact.ts';
import { startWatchdog } from '../platform/watchdog.ts';
import { gatherTraffic } from '../proxy/spend.ts';
import { forwardStorage } from '../storage/forwarding.ts';
import { stageDatasets } from '../storage/staging.ts';
import { toCommon } from './common.ts';
import { withConfiguration } from './configuration.ts';
import { openTierClients } from './tiers.ts';
import { chooseProxies } from './ways-out.ts';

/** All that a worker needs to know. Sent to it, as a command line and an environment can be read by others. */
export interface WorkerJob {
  readonly settings: Settings;
  /** Of the run: what it goes on with need not be what was asked for now. */
  readonly startUrls: readonly string[];
  /** The site's folder. */
  readonly site: string;
  readonly cookies: readonly Cookie[];
  /** What must not be shown. */
  readonly secrets: readonly string[];
  /** Names the run: sessions at a proxy are called by it. */
  readonly runId: string;
  readonly version: string;
  /** Its place among the workers, from 0; another one that takes it over goes on with its sessions. */
  readonly place: number;
}

/** The worker's way to the main process. */
export interface Port {
  send(batch: unknown): void;
  /** @param receive Takes what the main process sends, from now on. */
  listen(receive: (batch: unknown) => void): void;
}

/** Bytes and phases are told this often. */
const TRAFFIC_MILLIS = 100;
const PHASES_MILLIS = 200;

/** Works until the main process says that there is nothing left. */
export async function runWorker(job: WorkerJob, port: Port): Promise<void> {
  keepHeapSmall();
  const { settings } = job;
  const site = await loadSite(job.site);
  const redact = createRedactor(job.secrets);
  const proxies = chooseProxies(settings, site, job.runId);
  const watchdog = startWatchdog({
    stallMillis: settings.stallTimeout * 1_000,
    redact,
    wayOn: 'Another worker takes its place.',
    signals: false,
  });

  const channel: Channel<FromWorker, Questions> = createChannel<ToWorker, FromWorker, Questions>({
    send: (batch) => port.send(batch),
    onMessage(message) {
      if (message.type === 'fetch') frontier.assign(message.assignment);
      else if (message.type === 'tier-lost') loseTier(message.tier, message.why);
      else frontier.end();
    },
  });
  const hasBudget = settings.maxCost !== undefined || settings.maxProxyMb !== undefined;
  let crawler: ReturnType<typeof createHttpCrawler> | null = null;
  const frontier = new RemoteFrontier({
    site,
    post(message, withinMillis) {
      // Before the page's place is free, and before its answer can end this process: what was spent is known.
      if (hasBudget && (message.type === 'done' || message.type === 'again' || message.type === 'arrived')) tellTraffic();
      channel.post(message, withinMillis);
    },
    sent: channel.sent,
    ask: channel.ask,
    // Crawlee would look for it within 50 ms.
    onAssigned: () => void crawler?.autoscaledPool?.notify(),
  });

  const staging = stageDatasets(forwardStorage(async (call) => channel.ask('storage', call)));
  const config = new crawlee.Configuration({
    storageClient: staging.client,
    purgeOnStart: false,
    memoryMbytes: Math.round(totalmem() / 2 ** 20),
    persistStateIntervalMillis: RENEW_MILLIS,
  });
  config.useEventManager(new ProcessEvents(config));
  const traffic = gatherTraffic();
  const tellTraffic = () => {
    const news = traffic.take();
    if (news.length > 0) channel.post({ type: 'traffic', news });
  };

  // Only to climb by: where a page starts is for the main process to say.
  const ladder = createLadder({ tiers: settings.tiers });
  const lost = new Map<Tier, string>();
  const loseTier = (tier: Tier, why: string) => {
    lost.set(tier, why);
    ladder.without(tier);
  };
  /** @returns Whether it was the last one. */
  const tellTierLost = (tier: Tier, why: string): boolean => {
    const isLast = ladder.tiers.every((other) => other === tier);
    if (!lost.has(tier)) {
      loseTier(tier, why);
      channel.post({ type: 'tier-lost', tier, why });
    }
    return isLast;
  };
  const reach = createReach({ startUrls: job.startUrls, allowPrivate: settings.allowPrivate });
  const client = openTierClients({ settings, reach, waysOut: { ledger: traffic }, onTierLost: tellTierLost });

  const level = settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal';
  const log = setUpLog({ level, write: (line) => channel.post({ type: 'log', line: redact(line) }) });
  const open = () =>
    createHttpCrawler({
      ...toCommon({
        settings,
        site,
        proxies,
        cookies: job.cookies,
        version: job.version,
        robots: settings.ignoreRobots
          ? null
          : keepRobots(async (origin, page) =>
              channel.ask('robots', { origin, id: page?.id ?? '', from: page ? ledFrom(page) : null }),
            ),
        ways: {
          climb: (from, cause) => ladder.climb(from, cause),
          onProxyFault: (fault) => channel.post({ type: 'proxy-fault', fault: fault && toWireError(fault) }),
          onTierGone: tellTierLost,
          whyNoTier: (cause) => (isClimbReason(cause) ? [...lost.values()].join(' ') : ''),
        },
        modeOf: (label) => proxies?.modeOf(label) ?? 'none',
        duringPage: staging.duringPage,
        hold: watchdog.hold,
        redact,
        // It goes with the page, and is shown once that is on disk.
        onDeadLetter: () => {},
        log,
      }),
      frontier,
      client,
      // Of all workers together; the main process sends no more than that.
      concurrency: settings.concurrency,
      steady: true,
      sessions: { size: shareOf(settings, job.place), place: job.place },
    });

  const trafficTimer = setInterval(tellTraffic, TRAFFIC_MILLIS);
  const phasesTimer = setInterval(() => {
    const phases = frontier.phases();
    if (phases.length > 0) channel.post({ type: 'phases', phases });
  }, PHASES_MILLIS);
  await withConfiguration(config, async () => {
    // Here, or it would take Crawlee's own store.
    crawler = open();
    const events = config.getEventManager();
    await events.init();
    port.listen(channel.receive);
    channel.post({ type: 'ready' });
    await crawler.run();
    await events.close();
  });
  watchdog.stop();
  clearInterval(trafficTimer);
  clearInterval(phasesTimer);
  await client.close();
  tellTraffic();
  channel.flush();
}

/** As many sessions in all as without workers, at least one each. */
function shareOf({ concurrency, workers }: Settings, place: number): number {
  return Math.max(1, Math.floor(concurrency / workers) + (place < concurrency % workers ? 1 : 0));
}
