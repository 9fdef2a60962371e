// Crawlee's values; its types are imported from its packages. They are CommonJS: before an `import` of them runs, Node reads
// all their files and searches them for the names they export, which takes as long as running them (0.1 s of a start).
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type * as Crawlee from '@crawlee/cheerio';

const require = createRequire(import.meta.url);

/** Crawlee, but for what drives a browser. */
export const crawlee = require('@crawlee/cheerio') as typeof Crawlee;

/** Ids of requests that a queue remembers to have seen. A miss costs one read of an index. */
const SEEN_IDS = 2_000;

// A queue (3.18.1) makes its table of seen ids in its constructor, with a million places before anything is in it: 16 MB and
// 0.07 s. No option and no export leads there, so its class is another one, for each queue of this process.
const tables = require(join(dirname(require.resolve('@crawlee/core')), 'storages/request_dedup_cache.js')) as {
  RequestDeduplicationCache: new (size: number) => object;
};
tables.RequestDeduplicationCache = class extends tables.RequestDeduplicationCache {
  constructor() {
    super(SEEN_IDS);
  }
};
