// The stores of the stand-in for the Apify platform, in memory: they outlive the processes that a test kills.
import { createHash } from 'node:crypto';

/** What a request is stored as. */
export interface StoredRequest {
  id: string;
  url: string;
  uniqueKey: string;
  handledAt?: string | null;
  [key: string]: unknown;
}

interface QueueEntry {
  request: StoredRequest;
  /** Its place in line; null once it is handled. */
  order: number | null;
  lockedUntil: number;
}

/** The platform's id of a request, which clients compute too. */
export function requestId(uniqueKey: string): string {
  return createHash('sha256').update(uniqueKey).digest('base64').replaceAll(/[+/=]/g, '').slice(0, 15);
}

export class Queue {
  readonly entries = new Map<string, QueueEntry>();
  #order = 0;

  add(request: Omit<StoredRequest, 'id'>, forefront: boolean) {
    const { uniqueKey } = request as StoredRequest;
    const id = requestId(uniqueKey);
    const known = this.entries.get(id);
    if (!known)
      this.entries.set(id, { request: { ...request, id } as StoredRequest, order: this.#next(forefront), lockedUntil: 0 });
    const wasAlreadyHandled = known !== undefined && known.order === null;
    return { requestId: id, uniqueKey, wasAlreadyPresent: known !== undefined, wasAlreadyHandled };
  }

  /** As the API does: a request with `handledAt` leaves the head; a lock stays otherwise. */
  update(request: StoredRequest, forefront: boolean) {
    const entry = this.entries.get(request.id);
    const wasAlreadyHandled = entry?.order === null;
    const order = request.handledAt ? null : (entry?.order ?? this.#next(forefront));
    this.entries.set(request.id, { request, order, lockedUntil: request.handledAt ? 0 : (entry?.lockedUntil ?? 0) });
    return { requestId: request.id, wasAlreadyPresent: entry !== undefined, wasAlreadyHandled };
  }

  head(limit: number, { lockMillis }: { lockMillis: number | null }) {
    const now = Date.now();
    const open = [...this.entries.values()].filter(({ order }) => order !== null);
    const free = open.filter(({ lockedUntil }) => lockedUntil <= now).toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
    const items = free.slice(0, limit);
    if (lockMillis !== null) for (const entry of items) entry.lockedUntil = now + lockMillis;
    const locked = open.some(({ lockedUntil }) => lockedUntil > now);
    return { items: items.map(({ request }) => ({ ...request })), queueHasLockedRequests: locked, hadMultipleClients: false };
  }

  /** @returns False if nobody holds the lock. */
  lock(id: string, lockedUntil: number): boolean {
    const entry = this.entries.get(id);
    if (!entry || entry.order === null) return false;
    entry.lockedUntil = lockedUntil;
    return true;
  }

  unlockAll(): number {
    let unlocked = 0;
    for (const entry of this.entries.values()) {
      if (entry.lockedUntil > Date.now()) unlocked++;
      entry.lockedUntil = 0;
    }
    return unlocked;
  }

  info() {
    const handled = [...this.entries.values()].filter(({ order }) => order === null).length;
    const total = this.entries.size;
    return { totalRequestCount: total, handledRequestCount: handled, pendingRequestCount: total - handled };
  }

  #next(forefront: boolean): number {
    this.#order++;
    return forefront ? -this.#order : this.#order;
  }
}

export interface Stores {
  readonly datasets: Map<string, unknown[]>;
  readonly records: Map<string, Map<string, { body: Buffer; type: string }>>;
  readonly queues: Map<string, Queue>;
  /** Ids by kind and name. */
  readonly names: Map<string, string>;
}

export function newStores(): Stores {
  return {
    datasets: new Map([['run-dataset', []]]),
    records: new Map([['run-store', new Map()]]),
    queues: new Map([['run-queue', new Queue()]]),
    names: new Map(),
  };
}
