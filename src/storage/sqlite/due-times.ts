// When something falls due in a queue: a request that waits for its time, a host that rests. Falling due is to be set to 0,
// so that what is ready is in order in one index (schema.ts).
import { LANES } from '../../core/lane.ts';
import { STATE } from './schema.ts';
import type { Connection } from './transactions.ts';

/** A time that never comes by itself: that of a request until the second pass. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** Added to the time that a host rests until (0: it does not) while it is closed. No clock comes to it. */
export const CLOSED = 2 ** 52;

export interface DueTimes {
  /** Makes ready what has fallen due. Called inside a transaction. */
  wake(store: number, now: number): void;
  /** Told of each time that is written. Called inside the transaction. */
  comes(store: number, at: number): void;
  /** When the next waiting request falls due or the next resting host may be called; null if nothing does. */
  next(store: number): number | null;
}

export function openDueTimes({ db, onUndo }: Pick<Connection, 'db' | 'onUndo'>): DueTimes {
  const wakeHosts = db.prepare(
    'UPDATE hosts SET rests_until = 0 WHERE store = ? AND lane = ? AND rests_until > 0 AND rests_until <= ?',
  );
  const fallDue = db.prepare(
    `UPDATE requests SET due_at = 0 WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 AND due_at <= ?`,
  );
  const soonestRequest = db
    .prepare(`SELECT due_at FROM requests WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 ORDER BY due_at LIMIT 1`)
    .raw();
  const SOONEST_HOST = 'SELECT rests_until FROM hosts WHERE store = ? AND lane = ? AND rests_until > 0';
  const soonestHost = db.prepare(`${SOONEST_HOST} ORDER BY rests_until LIMIT 1`).raw();
  const soonestWithWork = db.prepare(`${SOONEST_HOST} AND head_seq IS NOT NULL ORDER BY rests_until LIMIT 1`).raw();

  /** Nothing of a queue falls due before this. Times are written by this process alone, and each is told of; where that may
   *  have been undone, or nobody knows, the next look is made. */
  const soonest = new Map<number, number>();
  onUndo(() => soonest.clear());
  const soonestOf = (store: number, host: typeof soonestHost) => {
    const lines = [soonestRequest.get(store), ...LANES.map((_, lane) => host.get(store, lane))] as ([number] | undefined)[];
    return Math.min(...lines.map((line) => line?.[0] ?? NEVER));
  };

  return {
    wake(store, now) {
      if ((soonest.get(store) ?? 0) > now) return;
      for (const lane of LANES.keys()) wakeHosts.run(store, lane, now);
      fallDue.run(store, now);
      // Hosts without work too: they may get some before their rest is over, or after.
      soonest.set(store, soonestOf(store, soonestHost));
    },
    comes(store, at) {
      const known = soonest.get(store);
      // 0 is ready already.
      if (at > 0 && known !== undefined && at < known) soonest.set(store, at);
    },
    next(store) {
      const at = soonestOf(store, soonestWithWork);
      return at >= CLOSED ? null : at;
    },
  };
}
