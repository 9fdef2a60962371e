// The tables of crawl.sqlite, and opening the file: a foreign, newer or damaged one stops the run and is never written to.
import { existsSync, openSync, readSync, closeSync } from 'node:fs';
import { dirname } from 'node:path';

import Database from 'libsql';

import { makeFolder } from '../../make-folder.ts';
import { speakInWords, toStorageError, unusable } from './errors.ts';
import { BUSY_MILLIS, openTransactions, type Connection } from './transactions.ts';

/** Marks a file as ours (SQLite's `application_id`, "SRFT"). */
const APPLICATION_ID = 0x53_52_46_54;
const SCHEMA_VERSION = 3;

/** States of a request. Handled ones are in none of the partial indexes, so a claim costs the same however many there are. */
export const STATE = { waiting: 0, locked: 1, handled: 2 } as const;

// hosts.head_seq is never above the host's first request that is ready; null: none is. The triggers keep it so, whatever
// makes a request ready. It may be below, which a claim finds out and mends. A host has a row in each lane that it has had
// requests in, and rests in all of them alike.
const RAISE_HOST = `
  BEGIN
    INSERT INTO hosts (store, lane, host, head_seq, rests_until) VALUES (NEW.store, NEW.lane, NEW.host, NEW.seq,
      IFNULL((SELECT rests_until FROM hosts WHERE store = NEW.store AND lane = 1 - NEW.lane AND host = NEW.host), 0))
    ON CONFLICT (store, lane, host) DO UPDATE SET head_seq = excluded.head_seq WHERE head_seq IS NULL OR head_seq > excluded.head_seq;
  END;
`;

// `seq` is the place in line: negative for the forefront, beyond SUSPECT_BAND for pages that may kill the process.
// A waiting request is ready when its due_at is 0, and falls due by being set to 0: what is ready is in order in one index.
// rests_until works likewise: a host with 0 may be called; beyond CLOSED (due-times.ts) it is closed.
const SCHEMA = `
  CREATE TABLE stores (
    key INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    next_seq INTEGER NOT NULL DEFAULT 1,
    total INTEGER NOT NULL DEFAULT 0,
    handled INTEGER NOT NULL DEFAULT 0
  );
  CREATE UNIQUE INDEX stores_by_id ON stores (kind, id);
  CREATE UNIQUE INDEX stores_by_name ON stores (kind, name) WHERE name IS NOT NULL;

  CREATE TABLE requests (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    lane INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL DEFAULT 0,
    lock_until INTEGER,
    locked_by TEXT,
    handed_out INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX requests_by_id ON requests (store, id);
  CREATE INDEX requests_waiting ON requests (store, due_at, seq) WHERE state = 0;
  CREATE INDEX requests_of_host ON requests (store, lane, host, seq) WHERE state = 0 AND due_at = 0;
  CREATE INDEX requests_of_browser ON requests (store) WHERE lane = 1 AND state < 2;
  CREATE INDEX requests_locked ON requests (store, lock_until) WHERE state = 1;

  CREATE TABLE hosts (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    host TEXT NOT NULL,
    head_seq INTEGER,
    rests_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (store, lane, host)
  ) WITHOUT ROWID;
  CREATE INDEX hosts_ready ON hosts (store, lane, rests_until, head_seq);
  CREATE TRIGGER request_added AFTER INSERT ON requests
    WHEN NEW.state = 0 AND NEW.due_at = 0 ${RAISE_HOST}
  CREATE TRIGGER request_ready AFTER UPDATE OF state, due_at, seq, lane ON requests
    WHEN NEW.state = 0 AND NEW.due_at = 0 ${RAISE_HOST}

  CREATE TABLE rows (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    pos INTEGER NOT NULL,
    request TEXT,
    idx INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (store, pos)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX rows_by_request ON rows (store, request, idx) WHERE request IS NOT NULL;

  CREATE TABLE records (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    value BLOB NOT NULL
  );
  CREATE UNIQUE INDEX records_by_key ON records (store, key);

  CREATE TABLE tallies (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    tier TEXT NOT NULL,
    host TEXT NOT NULL,
    page_end TEXT NOT NULL,
    pages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    millis INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (store, tier, host, page_end)
  ) WITHOUT ROWID;

  CREATE TABLE counters (
    store INTEGER NOT NULL REFERENCES stores (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (store, name)
  ) WITHOUT ROWID;

  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens crawl.sqlite, creating it when it does not exist.
 *  @param options.whole Reads all of the file for damage first. Otherwise what is damaged deep inside is met where it is read.
 *  @throws {SurefootError} kind `storage`: not SQLite, not ours, another version, damaged, locked, not writable. */
export function openDatabase(file: string, { whole = false }: { whole?: boolean } = {}): Connection {
  try {
    const isNew = !existsSync(file);
    if (!isNew) assertLooksLikeSqlite(file);
    makeFolder(dirname(file));
    // Sessions' cookies are in it. SQLite gives the files beside it the same mode.
    if (isNew) closeSync(openSync(file, 'a', 0o600));
    const db = new Database(file, { timeout: 10_000 });
    speakInWords(db, file);
    // Before anything that writes: already the change to write-ahead logging does.
    if (!isEmpty(db)) {
      assertOurs(db, file);
      if (whole) assertWhole(db, file);
    }
    // Write-ahead logging with synchronous=NORMAL: a killed process loses nothing, a power cut at most the last
    // pages, and those as a whole (rows and done mark together). https://sqlite.org/wal.html
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 8000;',
    );
    const connection = openTransactions(db);
    // Under the transaction's lock, so that two processes that start at once do not both create the tables.
    connection.transaction(() => {
      if (isEmpty(db)) db.exec(SCHEMA);
      else assertOurs(db, file);
    });
    db.exec(`PRAGMA busy_timeout = ${BUSY_MILLIS}`);
    return connection;
  } catch (error) {
    throw toStorageError(error, file);
  }
}

function assertLooksLikeSqlite(file: string): void {
  const header = Buffer.alloc(16);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, header);
  closeSync(descriptor);
  // An empty file is what SQLite itself leaves when it is killed right after creating it.
  if (length > 0 && header.toString('latin1') !== 'SQLite format 3\0') throw unusable(file, 'is not a SQLite database');
}

function assertOurs(db: Database.Database, file: string): void {
  const pragma = (name: string) => Number((db.prepare(`PRAGMA ${name}`).raw().get() as unknown[])[0]);
  if (pragma('application_id') !== APPLICATION_ID) throw unusable(file, 'is a SQLite database of another program');
  const version = pragma('user_version');
  if (version !== SCHEMA_VERSION)
    throw unusable(file, `has version ${version} of Surefoot's tables, this is version ${SCHEMA_VERSION}`);
  // Reads the root page of every table; a file cut short or overwritten fails here, before anything is written.
  for (const table of ['stores', 'requests', 'hosts', 'rows', 'records', 'tallies', 'counters'])
    db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
}

/** Reads all of it, half as long as it would take to delete it all. */
function assertWhole(db: Database.Database, file: string): void {
  const [first] = db.prepare('PRAGMA integrity_check(1)').raw().get() as [string];
  if (first !== 'ok') throw unusable(file, `is damaged (${first.replaceAll(/\s+/g, ' ')})`);
}

function isEmpty(db: Database.Database): boolean {
  return db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined;
}
