// SIGINT, SIGTERM and SIGHUP: the first lets the pages in flight finish, the second ends at once. SIGUSR2 asks.

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A terminal that closes sends SIGHUP to what runs in it twice: its shell does, and the kernel when the shell is gone. */
const HANG_UP_MILLIS = 1_000;

/** A signal that asks a crawl to end, and the exit code that says so. */
export interface Interruption {
  readonly signal: keyof typeof EXIT_CODES;
  readonly exitCode: number;
}

/** Listens until `stop()`, alone: Crawlee, too, would act on SIGINT, and end what is not finished after 20 s.
 *  @param onFirst Called with the first signal. @param onSecond Called with the next one; it must end the process. */
export function listenForSignals(
  onFirst: (interruption: Interruption) => void,
  onSecond: (interruption: Interruption) => void,
): { stop(): void } {
  let seen = 0;
  let hungUpMillis = -Infinity;
  const listeners = Object.entries(EXIT_CODES).map(([name, exitCode]) => {
    const signal = name as keyof typeof EXIT_CODES;
    const listener = () => {
      if (signal === 'SIGHUP') {
        const now = performance.now();
        if (now - hungUpMillis < HANG_UP_MILLIS) return;
        hungUpMillis = now;
      }
      seen++;
      (seen === 1 ? onFirst : onSecond)({ signal, exitCode });
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const letIn = keepOthersOut(Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]);
  return {
    stop() {
      letIn();
      for (const remove of listeners) remove();
    },
  };
}

/** Takes out every listener for them that is added from now on. @returns What ends that. */
function keepOthersOut(signals: readonly NodeJS.Signals[]): () => void {
  const onNew = (event: string | symbol, listener: () => void) => {
    const signal = signals.find((signal) => signal === event);
    // It is told before the listener is there.
    if (signal) queueMicrotask(() => process.off(signal, listener));
  };
  process.on('newListener', onNew);
  return () => void process.off('newListener', onNew);
}

/** Before there is a crawl, and after it, nobody listens for SIGUSR2: from now on it ends this process at no time. Nor does
 *  SIGXFSZ: a file that may grow no further (`ulimit -f`) is an error of its write, as a full disk is. */
export function outliveQuestions(): void {
  process.on('SIGUSR2', () => {});
  process.on('SIGXFSZ' as NodeJS.Signals, () => {});
}

/** Calls `onAsked` at each SIGUSR2 (SIGUSR1 is Node's inspector's) until `stop()`. */
export function listenForQuestions(onAsked: () => void): { stop(): void } {
  process.on('SIGUSR2', onAsked);
  return { stop: () => void process.off('SIGUSR2', onAsked) };
}

/** Ends a crawl as SIGTERM would; nothing happens when none listens. */
export function askToStop(): void {
  process.emit('SIGTERM', 'SIGTERM');
}

/** For a process whose parent is asked to end when it is: a terminal sends its signals to both. */
export function leaveSignalsToParent(): void {
  const ignored = [...Object.keys(EXIT_CODES), 'SIGUSR2'] as NodeJS.Signals[];
  for (const signal of ignored) process.on(signal, () => {});
  keepOthersOut(ignored);
}

/** Runs until the work is done or a signal ends it. */
export async function runInterruptibly(
  work: () => Promise<unknown>,
  on: { stop(): void; endNow(interruption: Interruption): void },
): Promise<Interruption | null> {
  let interruption: Interruption | null = null;
  const signals = listenForSignals((first) => {
    interruption = first;
    on.stop();
  }, on.endNow);
  try {
    await work();
    return interruption;
  } finally {
    signals.stop();
  }
}
