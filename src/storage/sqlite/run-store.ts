// The run store (core/run-store.ts) on crawl.sqlite: one process has the file, so hosts' pace is in its memory, a lease cannot
// be lost, and what is asked for in one turn of the event loop is one transaction (transactions.ts).
import type { HostLanding, Rest } from '../../core/pace.ts';
import {
  DATASETS,
  toBody,
  toUntried,
  type Claim,
  type ClaimedPage,
  type Outcome,
  type RunStore,
  type Standing,
  type StoreTraits,
  toLetterRow,
} from '../../core/run-store.ts';
import { openHostPaces } from '../host-paces.ts';
import { NEVER_FAILS, type RunStoreOptions } from '../store-options.ts';
import type { Datasets, SqliteClaims } from './claims.ts';
import { NEVER, type DueTimes } from './due-times.ts';
import type { Figures } from './figures.ts';
import { fromBody, type RequestQueues } from './request-queue.ts';
import type { Stores } from './stores.ts';
import type { Connection } from './transactions.ts';

export const SQLITE_TRAITS: StoreTraits = {
  exactlyOnce: true,
  durable: true,
  countsDeaths: true,
  shared: false,
  paidWrites: false,
  lagMillis: 0,
};

/** What writes once, or at any time only what is true by itself. */
const ONE = { whole: false };
const OWNER = 'frontier';
/** A page that is lost says nothing of its host. */
const LOST: HostLanding = { how: 'bad', millis: null };

export interface RunStoreParts {
  readonly connection: Connection;
  readonly stores: Stores;
  readonly datasets: Datasets;
  readonly dueTimes: DueTimes;
  readonly queues: RequestQueues;
  readonly claims: SqliteClaims;
  readonly figures: Figures;
}

/** @param queueId An open queue's id. */
export function openRunStore(queueId: string, parts: RunStoreParts, options: RunStoreOptions): RunStore {
  const { connection, stores, datasets, dueTimes, queues, claims, figures } = parts;
  const { limits = { hostConcurrency: Infinity, delayMillis: 0 }, random = Math.random, now = Date.now } = options;
  const { group } = connection;
  const paces = openHostPaces(limits, random);
  const store = stores.keyOf('queue', queueId);
  /** Unknown after what may change it. */
  let browser: boolean | null = null;

  /** Inside a transaction. */
  const standing = (): Standing => {
    browser ??= claims.hasBrowserWork(store);
    return { ...stores.countsOf(store), browser };
  };
  const standingNow = () => {
    const { total = 0, handled = 0 } = stores.find('queue', queueId) ?? {};
    return { total, handled, browser: claims.hasBrowserWork(store) };
  };

  /** Inside a transaction. @returns How the page has left its host; null: as it was. */
  const apply = ({ id, host, at }: Claim, outcome: Outcome): (() => Rest | null) => {
    switch (outcome.kind) {
      case 'done':
        if (claims.finish(store, id, outcome.body, outcome.rows)) figures.add(store, outcome.tally);
        break;
      case 'dead':
        if (claims.finish(store, id, outcome.body, [toLetterRow(outcome)])) figures.add(store, outcome.tally);
        break;
      case 'again':
        claims.putBack(store, id, outcome.body, outcome.after === 'second pass' ? NEVER : now() + outcome.after, outcome.lane);
        browser = null;
        break;
      case 'moved':
        claims.move(store, id, outcome.lane);
        browser = null;
        return () => paces.standDown(host, at, now());
      case 'lost':
        claims.recover(store, id);
        return () => paces.land(host, LOST, now());
    }
    return () => paces.land(host, outcome.landing, now());
  };

  return {
    traits: SQLITE_TRAITS,
    failure: NEVER_FAILS,
    async claim({ lane, room, maxDeaths, leaseMillis }) {
      return group(() => {
        const at = now();
        dueTimes.wake(store, at);
        if (lane === 'browser') browser = null;
        const pages: ClaimedPage[] = [];
        while (pages.length < room) {
          const locked = claims.lockNext(store, lane, maxDeaths, at + leaseMillis, OWNER);
          if (!locked) break;
          const { id, host, deaths, body } = locked;
          pages.push({ id, host, lane, at, lease: '', deaths, startsIn: 0, request: { ...fromBody(body), id } });
          const rest = paces.takeOff(host, at);
          // It is only claimed from if it does not rest.
          if (rest.closed || rest.until > 0) claims.restHost(store, host, rest);
        }
        const wake = pages.length === 0 ? dueTimes.next(store) : null;
        return { pages, wakesIn: wake === null ? null : Math.max(0, wake - at), standing: standing() };
      });
    },
    async arrived(arrived) {
      await group(() => {
        for (const { id } of arrived) claims.arrived(store, id);
      }, ONE);
    },
    async settle(pages) {
      let landed: string[] = [];
      try {
        return await group(() => {
          landed = [];
          for (const { claim, outcome } of pages) {
            if (claim.lane === 'browser') browser = null;
            const leave = apply(claim, outcome);
            // Last: what throws before it has left the host as it was.
            landed.push(claim.host);
            const rest = leave();
            if (rest) claims.restHost(store, claim.host, rest);
          }
          return { refused: [], standing: standing() };
        });
      } catch (error) {
        // They are in flight as before, to be settled again.
        for (const host of landed) paces.fliesOn(host);
        throw error;
      }
    },
    async add(requests, options) {
      const insert = queues.prepareAdd(store, requests, options);
      return group(() => ({ processed: insert(), standing: standing() }));
    },
    async rest(host, millis) {
      const at = now();
      const rest = paces.pause(host, at + millis, at);
      await group(() => claims.restHost(store, host, rest), ONE);
    },
    async slow(host, gapMillis) {
      const at = now();
      const since = paces.slow(host, gapMillis, at);
      // What is claimed from now on keeps the gap too.
      if (since === null) await group(() => claims.restHost(store, host, paces.restOf(host, at)), ONE);
      return since;
    },
    renew: async () => true,
    async isFinished() {
      const { total, handled } = standingNow();
      return total === handled;
    },
    totals: async () => ({ ...standingNow(), tallies: figures.tallies(store), counters: figures.counters(store) }),
    hosts: async (limit) => paces.speeds(limit, now()),
    startSecondPass: async (afterMillis) => group(() => claims.startSecondPass(store, now(), now() + afterMillis)),
    async redrive(letters) {
      return group(() => {
        let count = 0;
        for (const letter of letters) {
          const body = claims.handledBody(store, letter.requestId);
          if (body === undefined) continue;
          claims.unhandle(store, letter.requestId, toBody(toUntried(fromBody(body))));
          figures.take(store, letter);
          datasets.remove(stores.keyOrCreate('dataset', DATASETS.failed), letter.requestId);
          browser = null;
          count++;
        }
        return count;
      });
    },
    // Without a pause in it: it also works in the last moments of a process.
    async release() {
      if (!connection.db.open) return;
      connection.flush();
      connection.transaction(claims.releaseAll);
    },
  };
}
