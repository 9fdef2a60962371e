// A lane's look for its next requests: as many as it has room for, one look at a time, and none while nothing can have
// changed.
import { setImmediate } from 'node:timers/promises';

import { handOutAfter } from '../core/crash.ts';
import type { Tier } from '../core/page.ts';
import type { ClaimedPage } from '../core/run-store.ts';

/** A request to be handed out, and how it is to be fetched. */
export interface Next {
  readonly page: ClaimedPage;
  readonly tier: Tier;
  /** When it may be requested, by the run's clock. */
  readonly readyAt: number;
}

/** What a look has found. */
export interface Found {
  readonly next: readonly Next[];
  /** When there may be something again, if nobody does anything; see `Claims.wakesIn`. */
  readonly wakesIn: number | null;
}

/** What the lanes of a frontier share. */
export interface Shared {
  /** The run's clock. */
  now(): number;
  /** Grows with all that may give a claim something to find. */
  changes(): number;
  /** Claims from the store what the lane has room for. */
  claim(): Promise<Found>;
  /** When there may be something to claim again, by that clock. */
  wakeAt(now: number, wakesIn: number | null): Promise<number>;
  /** Gives back what was claimed and must not be handed out now. */
  giveBack(next: readonly Next[]): void;
  /** Makes a dead letter of a page that killed the process. */
  bury(next: Next): Promise<void>;
}

export interface LaneClaims {
  /** Whether there is nothing to hand out now; looks if there may be. */
  isEmpty(): Promise<boolean>;
  /** A request that `isEmpty` has found. */
  take(): Next | null;
  /** Gives back what is claimed of a host and not taken, be it by a look that is under way. */
  drop(host: string): void;
  /** The first that is claimed ahead. */
  readonly ahead: Next | null;
  /** Something is claimed ahead, or being looked for. */
  readonly busy: boolean;
  /** Has the next `isEmpty` look. */
  wake(): void;
}

/** An idle lane looks at the store at least this often, in case somebody else has added to it. */
const MAX_IDLE_MILLIS = 1_000;

export function createClaims(shared: Shared): LaneClaims {
  let ahead: Next[] = [];
  let claiming: Promise<void> | null = null;
  let idleUntil = 0;
  /** Hosts that have asked for a rest since the look began. */
  const dropped = new Set<string>();

  const look = async () => {
    for (;;) {
      const now = shared.now();
      const before = shared.changes();
      dropped.clear();
      const { next: found, wakesIn } = await shared.claim();
      const refused = found.filter(({ page }) => dropped.has(page.host));
      if (refused.length > 0) shared.giveBack(refused);
      for (const next of found) {
        if (refused.includes(next)) continue;
        if (handOutAfter(next.page.deaths) === 'dead-letter') await shared.bury(next);
        else ahead.push(next);
      }
      if (ahead.length > 0) return;
      if (found.length > 0) continue;
      const wakeAt = before === shared.changes() ? await shared.wakeAt(now, wakesIn) : 0;
      // A page that has landed meanwhile may have added links, or left a suspect alone; or requests were only moved.
      if (before !== shared.changes()) {
        await setImmediate();
        continue;
      }
      idleUntil = Math.min(wakeAt, now + MAX_IDLE_MILLIS);
      return;
    }
  };
  const firstReady = () => {
    const now = shared.now();
    return ahead.findIndex(({ readyAt }) => readyAt <= now);
  };

  return {
    async isEmpty() {
      if (ahead.length === 0 && shared.now() >= idleUntil) {
        // Callers at the same time share one look.
        claiming ??= look().finally(() => {
          claiming = null;
        });
        await claiming;
      }
      return firstReady() === -1;
    },
    take() {
      const first = firstReady();
      return first === -1 ? null : (ahead.splice(first, 1)[0] ?? null);
    },
    drop(host) {
      if (claiming) dropped.add(host);
      const refused = ahead.filter(({ page }) => page.host === host);
      if (refused.length === 0) return;
      ahead = ahead.filter(({ page }) => page.host !== host);
      shared.giveBack(refused);
    },
    get ahead() {
      return ahead[0] ?? null;
    },
    get busy() {
      return ahead.length > 0 || claiming !== null;
    },
    wake() {
      idleUntil = 0;
    },
  };
}
