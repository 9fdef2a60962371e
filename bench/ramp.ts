// The first seconds: so many pages of a server that waits one second with each, 50 at once, from the first request to the end
// of the last answer. One after the other takes a second each.
import { runCrawler, startTarget, tsx } from './processes.ts';

export const RAMP = [10, 25, 50, 500] as const;
const FIRST_ID = 40_000_000;
const ID_STEP = 1_000;
/** Seconds. */
export const LIMITS: Readonly<Record<(typeof RAMP)[number], number>> = { 10: 1.15, 25: 1.15, 50: 1.15, 500: 11 };

/** @returns Requests → seconds. */
export async function measureRamp(counts: readonly number[] = RAMP): Promise<Map<number, number>> {
  const target = await startTarget(Math.max(...counts), 1_000);
  const seconds = new Map<number, number>();
  try {
    for (const count of counts) {
      const urls = Array.from({ length: count }, (_, nth) => new URL(`/item?id=${FIRST_ID + nth * ID_STEP}`, target.url).href);
      const flags = ['--concurrency', '50', '--host-concurrency', '50', '--tiers', 'http', '--quiet', '--ignore-robots'];
      const run = await runCrawler(target, (folder) => tsx('src/main.ts', ...urls, '--storage-dir', folder, ...flags));
      if (run.pages !== count) throw new Error(`${run.pages} of ${count} pages.`);
      seconds.set(count, run.millis / 1_000);
    }
  } finally {
    target.close();
  }
  return seconds;
}
