// Transactions on one connection: one at once, or one of all that is asked for in a turn of the event loop.
import type Database from 'libsql';

import { isLocked } from './errors.ts';
import { createLedger, type Ledger } from './ledger.ts';

// Single rows are read with `get()`: each `all()` makes a native object that libsql (0.5) frees only between two turns
// of the event loop.

// Where somebody else writes to the file (a backup, a database browser), SQLite waits for BUSY_MILLIS with the event loop
// standing still, and is asked again: at once where nothing else can be done meanwhile, and else after the loop has had a
// turn, so that signals and answers are heard.
export const BUSY_MILLIS = 1_000;
const TRIES_AT_ONCE = 10;
const TRIES = 60;
const AGAIN_MILLIS = 20;

/** A connection with its transactions. */
export interface Connection {
  readonly db: Database.Database;
  /** Runs `work` in one transaction, at once; all of it happens or nothing. Not to be nested. */
  transaction<T>(work: () => T): T;
  /** The same, together with all else that is asked for in this turn of the event loop, in the order of asking: what costs
   *  is the end of a transaction, not what is in it. Resolves when it is on disk. One that throws takes no other along.
   *  @param options.whole Whether what it has written when it throws must go; one that writes but once needs no care.
   *  @default true */
  group<T>(work: () => T, options?: { whole: boolean }): Promise<T>;
  /** Does what `group` has waiting, at once. Throws nothing: whoever waits for it is told. */
  flush(): void;
  /** Told when anything that was written has been undone. */
  onUndo(listener: () => void): void;
  /** How many pieces of work have begun. What one has seen still holds for the next one of the same transaction. */
  begun(): number;
  /** Figures that are written at the end of a transaction, with it. */
  readonly ledger: Pick<Ledger, 'open'>;
}

interface Unit {
  readonly whole: boolean;
  /** Runs inside the transaction. */
  run(): void;
  /** Called after its end. */
  done(): void;
  fail(error: unknown): void;
}

/** @param db Its errors are passed on as they are. */
export function openTransactions(db: Database.Database): Connection {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const mark = db.prepare('SAVEPOINT unit');
  const forget = db.prepare('RELEASE unit');
  const undo = db.prepare('ROLLBACK TO unit');
  const ledger = createLedger();
  const listeners: (() => void)[] = [];
  let waiting: Unit[] = [];
  let begun = 0;

  const undone = () => {
    for (const listener of listeners) listener();
  };
  const beginWithin = (tries: number) => {
    for (let left = tries - 1; ; left--) {
      try {
        begin.run();
        return;
      } catch (error) {
        if (left === 0 || !isLocked(error)) throw error;
      }
    }
  };
  /** The rest of a transaction that has begun. */
  const finish = <T>(work: () => T): T => {
    try {
      const result = work();
      ledger.write();
      commit.run();
      return result;
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      undone();
      throw error;
    } finally {
      ledger.clear();
    }
  };
  const transaction = <T>(work: () => T): T => {
    begun++;
    beginWithin(TRIES_AT_ONCE);
    return finish(work);
  };

  const run = (unit: Unit) => {
    begun++;
    unit.run();
  };
  /** All but those that throw. */
  const runAll = (units: readonly Unit[]): Unit[] => {
    const good: Unit[] = [];
    for (const unit of units) {
      const figures = ledger.mark();
      if (unit.whole) mark.run();
      try {
        run(unit);
        good.push(unit);
      } catch (error) {
        if (!db.inTransaction) throw error; // SQLite has undone everything: the disk is full, the file damaged.
        if (unit.whole) undo.run();
        ledger.undo(figures);
        undone();
        unit.fail(error);
      }
      if (unit.whole) forget.run();
    }
    return good;
  };
  /** @param triesLeft Where others may have a turn between them. */
  const flush = (triesLeft?: number) => {
    const units = waiting;
    const [only] = units;
    if (!only) return;
    try {
      beginWithin(triesLeft === undefined ? TRIES_AT_ONCE : 1);
    } catch (error) {
      if (triesLeft !== undefined && triesLeft > 0 && isLocked(error)) {
        setTimeout(flush, AGAIN_MILLIS, triesLeft - 1);
        return;
      }
      waiting = [];
      for (const unit of units) unit.fail(error);
      return;
    }
    waiting = [];
    begun++;
    try {
      if (units.length === 1) {
        finish(() => run(only));
        only.done();
      } else {
        for (const unit of finish(() => runAll(units))) unit.done();
      }
    } catch (error) {
      // A unit that has failed for itself is told nothing new by this.
      for (const unit of units) unit.fail(error);
    }
  };
  const group = <T>(work: () => T, { whole } = { whole: true }): Promise<T> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush, TRIES);
      let value: T;
      waiting.push({
        whole,
        run() {
          value = work();
        },
        done: () => resolve(value),
        fail: reject,
      });
    });
  return { db, transaction, group, flush, onUndo: (listener) => void listeners.push(listener), begun: () => begun, ledger };
}
