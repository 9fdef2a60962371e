// Crawlee's queue client on the `requests` table: order, locks and due times. A claim reads an index and never scans.
import { hash } from 'node:crypto';

import type {
  BatchAddRequestsResult,
  ProcessedRequest,
  QueueOperationInfo,
  RequestQueueClient,
  RequestQueueHeadItem,
  RequestQueueInfo,
  RequestSchema,
} from '@crawlee/types';

import { toBody, type AddOptions } from '../../core/run-store.ts';
import { SurefootError } from '../../core/errors.ts';
import type { DueTimes } from './due-times.ts';
import { STATE } from './schema.ts';
import type { StoreInfo, Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

/** Each death of the process puts a request that was in flight so much further behind: far beyond any `seq` there is. */
export const SUSPECT_BAND = 2 ** 41;

/** The id of a request: the same for the same unique key, in every run. */
export function toRequestId(uniqueKey: string): string {
  return hash('sha256', uniqueKey, 'base64url').slice(0, 17);
}

interface Line {
  id: string;
  seq: number;
  state: number;
  lock_until: number | null;
  locked_by: string | null;
  body: string;
}

const HEAD = 'SELECT id, seq, body FROM requests WHERE store = ?';

export type RequestQueues = ReturnType<typeof openRequestQueues>;

/** The statements of all queues, and what their clients share. */
export function openRequestQueues(connection: Connection, stores: Stores, dueTimes: DueTimes) {
  const { db, transaction, group } = connection;
  const insert = db.prepare(
    'INSERT INTO requests (store, id, host, seq, state, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (store, id) DO NOTHING',
  );
  const lineOf = db.prepare('SELECT id, seq, state, lock_until, locked_by, body FROM requests WHERE store = ? AND id = ?');
  const update = db.prepare(
    'UPDATE requests SET body = ?, seq = ?, state = ?, lock_until = NULL, locked_by = NULL, due_at = 0, handed_out = 0 WHERE store = ? AND id = ?',
  );
  const updateLocked = db.prepare('UPDATE requests SET body = ?, seq = ? WHERE store = ? AND id = ?');
  const remove = db.prepare('DELETE FROM requests WHERE store = ? AND id = ?');
  // What is locked has no due time, also if Crawlee locks by its id what waits for one: nothing falls due by being unlocked.
  const lock = db.prepare(
    `UPDATE requests SET state = ${STATE.locked}, due_at = 0, lock_until = ?, locked_by = ?, seq = ? WHERE store = ? AND id = ?`,
  );
  const unlock = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0, seq = ? WHERE store = ? AND id = ?`,
  );
  // An expired lock of a living process is no crash: its hand-outs are forgotten.
  const expire = db.prepare(
    `UPDATE requests SET state = ${STATE.waiting}, lock_until = NULL, locked_by = NULL, handed_out = 0
     WHERE store = ? AND state = ${STATE.locked} AND lock_until <= ?`,
  );
  const ready = db.prepare(`${HEAD} AND state = ${STATE.waiting} AND due_at = 0 ORDER BY seq LIMIT ?`);
  const deferred = db.prepare(`${HEAD} AND state = ${STATE.waiting} AND due_at > 0 ORDER BY due_at, seq LIMIT ?`);
  const locked = db.prepare(`${HEAD} AND state = ${STATE.locked} ORDER BY seq LIMIT ?`);

  const find = (store: number, id: string) => lineOf.get(store, id) as Line | undefined;

  /** A new place in line; called inside a transaction. */
  const takeSeq = (store: number, forefront: boolean) => {
    const seq = stores.nextSeq(store);
    stores.advance(store, { seq: 1 });
    return forefront ? -seq : seq;
  };

  /** @returns What adds them, inside a transaction. Those that are beyond a limit are left out of its answer. */
  const prepareAdd = (store: number, requests: readonly RequestSchema[], { forefront, room, limit }: AddOptions) => {
    // Crawlee lets one pass that has a unique key. Nothing could be done with it once it is there.
    const odd = requests.find(({ url }) => !URL.canParse(url));
    if (odd) throw new SurefootError('site', `A request was added to a queue whose URL is none: ${odd.url}.`);
    const lines = requests.map((request) => ({
      uniqueKey: request.uniqueKey,
      requestId: toRequestId(request.uniqueKey),
      host: hostOf(request.url),
      state: request.handledAt ? STATE.handled : STATE.waiting,
      body: toBody(request),
    }));
    return (): ProcessedRequest[] => {
      const first = stores.nextSeq(store);
      const most = limit === Infinity ? room : Math.min(room, limit - stores.countsOf(store).total);
      let added = 0;
      let addedHandled = 0;
      const processed = lines.flatMap(({ uniqueKey, requestId, host, state, body }) => {
        const seq = forefront ? -(first + added) : first + added;
        const isNew = added < most && insert.run(store, requestId, host, seq, state, body).changes > 0;
        if (!isNew) {
          const known = find(store, requestId);
          if (!known) return [];
          return { uniqueKey, requestId, wasAlreadyPresent: true, wasAlreadyHandled: known.state === STATE.handled };
        }
        added++;
        if (state === STATE.handled) addedHandled++;
        return { uniqueKey, requestId, wasAlreadyPresent: false, wasAlreadyHandled: false };
      });
      if (added > 0) stores.advance(store, { seq: added, total: added, handled: addedHandled });
      return processed;
    };
  };
  const add = async (store: number, requests: readonly RequestSchema[], forefront: boolean): Promise<ProcessedRequest[]> =>
    group(prepareAdd(store, requests, { forefront, room: Infinity, limit: Infinity }));

  /** A client for one queue. `owner` is who holds the locks that it takes. */
  const client = (idOrName: string, owner: string): RequestQueueClient => {
    const key = () => stores.keyOf('queue', idOrName);
    const held = (store: number, id: string): Line => {
      const line = find(store, id);
      if (!line) throw new SurefootError('storage', `Queue "${idOrName}" has no request ${id}.`);
      if (line.state === STATE.handled)
        throw new SurefootError('storage', `Request ${id} of queue "${idOrName}" is handled already.`);
      const lockedByOther = line.state === STATE.locked && line.locked_by !== owner && (line.lock_until ?? 0) > Date.now();
      if (lockedByOther) throw new SurefootError('storage', `Request ${id} of queue "${idOrName}" is locked by another client.`);
      return line;
    };

    return {
      async get() {
        const info = stores.find('queue', idOrName);
        return info && toQueueInfo(info);
      },
      async update({ name }) {
        return toQueueInfo(transaction(() => stores.rename('queue', idOrName, name)));
      },
      async delete() {
        transaction(() => stores.delete('queue', idOrName));
      },
      async addRequest(request, { forefront = false } = {}) {
        const [processed] = await add(key(), [request], forefront);
        const { requestId, wasAlreadyPresent, wasAlreadyHandled } = processed as ProcessedRequest;
        return { requestId, wasAlreadyPresent, wasAlreadyHandled };
      },
      async batchAddRequests(requests, { forefront = false } = {}): Promise<BatchAddRequestsResult> {
        return { processedRequests: await add(key(), requests, forefront), unprocessedRequests: [] };
      },
      async getRequest(id) {
        const line = find(key(), id);
        return line && { ...fromBody(line.body), id };
      },
      async updateRequest(request, { forefront = false } = {}): Promise<QueueOperationInfo> {
        const store = key();
        const requestId = toRequestId(request.uniqueKey);
        const line = find(store, requestId);
        if (!line) {
          await add(store, [request], forefront);
          return { requestId, wasAlreadyPresent: false, wasAlreadyHandled: false };
        }
        const wasAlreadyHandled = line.state === STATE.handled;
        const isHandled = Boolean(request.handledAt);
        transaction(() => {
          const seq = isHandled ? line.seq : takeSeq(store, forefront);
          // A locked request that is updated stays locked: Crawlee gives the lock back in a call of its own.
          if (line.state === STATE.locked && !isHandled) updateLocked.run(toBody(request), seq, store, requestId);
          else update.run(toBody(request), seq, isHandled ? STATE.handled : STATE.waiting, store, requestId);
          if (isHandled !== wasAlreadyHandled) stores.advance(store, { handled: isHandled ? 1 : -1 });
        });
        return { requestId, wasAlreadyPresent: true, wasAlreadyHandled };
      },
      async deleteRequest(id) {
        const store = key();
        const line = find(store, id);
        if (!line) return;
        transaction(() => {
          remove.run(store, id);
          stores.advance(store, { total: -1, handled: line.state === STATE.handled ? -1 : 0 });
        });
      },
      async listHead({ limit = 100 } = {}) {
        const store = key();
        // What waits for its due time comes after what may be claimed; each part is read from its own index.
        const heads = [...ready.all(store, limit), ...locked.all(store, limit)] as Line[];
        heads.sort((a, b) => a.seq - b.seq);
        if (heads.length < limit) heads.push(...(deferred.all(store, limit - heads.length) as Line[]));
        const items = heads.slice(0, limit).map(toHeadItem);
        return { limit, queueModifiedAt: modifiedAt(stores, idOrName), hadMultipleClients: false, items };
      },
      async listAndLockHead({ limit = 25, lockSecs }) {
        const store = key();
        const now = Date.now();
        const heads = transaction(() => {
          expire.run(store, now);
          dueTimes.wake(store, now);
          const found = ready.all(store, limit) as Line[];
          for (const { id, seq } of found) lock.run(now + lockSecs * 1000, owner, seq, store, id);
          return found;
        });
        const { total, handled } = stores.find('queue', idOrName) as StoreInfo;
        return {
          limit,
          lockSecs,
          queueModifiedAt: new Date(now),
          hadMultipleClients: false,
          // Whatever is not handled is locked now, or waits for its due time: the queue is not finished.
          queueHasLockedRequests: total > handled,
          items: heads.map(toHeadItem),
        };
      },
      async prolongRequestLock(id, { lockSecs, forefront = false }) {
        const store = key();
        const until = Date.now() + lockSecs * 1000;
        const { seq } = held(store, id);
        transaction(() => lock.run(until, owner, forefront ? takeSeq(store, true) : seq, store, id));
        return { lockExpiresAt: new Date(until) };
      },
      async deleteRequestLock(id, { forefront = false } = {}) {
        const store = key();
        const { state, seq } = held(store, id);
        if (state !== STATE.locked) throw new SurefootError('storage', `Request ${id} of queue "${idOrName}" is not locked.`);
        transaction(() => unlock.run(forefront ? takeSeq(store, true) : seq, store, id));
      },
    };
  };

  return { client, prepareAdd };
}

/** Name and port: what pace and robots.txt go by. Crawlee's own tests of a queue add URLs that are none. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}

export function fromBody(body: string): RequestSchema {
  const request = JSON.parse(body) as RequestSchema;
  // Crawlee's Request refuses a null where it takes undefined.
  for (const [name, value] of Object.entries(request)) if (value === null) Reflect.deleteProperty(request, name);
  return request;
}

function toHeadItem({ id, body }: Line): RequestQueueHeadItem {
  const { url, uniqueKey, method = 'GET', retryCount = 0 } = fromBody(body);
  return { id, url, uniqueKey, method, retryCount };
}

export function toQueueInfo(info: StoreInfo): RequestQueueInfo {
  const { key: _, total, handled, ...rest } = info;
  return {
    ...rest,
    totalRequestCount: total,
    handledRequestCount: handled,
    pendingRequestCount: total - handled,
    hadMultipleClients: false,
  };
}

function modifiedAt(stores: Stores, idOrName: string): Date {
  return stores.find('queue', idOrName)?.modifiedAt ?? new Date(0);
}
