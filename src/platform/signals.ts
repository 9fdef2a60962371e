// SIGINT and SIGTERM: the first lets the pages in flight finish, the second ends at once.

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that asks a crawl to end, and the exit code that says so. */
export interface Interruption {
  readonly signal: keyof typeof EXIT_CODES;
  readonly exitCode: number;
}

/** Listens until `stop()`.
 *  @param onFirst Called with the first signal. @param onSecond Called with the next one; it must end the process. */
export function listenForSignals(
  onFirst: (interruption: Interruption) => void,
  onSecond: (interruption: Interruption) => void,
): { stop(): void } {
  let seen = 0;
  const listeners = Object.entries(EXIT_CODES).map(([name, exitCode]) => {
    const signal = name as keyof typeof EXIT_CODES;
    const listener = () => {
      seen++;
      (seen === 1 ? onFirst : onSecond)({ signal, exitCode });
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return {
    stop() {
      for (const remove of listeners) remove();
    },
  };
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

/** For a process whose parent is asked to end when it is: a terminal sends its signals to both. Takes out every listener for
 *  them, also those that come later, such as Crawlee's. */
export function leaveSignalsToParent(): void {
  const ignored = [...Object.keys(EXIT_CODES), 'SIGUSR2', 'SIGHUP'] as NodeJS.Signals[];
  const ignore = () => {};
  for (const signal of ignored) process.on(signal, ignore);
  process.on('newListener', (event, listener: () => void) => {
    if (ignored.some((signal) => signal === event)) queueMicrotask(() => process.off(event as NodeJS.Signals, listener));
  });
}
