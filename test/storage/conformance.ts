// One conformance suite for every StorageClient: what Crawlee relies on, and what a crawl that resumes needs on top.
import { log } from '@crawlee/core';
import { describe } from 'vitest';

import { collectionChecks } from './conformance/collections.ts';
import { crashChecks } from './conformance/crash.ts';
import { crawleeChecks } from './conformance/crawlee.ts';
import { datasetChecks } from './conformance/dataset.ts';
import { keyValueStoreChecks } from './conformance/key-value-store.ts';
import { queueLockChecks } from './conformance/queue-locks.ts';
import { queueModelChecks } from './conformance/queue-model.ts';
import { queueChecks } from './conformance/queue.ts';
import { createSuite, type ConformanceOptions } from './conformance/suite.ts';

/** Runs every check over the client, each over an empty directory of its own. */
export function describeStorageClient(name: string, options: ConformanceOptions): void {
  log.setLevel(log.LEVELS.OFF); // Crawlee warns of every lock that it cannot prolong.
  describe(name, () => {
    const suite = createSuite(options);
    collectionChecks(suite);
    queueChecks(suite);
    queueLockChecks(suite);
    queueModelChecks(suite);
    datasetChecks(suite);
    keyValueStoreChecks(suite);
    crashChecks(suite);
    crawleeChecks(suite);
    suite.finish();
  });
}
