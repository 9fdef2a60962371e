// The main guarantee: a crawl that is killed at any moment goes on where it was, with every row exactly once.
import { expect, it } from 'vitest';

import { startDemoSite } from '../../src/demo/server.ts';
import { demoStories } from '../../src/demo/stories.ts';
import { seededRandom } from '../seed.ts';
import { handledUrls, newStorageDir, readExport, startCrawl } from './crawl-process.ts';

const random = seededRandom('kill');

/** By how many processes crawl: kills, and the milliseconds in which they come. Every other process is killed within
 *  `livesOn` after its first request, in full flight, and the others anywhere between their start and about that request, which
 *  `startsIn` is the first guess at: while they load and open their store. Workers are at full speed later. */
const CASES = [
  { workers: 1, kills: 20, startsIn: 2_000, livesOn: 1_000 },
  { workers: 2, kills: 10, startsIn: 4_000, livesOn: 1_500 },
];
const STORIES = 6_000;
/** Many on a list page, so that there is always something to do besides the pages that were in flight at a kill. */
const STORIES_A_LIST = 500;

it.each(CASES)(
  'a crawl by $workers killed $kills times at random moments has each row once, and fetches no finished page again',
  { timeout: 300_000 },
  async ({ workers, kills, startsIn, livesOn }) => {
    let firstRequest: number | null = null;
    let onRequest = () => {};
    const site = await startDemoSite({
      stories: STORIES,
      perPage: STORIES_A_LIST,
      delayMillis: () => {
        firstRequest ??= performance.now();
        onRequest();
        return 20;
      },
    });
    const storageDir = newStorageDir();
    const args = [site.url, '--storage-dir', storageDir, '--concurrency', '10', '--format', 'json', '--workers', String(workers)];
    const hitsOf = (url: string) => site.hits.get(url.slice(new URL(url).origin.length)) ?? 0;
    const millisToFirstRequest: number[] = [];
    /** Runs until the kill, or to its end; then checks that nothing that was done before it has been fetched again. */
    const runOnce = async (killAt: 'start' | 'flight' | 'never') => {
      const done = [...handledUrls(storageDir)].map((url) => ({ url, hits: hitsOf(url) }));
      firstRequest = null;
      const crawl = startCrawl(args);
      const killIn = (millis: number) => setTimeout(() => crawl.child.kill('SIGKILL'), millis);
      // A run that has nothing yet gets its first page done: three kills would make it a page that kills.
      let spared = done.length === 0 ? 30 : 0;
      onRequest = () => {
        if (killAt === 'flight' && spared-- === 0) killIn(random() * livesOn);
      };
      if (killAt === 'start') killIn(random() * (millisToFirstRequest.at(-1) ?? startsIn) * 1.2);
      const result = await crawl.ended;
      if (firstRequest !== null) millisToFirstRequest.push(firstRequest - crawl.startedMillis);
      for (const { url, hits } of done) expect(hitsOf(url), `${url} was done, and is fetched again`).toBe(hits);
      return { ...result, resumed: done.length };
    };

    let killed = 0;
    try {
      while (killed < kills) {
        const { code, stderr } = await runOnce(killed % 2 === 0 ? 'flight' : 'start');
        expect(code, `the crawl must be too long to finish between two kills: ${stderr}`).toBe(137);
        killed++;
      }
      const { code, stderr, resumed } = await runOnce('never');
      expect(resumed, 'kills that came before any page was done prove nothing').toBeGreaterThan(10);
      expect(stderr).toMatch(/[\d,]+ of [\d,]+ pages done, resuming/);
      expect(code, stderr).toBe(0);

      const { items, meta } = readExport(storageDir);
      const byId = (a: { id?: unknown }, b: { id?: unknown }) => Number(a.id) - Number(b.id);
      const withoutTimes = items.map(({ fetchedAt: _, tier: __, ...story }) => story).toSorted(byId);
      expect(withoutTimes).toEqual(demoStories({ count: STORIES, url: site.url }).toSorted(byId));
      expect(meta).toMatchObject({ failed: 0, rejected: 0, succeeded: STORIES + STORIES / STORIES_A_LIST, pending: 0 });

      // Stock Crawlee sits idle for two to six minutes here. A bound for a machine that is busy with other tests; on an
      // idle one the first request comes within 2 s (docs/guide/resume.md).
      expect(Math.max(...millisToFirstRequest)).toBeLessThan(60_000);
    } finally {
      await site.close();
    }
  },
);
