// Crawlee's configuration for as long as a crawl runs: what `Dataset.open()` and its like find without being handed it.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { Configuration } from '@crawlee/core';

import { SurefootError } from '../core/errors.ts';
import { crawlee } from '../crawlee.ts';

/** Crawlee looks here first. Entered by `run()`, as Crawlee does it, an AsyncLocalStorage has Node 20 follow every promise of
 *  the process, which was an eighth of a crawl's CPU; a process has one crawl, so it can as well answer the same to all. */
class OneForAll extends AsyncLocalStorage<Configuration> {
  readonly #config: Configuration;

  constructor(config: Configuration) {
    super();
    this.#config = config;
  }

  override getStore(): Configuration {
    return this.#config;
  }
}

/** Runs `work` with a configuration that holds for the whole process meanwhile.
 *  @throws {SurefootError} kind `run`: another crawl is running; its handlers would write into this one's store. */
export async function withConfiguration<T>(config: Configuration, work: () => Promise<T>): Promise<T> {
  const before = crawlee.Configuration.storage;
  if (before instanceof OneForAll) throw new SurefootError('run', 'A process has one crawl at a time, and one is running.');
  crawlee.Configuration.storage = new OneForAll(config);
  try {
    return await work();
  } finally {
    crawlee.Configuration.storage = before;
  }
}
