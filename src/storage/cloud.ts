// The store of a run on the Apify platform: its client, kept to the run's own stores. The client itself is handed in:
// `apify` belongs to platform/actor.ts.
import type { StorageClient } from '@crawlee/types';

import { OWN_STORE, type StoreTraits } from '../core/run-store.ts';
import { openJournaledStore } from './journaled-store.ts';
import type { OpenStorage } from './open.ts';
import { withOwnStores, type OwnStores } from './own-stores.ts';
import { overQueue } from './store-options.ts';

/** How long after a push its rows may be missing from a listing, and a call of a process that died still be under way. The
 *  platform says of its counters that they lag by up to 5 s, and nothing of listings. */
const SETTLE_MILLIS = 10_000;

const TRAITS: StoreTraits = {
  exactlyOnce: true,
  durable: true,
  countsDeaths: false,
  shared: false,
  paidWrites: true,
  lagMillis: SETTLE_MILLIS,
};

/** @param clients `once`: the same store, for calls that are not to be repeated when their answer is lost. */
export async function openCloudStorage(
  { client, once }: { client: StorageClient; once: StorageClient },
  stores: OwnStores,
): Promise<OpenStorage> {
  const own = await withOwnStores(client, stores);
  return {
    client: own,
    traits: TRAITS,
    openRun: async (options = {}) =>
      openJournaledStore({ client: own, once, traits: TRAITS, store: OWN_STORE, ...overQueue(options, 'the platform') }),
    isThere: () => true,
    // A run of the platform has stores of its own, and they are new.
    clear: async () => {},
    close: async () => {},
  };
}
