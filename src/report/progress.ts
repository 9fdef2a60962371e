// Progress while a crawl runs: one updating bar on a terminal, a line every 10 s elsewhere. To stderr: stdout stays clean.
import { createRequire } from 'node:module';
import type { WriteStream } from 'node:tty';

import type CliProgress from 'cli-progress';

import { toCount, toDuration, toRate } from './figures.ts';

// Only a terminal has a bar.
const require = createRequire(import.meta.url);

/** Pages/s are those of the last 30 s: a throttled host shows soon, one slow page does not. */
const WINDOW_MILLIS = 30_000;
const BAR_CHARS = 30;

export interface ProgressCounts {
  /** Pages with an outcome, those of earlier processes of this run included. */
  readonly done: number;
  /** Pages that are known so far, done ones included. */
  readonly known: number;
  readonly failed: number;
  /** Seconds until any page can go on; 0 while one is in flight. @default 0 */
  readonly restsFor?: number;
}

/** What progress is read from. */
interface Frontier {
  counts(): { readonly total: number; readonly handled: number };
  readonly failed: number;
  readonly inFlight: number;
  readonly nextWake: number | null;
}

/** Where progress goes. Only `write`, `isTTY` and `columns` are used of it. */
export type ProgressStream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

export interface ProgressOptions {
  /** @default process.stderr */
  readonly stream?: ProgressStream;
  /** Asked at each update; must not block. */
  readonly read: () => ProgressCounts;
  /** Shows no progress; `line()` still prints. @default false */
  readonly quiet?: boolean;
  /** Milliseconds that never go backwards. @default performance.now */
  readonly now?: () => number;
  /** Between updates. @default 500 on a terminal, 10,000 elsewhere */
  readonly everyMillis?: number;
}

export interface Progress {
  /** Prints a line without tearing the bar: log lines go through here. Works after `stop()` too. */
  line(text: string): void;
  /** Clears the bar. No progress is printed after it. */
  stop(): void;
}

/** Starts showing progress. It keeps no process alive and leaves no setting of the terminal changed, even when killed. */
export function startProgress(options: ProgressOptions): Progress {
  const { stream = process.stderr, read, quiet = false, now = () => performance.now() } = options;
  const isTerminal = stream.isTTY === true;
  const { everyMillis = isTerminal ? 500 : 10_000 } = options;
  const print = (text: string): void => void stream.write(`${text}\n`);
  if (quiet) return { line: print, stop() {} };

  const start = read();
  const rate = slidingRate(now(), start.done);
  const next = (): Frame => {
    const counts = read();
    return { counts, text: toProgressLine(counts, rate(now(), counts.done)) };
  };
  const bar = isTerminal
    ? openBar(stream, { counts: start, text: toProgressLine(start, 0) }, next)
    : { draw: () => print(next().text), line: print, close() {} };
  const timer = setInterval(() => bar.draw(), everyMillis).unref();
  let isStopped = false;
  return {
    line: (text) => (isStopped ? print(text) : bar.line(text)),
    stop() {
      if (isStopped) return;
      isStopped = true;
      clearInterval(timer);
      bar.close();
    },
  };
}

/** @param now Epoch milliseconds. */
export function readProgress(frontier: Frontier, now: number): ProgressCounts {
  const { total: known, handled: done } = frontier.counts();
  const nextWake = frontier.inFlight > 0 ? null : frontier.nextWake;
  return { done, known, failed: frontier.failed, restsFor: nextWake === null ? 0 : Math.max(0, nextWake - now) / 1_000 };
}

/** `412 of 1,034 pages done, 38.2 pages/s, 3 failed, about 16 s for the known pages`: each may add others. While nothing moves there is no guess at the end, and
 *  where the rest is longer than the guess, as before the second pass, it is no good: `next due in 52 s` then.
 *  @param rate Pages a second. */
export function toProgressLine({ done, known, failed, restsFor = 0 }: ProgressCounts, rate: number): string {
  const parts = [`${toCount(done)} of ${toCount(known)} pages done`, `${toRate(rate)} pages/s`, `${toCount(failed)} failed`];
  const left = known > done && rate > 0 ? Math.ceil((known - done) / rate) : 0;
  const rest = known > done ? Math.ceil(restsFor) : 0;
  if (rest > Math.max(1, left)) parts.push(`next due in ${toSeconds(rest)}`);
  else if (left > 0) parts.push(`about ${toSeconds(left)} for the known pages`);
  return parts.join(', ');
}

function toSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : toDuration(seconds);
}

/** Pages a second since the given start or over the last 30 s, whichever is shorter: what a resumed run had done before
 *  it started does not count. */
export function slidingRate(startMillis: number, startDone: number): (millis: number, done: number) => number {
  const samples = [{ millis: startMillis, done: startDone }];
  return (millis, done) => {
    samples.push({ millis, done });
    // The oldest that is kept is the last one from before the window, so that the window is always full.
    while (samples.length > 2 && samples[1]!.millis <= millis - WINDOW_MILLIS) samples.shift();
    const [oldest] = samples;
    return oldest && millis > oldest.millis ? Math.max(0, ((done - oldest.done) * 1000) / (millis - oldest.millis)) : 0;
  };
}

interface Frame {
  readonly counts: ProgressCounts;
  readonly text: string;
}

/** A MultiBar of one, for a SingleBar returns to a saved cursor position when it stops, which is another line by then if
 *  log lines have scrolled the screen. */
function openBar(stream: ProgressStream, first: Frame, next: () => Frame) {
  const cliProgress = require('cli-progress') as typeof CliProgress;
  const bars = new cliProgress.MultiBar({
    stream,
    format: (options, { progress, maxWidth }, { text }: { text: string }) => {
      // The last column stays empty: some terminals wrap when it is written.
      const size = Math.min(BAR_CHARS, maxWidth - text.length - 3);
      return size < 5
        ? text.slice(0, maxWidth - 1)
        : `${cliProgress.Format.BarFormat(progress, { ...options, barsize: size })}  ${text}`;
    },
    barsize: BAR_CHARS,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    emptyOnZero: true,
    forceRedraw: true,
    clearOnComplete: true,
    // Signals are platform/signals.ts's business; wrapping and cursor stay as they are, for a killed run restores nothing.
    gracefulExit: false,
    linewrap: true,
    hideCursor: null,
  });
  // Its own timer would keep the process alive and, started from a log line, hold that page's async context.
  const own = bars as unknown as { timer: NodeJS.Timeout };
  const bar = bars.create(first.counts.known, first.counts.done, { text: first.text });
  const draw = (): void => {
    bars.update();
    clearTimeout(own.timer);
  };
  draw();
  return {
    draw() {
      const { counts, text } = next();
      bar.setTotal(counts.known);
      bar.update(counts.done, { text });
      draw();
    },
    line(text: string) {
      bars.log(`${text}\n`);
      draw();
    },
    close: () => bars.stop(),
  };
}
