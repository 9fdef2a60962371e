// The first seconds: so many pages of a server that waits one second with each, from the first request to the end of the last
// answer. The article's table of speed-ups: one after the other, and many at once.
import { hasModule, PEERS, PYTHON } from './crawls.ts';
import { FLAGS, runCrawler, startTarget, surefoot } from './processes.ts';

const FIRST_ID = 40_000_000;
const ID_STEP = 1_000;
/** One after the other takes a second a page: it is not waited for at 500. */
const MAX_SYNC = 50;
/** Pages → the seconds that Surefoot may take. */
const LIMITS: Readonly<Record<number, number>> = { 10: 1.15, 25: 1.15, 50: 1.15, 500: 11 };

export interface RampFigures {
  readonly pages: number;
  /** Seconds; null: not run, or not there. */
  readonly sync: number | null;
  readonly aiohttp: number | null;
  readonly ours: number;
  readonly limit: number;
}

export async function measureRamp(): Promise<RampFigures[]> {
  const counts = Object.keys(LIMITS).map(Number);
  const target = await startTarget(Math.max(...counts), 1_000);
  const secondsOf = async (pages: number, command: (folder: string) => readonly string[]) => {
    const run = await runCrawler(target, command);
    if (run.pages !== pages) throw new Error(`${run.pages} of ${pages} pages.`);
    return run.millis / 1_000;
  };
  const byPython = async (way: string, module: string, pages: number) =>
    hasModule(module) && hasModule('bs4') ? secondsOf(pages, () => [PYTHON, PEERS, way, target.url, String(pages)]) : null;
  const flags = [...FLAGS, '--ignore-robots'];
  const figures: RampFigures[] = [];
  try {
    for (const pages of counts) {
      const urls = Array.from({ length: pages }, (_, nth) => new URL(`/item?id=${FIRST_ID + nth * ID_STEP}`, target.url).href);
      figures.push({
        pages,
        sync: pages <= MAX_SYNC ? await byPython('requests-items', 'requests', pages) : null,
        aiohttp: await byPython('aiohttp-items', 'aiohttp', pages),
        ours: await secondsOf(pages, (folder) => surefoot(...urls, '--storage-dir', folder, ...flags)),
        limit: LIMITS[pages] ?? 0,
      });
    }
  } finally {
    target.close();
  }
  return figures;
}
