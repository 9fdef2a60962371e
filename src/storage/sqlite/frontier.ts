// What the frontier asks of the store beyond Crawlee's queue client: the next request whose host may be called, a page's
// commit, and due times. A claim reads the top of one index over hosts and the top of one over that host's requests.
import { LANES, type Lane } from '../../core/lane.ts';
import { toBody, type AtomicStorage, type Rest, type StagedRow, type Written } from '../../core/checkpoint.ts';
import { openFigures } from './figures.ts';
import { fromBody, SUSPECT_BAND } from './request-queue.ts';
import { CLOSED, NEVER, type DueTimes } from './due-times.ts';
import { STATE } from './schema.ts';
import type { Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

/** Requests that one claim moves to another lane at most. */
const MAX_MOVES = 100;

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

interface Parts {
  readonly stores: Stores;
  readonly datasets: {
    write(store: number, bodies: readonly string[], request: string): void;
    remove(store: number, request: string): void;
  };
  readonly dueTimes: DueTimes;
}

export function openFrontierStore(connection: Connection, { stores, datasets, dueTimes }: Parts): FrontierStore {
  const { db, transaction, group, flush, begun } = connection;
  const figures = openFigures(connection);
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
    `UPDATE requests SET lane = ?, state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL WHERE store = ? AND id = ?`,
  );
  const setRest = db.prepare('UPDATE hosts SET rests_until = ? WHERE store = ? AND lane IN (0, 1) AND host = ?');
  const addRest = db.prepare('INSERT INTO hosts (store, lane, host, rests_until) VALUES (?, 0, ?, ?)');
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
    `UPDATE requests SET due_at = ?1 WHERE store = ?2 AND state = ${STATE.waiting} AND due_at = ${NEVER} AND NOT EXISTS
       (SELECT 1 FROM requests WHERE store = ?2 AND state = ${STATE.waiting} AND due_at < ${NEVER})`,
  );
  const handledBody = db.prepare(`SELECT body FROM requests WHERE store = ? AND id = ? AND state = ${STATE.handled}`);
  // Back to its place before any death.
  const unhandle = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, body = ?, due_at = 0, deaths = 0, lane = 0,
       seq = (seq + ${SUSPECT_BAND / 2}) % ${SUSPECT_BAND} - ${SUSPECT_BAND / 2}
     WHERE store = ? AND id = ?`,
  );
  const inBrowser = db.prepare('SELECT 1 FROM requests WHERE store = ? AND lane = 1 AND state < 2 LIMIT 1');
  /** The last claim that found no host. The one right behind it finds none either: nothing has happened between them. */
  let barren = { begun: -1, look: '' };
  const keyOf = (queueId: string) => stores.keyOf('queue', queueId);
  const restHost = (store: number, host: string, { until: time, closed }: Rest) => {
    const until = closed ? CLOSED + time : time;
    dueTimes.comes(store, until);
    if (setRest.run(until, store, host).changes === 0) addRest.run(store, host, until);
  };

  /** Asks about what is locked already. If that throws, nobody has got it. */
  const orGiveBack = <T>(store: number, lane: number, id: string, ask: () => T): T => {
    try {
      return ask();
    } catch (error) {
      move.run(lane, store, id);
      throw error;
    }
  };

  return {
    async claim(queueId, { lane = 'http', laneOf = () => lane, now, lockMillis, owner, maxDeaths, restAfter }) {
      const store = keyOf(queueId);
      const here = numberOf(lane);
      const look = [store, here, Math.min(maxDeaths * SUSPECT_BAND + SUSPECT_BAND / 2, NEVER)] as const;
      return group(() => {
        const asBefore = `${look.join(' ')} ${now}`;
        const nothing = () => {
          barren = { begun: begun(), look: asBefore };
          return null;
        };
        if (barren.look === asBefore && barren.begun === begun() - 1) return nothing();
        dueTimes.wake(store, now);
        for (let moves = 0; moves < MAX_MOVES;) {
          const line = lockFirst.get(...look, now + lockMillis, owner) as ClaimedLine | undefined;
          const host = line?.host ?? (firstHost.get(...look) as { host: string } | undefined)?.host;
          if (host === undefined) return nothing();
          if (!line) {
            // Taken through Crawlee's own queue client meanwhile: another host may be first now.
            setHead.run(store, here, host);
            continue;
          }
          const { id, deaths } = line;
          const { request, belongs } = orGiveBack(store, here, id, () => {
            const stored = { ...fromBody(line.body), id };
            return { request: stored, belongs: laneOf(stored) };
          });
          if (belongs !== lane) move.run(numberOf(belongs), store, id);
          setHead.run(store, here, host);
          if (belongs === lane) {
            // It is only claimed from if it does not rest.
            const rest = restAfter(host);
            if (rest.closed || rest.until > 0) restHost(store, host, rest);
            return { request, deaths };
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
        figures.add(queue, tally);
      });
    },
    async reclaim(queueId, request, notBefore, lane) {
      const queue = keyOf(queueId);
      const body = bodyOf(request);
      await group(() => {
        const dueAt = Math.min(notBefore, NEVER);
        dueTimes.comes(queue, dueAt);
        putBack.run(body, dueAt, lane === undefined ? null : numberOf(lane), queue, request.id);
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
    async rest(queueId, host, rest) {
      await group(() => restHost(keyOf(queueId), host, rest), ONE);
    },
    nextWake: (queueId) => dueTimes.next(keyOf(queueId)),
    startSecondPass(queueId, notBefore) {
      const queue = keyOf(queueId);
      return transaction(() => {
        dueTimes.comes(queue, notBefore);
        return secondPass.run(notBefore, queue).changes;
      });
    },
    redrive(queueId, requestId, dataset, revise, tier = 'http') {
      const queue = keyOf(queueId);
      return transaction(() => {
        const line = handledBody.get(queue, requestId) as { body: string } | undefined;
        if (!line) return false;
        const request = fromBody(line.body);
        unhandle.run(toBody(revise(request)), queue, requestId);
        stores.advance(queue, { handled: -1 });
        figures.take(queue, tier, new URL(request.url).host);
        datasets.remove(stores.getOrCreate('dataset', dataset).key, requestId);
        return true;
      });
    },
    releaseAll() {
      if (!db.open) return;
      flush();
      transaction(() => release.run());
    },
    counts(queueId) {
      const info = stores.find('queue', queueId);
      return { total: info?.total ?? 0, handled: info?.handled ?? 0 };
    },
    tallies: (queueId) => figures.tallies(keyOf(queueId)),
    counters: (queueId) => figures.counters(keyOf(queueId)),
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

/** One that comes from another process is a body already. */
function bodyOf(request: Written): string {
  return 'body' in request ? request.body : toBody(request);
}

/** As it stands in the tables. */
function numberOf(lane: Lane): number {
  return LANES.indexOf(lane);
}

interface ClaimedLine {
  id: string;
  host: string;
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
