// Makes every write to a dataset inside a handler part of its page: a storage client around any other one.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { DatasetClient, Dictionary, StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import { VerdictError } from '../core/verdict.ts';
import { toRows } from './rows.ts';

/** Takes the rows that a handler pushed to a dataset (by id or name), each as JSON. */
export type StageRows = (dataset: string, rows: readonly string[]) => void;

/** A storage client whose datasets stage what is pushed inside `duringPage()`. */
export interface StagingClient {
  /** What is pushed outside of any page goes straight to the store, until the first page has begun; from then on it is
   *  refused, for it would be a page's that is over. */
  readonly client: StorageClient;
  /** Runs a handler. `Dataset.pushData()` anywhere inside it goes to `stage`.
   *  @throws {VerdictError} `early`: a row was pushed meanwhile, the first one of this process, and it may be this page's. */
  duringPage<T>(stage: StageRows, handler: () => Promise<T>): Promise<T>;
}

/** A handler that runs without being followed. */
interface Unfollowed {
  /** A row was pushed meanwhile, by it or by another one. */
  suspect: boolean;
}

/** Whose row it is that is pushed can be told if handlers are followed through all their promises, which costs a tenth of a
 *  crawl's CPU (Node 20's AsyncLocalStorage). Most sites never write to a dataset of their own, so that is only begun with
 *  the first row that comes. It may be that of any page under way: it is dropped, and all of them go round again, followed. */
export function stageDatasets(client: StorageClient): StagingClient {
  const page = new AsyncLocalStorage<StageRows>();
  const unfollowed = new Set<Unfollowed>();
  let hasBegun = false;
  let following = false;

  /** @returns What takes a row that is pushed now; null: it is nobody's, and goes to the store. */
  const stageOf = (): StageRows | null => {
    const stage = page.getStore();
    if (stage) return stage;
    if (!hasBegun) return null;
    following = true;
    if (unfollowed.size === 0) {
      throw new SurefootError(
        'site',
        'A row was pushed to a dataset after its page was over. Await every pushData() in a handler.',
      );
    }
    for (const run of unfollowed) run.suspect = true;
    return () => {};
  };

  const duringPage: StagingClient['duringPage'] = async (stage, handler) => {
    hasBegun = true;
    if (following) return page.run(stage, handler);
    const run: Unfollowed = { suspect: false };
    unfollowed.add(run);
    const [end] = await Promise.allSettled([handler()]);
    unfollowed.delete(run);
    // Whatever the handler has made of it.
    if (run.suspect) throw new VerdictError('early', 'A row was pushed to a dataset before handlers were followed.');
    if (end.status === 'rejected') throw end.reason;
    return end.value;
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
