// A key-value store's keys, values and entries, from what lists its keys and reads a record.
import type { KeyValueStoreClient, KeyValueStoreClientListData, KeyValueStoreClientListOptions } from '@crawlee/types';

import { iterablePromise, PAGE_SIZE } from './paged-list.ts';

type ListKeys = (options: KeyValueStoreClientListOptions) => KeyValueStoreClientListData | Promise<KeyValueStoreClientListData>;

export function keyedLists(
  listKeys: ListKeys,
  getRecord: KeyValueStoreClient['getRecord'],
): Required<Pick<KeyValueStoreClient, 'keys' | 'values' | 'entries'>> {
  /** One item a key: awaited, those of the first page; iterated, all of them. */
  const each = <Item, Awaited>(
    options: KeyValueStoreClientListOptions,
    toItem: (key: string) => Promise<Item>,
    toAwaited: (items: Item[], page: KeyValueStoreClientListData) => Awaited,
  ) => {
    const toItems = (page: KeyValueStoreClientListData) => Promise.all(page.items.map(({ key }) => toItem(key)));
    return iterablePromise(
      async () => {
        const page = await listKeys(options);
        return toAwaited(await toItems(page), page);
      },
      async function* () {
        let left = options.limit ?? Infinity;
        let start = options.exclusiveStartKey;
        while (left > 0) {
          const limit = Math.min(left, PAGE_SIZE);
          const page = await listKeys({ ...options, limit, ...(start !== undefined && { exclusiveStartKey: start }) });
          yield* await toItems(page);
          left -= page.count;
          start = page.nextExclusiveStartKey;
          if (start === undefined) return;
        }
      },
    );
  };
  const valueOf = async (key: string): Promise<unknown> => (await getRecord(key))?.value;
  return {
    keys: (options = {}) =>
      each(
        options,
        async (key) => key,
        (_, page) => page,
      ),
    values: (options = {}) => each(options, valueOf, (values) => values),
    entries: (options = {}) =>
      each(
        options,
        async (key): Promise<[string, unknown]> => [key, await valueOf(key)],
        (entries) => entries,
      ),
  };
}
