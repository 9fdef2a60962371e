// Pages that use up their tries: the second pass, the dead letters beside the rows, and `retry-failed`. Real processes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, type TestContext } from 'vitest';

import type { DeadLetter } from '../../src/core/dead-letter.ts';
import { newStorageDir, readExport, startCrawl } from './crawl-process.ts';
import { startFlakySite, type FlakySiteOptions } from './flaky-site.ts';

const STORIES = 4;
/** A first pass has four tries: at once, and after 1, 2 and 4 s. */
const TRIES = 4;

/** A crawl of a few stories, of which the second fails so many times. */
async function crawlWith(
  { onTestFinished }: TestContext,
  options: { fails: number; always?: FlakySiteOptions['fault']; secondPassDelay: number; workers?: number },
) {
  let healed = false;
  const site = await startFlakySite({
    stories: STORIES,
    fault: (path, hit) => {
      if (path === site.storyPaths[1] && hit <= options.fails) return '500';
      return healed ? null : (options.always?.(path, hit) ?? null);
    },
  });
  onTestFinished(() => site.close());
  const storageDir = newStorageDir();
  const args = [site.url, '--storage-dir', storageDir, '--second-pass-delay', String(options.secondPassDelay)];
  args.push('--workers', String(options.workers ?? 1));
  const crawl = async () => startCrawl([...args, '--format', 'json']).ended;
  return {
    site,
    storageDir,
    crawl,
    heal: () => void (healed = true),
    urls: site.storyPaths.map((path) => site.origin + path),
    times: (story: number) => site.hits.get(site.storyPaths[story] as string) ?? [],
    run: async (...command: string[]) => startCrawl([...command, '--storage-dir', storageDir]).ended,
  };
}

const rowUrls = (storageDir: string) => readExport(storageDir).items.map(({ itemUrl }) => String(itemUrl));
const failedFiles = (storageDir: string) => {
  const dir = join(storageDir, 'exports');
  return readdirSync(dir)
    .filter((name) => name.endsWith('-failed.json'))
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as { meta: Record<string, unknown>; items: DeadLetter[] });
};

it.concurrent.for([1, 2])(
  'a page that fails its first pass by %i and works in the second has its row, and the exit code is 0',
  async (workers, test) => {
    const { crawl, storageDir, urls, times } = await crawlWith(test, { fails: TRIES, secondPassDelay: 1, workers });
    const { code, stderr } = await crawl();
    expect(code, stderr).toBe(0);
    expect(rowUrls(storageDir).toSorted()).toEqual(urls.toSorted());
    expect(failedFiles(storageDir)).toEqual([]);
    expect(stderr).toMatch(/1 page failed.* once more in 1 s/);
    expect(stderr).toContain(`The last one: DETAIL ${urls[1]}: HTTP 500`);
    const waits = times(1).map((time, index, all) => time - (all[index - 1] ?? time));
    expect(waits).toHaveLength(TRIES + 1);
    for (const [index, atLeast] of [0, 1_000, 2_000, 4_000, 1_000].entries()) {
      expect(waits[index], `before try ${index + 1}`).toBeGreaterThanOrEqual(atLeast);
    }
  },
);

it.concurrent('a page that never works is a dead letter, which retry-failed puts back once, and the next crawl fetches it alone', async (test) => {
  const always: FlakySiteOptions['fault'] = (path) => (path.endsWith('40002000') ? '503' : null);
  const { crawl, run, heal, storageDir, site, urls, times } = await crawlWith(test, { fails: 0, always, secondPassDelay: 1 });
  const begun = Date.now();
  const first = await crawl();
  expect(first.code, first.stderr).toBe(2);
  expect(times(2)).toHaveLength(TRIES + 1);

  const [failed] = failedFiles(storageDir);
  const [letter] = failed?.items ?? [];
  expect(failed?.meta).toMatchObject({ failed: 1, succeeded: STORIES, pending: 0 });
  expect(failed?.items).toHaveLength(1);
  expect(letter).toMatchObject({ url: urls[2], label: 'DETAIL', verdict: 'transient', status: 503, error: 'HTTP 503' });
  const attempt = { tier: 'http', verdict: 'transient', status: 503, error: 'HTTP 503', at: expect.any(String) };
  expect(letter?.attempts.map(({ endOfPass: _, ...rest }) => rest)).toEqual(Array.from({ length: TRIES + 1 }, () => attempt));
  const at = letter?.attempts.map((one) => Date.parse(one.at)) ?? [];
  expect([letter?.firstAt, letter?.lastAt].map((time) => Date.parse(time ?? ''))).toEqual([at[0], at[TRIES]]);
  expect(at).toEqual(at.toSorted((a, b) => a - b));
  expect(at[0]).toBeGreaterThanOrEqual(begun);

  const other = await run('retry-failed', '--status', '404');
  expect([other.code, other.stdout]).toEqual([0, expect.stringContaining('Nothing to put back')]);
  const once = await run('retry-failed', '--status', '503', '--label', 'DETAIL');
  expect([once.code, once.stdout]).toEqual([0, expect.stringContaining('Put back: 1.')]);
  const twice = await run('retry-failed');
  expect([twice.code, twice.stdout]).toEqual([0, expect.stringContaining('Nothing to put back')]);

  heal();
  const before = new Map([...site.hits].map(([path, hits]) => [path, hits.length]));
  const second = await crawl();
  expect(second.code, second.stderr).toBe(0);
  const fetched = [...site.hits].filter(([path, hits]) => hits.length > (before.get(path) ?? 0)).map(([path]) => path);
  expect(fetched).toEqual([site.storyPaths[2]]);
  expect(times(2)).toHaveLength(TRIES + 2);
  expect(failedFiles(storageDir), 'a crawl without failures writes no file of them').toHaveLength(1);
  expect(rowUrls(storageDir).toSorted()).toEqual(urls.toSorted());
});

it.concurrent('with --second-pass-delay 0 there is none', async (test) => {
  const { crawl, storageDir, urls, times } = await crawlWith(test, { fails: TRIES, secondPassDelay: 0 });
  const { code, stderr } = await crawl();
  expect(code, stderr).toBe(2);
  expect(stderr).not.toContain('once more');
  expect(times(1)).toHaveLength(TRIES);
  expect(failedFiles(storageDir)[0]?.items[0]?.attempts).toHaveLength(TRIES);
  expect(rowUrls(storageDir).toSorted()).toEqual(urls.filter((_, story) => story !== 1).toSorted());
});
