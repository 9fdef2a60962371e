// What becomes of a page does not depend on how many processes crawl.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import type { DeadLetter } from '../../src/core/dead-letter.ts';
import { newStorageDir, readExport, startCrawl } from './crawl-process.ts';
import { startFlakySite } from './flaky-site.ts';

/** Fault → how often it happens before the page is as it should be. */
const FAULTS: readonly (readonly [fault: string, times: number])[] = [
  ['ok', 0],
  ['404', Infinity],
  ['410', Infinity],
  ['400', Infinity],
  ['403', Infinity],
  ['500', Infinity],
  ['500', 2],
  ['503?after=1', 1],
  ['429?after=1', 2],
  ['reset-before-headers', 1],
  ['reset-mid-body', Infinity],
  ['cut-gzip', 1],
  ['cut-length', Infinity],
  ['redirect-bad-url', Infinity],
  ['gzip-that-is-none', Infinity],
  ['unknown-encoding', Infinity],
  // What does not even begin as an answer (`not-http`) is one thing on a fresh connection, another on a used one.
  ['switches-protocols', Infinity],
  ['wrong-type', Infinity],
  ['huge-length', Infinity],
];

/** A reset is seen as one, or as the end of the connection: that is a matter of microseconds, for any number of processes. */
const BROKEN = /^The (?:connection broke \(read ECONNRESET\)|body ended before it was complete \(other side closed\))\.$/;

/** What a crawl by so many processes says of each story: the verdicts of its attempts, or that it has its row. */
async function crawl(workers: number) {
  const site = await startFlakySite({
    stories: FAULTS.length,
    fault(path, hit) {
      const [fault, times] = FAULTS[site.storyPaths.indexOf(path)] ?? ['ok', 0];
      return hit <= times ? fault : null;
    },
  });
  onTestFinished(() => site.close());
  const storageDir = newStorageDir();
  const flags = ['--workers', String(workers), '--tiers', 'http', '--second-pass-delay', '1', '--format', 'json'];
  const { code, stderr } = await startCrawl([site.url, '--storage-dir', storageDir, ...flags]).ended;
  expect(code, stderr).toBe(2);
  const { items, meta } = readExport(storageDir);
  const dir = join(storageDir, 'exports');
  const file = readdirSync(dir).find((name) => name.endsWith('-failed.json')) ?? '';
  const { items: letters } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { items: DeadLetter[] };
  const ends = site.storyPaths.map((path, nth) => {
    const letter = letters.find(({ url }) => url === site.origin + path);
    const attempts = letter?.attempts.map(
      ({ verdict, status, error }) =>
        `${verdict} ${status}: ${error.replaceAll(site.origin, '').replace(BROKEN, 'It broke off.')}`,
    );
    const rows = items.filter(({ itemUrl }) => itemUrl === site.origin + path).length;
    return { fault: FAULTS[nth]?.[0], attempts: attempts ?? [], rows, requests: site.hits.get(path)?.length };
  });
  const { succeeded, failed, missing, skipped, pending, rejected } = meta;
  return { ends, figures: { succeeded, failed, missing, skipped, pending, rejected } };
}

it('each fault comes to the same verdicts, tries and end by one process and by two workers', async () => {
  const [one, two] = await Promise.all([crawl(1), crawl(2)]);
  expect(two).toEqual(one);
  expect(one.figures).toMatchObject({ pending: 0, missing: 2 });
  const failed = one.ends.filter(({ attempts }) => attempts.length > 0);
  expect(new Set(failed.flatMap(({ attempts }) => attempts.map((attempt) => attempt.split(' ', 1)[0])))).toEqual(
    new Set(['fatal', 'transient', 'blocked']),
  );
  expect(one.ends.filter(({ rows }) => rows === 1)).toHaveLength(one.ends.length - failed.length - 2);
});
