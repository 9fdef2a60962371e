// Crawlee's storage client in a worker: every call is made by the main process, which alone has the store.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { StorageCall } from '../core/worker-messages.ts';

const COLLECTIONS = { requestQueues: 'requestQueue', datasets: 'dataset', keyValueStores: 'keyValueStore' } as const;
const KINDS = Object.values(COLLECTIONS);
/** What a client of any kind can be asked; nothing else is called on a worker's word. */
const METHODS =
  /^(list|getOrCreate|get|update|delete|downloadItems|listItems|pushItems|listKeys|recordExists|getRecord|setRecord|deleteRecord|listHead|addRequest|batchAddRequests|getRequest|updateRequest|deleteRequest|listAndLockHead|prolongRequestLock|deleteRequestLock)$/;

type Call = (call: StorageCall) => Promise<unknown>;

/** A storage client whose calls are made elsewhere. Of a record's value, a stream is read first; none is given back. */
export function forwardStorage(call: Call): StorageClient {
  const clientOf = (kind: StorageCall['kind'], id: string | null) =>
    new Proxy(
      {},
      {
        get: (_, method) =>
          // Asked by `await` of whatever it is given.
          typeof method !== 'string' || method === 'then'
            ? undefined
            : async (...args: unknown[]) => call({ kind, id, method, args: await Promise.all(args.map(withoutStream)) }),
      },
    );
  const collections = Object.entries(COLLECTIONS).map(([name, kind]) => [name, () => clientOf(kind, null)]);
  const clients = KINDS.map((kind) => [kind, (id: string) => clientOf(kind, id)]);
  return Object.fromEntries([...collections, ...clients]) as StorageClient;
}

/** Makes a worker's call. @throws {SurefootError} kind `storage`: a method that no client has. */
export async function makeCall(client: StorageClient, { kind, id, method, args }: StorageCall): Promise<unknown> {
  const collection = `${kind}s` as const;
  const target = id === null ? client[collection]() : client[kind](id);
  const called = METHODS.test(method)
    ? (Reflect.get(target, method) as ((...args: unknown[]) => unknown) | undefined)
    : undefined;
  if (called === undefined) throw new SurefootError('storage', `A ${kind} has no method ${method} that a worker could call.`);
  return called.apply(target, [...args]);
}

/** A record's stream cannot be sent to another process. */
async function withoutStream(argument: unknown): Promise<unknown> {
  if (typeof argument !== 'object' || argument === null || !('value' in argument)) return argument;
  return argument.value instanceof Readable ? { ...argument, value: await buffer(argument.value) } : argument;
}
