// The store of a run on the Apify platform: its client, kept to the run's own stores. The client itself is handed in:
// `apify` belongs to platform/actor.ts.
import type { StorageClient } from '@crawlee/types';

import type { OpenStorage } from './open.ts';
import { withOwnStores, type OwnStores } from './own-stores.ts';

/** How long after a push its rows may be missing from a listing, and a call of a process that died still be under way. The
 *  platform says of its counters that they lag by up to 5 s, and nothing of listings. */
const SETTLE_MILLIS = 10_000;

/** What the frontier's journal has to know of the client. */
export interface CloudTraits {
  /** The same store, for calls that are not to be repeated when their answer is lost. */
  readonly once: StorageClient;
  readonly settleMillis: number;
}

export async function openCloudStorage(
  { client, once }: { client: StorageClient; once: StorageClient },
  stores: OwnStores,
): Promise<OpenStorage> {
  const own = await withOwnStores(client, stores);
  return { client: own, atomic: null, cloud: { once, settleMillis: SETTLE_MILLIS }, close: () => {} };
}
