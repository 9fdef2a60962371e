// Makes every write to a dataset inside a handler part of its page: a storage client around any other one.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { DatasetClient, Dictionary, StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import { toRows } from './rows.ts';

/** Takes the rows that a handler pushed to a dataset (by id or name), each as JSON. */
export type StageRows = (dataset: string, rows: readonly string[]) => void;

/** A storage client whose datasets stage what is pushed inside `duringPage()`; all else goes straight to the client. */
export interface StagingClient {
  readonly client: StorageClient;
  /** Runs a handler. `Dataset.pushData()` anywhere inside it goes to `stage`.
   *  @param handler Called once more from its beginning if it was under way when the first dataset was written to: what it
   *  has staged until then is to be dropped. */
  duringPage<T>(stage: StageRows, handler: () => Promise<T>): Promise<T>;
}

/** A handler that runs without being followed. */
interface Unfollowed {
  /** A row was pushed meanwhile, by it or by another one. */
  again: boolean;
}

/** Whose row it is that is pushed can be told if handlers are followed through all their promises, which costs a tenth of a
 *  crawl's CPU (Node 20's AsyncLocalStorage). Most sites never write to a dataset of their own, so that is only begun with
 *  the first row that comes: it may be that of any handler under way, so it is dropped, and they all run again, followed. */
export function stageDatasets(client: StorageClient): StagingClient {
  const page = new AsyncLocalStorage<StageRows>();
  const unfollowed = new Set<Unfollowed>();
  let following = false;
  let hadUnfollowed = false;

  /** @returns What takes a row that is pushed now; null: it is nobody's, and goes to the store. */
  const stageOf = (): StageRows | null => {
    const stage = page.getStore();
    if (stage) return stage;
    if (unfollowed.size === 0 && !hadUnfollowed) return null;
    following = true;
    if (unfollowed.size === 0) {
      throw new SurefootError(
        'site',
        'A row was pushed to a dataset after its page was over. Await every pushData() in a handler.',
      );
    }
    for (const handler of unfollowed) handler.again = true;
    return () => {};
  };

  const duringPage: StagingClient['duringPage'] = async (stage, handler) => {
    if (following) return page.run(stage, handler);
    const run: Unfollowed = { again: false };
    unfollowed.add(run);
    hadUnfollowed = true;
    try {
      const value = await handler();
      if (!run.again) return value;
    } catch (error) {
      if (!run.again) throw error;
    } finally {
      unfollowed.delete(run);
    }
    return page.run(stage, handler);
  };

  const staged = new Proxy(client, {
    get(target, property) {
      if (property === 'dataset') return (id: string) => stageDataset(target.dataset(id), id, stageOf);
      // What a new run discards is decided by core/run.ts. Crawlee would purge whatever it opens where the environment says
      // so (CRAWLEE_PURGE_ON_START, as `apify run` does), which wins over `purgeOnStart: false`.
      if (property === 'purge') return undefined;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { client: staged, duringPage };
}

function stageDataset(dataset: DatasetClient, id: string, stageOf: () => StageRows | null): DatasetClient {
  const pushItems: DatasetClient['pushItems'] = async (items: Dictionary | Dictionary[] | string | string[]) => {
    const stage = stageOf();
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
