// What the frontier asks of the store beyond Crawlee's queue client: the next request whose host may be called, a page's
// commit, and due times. A claim reads the top of one index over hosts and the top of one over that host's requests.
import type { AtomicStorage, PageTally, StagedRow, TallySum } from '../../core/checkpoint.ts';
import { fromBody, SUSPECT_BAND, toBody } from './request-queue.ts';
import { STATE, type Connection } from './schema.ts';
import type { Stores } from './stores.ts';

/** A host that may not be called before something else happens: its requests in flight are as many as it may have. */
const CLOSED = Number.MAX_SAFE_INTEGER;
/** The due time of a request that waits until all others are done. */
const POSTPONED = Number.MAX_SAFE_INTEGER;

type FrontierStore = Pick<
  AtomicStorage,
  | 'claim'
  | 'handOut'
  | 'commit'
  | 'reclaim'
  | 'rest'
  | 'nextWake'
  | 'startSecondPass'
  | 'redrive'
  | 'releaseAll'
  | 'counts'
  | 'tallies'
>;

export function openFrontierStore(
  connection: Connection,
  stores: Stores,
  datasets: {
    write(store: number, bodies: readonly string[], request: string): void;
    remove(store: number, request: string): void;
  },
): FrontierStore {
  const { db, transaction } = connection;
  const wakeHosts = db.prepare('UPDATE hosts SET rests_until = 0 WHERE store = ? AND rests_until > 0 AND rests_until <= ?');
  const fallDue = db.prepare(
    `UPDATE requests SET due_at = 0 WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 AND due_at <= ?`,
  );
  const firstHost = db.prepare(
    'SELECT host, head_seq FROM hosts WHERE store = ? AND rests_until = 0 AND head_seq < ? ORDER BY head_seq LIMIT 1',
  );
  // Without its statistics SQLite would take the index of all that waits, and read past every other host's requests.
  const firstOfHost = db.prepare(
    `SELECT id, seq, deaths, body FROM requests INDEXED BY requests_of_host
     WHERE store = ? AND host = ? AND state = ${STATE.waiting} AND due_at = 0 ORDER BY seq LIMIT 1`,
  );
  const setHead = db.prepare('UPDATE hosts SET head_seq = ? WHERE store = ? AND host = ?');
  const setHost = db.prepare('UPDATE hosts SET head_seq = ?, rests_until = ? WHERE store = ? AND host = ?');
  const lock = db.prepare(
    `UPDATE requests SET state = ${STATE.locked}, lock_until = ?, locked_by = ? WHERE store = ? AND id = ?`,
  );
  const setRest = db.prepare(
    'INSERT INTO hosts (store, host, rests_until) VALUES (?, ?, ?) ON CONFLICT (store, host) DO UPDATE SET rests_until = excluded.rests_until',
  );
  const soonestRequest = db.prepare(
    `SELECT due_at AS at FROM requests WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 ORDER BY due_at LIMIT 1`,
  );
  const soonestHost = db.prepare(
    'SELECT rests_until AS at FROM hosts WHERE store = ? AND rests_until > 0 AND head_seq IS NOT NULL ORDER BY rests_until LIMIT 1',
  );
  const countHandOut = db.prepare('UPDATE requests SET handed_out = 1 WHERE store = ? AND id = ?');
  const markHandled = db.prepare(
    `UPDATE requests SET state = ${STATE.handled}, body = ?, lock_until = NULL, locked_by = NULL, due_at = 0, handed_out = 0
     WHERE store = ? AND id = ? AND state <> ${STATE.handled}`,
  );
  const putBack = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, lock_until = NULL, locked_by = NULL, due_at = ?, handed_out = 0
     WHERE store = ? AND id = ?`,
  );
  const release = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0 WHERE state = ${STATE.locked}`,
  );
  const secondPass = db.prepare(
    `UPDATE requests SET due_at = ? WHERE store = ? AND state = ${STATE.waiting} AND due_at = ${POSTPONED}`,
  );
  const handledBody = db.prepare(`SELECT body FROM requests WHERE store = ? AND id = ? AND state = ${STATE.handled}`);
  // Back to its place before any death.
  const unhandle = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, due_at = 0, deaths = 0,
       seq = (seq + ${SUSPECT_BAND / 2}) % ${SUSPECT_BAND} - ${SUSPECT_BAND / 2}
     WHERE store = ? AND id = ?`,
  );
  const addTally = db.prepare(
    `INSERT INTO tallies (store, tier, host, page_end, pages, bytes, millis, rejected) VALUES (?, ?, ?, ?, 1, ?, ?, ?)
     ON CONFLICT (store, tier, host, page_end) DO UPDATE SET pages = pages + 1, bytes = bytes + excluded.bytes,
       millis = millis + excluded.millis, rejected = rejected + excluded.rejected`,
  );
  const takeTally = db.prepare(
    `UPDATE tallies SET pages = pages - 1 WHERE store = ? AND tier = ? AND host = ? AND page_end = 'failed' AND pages > 0`,
  );
  const readTallies = db.prepare(
    'SELECT tier, host, page_end AS "end", pages, bytes, millis, rejected FROM tallies WHERE store = ? AND pages > 0 ORDER BY pages DESC',
  );
  const keyOf = (queueId: string) => stores.keyOf('queue', queueId);
  const headOf = (store: number, host: string) => firstOfHost.get(store, host) as WaitingLine | undefined;

  return {
    async claim(queueId, { now, lockMillis, owner, maxDeaths, restAfter }) {
      const store = keyOf(queueId);
      return transaction(() => {
        wakeHosts.run(store, now);
        fallDue.run(store, now);
        for (;;) {
          const host = firstHost.get(store, Math.min(maxDeaths * SUSPECT_BAND + SUSPECT_BAND / 2, CLOSED)) as
            | { host: string; head_seq: number }
            | undefined;
          if (!host) return null;
          const line = headOf(store, host.host);
          if (line?.seq !== host.head_seq) {
            // Taken through Crawlee's own queue client meanwhile: another host may be first now.
            setHead.run(line?.seq ?? null, store, host.host);
            continue;
          }
          lock.run(now + lockMillis, owner, store, line.id);
          const rest = restAfter(host.host);
          setHost.run(headOf(store, host.host)?.seq ?? null, Math.min(rest, CLOSED), store, host.host);
          return { request: { ...fromBody(line.body), id: line.id }, deaths: line.deaths };
        }
      });
    },
    handOut(queueId, requestId) {
      countHandOut.run(keyOf(queueId), requestId);
    },
    async commit(queueId, request, { rows, tally }) {
      const queue = keyOf(queueId);
      transaction(() => {
        for (const [key, bodies] of byStore(rows, (dataset) => stores.getOrCreate('dataset', dataset).key)) {
          datasets.write(key, bodies, request.id as string);
        }
        const { changes } = markHandled.run(toBody(request), queue, request.id);
        if (changes === 0) return; // Handled already: its rows were replaced, its figures stand.
        stores.advance(queue, { handled: 1 });
        addTally.run(queue, tally.tier, tally.host, tally.end, tally.bytes, Math.round(tally.millis), tally.rejected);
      });
    },
    async reclaim(queueId, request, notBefore) {
      const queue = keyOf(queueId);
      transaction(() => putBack.run(toBody(request), Math.min(notBefore, POSTPONED), queue, request.id));
    },
    rest(queueId, host, until) {
      setRest.run(keyOf(queueId), host, Math.min(until, CLOSED));
    },
    nextWake(queueId) {
      const store = keyOf(queueId);
      const times = [soonestRequest, soonestHost].map((statement) => (statement.get(store) as { at: number } | undefined)?.at);
      const next = Math.min(...times.map((at) => (at === undefined || at >= CLOSED ? Infinity : at)));
      return Number.isFinite(next) ? next : null;
    },
    startSecondPass(queueId, notBefore) {
      return transaction(() => secondPass.run(notBefore, keyOf(queueId)).changes);
    },
    redrive(queueId, requestId, dataset, revise) {
      const queue = keyOf(queueId);
      return transaction(() => {
        const line = handledBody.get(queue, requestId) as { body: string } | undefined;
        if (!line) return false;
        const request = fromBody(line.body);
        unhandle.run(toBody(revise(request)), queue, requestId);
        stores.advance(queue, { handled: -1 });
        takeTally.run(queue, 'http', new URL(request.url).host);
        datasets.remove(stores.getOrCreate('dataset', dataset).key, requestId);
        return true;
      });
    },
    releaseAll() {
      if (db.open) release.run();
    },
    counts(queueId) {
      const info = stores.find('queue', queueId);
      return { total: info?.total ?? 0, handled: info?.handled ?? 0 };
    },
    tallies(queueId) {
      return readTallies.all(keyOf(queueId)) as (TallySum & PageTally)[];
    },
  };
}

/** Makes void what a dead process has left: its locks, the places its pages took at their hosts. A request that was in
 *  flight goes behind all others that were so at fewer deaths. */
export function recoverFromDeath({ db, transaction }: Connection): void {
  transaction(() => {
    db.exec(`
      UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL,
        handed_out = 0, deaths = deaths + handed_out,
        seq = seq + handed_out * ${SUSPECT_BAND}
      WHERE state = ${STATE.locked};
      UPDATE hosts SET rests_until = 0 WHERE store IN (SELECT key FROM stores) AND rests_until = ${CLOSED};
    `);
  });
}

interface WaitingLine {
  id: string;
  seq: number;
  deaths: number;
  body: string;
}

/** Rows by the key of their dataset: a handler may name one dataset by its id here and by its name there. */
function byStore(rows: readonly StagedRow[], keyOf: (dataset: string) => number): Map<number, string[]> {
  const grouped = new Map<number, string[]>();
  for (const { dataset, json } of rows) {
    const key = keyOf(dataset);
    const bodies = grouped.get(key);
    if (bodies) bodies.push(json);
    else grouped.set(key, [json]);
  }
  return grouped;
}
