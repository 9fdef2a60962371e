// The run lock: one process at a time works on a storage folder. The operating system holds it, so it is gone the moment
// its owner is, however that one died, and neither a reused pid nor a restarted container can fake it.
import { existsSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'libsql';

import { SurefootError } from '../../core/errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { toStorageError } from './errors.ts';

const LOCK_FILE = 'crawl.lock';
/** How often the owner shows that it is not only alive but working. */
const HEARTBEAT_MILLIS = 5_000;

/** Who works on a storage folder, or died while doing so. */
export interface LockOwner {
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** The owner's last heartbeat. A running owner without one for a minute hangs. */
  readonly heartbeat: string;
  readonly running: boolean;
}

/** Takes the lock of a storage folder until `release()`.
 *  @throws {SurefootError} kind `run`: another process has it. */
export function acquireRunLock(storageDir: string): { release(): void } {
  const file = join(storageDir, LOCK_FILE);
  try {
    makeFolder(storageDir);
    const db = new Database(file, { timeout: 0 });
    try {
      db.exec('BEGIN IMMEDIATE');
      db.exec('CREATE TABLE IF NOT EXISTS owner (pid INTEGER NOT NULL, since TEXT NOT NULL); DELETE FROM owner');
      db.prepare('INSERT INTO owner (pid, since) VALUES (?, ?)').run(process.pid, new Date().toISOString());
      // A `status` may be reading this moment; an owner would have refused the BEGIN above.
      db.exec('PRAGMA busy_timeout = 1000; COMMIT; PRAGMA busy_timeout = 0');
      // An open write transaction is the lock (https://sqlite.org/lockingv3.html, RESERVED): others can still read the owner.
      db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      db.close();
      throw error;
    }
    const beat = setInterval(() => beatOnce(file), HEARTBEAT_MILLIS).unref();
    return {
      release() {
        clearInterval(beat);
        if (!db.open) return;
        // An owner that is still named was killed. libsql closes the file only when the last statement is garbage; the lock
        // must not wait for that, but goes with the transaction.
        try {
          db.exec('PRAGMA busy_timeout = 1000; DELETE FROM owner; COMMIT');
        } catch {
          // The name stays: all that is lost is a line of `status`. Where the disk is full, SQLite has rolled back itself.
          if (db.inTransaction) db.exec('ROLLBACK');
        }
        db.close();
      },
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) throw busy(storageDir);
    if (error instanceof Error && 'code' in error && /NOTADB|CORRUPT/.test(String(error.code))) {
      throw new SurefootError(
        'storage',
        `${file} is not the lock file of a crawl. Delete it, or name another folder with --storage-dir.`,
        {
          cause: error,
        },
      );
    }
    throw toStorageError(error, file);
  }
}

function beatOnce(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Only a sign of life: the crawl itself will say what is wrong with its folder.
  }
}

/** Who has the lock of a storage folder, or was killed while having it; null after an orderly end. */
export function readLockOwner(storageDir: string): LockOwner | null {
  const file = join(storageDir, LOCK_FILE);
  if (!existsSync(file)) return null;
  const db = new Database(file, { timeout: 1_000 });
  try {
    const owner = db.prepare('SELECT pid, since FROM owner').get() as { pid: number; since: string } | undefined;
    return owner
      ? { pid: owner.pid, since: owner.since, heartbeat: statSync(file).mtime.toISOString(), running: isHeld(file) }
      : null;
  } catch {
    return null; // Not a lock file of ours; acquireRunLock() says so where it matters.
  } finally {
    db.close();
  }
}

function isHeld(file: string): boolean {
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch {
    return true;
  } finally {
    db.close();
  }
}

function busy(storageDir: string): SurefootError {
  const owner = readLockOwner(storageDir);
  const who = owner ? `process ${owner.pid}, since ${owner.since}, last sign of life ${owner.heartbeat}` : 'another process';
  return new SurefootError(
    'run',
    `A crawl is running on ${storageDir} already (${who}). Wait for it, stop it, or name another folder with --storage-dir.`,
  );
}
