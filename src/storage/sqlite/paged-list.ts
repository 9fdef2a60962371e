// Crawlee's lists can be awaited (one page) or iterated (all of it).
import type { PaginatedList } from '@crawlee/types';

/** Entries read at a time while iterating. */
export const PAGE_SIZE = 1_000;

interface PartOptions {
  offset?: number;
  limit?: number;
  desc?: boolean;
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

/** A list by offset and limit, from a function that reads one part of it. */
export function pagedList<Item>(
  options: PartOptions,
  readPart: (part: PartOptions) => PaginatedList<Item> | Promise<PaginatedList<Item>>,
) {
  return iterablePromise(
    async () => readPart(options),
    async function* () {
      const end = (options.offset ?? 0) + (options.limit ?? Infinity);
      let offset = options.offset ?? 0;
      while (offset < end) {
        const { items } = await readPart({ ...options, offset, limit: Math.min(PAGE_SIZE, end - offset) });
        yield* items;
        if (items.length === 0) return;
        offset += items.length;
      }
    },
  );
}
