// How fast a host may be called: pages in flight, a gap between them, a rest when it asks for one. Additive increase,
// multiplicative decrease: what works is tried a little faster, what hurts is halved, and the limits are never passed.
// Decides over plain data, which a store keeps: in memory (storage/host-paces.ts) or in a table that machines share.

export interface PaceLimits {
  /** Pages in flight at one host. */
  readonly hostConcurrency: number;
  /** Between two claims of one host, in milliseconds; up to a quarter more at random. @default 0 */
  readonly delayMillis: number;
}

/** How an attempt went, as far as its host is concerned. */
export type Landing = 'good' | 'throttled' | 'bad';

export interface HostLanding {
  readonly how: Landing;
  /** How long the page took; null if that says nothing of the host. */
  readonly millis: number | null;
}

/** What is kept of a host. Times are epoch milliseconds by the store's clock; 0: none. */
export interface HostPace {
  readonly inFlight: number;
  /** Pages that may be in flight, as a real number: it grows by 1/window a page. */
  readonly window: number;
  /** Between two claims. */
  readonly delayMillis: number;
  /** Since when that gap is kept. */
  readonly delaySince: number;
  /** When the last claim's gap is over. */
  readonly nextStart: number;
  /** Until when it has asked to be left alone. */
  readonly pausedUntil: number;
  /** Milliseconds a page takes: lately, and at its best. */
  readonly lately: number;
  readonly best: number;
}

/** How a host rests. Both may be so at once, and what it has asked for outlasts the other. */
export interface Rest {
  /** Until when it is not called; 0: that is over, or was never so. Outlives the process. */
  readonly until: number;
  /** Whether it has as many pages in flight as it may: then it is not called before one lands, whatever the time. Ends with
   *  the process, for none of them is in flight then. */
  readonly closed: boolean;
}

/** A host for the operator. */
export interface HostSpeed {
  readonly host: string;
  readonly inFlight: number;
  /** Pages that may be in flight. */
  readonly window: number;
  /** Milliseconds; 0: it may be called. */
  readonly restsFor: number;
}

/** A page that takes this much longer than the host's best says that the host is under strain. */
const STRAIN = 3;
/** What is faster than this is no strain, whatever the best was. */
const STRAIN_FLOOR_MILLIS = 250;
const SMOOTHING = 0.2;

/** A host of which nothing is known. */
export function fullSpeed({ hostConcurrency, delayMillis }: PaceLimits): HostPace {
  return {
    inFlight: 0,
    window: hostConcurrency,
    delayMillis,
    delaySince: 0,
    nextStart: 0,
    pausedUntil: 0,
    lately: 0,
    best: 0,
  };
}

/** A request of the host is claimed, to be made at a time. @param random In [0, 1). */
export function takeOff(pace: HostPace, at: number, random: number): HostPace {
  const { delayMillis } = pace;
  const nextStart = delayMillis > 0 ? at + Math.round(delayMillis * (1 + random / 4)) : pace.nextStart;
  return { ...pace, inFlight: pace.inFlight + 1, nextStart };
}

/** A claim of the host was given back without a request. @param at The time that it was to be made at. */
export function standDown(pace: HostPace, at: number): HostPace {
  // Later ones keep their turns.
  const isLast = pace.nextStart > 0 && pace.nextStart <= at + pace.delayMillis * 1.25 + 1;
  return { ...pace, inFlight: Math.max(0, pace.inFlight - 1), nextStart: isLast ? Math.min(at, pace.nextStart) : pace.nextStart };
}

/** A page of the host has landed. */
export function land(pace: HostPace, { how, millis }: HostLanding, { hostConcurrency: limit }: PaceLimits): HostPace {
  const landed = { ...pace, inFlight: Math.max(0, pace.inFlight - 1) };
  if (how === 'throttled') return { ...landed, window: Math.max(1, pace.window / 2) };
  if (how === 'bad') return landed;
  const risen = Math.min(limit, pace.window + 1 / Math.max(1, pace.window));
  if (millis === null) return { ...landed, window: risen };
  const lately = pace.lately === 0 ? millis : pace.lately + SMOOTHING * (millis - pace.lately);
  const best = pace.best === 0 ? lately : Math.min(pace.best, lately);
  if (lately <= STRAIN_FLOOR_MILLIS || lately <= STRAIN * best) return { ...landed, lately, best, window: risen };
  // A host that has become slow for good is not throttled down for ever: its best is forgotten bit by bit.
  return { ...landed, lately, best: best + SMOOTHING * (lately - best) * 0.1, window: Math.max(1, pace.window * 0.9) };
}

/** It is not called before a time. */
export function pause(pace: HostPace, until: number): HostPace {
  return { ...pace, pausedUntil: Math.max(pace.pausedUntil, until) };
}

/** It asks for a gap of its own (Crawl-delay). The longer one holds. */
export function slowDown(pace: HostPace, delayMillis: number, now: number): HostPace {
  if (delayMillis <= pace.delayMillis) return pace;
  return { ...pace, delayMillis, delaySince: now, nextStart: Math.max(pace.nextStart, now + delayMillis) };
}

/** How it rests, by all that was said of it. */
export function restOf({ inFlight, window, nextStart, pausedUntil }: HostPace, now: number): Rest {
  const until = Math.max(nextStart, pausedUntil);
  return { until: until > now ? until : 0, closed: inFlight >= Math.max(1, Math.floor(window)) };
}

/** Whether nothing is to be remembered of it: no page in flight, no rest, and the speed of one that is new. */
export function isUnremarkable(pace: HostPace, limits: PaceLimits, now: number): boolean {
  const { inFlight, window, delayMillis } = pace;
  return (
    inFlight === 0 && window >= limits.hostConcurrency && delayMillis === limits.delayMillis && restOf(pace, now).until === 0
  );
}
