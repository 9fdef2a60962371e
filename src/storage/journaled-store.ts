// The run store (core/run-store.ts) over a storage client without transactions that survives the process all the same, as the
// Apify platform's: rows and done marks by the journal, due times with the requests, hosts' pace in a record that is saved
// now and then. A kill takes that back to the last save, which costs politeness nothing but a repeated warning.
import type { RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { RunStore, StoredRequest, StoreTraits } from '../core/run-store.ts';
import type { PaceMemory } from './host-paces.ts';
import { openJournal, releaseLocks, type JournalOptions } from './journal.ts';
import { openPlainStore, type PlainOptions } from './plain-store.ts';

const KEY = 'SUREFOOT_PLACE';
const JSON_TYPE = 'application/json; charset=utf-8';

export interface JournaledOptions extends Omit<PlainOptions, 'queue' | 'traits'>, Pick<JournalOptions, 'once' | 'tries'> {
  readonly traits: StoreTraits;
  /** The key-value store of the journal and of what is saved: its id or name. */
  readonly store: string;
  openQueue(): Promise<RequestQueue>;
}

/** Where a waiting request keeps its due time: Crawlee's own corner of `userData`, which no site's schema sees. */
interface Corner {
  __crawlee?: { surefootDue?: number | 'second pass' };
}

/** What is saved of the run. */
interface Place {
  readonly pace: PaceMemory;
}

export async function openJournaledStore(options: JournaledOptions): Promise<RunStore> {
  const { client, store, now, traits, openQueue } = options;
  const { lagMillis: settleMillis } = traits;
  const { once = client, tries = 5 } = options;
  // Before the queue is opened: the journal may mark requests of the process before this one.
  const journal = await openJournal({ client, once, tries, store, settleMillis });
  const { pace } = await readPlace(client, store);
  const queue = await openQueue();
  await releaseLocks(client, queue.id);
  const plain = openPlainStore(
    { ...options, queue },
    {
      pace,
      dueOf: (request) => dueOf(request),
      async putOff(request, notBefore) {
        noteDue(request, notBefore);
        // With its attempts and its due time, which a restart would not know; the lock stays.
        await client.requestQueue(queue.id).updateRequest(request);
      },
      write: (request, rows, tally) => journal.commit({ queue, request, rows, tally }),
      figures: () => journal.figures(queue.id),
    },
  );
  return {
    ...plain,
    failure: journal.failure,
    async renew() {
      await writePlace(client, store, { pace: plain.paces.memory(now()) });
      return true;
    },
  };
}

async function readPlace(client: StorageClient, store: string): Promise<Place> {
  const { id } = await client.keyValueStores().getOrCreate(store);
  const record = await client.keyValueStore(id).getRecord(KEY);
  return (record?.value as Place | undefined) ?? { pace: [] };
}

async function writePlace(client: StorageClient, store: string, place: Place): Promise<void> {
  const { id } = await client.keyValueStores().getOrCreate(store);
  await client.keyValueStore(id).setRecord({ key: KEY, value: JSON.stringify(place), contentType: JSON_TYPE });
}

function noteDue(request: StoredRequest, notBefore: number): void {
  const corner = (request.userData ??= {}) as Corner;
  corner.__crawlee = { ...corner.__crawlee, surefootDue: notBefore === Infinity ? 'second pass' : notBefore };
}

function dueOf({ userData = {} }: StoredRequest): number {
  const due = (userData as Corner).__crawlee?.surefootDue ?? 0;
  return due === 'second pass' ? Infinity : due;
}
