// A lane's look for its next requests: as many as it has room for, one look at a time, and none while nothing can have
// changed.
import { setImmediate } from 'node:timers/promises';

import type { Request } from '@crawlee/core';

import type { Claimed } from '../core/checkpoint.ts';
import { handOutAfter } from '../core/crash.ts';
import type { Tier } from '../core/page.ts';
import type { StoredRequest } from '../core/worker-messages.ts';

/** A request to be handed out, and how it is to be fetched. */
export interface Next extends Claimed<Request | StoredRequest> {
  readonly tier: Tier;
  /** When it was claimed, by the run's clock. */
  readonly at: number;
}

/** What the lanes of a frontier share. */
export interface Shared {
  /** The run's clock. */
  now(): number;
  /** Grows with all that may give a claim something to find. */
  changes(): number;
  /** Claims from the store; null: there is nothing now. */
  claim(now: number): Promise<Next | null>;
  /** How many requests the lane can take at once now, as far as is known: 1 at least. */
  room(): number;
  /** When there may be something to claim again, by that clock. */
  nextWake(now: number): number;
  /** Makes a dead letter of a page that killed the process. */
  bury(next: Next): Promise<void>;
}

export interface Claims {
  /** Whether there is nothing to hand out now; looks if there may be. */
  isEmpty(): Promise<boolean>;
  /** A request that `isEmpty` has found. */
  take(): Next | null;
  /** Gives up what was found and not taken. */
  drop(which: (next: Next) => boolean): Next[];
  /** The first that is claimed ahead. */
  readonly ahead: Next | null;
  /** Something is claimed ahead, or being looked for. */
  readonly busy: boolean;
  /** Has the next `isEmpty` look. */
  wake(): void;
}

/** An idle lane looks at the store at least this often, in case somebody else has added to it. */
const MAX_IDLE_MILLIS = 1_000;

export function createClaims(shared: Shared): Claims {
  let ahead: Next[] = [];
  let claiming: Promise<void> | null = null;
  let idleUntil = 0;

  const look = async () => {
    for (;;) {
      const now = shared.now();
      const before = shared.changes();
      // Asked for together, they are one transaction (storage/sqlite/transactions.ts).
      const asked = Array.from({ length: shared.room() }, () => shared.claim(now));
      const claimed = (await Promise.all(asked)).filter((next) => next !== null);
      for (const next of claimed) {
        if (handOutAfter(next.deaths) === 'dead-letter') await shared.bury(next);
        else ahead.push(next);
      }
      if (ahead.length > 0) return;
      if (claimed.length > 0) continue;
      // A page that has landed meanwhile may have added links, or left a suspect alone; or requests were only moved.
      if (before !== shared.changes()) {
        await setImmediate();
        continue;
      }
      idleUntil = Math.min(shared.nextWake(now), now + MAX_IDLE_MILLIS);
      return;
    }
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
      return ahead.length === 0;
    },
    take: () => ahead.shift() ?? null,
    drop(which) {
      const dropped = ahead.filter((next) => which(next));
      ahead = ahead.filter((next) => !which(next));
      return dropped;
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
