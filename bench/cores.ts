// What this machine's cores give: one process alone, two crawls at once that share nothing (each with a store, a target and
// limits of its own), and one crawl by two workers. To divide one crawl costs something; two that are none to begin with show
// what is there to be had.
import { OURS, TWO_WORKERS, type Contender } from './crawls.ts';
import { median, runCrawler, startTarget, type Run } from './processes.ts';

const STORIES = 10_000;

export interface CoresFigures {
  readonly way: string;
  readonly pagesPerSecond: number;
  /** Against one process of the same round. */
  readonly ratio: number;
  /** CPU time of a page, of all threads. */
  readonly cpuMillis: number;
}

/** As workers are: without threads that collect garbage. */
const ALONE_ON_ITS_CORE: Contender = {
  ...OURS,
  command(url, folder) {
    const [node = '', ...args] = OURS.command(url, folder);
    return [node, '--single-threaded-gc', ...args];
  },
};

export async function measureCores(rounds: number, say: (line: string) => void): Promise<CoresFigures[]> {
  const targets = [await startTarget(STORIES), await startTarget(STORIES)] as const;
  const run = ({ command }: Contender, target = targets[0]) => runCrawler(target, (folder) => command(target.url, folder));
  const twice = (contender: Contender) => Promise.all(targets.map((target) => run(contender, target)));
  const ways: [way: string, start: () => Promise<Run[]>][] = [
    ['one process', async () => [await run(OURS)]],
    ['two crawls that share nothing', () => twice(OURS)],
    ['the same, collecting garbage as workers do', () => twice(ALONE_ON_ITS_CORE)],
    ['two workers', async () => [await run(TWO_WORKERS)]],
  ];
  const figures = ways.map(([way, start]) => ({
    way,
    start,
    rates: [] as number[],
    ratios: [] as number[],
    cpu: [] as number[],
  }));
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const { way, start, rates, ratios, cpu } of figures) {
        const runs = await start();
        const pages = runs.reduce((sum, one) => sum + one.pages, 0);
        // Two begin within some hundredths of a second: the longer one counts.
        const rate = (pages * 1_000) / Math.max(...runs.map(({ millis }) => millis));
        rates.push(rate);
        ratios.push(rate / (figures[0]?.rates.at(-1) ?? rate));
        cpu.push(runs.reduce((sum, one) => sum + one.cpuMillis, 0) / pages);
        say(`${round}/${rounds} ${way}: ${rate.toFixed(0)} pages/s`);
      }
    }
  } finally {
    for (const target of targets) target.close();
  }
  return figures.map(({ way, rates, ratios, cpu }) => ({
    way,
    pagesPerSecond: median(rates),
    ratio: median(ratios),
    cpuMillis: median(cpu),
  }));
}
