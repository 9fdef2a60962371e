// The pace of all hosts, in the memory of the one process that has the store. core/pace.ts decides.
import {
  fullSpeed,
  isUnremarkable,
  land,
  pause,
  restOf,
  slowDown,
  standDown,
  takeOff,
  type HostLanding,
  type HostPace,
  type HostSpeed,
  type PaceLimits,
  type Rest,
} from '../core/pace.ts';

/** What a restart should know of hosts: those that are not at full speed. */
export type PaceMemory = readonly (readonly [host: string, pace: Omit<HostPace, 'inFlight'>])[];

/** Each call answers how the host rests after it. */
export interface HostPaces {
  takeOff(host: string, now: number): Rest;
  /** A claim made `at` a time is given back. */
  standDown(host: string, at: number, now: number): Rest;
  /** @returns Null: nothing changes. */
  land(host: string, landing: HostLanding, now: number): Rest | null;
  /** A landing that could not be written: the page is in flight as before. */
  fliesOn(host: string): void;
  pause(host: string, until: number, now: number): Rest;
  /** @returns Since when the gap is kept; null: from now on. */
  slow(host: string, delayMillis: number, now: number): number | null;
  restOf(host: string, now: number): Rest;
  memory(now: number): PaceMemory;
  /** The busiest hosts first. */
  speeds(limit: number, now: number): HostSpeed[];
}

/** Hosts that are kept before those of which nothing is to be remembered are looked for. */
const MANY_HOSTS = 10_000;
/** Hosts that are kept at all: the longest untouched that rests for nothing goes. */
const MAX_HOSTS = 100_000;

/** @param random In [0, 1). @param memory Of another process of the same run. */
export function openHostPaces(limits: PaceLimits, random: () => number, memory: PaceMemory = []): HostPaces {
  const hosts = new Map<string, HostPace>();
  for (const [host, pace] of memory) {
    hosts.set(host, { ...pace, window: Math.min(pace.window, limits.hostConcurrency), inFlight: 0 });
  }
  let sweepAt = MANY_HOSTS;

  const paceOf = (host: string) => hosts.get(host) ?? fullSpeed(limits);
  const keep = (host: string, pace: HostPace, now: number): Rest => {
    if (hosts.size >= sweepAt && !hosts.has(host)) sweep(now);
    hosts.set(host, pace);
    return restOf(pace, now);
  };
  /** Makes room without forgetting what a host has asked for or was found to bear. */
  const sweep = (now: number) => {
    for (const [host, pace] of hosts) if (isUnremarkable(pace, limits, now)) hosts.delete(host);
    for (const [host, pace] of hosts) {
      if (hosts.size < MAX_HOSTS) break;
      if (pace.inFlight === 0 && restOf(pace, now).until === 0) hosts.delete(host);
    }
    sweepAt = Math.max(MANY_HOSTS, Math.min(2 * hosts.size, MAX_HOSTS));
  };

  return {
    takeOff: (host, now) => keep(host, takeOff(paceOf(host), now, random()), now),
    standDown: (host, at, now) => keep(host, standDown(paceOf(host), at), now),
    land(host, landing, now) {
      const before = paceOf(host);
      const after = land(before, landing, limits);
      const rest = restOf(after, now);
      if (isUnremarkable(after, limits, now)) hosts.delete(host);
      else keep(host, after, now);
      return restOf(before, now).closed === rest.closed && rest.until === 0 ? null : rest;
    },
    fliesOn(host) {
      const pace = paceOf(host);
      hosts.set(host, { ...pace, inFlight: pace.inFlight + 1 });
    },
    pause: (host, until, now) => keep(host, pause(paceOf(host), until), now),
    slow(host, delayMillis, now) {
      const before = paceOf(host);
      const after = slowDown(before, delayMillis, now);
      if (after === before) return before.delaySince;
      keep(host, after, now);
      return null;
    },
    restOf: (host, now) => restOf(paceOf(host), now),
    memory: (now) =>
      [...hosts].flatMap(([host, { inFlight, ...pace }]) =>
        isUnremarkable({ ...pace, inFlight: 0 }, limits, now) ? [] : [[host, pace] as const],
      ),
    speeds(limit, now) {
      const flying = [...hosts].filter(([, { inFlight }]) => inFlight > 0).sort(([, a], [, b]) => b.inFlight - a.inFlight);
      for (const entry of flying.length < limit ? hosts : []) {
        if (flying.length >= limit) break;
        if (entry[1].inFlight === 0) flying.push(entry);
      }
      return flying.slice(0, limit).map(([host, { inFlight, window, nextStart, pausedUntil }]) => ({
        host,
        inFlight,
        window: Math.max(1, Math.floor(window)),
        restsFor: Math.max(0, Math.max(nextStart, pausedUntil) - now),
      }));
    },
  };
}
