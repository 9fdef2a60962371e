// Every statement that runs once a page finds its rows by an index: the crawl is as fast at the end as at the start.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openSqliteStorage } from '../../../src/storage/sqlite/client.ts';
import { claimNext, fileIn, openIn, queueWith, requestFor } from './fixture.ts';

/** A store, and the SQL of every statement that it has prepared. */
function openPrepared(dir: string) {
  const prepare = vi.spyOn(Database.prototype, 'prepare');
  try {
    const storage = openSqliteStorage(fileIn(dir));
    return { storage, prepared: prepare.mock.calls.map(([sql]) => sql) };
  } finally {
    prepare.mockRestore();
  }
}

const HOSTS = 500;

/** Once a run, over few rows or over those that are locked alone. */
const ONCE_A_RUN = /sqlite_master|SELECT \* FROM|^PRAGMA|^BEGIN|^COMMIT|FROM stores WHERE kind = \? ORDER BY key/;

function plansIn(dir: string, statements: readonly string[]): [sql: string, plan: string][] {
  const db = new Database(fileIn(dir));
  try {
    return statements
      .filter((sql) => !ONCE_A_RUN.test(sql))
      .map((sql) => {
        const lines = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: parameters(sql) }, () => 1)) as {
          detail: string;
        }[];
        return [sql.replaceAll(/\s+/g, ' ').trim(), lines.map(({ detail }) => detail).join('; ')];
      });
  } finally {
    db.close();
  }
}

const parameters = (sql: string) => new Set(sql.match(/\?\d+/g)).size + (sql.match(/\?(?!\d)/g)?.length ?? 0);

// A crawl's own database has no statistics; one that somebody has looked into may have some.
describe.each([
  ['1,000 known URLs', 1_000, ''],
  ['100,000 known URLs', 100_000, ''],
  ['100,000 known URLs and statistics', 100_000, 'ANALYZE;'],
])('with %s, most of them handled', (_, known, analyze) => {
  // Filled once: none of the tests changes what another one looks at.
  const dir = mkdtempSync(join(tmpdir(), 'surefoot-plans-'));
  let queue = '';
  let statements: string[] = [];
  beforeAll(async () => {
    const { storage, prepared } = openPrepared(dir);
    statements = prepared;
    queue = await queueWith(storage);
    storage.close();
    fill(dir, queue, known, analyze);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('no statement of the queue, the rows or the figures scans a table', () => {
    const plans = plansIn(dir, statements);
    expect(plans.length).toBeGreaterThan(20);
    // A search by `store` alone reads all requests of the queue, index or not.
    const scans = plans.filter(([, plan]) =>
      /SCAN (requests|hosts|rows|records|tallies|counters|stores)\b(?! USING (COVERING )?INDEX requests_locked)|(requests_by_id|requests_of_host|hosts_ready|hosts USING PRIMARY KEY) \(store=\?( AND lane=\?)?\)/.test(
        plan,
      ),
    );
    expect(scans).toEqual([]);
  });

  it('a claim reads the index of what waits, and expired locks the index of what is locked', () => {
    const plans = plansIn(dir, statements).filter(
      ([sql]) => / requests /.test(sql) && / state = [01] /.test(`${sql} `) && /store = \?/.test(sql) && !/ id = \?/.test(sql),
    );
    expect(plans.length).toBeGreaterThanOrEqual(5);
    for (const [sql, plan] of plans) {
      expect(plan, sql).toMatch(
        / state = 1 /.test(`${sql} `.replace(/SET .* WHERE/, 'WHERE'))
          ? /USING (COVERING )?INDEX requests_locked/
          : / host = \?\d? /.test(sql)
            ? /USING (COVERING )?INDEX requests_of_host \(store=\? AND lane=\? AND host=\?\)/
            : /host = first\.host/.test(sql)
              ? /^SEARCH requests USING INTEGER PRIMARY KEY .*INDEX requests_of_host \(store=\? AND lane=\? AND host=\? AND seq=\?\)/
              : /USING (COVERING )?INDEX requests_waiting/,
      );
    }
    const ready = plans.filter(([sql]) => /due_at = 0( AND host = \?3)? ORDER BY seq|ORDER BY due_at LIMIT/.test(sql));
    expect(ready.length).toBe(3);
    for (const [sql, plan] of ready) expect(plan, `it sorts nothing: ${sql}`).not.toMatch(/TEMP B-TREE/);
  });

  // With statistics over hosts that all rest alike SQLite may skip through the index instead; a crawl makes none.
  it.skipIf(analyze !== '')("a claim reads the top of the index of hosts, and the end of a host's rest from the same one", () => {
    const plans = plansIn(dir, statements).filter(([sql]) => /^(SELECT|UPDATE) .*\bhosts .*WHERE .*rests_until/.test(sql));
    expect(plans.map(([sql]) => String(sql.split(' ', 1)[0])).toSorted()).toEqual([
      'SELECT',
      'SELECT',
      'SELECT',
      'UPDATE',
      'UPDATE',
    ]);
    for (const [sql, plan] of plans) {
      expect(plan, sql).toMatch(/USING (COVERING )?INDEX hosts_ready \(store=\? AND lane=\? AND rests_until/);
      expect(plan, `it sorts nothing: ${sql}`).not.toMatch(/TEMP B-TREE/);
    }
  });

  it('a claim finds the one request that waits', async () => {
    const storage = openIn(dir);
    await storage.requestQueue(queue).addRequest(requestFor('last'));
    expect((await claimNext(storage, queue))?.request.url).toBe('https://a.example/last');
    expect(await claimNext(storage, queue)).toBeNull();
  });
});

/** Handled requests at many hosts, put there directly: adding 100,000 one by one is not what is measured. */
function fill(dir: string, queueId: string, count: number, analyze: string): void {
  const db = new Database(fileIn(dir));
  try {
    db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO requests (store, id, host, seq, state, body)
      SELECT (SELECT key FROM stores WHERE id = '${queueId}'), 'id' || i, (i % ${HOSTS}) || '.example', i, 2, '{}' FROM n;
      INSERT INTO hosts (store, lane, host) SELECT DISTINCT store, lane, host FROM requests;
      UPDATE stores SET total = ${count}, handled = ${count}, next_seq = ${count + 1} WHERE id = '${queueId}';
      ${analyze}
    `);
  } finally {
    db.close();
  }
}
