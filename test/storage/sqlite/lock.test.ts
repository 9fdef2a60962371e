// One process at a time works on a storage folder; a killed one holds nothing.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import Database from 'libsql';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { SurefootError } from '../../../src/core/errors.ts';
import { acquireRunLock, readLockOwner } from '../../../src/storage/sqlite/lock.ts';
import { newFolder } from './fixture.ts';

const LOCK = fileURLToPath(new URL('../../../src/storage/sqlite/lock.ts', import.meta.url));

/** Takes the lock, says so, and holds it; or says why not, and ends. */
const HOLDER = `
  const { acquireRunLock } = await import(process.env.LOCK);
  try {
    acquireRunLock(process.env.DIR);
    console.log('held');
    setInterval(() => {}, 1_000);
  } catch (error) {
    console.log(error.message);
  }
`;

const startHolder = (dir: string) => start(HOLDER, dir);

async function start(script: string, dir: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { ...process.env, LOCK, DIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function refusalOf(dir: string): string {
  try {
    acquireRunLock(dir).release();
  } catch (error) {
    if (error instanceof SurefootError && error.kind === 'run') return error.message;
    throw error;
  }
  throw new Error('The lock was given.');
}

describe('the lock of another process', () => {
  it('refuses this one with its pid while it lives, and is gone at once when it is killed', async () => {
    const dir = newFolder();
    const { child, said } = await startHolder(dir);
    expect(said).toBe('held');
    for (let time = 0; time < 3; time++) {
      const message = refusalOf(dir);
      for (const part of [`process ${child.pid},`, dir, '--storage-dir']) expect(message).toContain(part);
    }
    expect(readLockOwner(dir)).toMatchObject({ pid: child.pid, running: true });

    await kill(child);
    expect(readLockOwner(dir)).toMatchObject({ pid: child.pid, running: false });
    const lock = acquireRunLock(dir);
    expect(readLockOwner(dir)).toMatchObject({ pid: process.pid, running: true });
    lock.release();
  });

  it('is given to exactly one of two that start at once', async () => {
    const dir = newFolder();
    const holders = await Promise.all([startHolder(dir), startHolder(dir)]);
    const winners = holders.filter(({ said }) => said === 'held');
    expect(winners).toHaveLength(1);
    expect(readLockOwner(dir)).toMatchObject({ pid: winners[0]?.child.pid, running: true });
  });

  it('keeps a second process out that starts while this one holds it', async () => {
    const dir = newFolder();
    const lock = acquireRunLock(dir);
    const { said } = await startHolder(dir);
    expect(said).toContain(`process ${process.pid},`);
    lock.release();
    expect((await startHolder(dir)).said).toBe('held');
  });
});

/** Reads who had the lock, as `status` does, and takes 200 ms for it. */
const READER = `
  const { default: Database } = await import('libsql');
  const db = new Database(process.env.DIR + '/crawl.lock');
  db.exec('BEGIN');
  db.prepare('SELECT * FROM owner').get();
  console.log('reading');
  setTimeout(() => db.exec('COMMIT'), 200);
`;

describe('a free lock', () => {
  it('is given although another process is just reading who had it last', async () => {
    const dir = newFolder();
    const db = new Database(join(dir, 'crawl.lock'));
    db.exec("CREATE TABLE owner (pid INTEGER NOT NULL, since TEXT NOT NULL); INSERT INTO owner VALUES (1, '2026-02-03')");
    db.close();
    const { child, said } = await start(READER, dir);
    expect(said).toBe('reading');
    expect(() => acquireRunLock(dir).release()).not.toThrow();
    await once(child, 'exit');
  });
});

describe('the lock of this process', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is refused a second time, and free after its release, which may be repeated', () => {
    const dir = newFolder();
    const first = acquireRunLock(dir);
    expect(refusalOf(dir)).toContain(`process ${process.pid},`);
    first.release();
    first.release();
    const second = acquireRunLock(dir);
    first.release();
    expect(readLockOwner(dir)).toMatchObject({ running: true });
    second.release();
    expect(readLockOwner(dir), 'an orderly end leaves no name behind').toBeNull();
  });

  it('makes the folder', () => {
    const dir = join(newFolder(), 'a', 'b');
    const lock = acquireRunLock(dir);
    expect(readLockOwner(dir)).toMatchObject({ pid: process.pid, running: true });
    lock.release();
    expect(readLockOwner(dir)).toBeNull();
  });

  it('shows a heartbeat while it is held, and none after', () => {
    vi.useFakeTimers();
    const dir = newFolder();
    const lock = acquireRunLock(dir);
    const beatsAt = () => statSync(join(dir, 'crawl.lock')).mtime.getTime();
    vi.advanceTimersByTime(60_000);
    const last = Date.now();
    expect(Math.abs(beatsAt() - last)).toBeLessThan(5_500);
    expect(Date.parse(readLockOwner(dir)?.heartbeat ?? '')).toBe(beatsAt());
    lock.release();
    vi.advanceTimersByTime(60_000);
    expect(beatsAt()).toBeLessThanOrEqual(last);
  });

  it('does not die of a heartbeat that cannot be written', () => {
    vi.useFakeTimers();
    const dir = join(newFolder(), 'storage');
    const lock = acquireRunLock(dir);
    onTestFinished(() => lock.release());
    const moved = `${dir}-moved`;
    renameSync(dir, moved);
    expect(() => vi.advanceTimersByTime(10_000)).not.toThrow();
  });
});

describe('readLockOwner', () => {
  it('knows nobody where there never was a crawl', () => {
    expect(readLockOwner(newFolder())).toBeNull();
    expect(readLockOwner(join(newFolder(), 'nowhere'))).toBeNull();
  });

  it.each([
    ['garbage', 'x'.repeat(5_000)],
    ['an empty file', ''],
  ])('takes %s in its place for nobody', (_, content) => {
    const dir = newFolder();
    writeFileSync(join(dir, 'crawl.lock'), content);
    expect(readLockOwner(dir)).toBeNull();
  });
});

describe('a lock file that cannot be used', () => {
  it('is refused with its path, and with a way out that works', () => {
    const dir = newFolder();
    writeFileSync(join(dir, 'crawl.lock'), 'x'.repeat(5_000));
    const taken = (() => {
      try {
        acquireRunLock(dir).release();
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    // Taken over, or refused: --fresh sets crawl.sqlite aside, but the lock comes before it and stays damaged.
    if (taken !== '') expect(taken).toContain(join(dir, 'crawl.lock'));
    expect(taken).not.toContain('--fresh');
  });

  it('is a folder: refused in words', () => {
    const dir = newFolder();
    mkdirSync(join(dir, 'crawl.lock'));
    expect(() => acquireRunLock(dir)).toThrow(SurefootError);
  });
});

describe('a disk that is full', () => {
  it('does not keep the lock from being released', () => {
    const dir = newFolder();
    const lock = acquireRunLock(dir);
    // SQLite undoes the whole transaction itself then (https://sqlite.org/lang_transaction.html).
    const full = vi.spyOn(Database.prototype, 'exec').mockImplementationOnce(function (this: Database.Database) {
      this.exec('ROLLBACK');
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    });
    onTestFinished(() => full.mockRestore());
    expect(() => lock.release()).not.toThrow();
    acquireRunLock(dir).release();
  });
});
