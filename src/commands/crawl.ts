// The composition root: one crawl from its settings to its exports, stage by stage.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { EventManager } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { PutOff } from '../core/dead-letter.ts';
import { mergedLine } from '../core/identity.ts';
import { toMeta, type RunMeta } from '../core/meta.ts';
import { describeRun, type RunRecord } from '../core/run.ts';
import type { Tier } from '../core/page.ts';
import type { Site } from '../core/site.ts';
import type { DemoSite } from '../demo/server.ts';
import { countRows, exportDir, exportRows, publicSettings } from '../engine/exports.ts';
import { beginRun } from '../engine/begin-run.ts';
import { withEngine, type Engine } from '../engine/engine.ts';
import { chooseProxies } from '../engine/ways-out.ts';
import { assertExportDir } from '../export/files.ts';
import { readCookieFile, type Cookie } from '../fetch/cookie-file.ts';
import { secretValues } from '../fetch/cookies.ts';
import { findJsonError } from '../input/json-error.ts';
import type { Settings } from '../input/schema.ts';
import type { ProxyProvider } from '../proxy/provider.ts';
import { toVisible } from '../core/visible.ts';
import { loadSite } from '../load-site.ts';
import { redactData, type Redactor } from '../platform/redact.ts';
import { runInterruptibly } from '../platform/signals.ts';
import { watch } from '../platform/watch.ts';
import { startWatchdog } from '../platform/watchdog.ts';
import { attemptLine, type EndedAttempt } from '../report/attempts.ts';
import { failurePrinter, goneLine, handlerErrorPrinter, secondPassLine } from '../report/failures.ts';
import { toCount, toPages } from '../report/figures.ts';
import { openingLine } from '../report/opening.ts';
import { formatSnapshot } from '../report/live.ts';
import { readProgress, startProgress } from '../report/progress.ts';
import { formatSummary } from '../report/summary.ts';
import { openStorage, type OpenStorage } from '../storage/open.ts';
import { writeRun, writeSnapshot } from '../storage/run.ts';
import { acquireRunLock } from '../storage/sqlite/lock.ts';

const SECOND = 1_000;
/** How long a process that is to end at once tries to give back what it holds. */
const LAST_MILLIS = 500;

/** What a crawl needs of the process it runs in. */
export interface Surroundings {
  /** This program's version. */
  readonly version: string;
  /** PATH. */
  readonly searchPath: string;
  /** Workers that were started before this was loaded. */
  readonly forked: ChildProcess[];
  /** Told of each secret that the crawl reads; the process's last words go by it too. */
  readonly redactor: Redactor;
  /** Prints the result (stdout). */
  print(text: string): void;
  /** Whether what is printed may have colours. */
  readonly colour: boolean;
  /** Ends the process at once. */
  exitNow(code: number): void;
  /** Set when this is the run of an Actor. */
  readonly actor?: ActorSide;
}

/** What a crawl has to do with the Actor that it is the run of. */
export interface ActorSide {
  /** How a run is continued that has not come to its end. */
  readonly wayOn: string;
  /** The platform's store; null for that of the settings. */
  readonly storage: OpenStorage | null;
  /** The platform's events; undefined for this process's own. */
  readonly events: EventManager | undefined;
  /** Which start URLs a person has named: others stand in a list that was fetched. */
  readonly namedAmong: (startUrls: readonly string[]) => readonly string[];
  /** Told when the crawl begins. @returns What is called when it is over. */
  attach(engine: Engine, site: Site): () => void;
  /** Takes the results of a finished crawl: the files that were written, and the store with the rows. */
  publish(results: { client: StorageClient; meta: RunMeta; files: readonly string[] }): Promise<void>;
}

/** The exit code of a crawl that stopped before its end without being asked to: a budget is used up, or the proxy refuses.
 *  docs/decisions/008-exit-code-3.md */
export const STOPPED = 3;

/** How a run goes on that has not come to its end. */
export const RUN_AGAIN = 'Run the same command again to go on.';

/** Crawls until all pages are done or a signal asks to stop.
 *  @returns The exit code: 0 all done, 2 done with failures, 3 stopped by a budget or a proxy, 129, 130 or 143 interrupted.
 *  @throws {SurefootError} before anything is fetched: the folder is in use, the store cannot be used, another input. */
export async function crawl(settings: Settings, surroundings: Surroundings): Promise<number> {
  const { store, storageDir, fresh } = settings;
  // Before anything is written: a file that is no good is bad input, and so is a proxy that cannot be.
  const cookies =
    settings.cookies === undefined ? [] : readCookieFile(settings.cookies, { now: Date.now(), findJsonError }).cookies;
  const secrets = [...secretValues(cookies), ...secretsOf(settings)];
  surroundings.redactor.learn(secrets);
  const named = await loadSite(settings.site);
  chooseProxies(settings, named, '');
  if (settings.out !== undefined) assertExportDir(settings.out);
  assertPins(named, settings.tiers);
  if (settings.browserPath !== undefined && !existsSync(settings.browserPath)) {
    throw new SurefootError('input', `--browser-path names ${settings.browserPath}, which is not there.`);
  }
  const lock = store === 'memory' ? null : acquireRunLock(storageDir);
  let storage: OpenStorage | null = null;
  let demo: DemoSite | null = null;
  try {
    // By default in the storage folder: of that, the lock has said what is wrong.
    if (settings.out === undefined) assertExportDir(exportDir(settings));
    storage = surroundings.actor?.storage ?? openStorage({ store, storageDir, fresh });
    const { run, resumes, site } = await beginRun(settings, named, storage, surroundings.actor !== undefined);
    if (run.input.startUrls.length === 0) {
      demo = await import('../demo/server.ts').then((site) => site.startDemoSite({ port: run.demoPort ?? 0, ladder: true }));
    }
    const begun: RunRecord = { ...run, demoPort: demo?.port ?? null, settings: settingsOf(run, settings) };
    await writeRun(storage.client, begun);
    // What the last process was doing is over.
    if (resumes && !storage.traits.paidWrites) await writeSnapshot(storage.client, null);
    const proxies = chooseProxies(settings, site, run.startedAt);
    if (proxies) {
      surroundings.redactor.learn(proxies.secrets);
      secrets.push(...proxies.secrets);
    }
    return await crawlRun({ settings, surroundings, storage, site, proxies, run: begun, resumes, demo, cookies, secrets });
  } finally {
    await demo?.close();
    await storage?.close();
    lock?.release();
  }
}

/** A pin to a tier that is not to be used would send its pages somewhere else, be it to one that costs money. */
function assertPins({ name, tier = {} }: Site, tiers: readonly Tier[]): void {
  for (const [label, pin] of Object.entries(tier)) {
    if (pin === undefined || tiers.includes(pin)) continue;
    const given = tiers.join(',');
    throw new SurefootError(
      'input',
      `Site "${name}" fetches ${label} by tier ${pin}, which is not among --tiers ${given}. Add it.`,
    );
  }
}

interface RunContext {
  settings: Settings;
  surroundings: Surroundings;
  storage: OpenStorage;
  site: Site;
  proxies: ProxyProvider | null;
  run: RunRecord;
  resumes: boolean;
  demo: DemoSite | null;
  cookies: readonly Cookie[];
  secrets: readonly string[];
}

async function crawlRun(context: RunContext): Promise<number> {
  const { settings, surroundings, storage, site, proxies, run, resumes, demo, cookies, secrets } = context;
  const { redact } = surroundings.redactor;
  const startUrls = demo ? [demo.url] : [...run.input.startUrls];
  const shown = (text: string) => toVisible(redact(text));
  let say = (text: string): void => void process.stderr.write(`${shown(text)}\n`);
  const isKept = settings.store !== 'memory';
  const next = isKept ? (surroundings.actor?.wayOn ?? RUN_AGAIN) : 'Nothing of it is kept (--store memory).';
  const watchdog = startWatchdog({
    stallMillis: settings.stallTimeout * SECOND,
    redact,
    wayOn: storage.traits.countsDeaths ? `${next} A page that ends three processes is given up.` : next,
    signals: true,
  });
  const options = {
    settings,
    startUrls: surroundings.actor?.namedAmong(startUrls) ?? startUrls,
    hold: watchdog.hold,
    storage,
    site,
    proxies,
    say: (text: string) => say(text),
    maxRequests: run.input.maxRequests ?? undefined,
    cookies,
    version: surroundings.version,
    searchPath: surroundings.searchPath,
    forked: surroundings.forked,
    secrets,
    runId: run.startedAt,
    redact,
    onLogLine: (line: string) => say(line),
    onDeadLetter: failurePrinter((line) => say(line)),
    // With --verbose, each attempt is told as it is.
    ...(settings.verbose
      ? { onAttempt: (attempt: EndedAttempt) => say(attemptLine(attempt)) }
      : { onAgain: handlerErrorPrinter((line) => say(line)) }),
    events: surroundings.actor?.events,
    onSecondPass: (requests: number, last: PutOff | null) => say(secondPassLine(requests, last, settings.secondPassDelay)),
  };
  return withEngine(options, async (engine) => {
    const { frontier } = engine;
    // Also on a resume: a kill between the run's record and its first links left none, and known ones are skipped.
    await frontier.addRequestsBatched(startUrls);

    const { total, handled } = engine.counts();
    const startedMillis = performance.now();
    const progress = startProgress({
      read: () => readProgress(frontier, Date.now()),
      quiet: settings.quiet,
    });
    say = (text) => progress.line(shown(text));
    if (!settings.quiet)
      say(openingLine({ run, resumes, demoUrl: demo?.url ?? null, total, handled, proxies: proxies?.describe() ?? null }));
    const merged = mergedLine(run.input.startUrls, site.fragments);
    if (merged !== null) say(merged);
    let isThere = true;
    const watching = watch({
      progress: () => frontier.landed,
      snapshot: () => frontier.snapshot(),
      // On the platform the live view shows it, and each write costs money.
      keep: async (snapshot) => {
        if (isThere && !storage.isThere()) {
          isThere = false;
          say(goneLine(settings.storageDir));
        }
        if (!storage.traits.paidWrites) await writeSnapshot(storage.client, redactData(snapshot, redact));
      },
      show(snapshot, stalledSeconds) {
        if (stalledSeconds !== null) say(`No progress for ${stalledSeconds} s. This is what the crawl is waiting for:`);
        for (const line of formatSnapshot(snapshot, Date.now()).split('\n')) say(line);
      },
      stallMillis: settings.stallTimeout * SECOND,
    });
    const detach = surroundings.actor?.attach(engine, site);
    const interruption = await runInterruptibly(() => engine.run(), {
      stop() {
        frontier.stop();
        const { inFlight } = frontier;
        say(
          inFlight === 0
            ? 'Ending: no page is in flight.'
            : `Finishing ${toPages(inFlight)} in flight. Once more to end at once.`,
        );
      },
      endNow({ exitCode }) {
        // In the last moments of a process nothing is waited for long.
        const patience = sleep(LAST_MILLIS, undefined, { ref: false });
        void Promise.race([engine.release(), patience])
          .catch(() => {})
          .finally(() => surroundings.exitNow(exitCode));
      },
    });
    watching.stop();
    progress.stop();
    detach?.();

    const counts = engine.counts();
    if (interruption) {
      say(`Interrupted: ${toCount(counts.handled)} of ${toCount(counts.total)} pages done. ${next}`);
      return interruption.exitCode;
    }
    // One whose last page has used the budget up is done all the same.
    if (engine.stopped !== null && counts.handled < counts.total) {
      say(`Stopped: ${toCount(counts.handled)} of ${toCount(counts.total)} pages done. ${engine.stopped}`);
      say(isKept ? `Nothing is lost; that has to be mended first. ${next}` : next);
      return STOPPED;
    }
    const finished: RunRecord = { ...run, finishedAt: new Date().toISOString() };
    const totals = await engine.totals();
    const used = { counters: totals.counters, traffic: engine.traffic(), pricePerGb: settings.pricePerGb };
    const meta = redactData(toMeta(describeRun(finished), totals.tallies, totals, run.settings ?? {}, used), redact);
    // The platform's listings may be behind.
    await sleep(storage.traits.lagMillis);
    const exports = await exportRows(storage.client, { settings, site, meta, redact });
    await surroundings.actor?.publish({ client: storage.client, meta, files: exports });
    // Last: a run that is killed before its exports are there is resumed, finds nothing left to fetch, and writes them.
    await writeRun(storage.client, finished);
    const elapsedSeconds = (performance.now() - startedMillis) / SECOND;
    const pagesThisTime = counts.handled - handled;
    const rows = await countRows(storage.client);
    const canRetry = storage.traits.countsDeaths;
    surroundings.print(
      formatSummary(meta, { rows, exports, elapsedSeconds, pagesThisTime, canRetry, colour: surroundings.colour }),
    );
    return meta.failed > 0 ? 2 : 0;
  }).finally(() => watchdog.stop());
}

/** What is told of how a run is crawled. After --resume, what makes the run is its own, whatever was asked for. */
function settingsOf({ input }: RunRecord, settings: Settings): Record<string, unknown> {
  return { ...publicSettings(settings), ...input };
}

/** Values of settings that must not be shown. */
function secretsOf({ decodoPass, unblockerPass, apiToken, proxyUrls }: Settings): string[] {
  return [decodoPass, unblockerPass, apiToken, ...proxyUrls].filter((secret) => secret !== undefined);
}
