// Crawlee's storage client in a worker: every call is made by the main process, which alone has the store.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { DatasetClientListOptions, KeyValueStoreClient, PaginatedList, StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { StorageCall } from '../core/worker-messages.ts';
import { toRows } from './rows.ts';
import { keyedLists } from './sqlite/keyed-lists.ts';
import { pagedList } from './sqlite/paged-list.ts';

/** What a client of any kind can be asked; nothing else is called on a worker's word. */
const METHODS =
  /^(list|getOrCreate|get|update|delete|downloadItems|listItems|listEntries|pushItems|listKeys|recordExists|getRecord|setRecord|deleteRecord|listHead|addRequest|batchAddRequests|getRequest|updateRequest|deleteRequest|listAndLockHead|prolongRequestLock|deleteRequestLock)$/;

type Send = (call: StorageCall) => Promise<unknown>;
type Methods = Record<string, (...args: never[]) => unknown>;

/** A storage client whose calls are made elsewhere. What it is given and gives back is plain data on the way. */
export function forwardStorage(send: Send): StorageClient {
  /** A client of a store, or with the id null of all stores of a kind. `own` stands in for methods that are no mere call. */
  const forwarded = (target: Pick<StorageCall, 'kind' | 'id' | 'options'>, own: Methods = {}): never =>
    new Proxy(own, {
      get(_, method) {
        // `await` asks for the latter of whatever it is given.
        if (typeof method !== 'string' || method === 'then') return undefined;
        return own[method] ?? (async (...args: unknown[]) => send({ ...target, method, args: args.map(toPlain) }));
      },
    }) as never;

  return {
    requestQueues: () => forwarded({ kind: 'requestQueue', id: null }),
    datasets: () => forwarded({ kind: 'dataset', id: null }),
    keyValueStores: () => forwarded({ kind: 'keyValueStore', id: null }),
    requestQueue: (id, { clientKey } = {}) =>
      forwarded({ kind: 'requestQueue', id, ...(clientKey !== undefined && { options: { clientKey } }) }),
    dataset: (id) => forwarded({ kind: 'dataset', id }, datasetMethods(send, id)),
    keyValueStore: (id) => forwarded({ kind: 'keyValueStore', id }, recordMethods(send, id)),
  };
}

function datasetMethods(send: Send, id: string) {
  const list = (method: string) => (options: DatasetClientListOptions) =>
    pagedList(options ?? {}, (part) => send({ kind: 'dataset', id, method, args: [part] }) as Promise<PaginatedList<never>>);
  return {
    listItems: list('listItems'),
    listEntries: list('listEntries'),
    pushItems: async (items: unknown) => send({ kind: 'dataset', id, method: 'pushItems', args: [toRows(items)] }),
  };
}

function recordMethods(send: Send, id: string) {
  const call = async (method: string, ...args: unknown[]) => send({ kind: 'keyValueStore', id, method, args });
  const getRecord = (async (key: string, { stream = false, ...options } = {}) => {
    const record = (await call('getRecord', key, stream ? { buffer: true } : options)) as { value: Buffer } | undefined;
    return record && stream ? { ...record, value: Readable.from([record.value]) } : record;
  }) as KeyValueStoreClient['getRecord'];
  return {
    ...keyedLists((options) => call('listKeys', options) as ReturnType<KeyValueStoreClient['listKeys']>, getRecord),
    getRecord,
    async setRecord(record: { value: unknown }, ...options: unknown[]) {
      return call('setRecord', { ...record, value: await toSendable(record.value) }, ...options);
    },
  };
}

/** Makes a worker's call. @throws {SurefootError} kind `storage`: a method that no client has. */
export async function makeCall(client: StorageClient, { kind, id, options, method, args }: StorageCall): Promise<unknown> {
  const collection = `${kind}s` as const;
  const target = id === null ? client[collection]() : client[kind](id, options);
  const called = METHODS.test(method)
    ? (Reflect.get(target, method) as ((...args: unknown[]) => unknown) | undefined)
    : undefined;
  if (called === undefined) throw new SurefootError('storage', `A ${kind} has no method ${method} that a worker could call.`);
  return called.apply(target, [...args]);
}

/** A record's value; one that is to become JSON as it will be, for not everything else can be sent. */
async function toSendable(value: unknown): Promise<unknown> {
  if (value instanceof Readable) return buffer(value);
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : toPlain(value);
}

/** As JSON has it: Crawlee's requests hide a part of themselves. */
function toPlain(argument: unknown): unknown {
  const json = JSON.stringify(argument) as string | undefined;
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}
