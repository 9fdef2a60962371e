// The main guarantee where it is hardest: a crawl of two hosts that break and throttle, killed while pages wait to be retried.
import { join } from 'node:path';

import Database from 'libsql';
import { expect, it, onTestFinished } from 'vitest';

import { seededRandom } from '../seed.ts';
import { handledUrls, newStorageDir, readExport, startCrawl } from './crawl-process.ts';
import { startFlakySite, type FlakySite } from './flaky-site.ts';

const random = seededRandom('kill-faults');

const KILLS = 11;
const STORIES = { throttling: 240, breaking: 480 };
/** Every fourth kill falls anywhere in this time after its process was started, */
const KILL_AFTER_START_MILLIS = 2_000;
/** the others after any of its first requests, so many on a slow machine as on a fast one, and within this time. */
const KILL_AFTER_REQUESTS = 60;
const KILL_AFTER_REQUEST_MILLIS = 50;

/** The same for a story in every run: whether it belongs to the first so many of a hundred. */
const isAmong = (path: string, percent: number, salt: number) => {
  const id = Number(/\d+$/.exec(path)?.[0] ?? 0) / 1_000 + salt * 131;
  return (id * 7_919) % 100 < percent;
};

/** Requests that are to be tried again, and the host's that rest. */
function waiting(storageDir: string): number {
  const db = new Database(join(storageDir, 'crawl.sqlite'));
  try {
    return (db.prepare('SELECT count(*) AS count FROM requests WHERE state = 0 AND due_at > 0').get() as { count: number }).count;
  } catch {
    return 0; // Killed before the tables were there.
  } finally {
    db.close();
  }
}

it.each([1, 2])(
  `a crawl by %i of failing, throttling hosts, killed ${KILLS} times, has each row once, and fetches no page again`,
  async (workers) => {
    let onRequest: () => unknown = () => {};
    const sites: FlakySite[] = [
      await startFlakySite({
        stories: STORIES.throttling,
        delayMillis: 20,
        onRequest: () => onRequest(),
        fault: (path, hit) => (hit === 1 && isAmong(path, 8, 1) ? '503?after=1' : null),
      }),
      await startFlakySite({
        stories: STORIES.breaking,
        delayMillis: 20,
        onRequest: () => onRequest(),
        fault(path, hit) {
          if (hit <= 2 && isAmong(path, 15, 2)) return '500';
          return hit === 1 && isAmong(path, 15, 3) ? 'reset-before-headers' : null;
        },
      }),
    ];
    onTestFinished(() => sites.forEach((site) => site.close()));
    const storageDir = newStorageDir();
    const limits = ['--workers', String(workers), '--concurrency', '10', '--host-concurrency', '5', '--second-pass-delay', '1'];
    const args = [...sites.map(({ url }) => url), '--storage-dir', storageDir, '--format', 'json', ...limits];
    const hitsOf = (url: string) =>
      sites.find(({ origin }) => url.startsWith(origin))?.hits.get(url.slice(new URL(url).origin.length))?.length ?? 0;

    const runOnce = async (kill: 'after start' | 'after request' | null) => {
      const done = [...handledUrls(storageDir)].map((url) => ({ url, hits: hitsOf(url) }));
      const waits = waiting(storageDir);
      const crawl = startCrawl(args);
      const killWithin = (millis: number) => setTimeout(() => crawl.child.kill('SIGKILL'), random() * millis);
      let requests = Math.ceil(random() * KILL_AFTER_REQUESTS);
      onRequest = () => kill === 'after request' && --requests === 0 && killWithin(KILL_AFTER_REQUEST_MILLIS);
      if (kill === 'after start') killWithin(KILL_AFTER_START_MILLIS);
      const result = await crawl.ended;
      for (const { url, hits } of done) expect(hitsOf(url), `${url} was done, and is fetched again`).toBe(hits);
      return { ...result, resumed: done.length, waits };
    };

    let killsWhileWaiting = 0;
    for (let killed = 0; killed < KILLS; killed++) {
      const { code, waits } = await runOnce(killed % 4 === 3 ? 'after start' : 'after request');
      expect(code, 'the crawl must be too long to finish between two kills').toBe(137);
      if (waits > 0) killsWhileWaiting++;
    }
    const { code, stderr, resumed } = await runOnce(null);
    expect(code, stderr).toBe(0);
    expect(resumed, 'kills that came before any page was done prove nothing').toBeGreaterThan(50);
    expect(killsWhileWaiting, 'nor do those with nothing to be tried again').toBeGreaterThan(3);

    const { items, meta } = readExport(storageDir);
    const expected = sites.flatMap(({ origin, storyPaths }) => storyPaths.map((path) => origin + path));
    expect(items.map(({ itemUrl }) => String(itemUrl)).toSorted()).toEqual(expected.toSorted());
    expect(meta).toMatchObject({ failed: 0, rejected: 0, pending: 0, missing: 0 });
    // Pages in flight at a kill come once more; nothing else does.
    const hits = sites.flatMap((site) => [...site.hits.values()]).reduce((sum, times) => sum + times.length, 0);
    const faults = sites
      .flatMap((site) => [...site.hits.values()])
      .reduce((sum, times) => sum + Math.min(2, times.length - 1), 0);
    expect(hits).toBeLessThanOrEqual((meta['succeeded'] as number) + faults + KILLS * 10);
  },
  400_000,
);
