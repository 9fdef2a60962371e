// Links that were found before: most of a page's have been on another one, and need not be asked of the store again.
import type { Request } from '@crawlee/core';
import type { BatchAddRequestsResult, ProcessedRequest } from '@crawlee/types';

/** So many are remembered, the last that were added. */
const KNOWN_LINKS = 10_000;

/** How requests are added, and how many new ones at the most. */
export interface KnownOptions {
  readonly forefront: boolean;
  readonly room: number;
}

/** @param add Adds what is not known to be known; what it leaves out is over a limit.
 *  @returns The same for any requests. */
export function pastKnown(add: (requests: Request[], options: KnownOptions) => Promise<readonly ProcessedRequest[]>) {
  const known = new Map<string, ProcessedRequest>();
  return async (requests: Request[], options: KnownOptions): Promise<BatchAddRequestsResult> => {
    const unknown = requests.filter(({ uniqueKey }) => !known.has(uniqueKey));
    const processedRequests = requests.flatMap(({ uniqueKey }) => known.get(uniqueKey) ?? []);
    if (unknown.length === 0) return { processedRequests, unprocessedRequests: [] };
    const added = await add(unknown, options);
    for (const one of added) {
      processedRequests.push(one);
      known.set(one.uniqueKey, { ...one, wasAlreadyPresent: true });
      const [oldest] = known.keys();
      if (known.size > KNOWN_LINKS && oldest !== undefined) known.delete(oldest);
    }
    const kept = new Set(added.map(({ uniqueKey }) => uniqueKey));
    const unprocessedRequests = unknown
      .filter(({ uniqueKey }) => !kept.has(uniqueKey))
      .map(({ uniqueKey, url }) => ({ uniqueKey, url }));
    return { processedRequests, unprocessedRequests };
  };
}
