// The run's clock, by which waits are measured. The machine's own can be set back, and all that waits for a time would wait
// longer by as much; this one never goes back, within a process or from one process of a run to the next. What is shown to
// people, and what servers say, are times of the machine's.

export interface Clock {
  /** Epoch milliseconds, ahead of the machine's clock by as much as that was set back. Never less than before. */
  now(): number;
  /** The run's time at a time of the machine's. */
  toRun(time: number): number;
  /** The machine's time at a time of the run's. */
  toMachine(time: number): number;
}

export interface ClockOptions {
  /** The machine's clock, epoch milliseconds. */
  machine: () => number;
  /** Milliseconds since any moment, on a clock that nobody sets. */
  elapsed: () => number;
  /** The run's clock as the process before this one has left it. @default the machine's */
  notBefore?: number;
}

export function createClock({ machine, elapsed, notBefore = 0 }: ClockOptions): Clock {
  let base = { at: Math.max(machine(), notBefore), elapsed: elapsed() };
  const now = () => {
    const [time, passed] = [machine(), elapsed()];
    // Not by what has passed alone: that clock stands still while the machine sleeps.
    if (time > base.at + passed - base.elapsed) base = { at: time, elapsed: passed };
    return Math.floor(base.at + passed - base.elapsed);
  };
  const ahead = () => {
    const time = machine();
    return now() - time;
  };
  return { now, toRun: (time) => time + ahead(), toMachine: (time) => time - ahead() };
}
