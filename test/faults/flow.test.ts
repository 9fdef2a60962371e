// Hosts beside each other, in real time: one that rests, or is slow, takes nothing from the others, and waiting costs nothing.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { newFolder, OPEN, openIn, queueWith, type ClaimsStorage } from '../storage/sqlite/fixture.ts';
import { crawl, realClock } from './harness.ts';
import { sendPage, serve } from './serve.ts';

const urlsOf = (origin: string, count: number) => Array.from({ length: count }, (_, page) => `${origin}/${page}`);

describe('while 50 requests of one host wait for a Retry-After of 5 s', () => {
  const SLOTS = 50;
  const PAGES = 300;
  /** Not all alike, or they would all end at once and begin at once. */
  const pageMillis = (page: number) => 400 + (page % 10) * 20;
  const RETRY_AFTER_MILLIS = 5_000;

  it('all slots work for another host, and none is held by those that wait', async () => {
    const asked: number[] = [];
    const resting = await serve((_, response) => {
      asked.push(performance.now());
      if (performance.now() > (asked[0] as number) + RETRY_AFTER_MILLIS - 500) return sendPage(response, 'back');
      response.writeHead(429, { 'retry-after': '5' }).end('Later.');
    });
    let inUse = 0;
    let wasFull = false;
    /** Each change of the slots in use at the other host. */
    const uses: { at: number; inUse: number }[] = [];
    const use = (change: 1 | -1) => uses.push({ at: performance.now(), inUse: (inUse += change) });
    const working = await serve((request, response) => {
      use(1);
      setTimeout(
        () => {
          use(-1);
          sendPage(response, 'page');
        },
        pageMillis(Number(request.url?.slice(1))),
      );
    });

    const inFlight: string[] = [];
    const urls = [...urlsOf(resting, SLOTS), ...urlsOf(working, PAGES)];
    let sampling: NodeJS.Timeout | undefined;
    const { rows } = await crawl({
      urls,
      clock: realClock,
      concurrency: SLOTS,
      hostConcurrency: SLOTS,
      onStart(frontier) {
        sampling = setInterval(() => {
          wasFull ||= inUse === SLOTS;
          if (!wasFull || inUse === 0) return;
          void frontier.snapshot().then(({ flights }) => inFlight.push(...flights.map(({ url }) => new URL(url).origin)));
        }, 100);
      },
    });
    clearInterval(sampling);

    expect(rows).toHaveLength(SLOTS + PAGES);
    // From when all slots were first taken until there was no page left to take one.
    const full = uses.findIndex((moment) => moment.inUse === SLOTS);
    expect(full, `at most ${Math.max(...uses.map((moment) => moment.inUse))} slots were in use`).toBeGreaterThan(-1);
    const taken = uses.slice(full, uses.length - SLOTS);
    const millis = (taken.at(-1)?.at ?? 0) - (taken[0]?.at ?? 0);
    const used = taken.slice(1).reduce((sum, { at }, index) => {
      const before = taken[index] as { at: number; inUse: number };
      return sum + before.inUse * (at - before.at);
    }, 0);
    // What is missing is the time between a page's end at the server and the next one's arrival.
    expect(used / millis, 'slots in use on average').toBeGreaterThan(SLOTS * 0.5);
    expect(Math.max(...uses.map((moment) => moment.inUse))).toBe(SLOTS);
    expect(inFlight.length).toBeGreaterThan(SLOTS * 10);
    expect(
      inFlight.filter((origin) => origin === resting),
      'those that wait are not in flight',
    ).toEqual([]);
    const back = asked.findIndex((at) => at > (uses.at(-1)?.at ?? 0));
    expect(back, 'the other host is done before the first is asked again').toBeGreaterThan(1);
    expect(back, 'those that were told to wait, and those behind them, wait').toBeLessThanOrEqual(SLOTS);
    expect((asked[back] as number) - (asked[0] as number)).toBeGreaterThanOrEqual(RETRY_AFTER_MILLIS);
    expect(asked.length - back, 'each is asked for once more').toBe(SLOTS);
  });
});

it('a crawl of one slow and nine fast hosts takes no longer than the slow one alone', async () => {
  // Few fast pages: on a busy machine their parsing must not outlast the slow host's waiting.
  const SLOW_PAGES = 32;
  const FAST_PAGES = 8;
  const AT_ONCE = 4;
  let inFlight = 0;
  let most = 0;
  const slow = await serve((_, response) => {
    most = Math.max(most, ++inFlight);
    setTimeout(() => {
      inFlight--;
      sendPage(response, 'slow');
    }, 400);
  });
  const fastDone: number[] = [];
  const fast = await Promise.all(
    Array.from({ length: 9 }, () =>
      serve((_, response) => {
        fastDone.push(performance.now());
        sendPage(response, 'fast');
      }),
    ),
  );
  const timed = async (urls: string[]) => {
    const began = performance.now();
    const { rows } = await crawl({ urls, clock: realClock, concurrency: 12, hostConcurrency: AT_ONCE });
    expect(rows).toHaveLength(urls.length);
    return { began, millis: performance.now() - began };
  };

  const alone = await timed(urlsOf(slow, SLOW_PAGES));
  const mixed = await timed([...urlsOf(slow, SLOW_PAGES), ...fast.flatMap((origin) => urlsOf(origin, FAST_PAGES))]);

  expect(most, 'pages in flight at the slow host').toBe(AT_ONCE);
  expect(mixed.millis).toBeLessThan(alone.millis * 1.75);
  // The slow host was first in line, and the others did not wait for it.
  expect(Math.max(...fastDone) - mixed.began).toBeLessThan(mixed.millis * 0.75);
});

describe('a thousand requests that wait', () => {
  const SECONDS = 3;

  /** @param storage Counts what is asked of it. */
  function counting(storage: ClaimsStorage) {
    let claims = 0;
    const openRun: ClaimsStorage['openRun'] = async (options) => {
      const store = await storage.openRun(options);
      const claim: typeof store.claim = async (want) => {
        claims++;
        return store.claim(want);
      };
      return { ...store, claim };
    };
    return { storage: { ...storage, openRun }, claims: () => claims };
  }

  async function claimsWhileIdle(storage: ClaimsStorage, urls: string[], busy: () => boolean): Promise<number> {
    const counted = counting(storage);
    let asked = -1;
    await crawl({
      urls,
      storage: counted.storage,
      clock: realClock,
      secondPassDelayMillis: 0,
      onStart(frontier) {
        const begin = setInterval(() => {
          if (busy() || frontier.inFlight > 0) return;
          clearInterval(begin);
          const before = counted.claims();
          setTimeout(() => {
            asked = counted.claims() - before;
            frontier.stop();
          }, SECONDS * 1_000);
        }, 50);
      },
    });
    expect(asked, 'it was idle').toBeGreaterThanOrEqual(0);
    return asked;
  }

  it('each for a time of its own ask the store twice a second at most', async () => {
    const storage = openIn(newFolder());
    const names = Array.from({ length: 1_000 }, (_, page) => `page-${page}`);
    const queueId = await queueWith(storage, names);
    const options = { now: Date.now(), lockMillis: 60_000, owner: 'test', maxDeaths: 0, restAfter: () => OPEN };
    for (const [index] of names.entries()) {
      const claimed = await storage.claim(queueId, options);
      if (claimed) await storage.reclaim(queueId, new Request(claimed.request), Date.now() + 60_000 + index);
    }
    expect(storage.nextWake(queueId)).toBeGreaterThan(Date.now() + 30_000);
    expect(await claimsWhileIdle(storage, [], () => false)).toBeLessThanOrEqual(SECONDS * 2);
  });

  it('for one host that rests ask the store twice a second at most', async () => {
    let hits = 0;
    const origin = await serve((_, response) => {
      hits++;
      response.writeHead(429, { 'retry-after': '600' }).end();
    });
    const claims = await claimsWhileIdle(openIn(newFolder()), urlsOf(origin, 1_000), () => hits === 0);
    expect(claims).toBeLessThanOrEqual(SECONDS * 2);
    expect(hits, 'the host rests as a whole').toBeLessThanOrEqual(10);
  });
});
