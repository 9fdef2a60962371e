// A run's own stores on a platform where names belong to the whole account: the names that this program uses lead to the
// stores of the run, and only what a site opens by a name of its own is shared between runs.
import type { StorageClient } from '@crawlee/types';

import { DATASETS, OWN_STORE as STORE } from '../core/run-store.ts';
import { bound, inParts } from './parts.ts';

/** Ids of stores that exist. */
export interface OwnStores {
  /** The run's default stores, as `Dataset.open()` without a name asks for them. */
  readonly defaults: { readonly dataset: string; readonly keyValueStore: string; readonly requestQueue: string };
  /** What the input puts in their place. */
  readonly chosen: { readonly dataset?: string | undefined; readonly requestQueue?: string | undefined };
  /** Datasets that the platform has made for the run, by their alias. */
  readonly datasets: Readonly<Record<string, string>>;
}

const KEY = 'SUREFOOT_STORES';
/** Datasets that this program writes to besides the default one. */
const OWN_DATASETS: readonly string[] = [DATASETS.failed, DATASETS.rejected];

/** An option of the platform's client: where no part is asked for, it would send all in one answer. */
const PARTS: object = { chunkSize: 1_000 };

type Kind = 'datasets' | 'requestQueues';
/** Ids of unnamed stores that were made for the run, by the names that this program has for them. */
type Made = Partial<Record<Kind, Record<string, string>>>;

/** A storage client that keeps to the run's own stores. Those it has to make are remembered in the default key-value store. */
export async function withOwnStores<Client extends StorageClient>(client: Client, stores: OwnStores): Promise<Client> {
  const { defaults, chosen } = stores;
  const kept = await client.keyValueStore(defaults.keyValueStore).getRecord(KEY);
  const made: Made = (kept?.value as Made | undefined) ?? {};
  const remember = async (kind: Kind, name: string, id: string) => {
    made[kind] = { ...made[kind], [name]: id };
    const value = JSON.stringify(made);
    await client
      .keyValueStore(defaults.keyValueStore)
      .setRecord({ key: KEY, value, contentType: 'application/json; charset=utf-8' });
  };
  /** By what it is asked for: a name of ours, or the id of a default store. */
  const known: Record<'dataset' | 'keyValueStore' | 'requestQueue', Map<string, string>> = {
    dataset: new Map(Object.entries({ ...stores.datasets, ...made.datasets })),
    keyValueStore: new Map([[STORE, defaults.keyValueStore]]),
    requestQueue: new Map(Object.entries(made.requestQueues ?? {})),
  };
  for (const kind of ['dataset', 'requestQueue'] as const) {
    known[kind].set(STORE, chosen[kind] ?? defaults[kind]).set(defaults[kind], chosen[kind] ?? defaults[kind]);
  }
  /** Ids that were seen: what is opened by its id must not be made anew under that name. */
  const seen = new Set<string>();

  const collection = (
    kind: 'dataset' | 'keyValueStore' | 'requestQueue',
    inner: { getOrCreate(name?: string): Promise<{ id: string }> },
    isOwn: (name: string) => boolean,
  ) =>
    new Proxy(inner, {
      get(target, property) {
        if (property !== 'getOrCreate') return bound(target, property);
        return async (name?: string) => {
          const id = name === undefined ? undefined : (known[kind].get(name) ?? (seen.has(name) ? name : undefined));
          if (id !== undefined) return { id };
          const own = name !== undefined && isOwn(name);
          const store = await target.getOrCreate(own ? undefined : name);
          seen.add(store.id);
          if (own) {
            known[kind].set(name, store.id);
            await remember(kind === 'dataset' ? 'datasets' : 'requestQueues', name, store.id);
          }
          return store;
        };
      },
    });

  return new Proxy(client, {
    get(target, property) {
      switch (property) {
        case 'dataset':
          return (id: string) => {
            const dataset = target.dataset(known.dataset.get(id) ?? id);
            return inParts(dataset, (options) =>
              dataset.listItems(options.limit === undefined ? { ...PARTS, ...options } : options),
            );
          };
        case 'keyValueStore':
        case 'requestQueue':
          return (id: string, ...options: [object?]) => {
            const open = Reflect.get(target, property) as (id: string, ...options: [object?]) => unknown;
            return open.call(target, known[property].get(id) ?? id, ...options);
          };
        case 'datasets':
          return () => collection('dataset', target.datasets(), (name) => OWN_DATASETS.includes(name));
        case 'keyValueStores':
          return () => collection('keyValueStore', target.keyValueStores(), () => false);
        case 'requestQueues':
          // Each lane has a queue by a name of ours.
          return () => collection('requestQueue', target.requestQueues(), () => true);
        case 'setStatusMessage':
          // Crawlee's own would mix with commands/actor-company.ts's, and end them: its last one is terminal.
          return undefined;
        default:
          return bound(target, property);
      }
    },
  });
}
