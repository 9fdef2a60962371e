// How fast each host may be called: pages in flight, a gap between them, a rest when it asks for one. Additive increase,
// multiplicative decrease: what works is tried a little faster, what hurts is halved, and the limits are never passed.

import type { Rest } from '../core/checkpoint.ts';

export interface PaceLimits {
  /** Pages in flight at one host. */
  readonly hostConcurrency: number;
  /** Between two hand-outs to one host; up to a quarter more at random. @default 0 */
  readonly delayMillis: number;
}

/** How an attempt went, as far as its host is concerned. */
export type Landing = 'good' | 'throttled' | 'bad';

/** The pace of all hosts. What it keeps of a host is dropped once that is back to normal and nothing is in flight. */
export interface Pace {
  /** A request of the host is handed out. @returns How the host rests after it; one that is closed does until a page lands. */
  takeOff(host: string, now: number): Rest;
  /** A page of the host has landed. @param millis How long it took; null if that says nothing of the host. @returns As `takeOff`; null: nothing changes. */
  land(host: string, how: Landing, millis: number | null, now: number): Rest | null;
  /** No request goes to the host before a time (epoch milliseconds). @returns As `takeOff`, with that time or a later one. */
  pause(host: string, until: number, now: number): Rest;
  /** Sets the host's own gap (Crawl-delay), if it is longer than the one that is asked for.
   *  @returns Since when it is known (epoch milliseconds), null if only now. */
  setDelay(host: string, delayMillis: number, now: number): number | null;
  /** Whether a host has asked for a rest that is not over. */
  isPaused(host: string, now: number): boolean;
  /** Whether any host has a gap between its pages. */
  readonly hasGaps: boolean;
  /** How a host rests now. */
  restOf(host: string, now: number): Rest;
  /** What a restart should know: hosts that are not at full speed. */
  memory(): PaceMemory;
  /** For the operator: hosts that are not at full speed, or have pages in flight. */
  snapshot(): { host: string; inFlight: number; window: number; restsUntil: number }[];
}

/** As `Pace.memory()` gave it. */
export type PaceMemory = readonly (readonly [host: string, pace: Omit<HostPace, 'inFlight' | 'closed'>])[];

interface HostPace {
  inFlight: number;
  /** Pages that may be in flight, as a real number: it grows by 1/window a page. */
  window: number;
  delayMillis: number;
  /** Since when that gap is known, epoch milliseconds. */
  delaySince: number;
  /** Of the last hand-out's gap. */
  nextStart: number;
  pausedUntil: number;
  /** Whether it was told to rest until a page lands. */
  closed: boolean;
  /** Milliseconds a page takes: lately, and at its best. */
  lately: number;
  best: number;
}

/** A page that takes this much longer than the host's best says that the host is under strain. */
const STRAIN = 3;
/** What is faster than this is no strain, whatever the best was. */
const STRAIN_FLOOR_MILLIS = 250;
const SMOOTHING = 0.2;
/** Hosts that are remembered beyond what is in flight. */
const MAX_HOSTS = 10_000;

/** @param random In [0, 1). @param memory Of another process of the same run. */
export function createPace({ hostConcurrency, delayMillis }: PaceLimits, random: () => number, memory: PaceMemory = []): Pace {
  const hosts = new Map<string, HostPace>();
  let hasGaps = delayMillis > 0 || memory.some(([, pace]) => pace.delayMillis > 0);
  for (const [host, pace] of memory) {
    const window = Math.min(pace.window, hostConcurrency);
    hosts.set(host, { ...pace, window, inFlight: 0, closed: false });
  }

  const paceOf = (host: string): HostPace => {
    let pace = hosts.get(host);
    if (!pace) {
      pace = {
        inFlight: 0,
        window: hostConcurrency,
        delayMillis,
        delaySince: 0,
        nextStart: 0,
        pausedUntil: 0,
        closed: false,
        lately: 0,
        best: 0,
      };
      hosts.set(host, pace);
      if (hosts.size > MAX_HOSTS) forgetOne();
    }
    return pace;
  };
  const forgetOne = () => {
    for (const [host, { inFlight }] of hosts) {
      if (inFlight > 0) continue;
      hosts.delete(host);
      return;
    }
  };
  /** How it rests, by all that was said of it. */
  const closeOrRest = (pace: HostPace, now: number): Rest => {
    pace.closed = pace.inFlight >= Math.max(1, Math.floor(pace.window));
    const until = Math.max(pace.nextStart, pace.pausedUntil);
    return { until: until > now ? until : 0, closed: pace.closed };
  };

  return {
    takeOff(host, now) {
      const pace = paceOf(host);
      pace.inFlight++;
      if (pace.delayMillis > 0) pace.nextStart = now + Math.round(pace.delayMillis * (1 + random() / 4));
      return closeOrRest(pace, now);
    },
    land(host, how, millis, now) {
      const pace = paceOf(host);
      pace.inFlight = Math.max(0, pace.inFlight - 1);
      const wasClosed = pace.closed;
      adapt(pace, how, millis, hostConcurrency);
      const rest = closeOrRest(pace, now);
      if (pace.inFlight === 0 && rest.until === 0 && pace.window >= hostConcurrency && pace.delayMillis === delayMillis)
        hosts.delete(host);
      return wasClosed === rest.closed && rest.until === 0 ? null : rest;
    },
    pause(host, until, now) {
      const pace = paceOf(host);
      pace.pausedUntil = Math.max(pace.pausedUntil, until);
      return closeOrRest(pace, now);
    },
    setDelay(host, millis, now) {
      const pace = paceOf(host);
      if (millis <= pace.delayMillis) return pace.delaySince;
      pace.delayMillis = millis;
      hasGaps = true;
      pace.delaySince = now;
      pace.nextStart = Math.max(pace.nextStart, now + millis);
      return null;
    },
    isPaused: (host, now) => (hosts.get(host)?.pausedUntil ?? 0) > now,
    get hasGaps() {
      return hasGaps;
    },
    restOf: (host, now) => closeOrRest(paceOf(host), now),
    memory: () => [...hosts].map(([host, { inFlight: _, closed: __, ...pace }]) => [host, pace]),
    snapshot: () =>
      [...hosts].map(([host, { inFlight, window, nextStart, pausedUntil }]) => ({
        host,
        inFlight,
        window: Math.max(1, Math.floor(window)),
        restsUntil: Math.max(nextStart, pausedUntil),
      })),
  };
}

/** Moves the window, between one page and the limit. */
function adapt(pace: HostPace, how: Landing, millis: number | null, limit: number): void {
  if (how === 'throttled') pace.window = Math.max(1, pace.window / 2);
  if (how !== 'good') return;
  const rise = () => {
    pace.window = Math.min(limit, pace.window + 1 / Math.max(1, pace.window));
  };
  if (millis === null) return rise();
  pace.lately = pace.lately === 0 ? millis : pace.lately + SMOOTHING * (millis - pace.lately);
  pace.best = pace.best === 0 ? pace.lately : Math.min(pace.best, pace.lately);
  if (pace.lately > STRAIN_FLOOR_MILLIS && pace.lately > STRAIN * pace.best) {
    pace.window = Math.max(1, pace.window * 0.9);
    // A host that has become slow for good is not throttled down for ever: its best is forgotten bit by bit.
    pace.best += SMOOTHING * (pace.lately - pace.best) * 0.1;
  } else {
    rise();
  }
}
