// Crawlee's lists can be awaited (one page) or iterated (all of it).
import type { PaginatedList } from '@crawlee/types';

/** Entries read at a time while iterating, at most. */
export const PAGE_SIZE = 1_000;
/** Of the first part, of whose entries nobody knows the size. */
const FIRST_ENTRIES = 16;
/** Bytes read at a time while iterating. A part ends with the entry that reaches it: there is always one. */
export const PART_BYTES = 4 * 2 ** 20;

interface PartOptions {
  offset?: number;
  limit?: number;
  desc?: boolean;
}

/** What a part of a list may hold; it may end earlier, if not before its first entry. */
export interface Part extends PartOptions {
  maxBytes?: number;
}

/** Both at once. Nothing is read before it is awaited or iterated. */
export function iterablePromise<Item, Awaited>(
  read: () => Promise<Awaited>,
  iterate: () => AsyncGenerator<Item>,
): AsyncIterable<Item> & Promise<Awaited> {
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- Crawlee's interface is a promise that can also be iterated.
    then: (...handlers) => read().then(...handlers),
    catch: (...handlers) => read().catch(...handlers),
    finally: (...handlers) => read().finally(...handlers),
    [Symbol.toStringTag]: 'Promise',
    [Symbol.asyncIterator]: iterate,
  };
}

/** A list by offset and limit, from a function that reads one part of it.
 *  @param sizeOf For what reads by `limit` alone: about the bytes of an entry. The next part is as long as fits if its entries
 *  are like the last ones. */
export function pagedList<Item>(
  options: PartOptions,
  readPart: (part: Part) => PaginatedList<Item> | Promise<PaginatedList<Item>>,
  sizeOf?: (item: Item) => number,
) {
  return iterablePromise(
    async () => readPart(options),
    async function* () {
      const end = (options.offset ?? 0) + (options.limit ?? Infinity);
      let offset = options.offset ?? 0;
      let most = FIRST_ENTRIES;
      while (offset < end) {
        const limit = Math.min(most, end - offset);
        const { items } = await readPart({ ...options, offset, limit, maxBytes: PART_BYTES });
        yield* items;
        if (items.length === 0) return;
        offset += items.length;
        // No more than twice as many: whoever measures entries reads them.
        most = Math.min(items.length * 2, PAGE_SIZE);
        if (sizeOf) most = Math.max(1, Math.min(most, fitting(items.map(sizeOf))));
      }
    },
  );
}

function fitting(sizes: readonly number[]): number {
  const sum = sizes.reduce((total, size) => total + size, 1);
  return Math.floor((PART_BYTES * sizes.length) / sum);
}
