// Makes every write to a dataset inside a handler part of its page: a storage client around any other one.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { DatasetClient, Dictionary, StorageClient } from '@crawlee/types';

import { toRows } from './rows.ts';

/** Takes the rows that a handler pushed to a dataset (by id or name), each as JSON. */
export type StageRows = (dataset: string, rows: readonly string[]) => void;

/** A storage client whose datasets stage what is pushed inside `duringPage()`; all else goes straight to the client. */
export interface StagingClient {
  readonly client: StorageClient;
  /** Runs a handler. `Dataset.pushData()` anywhere inside it goes to `stage`. */
  duringPage<T>(stage: StageRows, handler: () => Promise<T>): Promise<T>;
}

export function stageDatasets(client: StorageClient): StagingClient {
  const page = new AsyncLocalStorage<StageRows>();
  const staged = new Proxy(client, {
    get(target, property) {
      if (property === 'dataset') return (id: string) => stageDataset(target.dataset(id), id, page);
      // What a new run discards is decided by core/run.ts. Crawlee would purge whatever it opens where the environment says
      // so (CRAWLEE_PURGE_ON_START, as `apify run` does), which wins over `purgeOnStart: false`.
      if (property === 'purge') return undefined;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { client: staged, duringPage: (stage, handler) => page.run(stage, handler) };
}

function stageDataset(dataset: DatasetClient, id: string, page: AsyncLocalStorage<StageRows>): DatasetClient {
  const pushItems: DatasetClient['pushItems'] = async (items: Dictionary | Dictionary[] | string | string[]) => {
    const stage = page.getStore();
    if (stage) stage(id, toRows(items));
    else await dataset.pushItems(items);
  };
  return new Proxy(dataset, {
    get(target, property) {
      if (property === 'pushItems') return pushItems;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
