// What the frontier asks of the store beyond Crawlee's queue client: the next request whose host may be called, a page's
// commit, and due times. A claim reads the top of one index over hosts and the top of one over that host's requests.
import { LANES, type Lane } from '../../core/lane.ts';
import { toBody, type AtomicStorage, type StagedRow, type TallySum, type Written } from '../../core/checkpoint.ts';
import { fromBody, SUSPECT_BAND } from './request-queue.ts';
import { STATE, type Connection } from './schema.ts';
import type { Stores } from './stores.ts';

/** A host that may not be called before something else happens: its requests in flight are as many as it may have. */
const CLOSED = Number.MAX_SAFE_INTEGER;
/** Requests that one claim moves to another lane at most. */
const MAX_MOVES = 100;
/** The due time of a request that waits until all others are done. */
const POSTPONED = Number.MAX_SAFE_INTEGER;

/** What was locked waits again; what was in flight goes behind all others that were so at fewer deaths. */
const RECOVER = `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL,
  handed_out = 0, deaths = deaths + handed_out, seq = seq + handed_out * ${SUSPECT_BAND}
  WHERE state = ${STATE.locked}`;
/** What writes once, or at any time only what is true by itself. */
const ONE = { whole: false };

type FrontierStore = Pick<
  AtomicStorage,
  | 'claim'
  | 'handOut'
  | 'commit'
  | 'reclaim'
  | 'recover'
  | 'hasWork'
  | 'rest'
  | 'nextWake'
  | 'startSecondPass'
  | 'redrive'
  | 'releaseAll'
  | 'counts'
  | 'tallies'
  | 'counters'
>;

export function openFrontierStore(
  connection: Connection,
  stores: Stores,
  datasets: {
    write(store: number, bodies: readonly string[], request: string): void;
    remove(store: number, request: string): void;
  },
): FrontierStore {
  const { db, transaction, group, flush } = connection;
  const wakeHosts = db.prepare(
    'UPDATE hosts SET rests_until = 0 WHERE store = ? AND lane = ? AND rests_until > 0 AND rests_until <= ?',
  );
  const fallDue = db.prepare(
    `UPDATE requests SET due_at = 0 WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 AND due_at <= ?`,
  );
  const firstHost = db.prepare(
    'SELECT host, head_seq FROM hosts WHERE store = ? AND lane = ? AND rests_until = 0 AND head_seq < ? ORDER BY head_seq LIMIT 1',
  );
  // Without its statistics SQLite would take the index of all that waits, and read past every other host's requests.
  const firstOfHost = db.prepare(
    `SELECT id, seq, deaths, body FROM requests INDEXED BY requests_of_host
     WHERE store = ? AND lane = ? AND host = ? AND state = ${STATE.waiting} AND due_at = 0 ORDER BY seq LIMIT 1`,
  );
  const setHead = db.prepare('UPDATE hosts SET head_seq = ? WHERE store = ? AND lane = ? AND host = ?');
  const move = db.prepare('UPDATE requests SET lane = ? WHERE store = ? AND id = ?');
  const lock = db.prepare(
    `UPDATE requests SET state = ${STATE.locked}, lock_until = ?, locked_by = ? WHERE store = ? AND id = ?`,
  );
  const setRest = db.prepare('UPDATE hosts SET rests_until = ? WHERE store = ? AND lane IN (0, 1) AND host = ?');
  const addRest = db.prepare('INSERT INTO hosts (store, lane, host, rests_until) VALUES (?, 0, ?, ?)');
  const soonestRequest = db.prepare(
    `SELECT due_at AS at FROM requests WHERE store = ? AND state = ${STATE.waiting} AND due_at > 0 ORDER BY due_at LIMIT 1`,
  );
  const soonestHost = db.prepare(
    'SELECT rests_until AS at FROM hosts WHERE store = ? AND lane = ? AND rests_until > 0 AND head_seq IS NOT NULL ORDER BY rests_until LIMIT 1',
  );
  const countHandOut = db.prepare('UPDATE requests SET handed_out = 1 WHERE store = ? AND id = ?');
  const markHandled = db.prepare(
    `UPDATE requests SET state = ${STATE.handled}, body = ?, lock_until = NULL, locked_by = NULL, due_at = 0, handed_out = 0
     WHERE store = ? AND id = ? AND state <> ${STATE.handled}`,
  );
  const putBack = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, lock_until = NULL, locked_by = NULL, due_at = ?, lane = IFNULL(?, lane), handed_out = 0
     WHERE store = ? AND id = ?`,
  );
  const release = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0 WHERE state = ${STATE.locked}`,
  );
  const recover = db.prepare(`${RECOVER} AND store = ? AND id = ?`);
  const secondPass = db.prepare(
    `UPDATE requests SET due_at = ?1 WHERE store = ?2 AND state = ${STATE.waiting} AND due_at = ${POSTPONED} AND NOT EXISTS
       (SELECT 1 FROM requests WHERE store = ?2 AND state = ${STATE.waiting} AND due_at < ${POSTPONED})`,
  );
  const handledBody = db.prepare(`SELECT body FROM requests WHERE store = ? AND id = ? AND state = ${STATE.handled}`);
  // Back to its place before any death.
  const unhandle = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, due_at = 0, deaths = 0, lane = 0,
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
  const inBrowser = db.prepare('SELECT 1 FROM requests WHERE store = ? AND lane = 1 AND state < 2 LIMIT 1');
  const addCounter = db.prepare(
    'INSERT INTO counters (store, name, value) VALUES (?, ?, ?) ON CONFLICT (store, name) DO UPDATE SET value = value + excluded.value',
  );
  const readCounters = db.prepare('SELECT name, value FROM counters WHERE store = ?');
  /** Claims that are made together need not all look for what falls due. */
  let wokenAt = -1;
  let wokenIn = -1;
  const keyOf = (queueId: string) => stores.keyOf('queue', queueId);
  const headOf = (store: number, lane: number, host: string) => firstOfHost.get(store, lane, host) as WaitingLine | undefined;
  const restHost = (store: number, host: string, until: number) => {
    if (setRest.run(until, store, host).changes === 0) addRest.run(store, host, until);
  };

  return {
    async claim(queueId, { lane = 'http', laneOf = () => lane, now, lockMillis, owner, maxDeaths, restAfter }) {
      const store = keyOf(queueId);
      const here = numberOf(lane);
      return group(() => {
        if (now !== wokenAt || store !== wokenIn) {
          for (const other of LANES) wakeHosts.run(store, numberOf(other), now);
          fallDue.run(store, now);
          [wokenAt, wokenIn] = [now, store];
        }
        for (let moves = 0; moves < MAX_MOVES;) {
          const host = firstHost.get(store, here, Math.min(maxDeaths * SUSPECT_BAND + SUSPECT_BAND / 2, CLOSED)) as
            | { host: string; head_seq: number }
            | undefined;
          if (!host) return null;
          const line = headOf(store, here, host.host);
          if (line?.seq !== host.head_seq) {
            // Taken through Crawlee's own queue client meanwhile: another host may be first now.
            setHead.run(line?.seq ?? null, store, here, host.host);
            continue;
          }
          const request = { ...fromBody(line.body), id: line.id };
          const belongs = laneOf(request);
          if (belongs === lane) lock.run(now + lockMillis, owner, store, line.id);
          else move.run(numberOf(belongs), store, line.id);
          setHead.run(headOf(store, here, host.host)?.seq ?? null, store, here, host.host);
          if (belongs === lane) {
            // It is only claimed from if it does not rest.
            const until = restAfter(host.host);
            if (until > 0) restHost(store, host.host, Math.min(until, CLOSED));
            return { request, deaths: line.deaths };
          }
          moves++;
        }
        return null;
      }, ONE);
    },
    async handOut(queueId, requestId) {
      await group(() => countHandOut.run(keyOf(queueId), requestId), ONE);
    },
    async commit(queueId, request, { rows, tally }) {
      const queue = keyOf(queueId);
      const body = bodyOf(request);
      await group(() => {
        for (const [key, bodies] of byStore(rows, (dataset) => stores.keyOrCreate('dataset', dataset))) {
          datasets.write(key, bodies, request.id as string);
        }
        const { changes } = markHandled.run(body, queue, request.id);
        if (changes === 0) return; // Handled already: its rows were replaced, its figures stand.
        stores.advance(queue, { handled: 1 });
        addTally.run(queue, tally.tier, tally.host, tally.end, tally.bytes, Math.round(tally.millis), tally.rejected);
        for (const [name, value] of Object.entries(tally.counters ?? {})) addCounter.run(queue, name, value);
      });
    },
    async reclaim(queueId, request, notBefore, lane) {
      const queue = keyOf(queueId);
      const body = bodyOf(request);
      await group(() => {
        wokenAt = -1;
        putBack.run(body, Math.min(notBefore, POSTPONED), lane === undefined ? null : numberOf(lane), queue, request.id);
      });
    },
    async recover(queueId, requestIds) {
      const queue = keyOf(queueId);
      await group(() => {
        for (const id of requestIds) recover.run(queue, id);
      });
    },
    // There is always an HTTP lane, so nobody has to ask for it.
    hasWork: (queueId, lane) => lane === 'http' || inBrowser.get(keyOf(queueId)) !== undefined,
    async rest(queueId, host, until) {
      await group(() => {
        if (until > 0) wokenAt = -1;
        restHost(keyOf(queueId), host, Math.min(until, CLOSED));
      }, ONE);
    },
    nextWake(queueId) {
      const store = keyOf(queueId);
      const soonest = [soonestRequest.get(store), ...LANES.map((lane) => soonestHost.get(store, numberOf(lane)))];
      const times = (soonest as ({ at: number } | undefined)[]).map((line) => line?.at ?? Infinity);
      const next = Math.min(...times.map((at) => (at >= CLOSED ? Infinity : at)));
      return Number.isFinite(next) ? next : null;
    },
    startSecondPass(queueId, notBefore) {
      wokenAt = -1;
      return transaction(() => secondPass.run(notBefore, keyOf(queueId)).changes);
    },
    redrive(queueId, requestId, dataset, revise, tier = 'http') {
      const queue = keyOf(queueId);
      wokenAt = -1;
      return transaction(() => {
        const line = handledBody.get(queue, requestId) as { body: string } | undefined;
        if (!line) return false;
        const request = fromBody(line.body);
        unhandle.run(toBody(revise(request)), queue, requestId);
        stores.advance(queue, { handled: -1 });
        takeTally.run(queue, tier, new URL(request.url).host);
        datasets.remove(stores.getOrCreate('dataset', dataset).key, requestId);
        return true;
      });
    },
    releaseAll() {
      if (!db.open) return;
      flush();
      release.run();
    },
    counts(queueId) {
      const info = stores.find('queue', queueId);
      return { total: info?.total ?? 0, handled: info?.handled ?? 0 };
    },
    tallies(queueId) {
      return readTallies.all(keyOf(queueId)) as TallySum[];
    },
    counters(queueId) {
      const lines = readCounters.all(keyOf(queueId)) as { name: string; value: number }[];
      return Object.fromEntries(lines.map(({ name, value }) => [name, value]));
    },
  };
}

/** Makes void what a dead process has left: its locks, the places its pages took at their hosts. */
export function recoverFromDeath({ db, transaction }: Connection): void {
  transaction(() => {
    db.exec(`
      ${RECOVER};
      UPDATE hosts SET rests_until = 0 WHERE store IN (SELECT key FROM stores) AND rests_until = ${CLOSED};
    `);
  });
}

/** One that comes from another process is a body already. */
function bodyOf(request: Written): string {
  return 'body' in request ? request.body : toBody(request);
}

/** As it stands in the tables. */
function numberOf(lane: Lane): number {
  return LANES.indexOf(lane);
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
