// Crawlee's values; its types are imported from its packages. They are CommonJS: before an `import` of them runs, Node reads
// all their files and searches them for the names they export, which takes as long as running them (0.1 s of a start).
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type * as Crawlee from '@crawlee/cheerio';

import { keyOf } from './core/identity.ts';

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

/** What Crawlee asks a key of. */
interface Keyed {
  readonly url: string;
  readonly method?: string;
  readonly payload?: string | Uint8Array;
  readonly keepUrlFragment?: boolean;
}

/** The key of a request that has none of its own. Method and payload belong to it. */
export function uniqueKeyOf({ url, method = 'GET', payload, keepUrlFragment = false }: Keyed): string {
  const key = keyOf(url, keepUrlFragment);
  if (method.toUpperCase() === 'GET') return key;
  const digest = payload === undefined ? '' : createHash('sha256').update(payload).digest('base64url').slice(0, 16);
  return `${method.toUpperCase()}(${digest}):${key}`;
}

// Crawlee's own (3.18.1) takes all queries that are no UTF-8 for one, and all POSTs to one URL. It is asked for each request,
// wherever that is added, `RequestQueue.open()` in a handler included.
(crawlee.Request as unknown as { computeUniqueKey: typeof uniqueKeyOf }).computeUniqueKey = uniqueKeyOf;
