// What one process holds while a crawl grows: pages crawled, and addresses known.
import { setTimeout as sleep } from 'node:timers/promises';

import { FLAGS, runCrawler, startTarget, surefoot } from './processes.ts';

/** As many pages as are crawled in all. */
const MARKS = [1_000, 10_000, 50_000, 100_000];
const KNOWN = 1_000_000;
const KNOWN_A_LIST = 200;
/** Of the million, so many are crawled. */
const CRAWLED = 20_000;
const SMALL_HEAP_MB = 200;
const SMALL_HEAP_STORIES = 10_000;

export interface MemoryFigures {
  readonly what: string;
  /** The most that was resident until then; of the whole process. */
  readonly peakBytes: number;
}

export async function measureMemory(say: (line: string) => void): Promise<MemoryFigures[]> {
  return [...(await whileItGrows(say)), await withAMillionKnown(say), await withASmallHeap(say)];
}

/** The most that is resident between each mark and the one before. */
async function whileItGrows(say: (line: string) => void): Promise<MemoryFigures[]> {
  const pages = MARKS.at(-1) ?? 0;
  const stories = Math.floor((pages * 30) / 31);
  const target = await startTarget(stories);
  const peaks = new Map<number, number>();
  let served = 0;
  const counting = setInterval(() => void target.served().then((count) => (served = count)), 200);
  await runCrawler(target, (folder) => surefoot(target.url, '--storage-dir', folder, ...FLAGS), {
    nodeOptions: '',
    onLook(bytes) {
      const mark = MARKS.find((upTo) => served <= upTo) ?? pages;
      if (bytes > (peaks.get(mark) ?? 0)) peaks.set(mark, bytes);
    },
  });
  clearInterval(counting);
  target.close();
  const figures = [...peaks].map(([mark, peakBytes], nth) => {
    const from = MARKS[nth - 1] ?? 0;
    return { what: `pages ${from.toLocaleString('en-US')} to ${mark.toLocaleString('en-US')}`, peakBytes };
  });
  for (const { what, peakBytes } of figures) say(`memory, ${what}: ${inMegabytes(peakBytes)}`);
  return figures;
}

/** Lists with two hundred links each are first in line: a million addresses are known when the first story is fetched. */
async function withAMillionKnown(say: (line: string) => void): Promise<MemoryFigures> {
  const target = await startTarget(KNOWN, 0, KNOWN_A_LIST);
  const lists = Array.from({ length: KNOWN / KNOWN_A_LIST }, (_, nth) => `${target.url}?p=${nth + 1}`);
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await sleep(200);
      if ((await target.served()) >= CRAWLED) stop.abort();
    }
  })();
  const run = await runCrawler(target, (folder) => surefoot(...lists, '--storage-dir', folder, ...FLAGS), {
    nodeOptions: '',
    signal: stop.signal,
  });
  await watching;
  target.close();
  const what = `${KNOWN.toLocaleString('en-US')} addresses known, ${run.pages.toLocaleString('en-US')} pages crawled`;
  say(`memory, ${what}: ${inMegabytes(run.peakBytes)}, ${((run.pages * 1_000) / run.millis).toFixed(0)} pages/s`);
  return { what, peakBytes: run.peakBytes };
}

async function withASmallHeap(say: (line: string) => void): Promise<MemoryFigures> {
  const target = await startTarget(SMALL_HEAP_STORIES);
  const run = await runCrawler(target, (folder) => surefoot(target.url, '--storage-dir', folder, ...FLAGS), {
    nodeOptions: `--max-old-space-size=${SMALL_HEAP_MB}`,
  });
  target.close();
  const what = `--max-old-space-size=${SMALL_HEAP_MB}, ${run.pages.toLocaleString('en-US')} pages, completed`;
  say(`memory, ${what}: ${inMegabytes(run.peakBytes)}`);
  return { what, peakBytes: run.peakBytes };
}

export function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
