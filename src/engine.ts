// Puts the stages of a crawl together: store, frontier, client and crawler, each made once and handed what it needs.
import { Configuration, type EventManager } from '@crawlee/core';

import type { QueueCounts, TallySum } from './core/checkpoint.ts';
import type { DeadLetter } from './core/dead-letter.ts';
import type { Site } from './core/site.ts';
import { createPlainClient } from './fetch/clients/plain.ts';
import type { Cookie } from './fetch/cookie-file.ts';
import { sessionsWithCookies } from './fetch/cookies.ts';
import { createHeaderPolicy } from './fetch/headers.ts';
import { toHeadered } from './fetch/hooks.ts';
import { createHttpCrawler, limitConcurrency } from './fetch/http-crawler.ts';
import { createRobots } from './fetch/robots.ts';
import { atomicCheckpoint } from './frontier/checkpoint.ts';
import { Frontier } from './frontier/frontier.ts';
import { openJournal, releaseLocks } from './frontier/journal.ts';
import { journaledCheckpoint } from './frontier/journaled-checkpoint.ts';
import { openLaneQueue } from './frontier/lane-queue.ts';
import { createPace } from './frontier/pace.ts';
import { readPlace, writePlace } from './frontier/place.ts';
import { plainCheckpoint } from './frontier/plain-checkpoint.ts';
import type { Settings } from './input/schema.ts';
import { setUpLog } from './platform/log.ts';
import type { OpenStorage } from './storage/open.ts';
import { stageDatasets } from './storage/staging.ts';

const SECOND = 1_000;
const MEBIBYTE = 1024 * 1024;
/** The key-value store of a run's state. */
const STATE = 'default';
/** The second pass has this part of the concurrency. */
const SECOND_PASS_SHARE = 4;

export interface EngineOptions {
  settings: Settings;
  storage: OpenStorage;
  site: Site;
  /** Pages that the crawl takes on at most, over all restarts. */
  maxRequests: number | undefined;
  cookies: readonly Cookie[];
  /** This program's version. */
  version: string;
  /** Takes secrets out of a text. */
  redact: (text: string) => string;
  /** Takes a line of Crawlee's log. */
  onLogLine: (line: string) => void;
  onDeadLetter: (letter: DeadLetter) => void;
  /** Told when requests that used up their tries are about to go round once more. */
  onSecondPass: (requests: number) => void;
  /** Where Crawlee hears of migrations and of when to save. @default events of this process */
  events?: EventManager | undefined;
}

/** A crawl that is ready to run. */
export interface Engine {
  readonly frontier: Frontier;
  counts(): QueueCounts;
  tallies(): TallySum[];
  /** Saves what a restart should know and the store does not. Over SQLite there is nothing. */
  save(): Promise<void>;
  /** Resolves when the frontier is finished or stopped and no page is in flight. */
  run(): Promise<void>;
}

/** Runs `work` with an engine. Inside, `Dataset.open()` and its like find the engine's store without being handed it. */
export async function withEngine<T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { settings, storage, site, redact } = options;
  const staging = stageDatasets(storage.client);
  const config = new Configuration({ storageClient: staging.client, purgeOnStart: false });
  if (options.events) config.useEventManager(options.events);
  return Configuration.storage.run(config, async () => {
    const level = settings.quiet ? 'quiet' : settings.verbose ? 'verbose' : 'normal';
    const log = setUpLog({ level, write: (line) => options.onLogLine(redact(line)) });

    const { client: store, cloud } = storage;
    // Before the queue is opened: the journal may mark requests of the process before this one.
    const journal = cloud ? await openJournal({ client: store, ...cloud, store: STATE }) : null;
    const place = cloud ? await readPlace(store, STATE) : null;
    const queue = await openLaneQueue(config);
    if (journal) await releaseLocks(store, queue.id);
    const journaled = journal && journaledCheckpoint({ client: store, journal, saved: place?.rests ?? [] }, queue);
    const checkpoint =
      journaled ?? (storage.atomic ? atomicCheckpoint(storage.atomic, queue) : plainCheckpoint(storage.client, queue));
    const limits = { hostConcurrency: settings.hostConcurrency, delayMillis: settings.delay };
    const pace = createPace(limits, Math.random, place?.pace);
    const frontier = new Frontier({
      queue,
      checkpoint,
      site,
      maxRequests: options.maxRequests,
      pace,
      secondPassDelayMillis: settings.secondPassDelay * SECOND,
      onDeadLetter: options.onDeadLetter,
      onSecondPass(requests) {
        limitConcurrency(crawler, Math.ceil(settings.concurrency / SECOND_PASS_SHARE));
        options.onSecondPass(requests);
      },
    });

    const client = createPlainClient({ maxBodyBytes: settings.maxBodyMb * MEBIBYTE });
    const { headers: mode, contact } = settings;
    const policy = createHeaderPolicy({ mode, ...(contact !== undefined && { contact }), version: options.version });
    const crawler = createHttpCrawler({
      site,
      frontier,
      client,
      concurrency: settings.concurrency,
      headers: (request, session) => policy({ request: toHeadered(request, site), sessionId: session?.id ?? '' }),
      robots: settings.ignoreRobots ? null : createRobots(client, (url) => policy({ request: { url }, sessionId: '' })),
      // A session that was logged in is retired by a refusal alone (fetch/http-crawler.ts), not for its age or after three
      // pages that are missing: no other one is logged in.
      createSession: sessionsWithCookies(
        options.cookies,
        options.cookies.length > 0 ? { maxUsageCount: 1e9, maxAgeSecs: 1e9, maxErrorScore: 1e9 } : {},
      ),
      duringPage: staging.duringPage,
      maxRetryAfterMillis: settings.maxRetryAfter * SECOND,
      secondPass: settings.secondPassDelay > 0,
      redact,
      onDeadLetter: options.onDeadLetter,
      log,
    });
    try {
      return await work({
        frontier,
        counts: () => checkpoint.counts(),
        tallies: () => checkpoint.tallies(),
        async save() {
          if (journaled) await writePlace(store, STATE, { pace: pace.memory(), rests: journaled.rests() });
        },
        run: async () => void (await (journal ? Promise.race([crawler.run(), journal.failure]) : crawler.run())),
      });
    } finally {
      await client.close();
    }
  });
}
