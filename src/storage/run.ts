// Keeps the run's record in the store, and clears a store without transactions for a new run.
import type { StorageClient } from '@crawlee/types';

import { DATASETS, OWN_STORE as STORE } from '../core/run-store.ts';
import type { RunRecord } from '../core/run.ts';

const KEY = 'SUREFOOT_RUN';
const LIVE_KEY = 'SUREFOOT_LIVE';

/** The ladder's memory; what went through sockets; the run's clock. */
export type StateName = 'LADDER' | 'TRAFFIC' | 'CLOCK';

/** The last run's record; null if there is none. */
export async function readRun(client: StorageClient): Promise<RunRecord | null> {
  const store = await openStore(client);
  const record = await store.getRecord(KEY);
  return (record?.value as RunRecord | undefined) ?? null;
}

export async function writeRun(client: StorageClient, run: RunRecord): Promise<void> {
  const store = await openStore(client);
  await store.setRecord({ key: KEY, value: JSON.stringify(run), contentType: 'application/json; charset=utf-8' });
}

/** What the running process said last of the pages in flight; null if it has not yet. */
export async function readSnapshot<Snapshot>(client: StorageClient): Promise<Snapshot | null> {
  const record = await (await openStore(client)).getRecord(LIVE_KEY);
  return (record?.value as Snapshot | undefined) ?? null;
}

export async function writeSnapshot(client: StorageClient, snapshot: unknown): Promise<void> {
  const store = await openStore(client);
  await store.setRecord({ key: LIVE_KEY, value: JSON.stringify(snapshot), contentType: 'application/json; charset=utf-8' });
}

/** What a part of the crawl has kept of itself for the next process; null if it has nothing yet. */
export async function readState<State>(client: StorageClient, name: StateName): Promise<State | null> {
  const record = await (await openStore(client)).getRecord(`SUREFOOT_${name}`);
  return (record?.value as State | undefined) ?? null;
}

export async function writeState(client: StorageClient, name: StateName, state: unknown): Promise<void> {
  const store = await openStore(client);
  await store.setRecord({
    key: `SUREFOOT_${name}`,
    value: JSON.stringify(state),
    contentType: 'application/json; charset=utf-8',
  });
}

/** Drops what a run has written to a store without transactions. Killed half-way, it is done again on the next start: the
 *  record goes first. */
export async function clearRun(client: StorageClient): Promise<void> {
  // Not `purge()`: the stock client's does not tell what it has read already, and reads files that are gone.
  const stores = await client.keyValueStores().getOrCreate(STORE);
  await client.keyValueStore(stores.id).delete();
  const queue = await client.requestQueues().getOrCreate(STORE);
  await client.requestQueue(queue.id).delete();
  for (const name of [DATASETS.items, DATASETS.rejected, DATASETS.failed]) {
    const { id } = await client.datasets().getOrCreate(name);
    await client.dataset(id).delete();
  }
}

async function openStore(client: StorageClient) {
  const { id } = await client.keyValueStores().getOrCreate(STORE);
  return client.keyValueStore(id);
}
