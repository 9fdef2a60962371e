// What goes along with a crawl that is an Actor's run: status messages, the live view, and what is done when the platform
// announces a migration or an abort.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Site } from '../core/site.ts';
import type { Engine } from '../engine/engine.ts';
import type { ActorRun } from '../input/load.ts';
import type { ActorHost } from '../platform/actor.ts';
import { startLiveView } from '../platform/live-view.ts';
import { redactData, type Redact } from '../platform/redact.ts';
import { askToStop } from '../platform/signals.ts';
import { toCount, toPages } from '../report/figures.ts';
import { formatSnapshot } from '../report/live.ts';
import { readProgress, slidingRate, toProgressLine } from '../report/progress.ts';

/** Between two status messages; each is a call of the API. */
const STATUS_MILLIS = 10_000;
/** How long pages in flight may take to finish. The platform waits for minutes at a migration, and not long at an abort. */
const DRAIN_MILLIS = { migrating: 15_000, aborting: 3_000 } as const;

export interface Company {
  attach(engine: Engine, site: Site): () => void;
  /** Pending from the moment that the platform takes the run away. */
  readonly leaving: Promise<void> | null;
  close(): void;
}

export interface CompanyOptions {
  host: ActorHost;
  run: ActorRun;
  redact: Redact;
  exitNow(code: number): void;
}

export async function accompany({ host, run, redact, exitNow }: CompanyOptions): Promise<Company> {
  let crawling: { engine: Engine; site: Site } | null = null;
  let leaving: Promise<void> | null = null;

  const text = async () =>
    crawling ? redact(formatSnapshot(await crawling.engine.frontier.snapshot(), Date.now())) : 'Nothing has begun yet.';
  const status = async () => {
    if (!crawling) return { phase: 'starting' };
    const { engine, site } = crawling;
    const phase = leaving ? 'leaving' : 'crawling';
    return redactData({ phase, site: site.name, failed: engine.frontier.failed, ...(await engine.frontier.snapshot()) }, redact);
  };
  const view =
    run.webServerPort === null
      ? null
      : await startLiveView({ port: run.webServerPort, host: run.atHome ? '0.0.0.0' : '127.0.0.1', text, status });

  const drain = async (event: keyof typeof DRAIN_MILLIS): Promise<void> => {
    // Its rows are journaled and its requests come back: what does not land in time is fetched again, and nothing is lost.
    askToStop();
    if (!crawling) return;
    const { engine } = crawling;
    await engine.save();
    const until = performance.now() + DRAIN_MILLIS[event];
    while (engine.frontier.inFlight > 0 && performance.now() < until) await sleep(50);
    await engine.save();
  };
  const progressOf = (engine: Engine): string => {
    const { handled, total } = engine.counts();
    return `${toCount(handled)} of ${toPages(total)} done`;
  };
  const leave = async (event: keyof typeof DRAIN_MILLIS): Promise<void> => {
    await drain(event);
    const done = crawling ? `${progressOf(crawling.engine)}. ` : '';
    if (event === 'aborting') {
      await host.say(`Aborted: ${done}Resurrect the run to go on.`, 'WARNING');
      exitNow(0);
    }
    await host.say(`Moving to another machine: ${done}The crawl goes on there.`);
    await host.restart();
    // Nothing is lost: it can be resurrected. To report success would be wrong.
    exitNow(1);
  };
  if (run.atHome) {
    host.on('persistState', () => crawling?.engine.save());
    // The platform's restart calls the listeners once more.
    for (const event of ['migrating', 'aborting'] as const) host.on(event, () => void (leaving ??= leave(event)));
  }

  return {
    attach(engine, site) {
      crawling = { engine, site };
      const { handled } = engine.counts();
      const rateAt = slidingRate(performance.now(), handled);
      let last = '';
      const timer = setInterval(() => {
        const counts = readProgress(engine.frontier, Date.now());
        const line = toProgressLine(counts, rateAt(performance.now(), counts.done));
        if (line !== last && !leaving) void host.say(line);
        last = line;
      }, STATUS_MILLIS).unref();
      return () => clearInterval(timer);
    },
    get leaving() {
      return leaving;
    },
    close() {
      view?.close();
    },
  };
}
