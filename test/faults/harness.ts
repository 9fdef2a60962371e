// A crawl put together as src/engine.ts does it, on a clock that leaps over every wait in which nothing is in flight: half an
// hour of Retry-After takes no time, and is still half an hour in what the servers saw.
import { Configuration, log, Request } from '@crawlee/core';
import type { Dictionary } from '@crawlee/types';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

import { attemptsOf, type Attempt } from '../../src/core/attempts.ts';
import type { DeadLetter } from '../../src/core/dead-letter.ts';
import { defineSite, type Site } from '../../src/core/site.ts';
import { createPlainClient, type PlainClientOptions } from '../../src/fetch/clients/plain.ts';
import { createHttpCrawler, limitConcurrency } from '../../src/fetch/http-crawler.ts';
import { createRobots } from '../../src/fetch/robots.ts';
import type { RunStore } from '../../src/core/run-store.ts';
import type { StorageClient } from '@crawlee/types';
import { Frontier } from '../../src/frontier/frontier.ts';
import { openLaneQueue } from '../../src/frontier/lane-queue.ts';
import { toRequestId } from '../../src/storage/sqlite/request-queue.ts';
import { stageDatasets } from '../../src/storage/staging.ts';
import { newFolder, openIn, type ClaimsStorage } from '../storage/sqlite/fixture.ts';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Called when the crawl waits for a time with nothing in flight. */
  leapTo(time: number): void;
}

/** @param speed How many times as fast as the real clock it runs between two leaps. */
export function leapingClock(speed = 1): Clock {
  let ahead = 0;
  const begin = Date.now();
  const now = () => begin + (Date.now() - begin) * speed + ahead;
  return { now, leapTo: (time) => void (ahead += Math.max(0, time - now())) };
}

export const realClock: Clock = { now: Date.now, leapTo: () => {} };

/** One row a page: its path and its title. */
export const pages: Site = defineSite({
  name: 'pages',
  startUrls: [],
  labelOf: () => 'PAGE',
  record: z.object({ url: z.string(), title: z.string() }),
  userData: { PAGE: z.object({}) },
  routes: { PAGE: async (page) => page.pushData({ url: page.request.url, title: page.$('title').text() }) },
});

interface CrawlOptions {
  urls: readonly string[];
  site?: Site;
  clock?: Clock;
  /** Of backoff and gaps, in [0, 1). */
  random?: () => number;
  concurrency?: number;
  hostConcurrency?: number;
  secondPassDelayMillis?: number;
  maxRetryAfterMillis?: number;
  maxRequests?: number;
  robots?: boolean;
  limits?: PlainClientOptions;
  storage?: Pick<ClaimsStorage, 'openRun'> & StorageClient;
  /** Called with the crawl as it begins to run. */
  onStart?: (frontier: Frontier) => void;
}

export interface Crawled {
  readonly letters: readonly DeadLetter[];
  readonly ends: Record<string, number>;
  readonly rows: Dictionary[];
  /** Of a URL: each attempt that failed, as it is stored. */
  attemptsAt(url: string): Promise<Attempt[]>;
  /** Requests that went round once more. */
  readonly secondPass: number;
}

/** Crawls to the end. */
export async function crawl(options: CrawlOptions): Promise<Crawled> {
  const { urls, site = pages, clock = leapingClock(), random = Math.random, storage = openIn(newFolder()) } = options;
  const { concurrency = 10, hostConcurrency = concurrency, secondPassDelayMillis = 60_000 } = options;
  const staging = stageDatasets(storage);
  const config = new Configuration({ storageClient: staging.client, purgeOnStart: false });
  const client = createPlainClient(options.limits);
  onTestFinished(() => client.close());
  const letters: DeadLetter[] = [];
  let secondPass = 0;
  log.setLevel(log.LEVELS.OFF);
  return Configuration.storage.run(config, async () => {
    const queue = await openLaneQueue(config);
    const limits = { hostConcurrency, delayMillis: 0 };
    const inner = await storage.openRun({ limits, random, now: () => clock.now() });
    const store = leaping(inner, clock, () => frontier.inFlight);
    const frontier: Frontier = await Frontier.open({
      store,
      site,
      maxRequests: options.maxRequests,
      secondPassDelayMillis,
      onSecondPass(requests) {
        secondPass += requests;
        limitConcurrency(crawler, Math.ceil(concurrency / 4));
      },
      clock: { now: () => clock.now(), toRun: (time) => time, toMachine: (time) => time },
    });
    await frontier.addRequestsBatched([...urls]);
    const crawler = createHttpCrawler({
      site,
      frontier,
      client,
      concurrency,
      headers: () => ({}),
      robots: options.robots ? createRobots({ client, headers: () => ({}) }) : null,
      duringPage: staging.duringPage,
      maxRetryAfterMillis: options.maxRetryAfterMillis ?? 1_800_000,
      secondPass: secondPassDelayMillis > 0,
      redact: (text) => text,
      onDeadLetter: (letter) => letters.push(letter),
      now: () => clock.now(),
      random,
      log,
    });
    options.onStart?.(frontier);
    await crawler.run();
    const ends: Record<string, number> = {};
    for (const { end, pages: count } of (await store.totals()).tallies) ends[end] = (ends[end] ?? 0) + count;
    const { id } = await storage.datasets().getOrCreate('default');
    const rows: Dictionary[] = [];
    for await (const row of storage.dataset(id).listItems()) rows.push(row);
    return {
      letters,
      ends,
      rows,
      secondPass,
      async attemptsAt(url) {
        const stored = await storage.requestQueue(queue.id).getRequest(toRequestId(new Request({ url }).uniqueKey));
        return attemptsOf({ errorMessages: (stored?.errorMessages as string[] | undefined) ?? [] });
      },
    };
  });
}

/** A store that tells the clock when there is nothing to do but wait. */
function leaping(store: RunStore, clock: Clock, inFlight: () => number): RunStore {
  return {
    ...store,
    async claim(want) {
      // What lands while this claim is made has the frontier look again at once.
      const idle = inFlight() === 0;
      const claims = await store.claim(want);
      // Without a time to wait for, the frontier looks again in a second at most.
      if (claims.pages.length === 0 && idle) clock.leapTo(clock.now() + (claims.wakesIn ?? 1_000));
      return claims;
    },
    async startSecondPass(afterMillis) {
      const requests = await store.startSecondPass(afterMillis);
      if (requests > 0) clock.leapTo(clock.now() + afterMillis);
      return requests;
    },
  };
}
