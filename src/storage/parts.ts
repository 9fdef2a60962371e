// Lists the datasets of a client that counts rows, not bytes, in parts of a few MB: the platform's would send up to all of
// it in one answer, and the stock one reads all its files.
import type { DatasetClient, DatasetClientListOptions, Dictionary, PaginatedList, StorageClient } from '@crawlee/types';

import { pagedList } from './sqlite/paged-list.ts';

/** @param list Where the client's own `listItems()` is to be called otherwise. */
export function inParts(
  dataset: DatasetClient,
  list: (options: DatasetClientListOptions) => Promise<PaginatedList<Dictionary>> = async (options) => dataset.listItems(options),
): DatasetClient {
  const listItems = (options: DatasetClientListOptions = {}) =>
    pagedList(options, async ({ maxBytes: _, ...part }) => list(part), sizeOf);
  return new Proxy(dataset, {
    get: (target, property) => (property === 'listItems' ? listItems : bound(target, property)),
  });
}

/** A client all of whose datasets are listed so. */
export function withParts<Client extends StorageClient>(client: Client): Client {
  return new Proxy(client, {
    get: (target, property) => (property === 'dataset' ? (id: string) => inParts(target.dataset(id)) : bound(target, property)),
  });
}

/** About the length of its JSON. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.entries(value).reduce((sum, [key, part]) => sum + key.length + sizeOf(part), 8);
}

/** A property of a proxy's target, as the target has it. */
export function bound(target: object, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
