// The SQL of hand-outs: the next request whose host may be called, a page's end, and due times. A claim reads the top of one
// index over hosts and the top of one over that host's requests. All of it is called inside transactions (run-store.ts).
import { LANES, type Lane } from '../../core/lane.ts';
import type { Rest } from '../../core/pace.ts';
import type { StagedRow } from '../../core/run-store.ts';
import { CLOSED, NEVER, type DueTimes } from './due-times.ts';
import { SUSPECT_BAND } from './request-queue.ts';
import { STATE } from './schema.ts';
import type { Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

/** What was locked waits again; what was in flight goes behind all others that were so at fewer deaths. */
const RECOVER = `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL,
  handed_out = 0, deaths = deaths + handed_out, seq = seq + handed_out * ${SUSPECT_BAND}
  WHERE state = ${STATE.locked}`;

/** A request that was locked. */
export interface Locked {
  readonly id: string;
  readonly host: string;
  readonly deaths: number;
  readonly body: string;
}

export interface Datasets {
  write(store: number, bodies: readonly string[], request: string): void;
  remove(store: number, request: string): void;
}

interface Parts {
  readonly stores: Stores;
  readonly datasets: Datasets;
  readonly dueTimes: DueTimes;
}

export type SqliteClaims = ReturnType<typeof openClaims>;

/** @returns The statements of all queues; each takes a queue's key. */
export function openClaims({ db }: Connection, { stores, datasets, dueTimes }: Parts) {
  const FIRST_HOST =
    'SELECT host, head_seq FROM hosts WHERE store = ?1 AND lane = ?2 AND rests_until = 0 AND head_seq < ?3 ORDER BY head_seq LIMIT 1';
  // Without its statistics SQLite would take the index of all that waits, and read past every other host's requests.
  const OF_HOST = `INDEXED BY requests_of_host WHERE store = ?1 AND lane = ?2 AND state = ${STATE.waiting} AND due_at = 0`;
  // Nothing, if the first request of that host has another place than its line says.
  const lockFirst = db.prepare(
    `UPDATE requests SET state = ${STATE.locked}, lock_until = ?4, locked_by = ?5 WHERE rowid =
       (SELECT requests.rowid FROM (${FIRST_HOST}) AS first JOIN requests ${OF_HOST}
        AND requests.host = first.host AND seq = head_seq)
     RETURNING id, host, deaths, body`,
  );
  const firstHost = db.prepare(FIRST_HOST);
  const setHead = db.prepare(
    `UPDATE hosts SET head_seq = (SELECT seq FROM requests ${OF_HOST} AND host = ?3 ORDER BY seq LIMIT 1)
     WHERE store = ?1 AND lane = ?2 AND host = ?3`,
  );
  const move = db.prepare(
    `UPDATE requests SET lane = ?, state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0 WHERE store = ? AND id = ?`,
  );
  const setRest = db.prepare('UPDATE hosts SET rests_until = ? WHERE store = ? AND lane IN (0, 1) AND host = ?');
  const addRest = db.prepare('INSERT INTO hosts (store, lane, host, rests_until) VALUES (?, 0, ?, ?)');
  const countHandOut = db.prepare('UPDATE requests SET handed_out = 1 WHERE store = ? AND id = ?');
  const markHandled = db.prepare(
    `UPDATE requests SET state = ${STATE.handled}, body = ?, lock_until = NULL, locked_by = NULL, due_at = 0, handed_out = 0
     WHERE store = ? AND id = ? AND state <> ${STATE.handled}`,
  );
  const putBack = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, lock_until = NULL, locked_by = NULL, due_at = ?, lane = ?, handed_out = 0
     WHERE store = ? AND id = ?`,
  );
  const release = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0 WHERE state = ${STATE.locked}`,
  );
  const recover = db.prepare(`${RECOVER} AND store = ? AND id = ?`);
  const secondPass = db.prepare(
    `UPDATE requests SET due_at = ?1 WHERE store = ?2 AND state = ${STATE.waiting} AND due_at = ${NEVER} AND NOT EXISTS
       (SELECT 1 FROM requests WHERE store = ?2 AND (state = ${STATE.waiting} AND due_at < ${NEVER} OR state = ${STATE.locked} AND lock_until > ?3))`,
  );
  const handledBody = db.prepare(`SELECT body FROM requests WHERE store = ? AND id = ? AND state = ${STATE.handled}`).raw();
  // Back to its place before any death.
  const unhandle = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, due_at = 0, deaths = 0, lane = 0,
       seq = (seq + ${SUSPECT_BAND / 2}) % ${SUSPECT_BAND} - ${SUSPECT_BAND / 2}
     WHERE store = ? AND id = ?`,
  );
  const inBrowser = db.prepare('SELECT 1 FROM requests WHERE store = ? AND lane = 1 AND state < 2 LIMIT 1');

  return {
    /** Locks the first request in line that is ready and whose host may be called. What is told of the host after it is the
     *  caller's (`restHost`).
     *  @param until When the lock runs out. @param owner Who holds it. */
    lockNext(store: number, lane: Lane, maxDeaths: number, until: number, owner: string): Locked | null {
      const here = numberOf(lane);
      const look = [store, here, Math.min(maxDeaths * SUSPECT_BAND + SUSPECT_BAND / 2, NEVER)] as const;
      for (;;) {
        const line = lockFirst.get(...look, until, owner) as Locked | undefined;
        const host = line?.host ?? (firstHost.get(...look) as { host: string } | undefined)?.host;
        if (host === undefined) return null;
        setHead.run(store, here, host);
        if (line) return line;
        // Taken through Crawlee's own queue client meanwhile: another host may be first now.
      }
    },
    arrived: (store: number, id: string) => void countHandOut.run(store, id),
    /** @returns False if it was handled already: its rows were replaced, its figures stand. */
    finish(store: number, id: string, body: string, rows: readonly StagedRow[]): boolean {
      for (const [key, bodies] of byStore(rows, (dataset) => stores.keyOrCreate('dataset', dataset)))
        datasets.write(key, bodies, id);
      if (markHandled.run(body, store, id).changes === 0) return false;
      stores.advance(store, { handled: 1 });
      return true;
    },
    /** @param dueAt NEVER: not before the second pass. */
    putBack(store: number, id: string, body: string, dueAt: number, lane: Lane): void {
      dueTimes.comes(store, dueAt);
      putBack.run(body, dueAt, numberOf(lane), store, id);
    },
    move: (store: number, id: string, lane: Lane) => void move.run(numberOf(lane), store, id),
    recover: (store: number, id: string) => void recover.run(store, id),
    restHost(store: number, host: string, { until: time, closed }: Rest): void {
      const until = closed ? CLOSED + time : time;
      dueTimes.comes(store, until);
      if (setRest.run(until, store, host).changes === 0) addRest.run(store, host, until);
    },
    startSecondPass(store: number, now: number, at: number): number {
      dueTimes.comes(store, at);
      return secondPass.run(at, store, now).changes;
    },
    /** @returns What is stored of a handled request. */
    handledBody: (store: number, id: string) => (handledBody.get(store, id) as [string] | undefined)?.[0],
    unhandle(store: number, id: string, body: string): void {
      unhandle.run(body, store, id);
      stores.advance(store, { handled: -1 });
    },
    hasBrowserWork: (store: number) => inBrowser.get(store) !== undefined,
    releaseAll: () => void release.run(),
  };
}

/** Makes void what a dead process has left: its locks, the places its pages took at their hosts. What a host has asked for
 *  stays; NEVER is how older versions closed one. */
export function recoverFromDeath({ db, transaction }: Connection): void {
  transaction(() => {
    db.exec(`
      ${RECOVER};
      UPDATE hosts SET rests_until = IIF(rests_until = ${NEVER}, 0, rests_until - ${CLOSED})
        WHERE store IN (SELECT key FROM stores) AND rests_until >= ${CLOSED};
    `);
  });
}

/** As it stands in the tables. */
function numberOf(lane: Lane): number {
  return LANES.indexOf(lane);
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
