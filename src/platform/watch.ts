// Watches a crawl from outside: shows what it waits for when it is asked, or when nothing moves any more.
import { listenForQuestions } from './signals.ts';

export interface WatchOptions<Snapshot> {
  /** Grows with every attempt that ends. */
  progress(): number;
  snapshot(): Promise<Snapshot>;
  /** Keeps the snapshot where `status --live` finds it. */
  keep(snapshot: Snapshot): Promise<void>;
  /** Shows it to the operator. `stalledSeconds` is null when somebody asked. */
  show(snapshot: Snapshot, stalledSeconds: number | null): void;
  /** Without progress for so long, it is shown unasked, and again after as long. */
  stallMillis: number;
  /** @default 2,000 */
  everyMillis?: number;
}

/** Watches until `stop()`; keeps no process alive. */
export function watch<Snapshot>(options: WatchOptions<Snapshot>): { stop(): void } {
  const { everyMillis = 2_000, stallMillis } = options;
  let last = options.progress();
  let since = performance.now();
  let shownAt = since;
  const look = (stalledSeconds: number | null, shows: boolean) => {
    const work = async () => {
      const snapshot = await options.snapshot();
      if (shows) options.show(snapshot, stalledSeconds);
      await options.keep(snapshot);
    };
    // A store that cannot be read or written ends the crawl by the pages' own commits, with a better message.
    work().catch(() => {});
  };
  const timer = setInterval(() => {
    const now = performance.now();
    const progress = options.progress();
    if (progress !== last) [last, since, shownAt] = [progress, now, now];
    const stalled = now - shownAt >= stallMillis;
    if (stalled) shownAt = now;
    look(stalled ? Math.round((now - since) / 1_000) : null, stalled);
  }, everyMillis).unref();
  const questions = listenForQuestions(() => look(null, true));
  return {
    stop() {
      clearInterval(timer);
      questions.stop();
    },
  };
}
