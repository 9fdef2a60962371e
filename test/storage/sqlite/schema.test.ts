// A file that is not ours to write is refused in words and left as it is, to the byte; --fresh sets it aside.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'libsql';
import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../../src/core/errors.ts';
import { openStorage } from '../../../src/storage/open.ts';
import { readRun, writeRun } from '../../../src/storage/run.ts';
import { openSqliteStorage, type SqliteStorage } from '../../../src/storage/sqlite/client.ts';
import { claim, fileIn, newFolder, openIn, queueWith, row, tally } from './fixture.ts';

/** A store with some pages done, closed. */
async function writeStore(dir: string): Promise<void> {
  const storage = openIn(dir);
  const names = Array.from({ length: 400 }, (_, n) => `page-${n}`);
  const queue = await queueWith(storage, names);
  for (const request of await claim(storage, queue, 200)) {
    await storage.commit(queue, request, { rows: [row('default', { n: request.url })], tally: tally() });
  }
  storage.close();
}

/** Leaves something in the file's place that cannot be used. */
const UNUSABLE: Record<string, (file: string) => Promise<void> | void> = {
  'a text': (file) => writeFileSync(file, 'Dear diary, '.repeat(1_000)),
  'a few bytes': (file) => writeFileSync(file, 'SQLite'),
  'a SQLite database of another program': (file) => {
    const db = new Database(file);
    db.exec('CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES (1), (2)');
    db.close();
  },
  'a SQLite database of another program with tables of our names': (file) => {
    const db = new Database(file);
    db.exec('PRAGMA application_id = 42; CREATE TABLE stores (a); CREATE TABLE requests (a); CREATE TABLE rows (a)');
    db.close();
  },
  'a store of a newer version': async (file) => {
    await writeStore(join(file, '..'));
    const db = new Database(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
  },
  'a store that was cut short': async (file) => {
    await writeStore(join(file, '..'));
    truncateSync(file, 3 * 4_096);
  },
  'a store of which the first page is all that is left': async (file) => {
    await writeStore(join(file, '..'));
    truncateSync(file, 4_096);
  },
  'a store whose tables were overwritten': async (file) => {
    await writeStore(join(file, '..'));
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xa5, 4_096));
  },
};

function problemOf(work: () => unknown): SurefootError {
  try {
    work();
  } catch (error) {
    if (error instanceof SurefootError) return error;
    throw error;
  }
  throw new Error('It was taken.');
}

describe.each(Object.entries(UNUSABLE))('%s', (_, write) => {
  it('is refused with its path and both ways out', async () => {
    const dir = newFolder();
    await write(fileIn(dir));
    const { kind, code, message } = problemOf(() => openSqliteStorage(fileIn(dir)));
    expect([kind, code]).toEqual(['storage', 'unusable-store']);
    for (const part of [fileIn(dir), '--storage-dir', '--fresh']) expect(message).toContain(part);
  });

  it('is left as it is, to the byte, however often it is tried', async () => {
    const dir = newFolder();
    await write(fileIn(dir));
    const before = readFileSync(fileIn(dir));
    for (let time = 0; time < 2; time++) problemOf(() => openStorage({ store: 'sqlite', storageDir: dir }));
    problemOf(() => openStorage({ store: 'sqlite', storageDir: dir, readOnly: true }));
    expect(readFileSync(fileIn(dir)).equals(before)).toBe(true);
  });

  it('is set aside by --fresh with its bytes, and a new store begins', async () => {
    const dir = newFolder();
    await write(fileIn(dir));
    const before = readFileSync(fileIn(dir));
    const storage = openStorage({ store: 'sqlite', storageDir: dir, fresh: true });
    await queueWith(storage.client, ['a']);
    await storage.close();
    const aside = readdirSync(dir).filter((name) => name.includes('set-aside') && !/-(wal|shm)$/.test(name));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(dir, aside[0] as string)).equals(before)).toBe(true);
    const again = openIn(dir);
    expect(again.counts(await queueWith(again))).toEqual({ total: 1, handled: 0 });
  });
});

/** Overwrites every page that says something of one request: not the first of any table, so opening does not meet it. */
function damageLeaves(file: string): void {
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 4_096) {
    if (bytes.subarray(at, at + 4_096).includes('/page-150"')) bytes.fill(0xa5, at, at + 4_096);
  }
  writeFileSync(file, bytes);
}

describe('a store whose leaves are damaged', () => {
  it('is set aside by --fresh with its bytes, and a new store begins', async () => {
    const dir = newFolder();
    await writeStore(dir);
    damageLeaves(fileIn(dir));
    const before = readFileSync(fileIn(dir));
    const storage = openStorage({ store: 'sqlite', storageDir: dir, fresh: true });
    expect((await storage.client.requestQueues().list()).total).toBe(0);
    await storage.close();
    const aside = readdirSync(dir).filter((name) => name.includes('set-aside') && !/-(wal|shm)$/.test(name));
    expect(aside.map((name) => readFileSync(join(dir, name)).equals(before))).toEqual([true]);
  });

  it('is not cleared by half: the run stays, and --fresh is named', async () => {
    const dir = newFolder();
    await writeStore(dir);
    const intact = openIn(dir);
    const run = { input: { site: 's', startUrls: [], maxRequests: null }, startedAt: 'then', finishedAt: null, demoPort: null };
    await writeRun(intact, run);
    intact.close();
    damageLeaves(fileIn(dir));
    const storage = openIn(dir);
    for (let time = 0; time < 2; time++) {
      await expect(storage.purge()).rejects.toMatchObject({
        code: 'unusable-store',
        message: expect.stringContaining('--fresh'),
      });
    }
    expect(await readRun(storage)).toEqual(run);
  });

  it.each<[string, (storage: SqliteStorage, queue: string, dataset: string) => Promise<unknown>]>([
    ['read', async (storage, _, dataset) => storage.dataset(dataset).listItems()],
    ['dropped', async (storage, queue) => storage.requestQueue(queue).delete()],
  ])('says so where it is %s', async (_, act) => {
    const dir = newFolder();
    await writeStore(dir);
    damageLeaves(fileIn(dir));
    const storage = openIn(dir);
    const queue = await queueWith(storage);
    const { id } = await storage.datasets().getOrCreate('default');
    await expect(act(storage, queue, id)).rejects.toMatchObject({ kind: 'storage', code: 'unusable-store' });
  });
});

describe('opening', () => {
  it('refuses or takes a store with one damaged page, and never with anything but words', async () => {
    const dir = newFolder();
    await writeStore(dir);
    const pages = statSync(fileIn(dir)).size / 4_096;
    const outcomes = new Set<string>();
    for (let page = 0; page < pages; page++) {
      const copy = join(dir, `damaged-${page}`, 'crawl.sqlite');
      mkdirSync(join(copy, '..'));
      copyFileSync(fileIn(dir), copy);
      const bytes = readFileSync(copy).fill(0xa5, page * 4_096, (page + 1) * 4_096);
      writeFileSync(copy, bytes);
      try {
        openSqliteStorage(copy).close();
        outcomes.add('taken');
      } catch (error) {
        outcomes.add(error instanceof SurefootError ? String(error.code) : `page ${page}: ${String(error)}`);
        expect(readFileSync(copy).equals(bytes), `page ${page}`).toBe(true);
      }
    }
    expect([...outcomes].toSorted()).toEqual(['taken', 'unusable-store']);
  });

  it('takes an empty file, as SQLite leaves one when it is killed at once', async () => {
    const dir = newFolder();
    writeFileSync(fileIn(dir), '');
    expect(await queueWith(openIn(dir), ['a'])).toMatch(/./);
  });

  it('makes the folder, and those above it', () => {
    const dir = join(newFolder(), 'a', 'b');
    openIn(dir);
    expect(readdirSync(dir)).toContain('crawl.sqlite');
  });

  it('says which file cannot be written', () => {
    const dir = newFolder();
    writeFileSync(join(dir, 'taken'), '');
    for (const fresh of [false, true]) {
      const { kind, code, message } = problemOf(() =>
        openStorage({ store: 'sqlite', storageDir: join(dir, 'taken', 'sub'), fresh }),
      );
      expect([kind, code]).toEqual(['storage', undefined]);
      expect(message).toContain(join(dir, 'taken', 'sub', 'crawl.sqlite'));
      expect(message).toContain('--storage-dir');
    }
  });

  it.skipIf(process.getuid?.() === 0)('says which folder cannot be written to (not as root)', () => {
    const dir = newFolder();
    mkdirSync(join(dir, 'closed'), { mode: 0o500 });
    const { kind, message } = problemOf(() => openStorage({ store: 'sqlite', storageDir: join(dir, 'closed') }));
    expect(kind).toBe('storage');
    expect(message).toContain(join(dir, 'closed'));
  });

  it('says in words that a folder is in the way', () => {
    const dir = newFolder();
    mkdirSync(fileIn(dir));
    const { kind, message } = problemOf(() => openStorage({ store: 'sqlite', storageDir: dir }));
    expect(kind).toBe('storage');
    expect(message).toContain(fileIn(dir));
  });
});
