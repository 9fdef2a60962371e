// The composition root: one crawl from its settings to its exports, stage by stage.
import { Configuration } from '@crawlee/core';

import { SurefootError } from './core/errors.ts';
import type { DeadLetter } from './core/dead-letter.ts';
import { toMeta } from './core/meta.ts';
import { decideRun, describeRun, type RunInput, type RunRecord } from './core/run.ts';
import type { Site } from './core/site.ts';
import { startDemoSite, type DemoSite } from './demo/server.ts';
import { exportRows, publicSettings } from './commands/export.ts';
import { createHttpCrawler } from './fetch/http-crawler.ts';
import { atomicCheckpoint, plainCheckpoint } from './frontier/checkpoint.ts';
import { Frontier } from './frontier/frontier.ts';
import { openLaneQueue } from './frontier/lane-queue.ts';
import type { Settings } from './input/schema.ts';
import { loadSite } from './load-site.ts';
import { setUpLog } from './platform/log.ts';
import { listenForSignals, type Interruption } from './platform/signals.ts';
import { toCount } from './report/figures.ts';
import { describeInput, openingLine } from './report/opening.ts';
import { startProgress, type Progress } from './report/progress.ts';
import { formatSummary } from './report/summary.ts';
import { openStorage, type OpenStorage } from './storage/open.ts';
import { clearRun, readRun, writeRun } from './storage/run.ts';
import { acquireRunLock } from './storage/sqlite/lock.ts';
import { stageDatasets } from './storage/staging.ts';

/** Failures that are printed one by one; `status` and the exports have all of them. */
const FAILURES_PRINTED = 20;
/** The site whose start, when none is named, is the bundled demo. */
const DEMO_OF = 'hackernews';

/** What a crawl needs of the process it runs in. */
export interface Surroundings {
  /** Prints the result (stdout). */
  print(text: string): void;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

/** Crawls until all pages are done or a signal asks to stop.
 *  @returns The exit code: 0 all done, 2 done with failures, 130 or 143 interrupted.
 *  @throws {SurefootError} before anything is fetched: the folder is in use, the store cannot be used, another input. */
export async function crawl(settings: Settings, surroundings: Surroundings): Promise<number> {
  const { store, storageDir, fresh } = settings;
  const lock = store === 'memory' ? null : acquireRunLock(storageDir);
  let storage: OpenStorage | null = null;
  let demo: DemoSite | null = null;
  try {
    storage = openStorage({ store, storageDir, fresh });
    const { run, resumes, site } = await beginRun(settings, storage);
    if (run.input.startUrls.length === 0) demo = await startDemoSite({ port: run.demoPort ?? 0 });
    const begun: RunRecord = { ...run, demoPort: demo?.port ?? null };
    await writeRun(storage.client, begun);
    return await crawlRun({ settings, surroundings, storage, site, run: begun, resumes, demo });
  } finally {
    await demo?.close();
    storage?.close();
    lock?.release();
  }
}

/** Decides whether the last run goes on, and clears the store if not. */
async function beginRun(settings: Settings, storage: OpenStorage): Promise<{ run: RunRecord; resumes: boolean; site: Site }> {
  const { client } = storage;
  const previous = await readRun(client);
  const site = await loadSite(settings.site);
  const startUrls = settings.startUrls.length > 0 || site.name === DEMO_OF ? settings.startUrls : site.startUrls;
  if (startUrls.length === 0 && site.name !== DEMO_OF) {
    throw new SurefootError('input', `Site "${site.name}" has no start URLs of its own: name one on the command line.`);
  }
  const input: RunInput = { site: site.name, startUrls, maxRequests: settings.maxRequests ?? null };
  const decision = decideRun(previous, input, settings);
  switch (decision.kind) {
    case 'resume': {
      const resumed = decision.run.input.site;
      return { run: decision.run, resumes: true, site: resumed === site.name ? site : await loadSite(resumed) };
    }
    case 'start':
      await clearRun(client);
      return { run: { input, startedAt: new Date().toISOString(), finishedAt: null, demoPort: null }, resumes: false, site };
    case 'refuse':
      throw new SurefootError(
        'run',
        `${settings.storageDir} holds an unfinished crawl of ${describeInput(decision.run.input)}, begun ${decision.run.startedAt}, ` +
          `and this is another one, of ${describeInput(input)}. Go on with the unfinished one by --resume, discard it by --fresh, ` +
          'or keep both by another folder: --storage-dir DIR.',
      );
  }
}

interface RunContext {
  settings: Settings;
  surroundings: Surroundings;
  storage: OpenStorage;
  site: Site;
  run: RunRecord;
  resumes: boolean;
  demo: DemoSite | null;
}

async function crawlRun({ settings, surroundings, storage, site, run, resumes, demo }: RunContext): Promise<number> {
  const staging = stageDatasets(storage.client);
  const config = new Configuration({ storageClient: staging.client, purgeOnStart: false });
  // Inside, `Dataset.open()` and its like find this store without being handed it.
  return Configuration.storage.run(config, async () => {
    const queue = await openLaneQueue(config);
    const checkpoint = storage.atomic ? atomicCheckpoint(storage.atomic, queue) : plainCheckpoint(storage.client, queue);
    const frontier = new Frontier({ queue, checkpoint, site, maxRequests: run.input.maxRequests ?? undefined });
    // Also on a resume: a kill between the run's record and its first links left none, and known ones are skipped.
    await frontier.addRequestsBatched(demo ? [demo.url] : [...run.input.startUrls]);

    const { total, handled } = frontier.counts();
    const startedMillis = performance.now();
    const progress = startProgress({
      read: () => ({ done: frontier.counts().handled, known: frontier.counts().total, failed: frontier.failed }),
      quiet: settings.quiet,
    });
    if (!settings.quiet) progress.line(openingLine({ run, resumes, demoUrl: demo?.url ?? null, total, handled }));
    const level = settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal';
    const crawler = createHttpCrawler({
      site,
      frontier,
      concurrency: settings.concurrency,
      duringPage: staging.duringPage,
      onDeadLetter: failurePrinter(progress),
      log: setUpLog({ level, write: progress.line }),
    });

    const interruption = await runInterruptibly(() => crawler.run(), {
      stop: () => {
        frontier.stop();
        progress.line(`Finishing the ${frontier.inFlight} pages in flight. Once more to end at once.`);
      },
      endNow: ({ exitCode }) => {
        storage.atomic?.releaseAll();
        surroundings.exitNow(exitCode);
      },
    });
    progress.stop();

    if (interruption) {
      const counts = frontier.counts();
      progress.line(
        `Interrupted: ${toCount(counts.handled)} of ${toCount(counts.total)} pages done. Run the same command again to go on.`,
      );
      return interruption.exitCode;
    }
    const finished: RunRecord = { ...run, finishedAt: new Date().toISOString() };
    const meta = toMeta(describeRun(finished), checkpoint.tallies(), checkpoint.counts(), publicSettings(settings));
    const files = await exportRows(storage.client, { settings, site, meta });
    // Last: a run that is killed before its exports are there is resumed, finds nothing left to fetch, and writes them.
    await writeRun(storage.client, finished);
    const elapsedSeconds = (performance.now() - startedMillis) / 1_000;
    const pagesThisTime = checkpoint.counts().handled - handled;
    surroundings.print(formatSummary(meta, { exports: files, elapsedSeconds, pagesThisTime, colour: process.stdout.isTTY }));
    return meta.failed > 0 ? 2 : 0;
  });
}

/** Runs until the work is done or a signal ends it. */
async function runInterruptibly(
  work: () => Promise<unknown>,
  on: { stop(): void; endNow(interruption: Interruption): void },
): Promise<Interruption | null> {
  let interruption: Interruption | null = null;
  const signals = listenForSignals((first) => {
    interruption = first;
    on.stop();
  }, on.endNow);
  try {
    await work();
    return interruption;
  } finally {
    signals.stop();
  }
}

/** Prints the first failures, and then where the rest are. */
function failurePrinter(progress: Progress): (letter: DeadLetter) => void {
  let printed = 0;
  return ({ url, label, error, attempts }) => {
    printed++;
    if (printed <= FAILURES_PRINTED) progress.line(`Failed after ${attempts.length} attempts: ${label} ${url}: ${error}`);
    if (printed === FAILURES_PRINTED) progress.line('Further failures are not printed one by one; `status` shows them.');
  };
}
