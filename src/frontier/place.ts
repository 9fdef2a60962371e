// What a frontier over the journal saves now and then, for the process after this one: how fast hosts may be called, and
// until when they rest. A kill takes it back to the last save, which costs politeness nothing but a repeated warning.
import type { StorageClient } from '@crawlee/types';

import type { Rests } from './journaled-checkpoint.ts';
import type { PaceMemory } from './pace.ts';

const KEY = 'SUREFOOT_PLACE';

export interface Place {
  readonly pace: PaceMemory;
  readonly rests: Rests;
}

/** @param store The key-value store's id or name. */
export async function readPlace(client: StorageClient, store: string): Promise<Place> {
  const { id } = await client.keyValueStores().getOrCreate(store);
  const record = await client.keyValueStore(id).getRecord(KEY);
  return (record?.value as Place | undefined) ?? { pace: [], rests: [] };
}

export async function writePlace(client: StorageClient, store: string, place: Place): Promise<void> {
  const { id } = await client.keyValueStores().getOrCreate(store);
  await client
    .keyValueStore(id)
    .setRecord({ key: KEY, value: JSON.stringify(place), contentType: 'application/json; charset=utf-8' });
}
