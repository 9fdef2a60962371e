// Crawlee's configuration for as long as a crawl runs: what `Dataset.open()` and its like find without being handed it.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { Configuration } from '@crawlee/core';

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

/** Runs `work` with a configuration that holds for the whole process meanwhile. */
export async function withConfiguration<T>(config: Configuration, work: () => Promise<T>): Promise<T> {
  const before = crawlee.Configuration.storage;
  crawlee.Configuration.storage = new OneForAll(config);
  try {
    return await work();
  } finally {
    crawlee.Configuration.storage = before;
  }
}
