// A list is read in parts of a few MB, however large its rows are: nothing holds the whole of it.
import { MemoryStorage } from '@crawlee/memory-storage';
import type { DatasetClient, Dictionary, PaginatedList, StorageClient } from '@crawlee/types';
import { expect, it } from 'vitest';

import { forwardStorage, makeCall } from '../../src/storage/forwarding.ts';
import { inParts } from '../../src/storage/parts.ts';
import { PART_BYTES } from '../../src/storage/sqlite/paged-list.ts';
import { newFolder, openIn } from './sqlite/fixture.ts';

const MB = 2 ** 20;
/** Small ones first, as list pages come before their details; one that is larger than a part. */
const SIZES = [...Array.from({ length: 300 }, () => 10), ...Array.from({ length: 20 }, () => MB), 6 * MB, 10];

async function filled(client: StorageClient): Promise<DatasetClient> {
  const { id } = await client.datasets().getOrCreate('default');
  for (const [n, size] of SIZES.entries()) await client.dataset(id).pushItems({ n, text: 'x'.repeat(size) });
  return client.dataset(id);
}

/** The sizes of parts' rows, of a dataset each of whose parts is noted. */
const sizesIn = (parts: readonly PaginatedList<Dictionary>[]) =>
  parts.map(({ items }) => items.map((row) => (row['text'] as string).length));

async function numbersIn(rows: AsyncIterable<Dictionary>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const row of rows) numbers.push(row['n'] as number);
  return numbers;
}

it.each([false, true])(
  'SQLite, and a worker that asks for its rows: no part is larger than 4 MB and a row (desc: %s)',
  async (desc) => {
    const storage = openIn(newFolder());
    await filled(storage);
    const parts: PaginatedList<Dictionary>[] = [];
    const worker = forwardStorage(async (call) => {
      const answer = await makeCall(storage, call);
      if (call.method === 'listItems') parts.push(answer as PaginatedList<Dictionary>);
      return answer;
    });
    const { id } = await worker.datasets().getOrCreate('default');
    const numbers = [...SIZES.keys()];
    expect(await numbersIn(worker.dataset(id).listItems({ desc }))).toEqual(desc ? numbers.toReversed() : numbers);
    for (const sizes of sizesIn(parts)) expect(sum(sizes.slice(0, -1))).toBeLessThan(PART_BYTES);
    expect(Math.max(...sizesIn(parts).map((sizes) => sizes.length)), 'small rows are read many at a time').toBeGreaterThan(100);
  },
);

it('what is awaited is all that was asked for', async () => {
  const dataset = await filled(openIn(newFolder()));
  expect((await dataset.listItems()).items).toHaveLength(SIZES.length);
  expect((await dataset.listItems({ offset: 298, limit: 10 })).items).toHaveLength(10);
});

it('a client that counts rows alone is asked for as many as fit by the size of the last ones', async () => {
  const inner = await filled(new MemoryStorage({ persistStorage: false }));
  const parts: PaginatedList<Dictionary>[] = [];
  const dataset = inParts(inner, async (options) => {
    const part = await inner.listItems(options);
    parts.push(part);
    return part;
  });
  expect(await numbersIn(dataset.listItems())).toEqual([...SIZES.keys()]);
  expect(await numbersIn(dataset.listItems({ offset: 5, limit: 100 }))).toEqual(Array.from({ length: 100 }, (_, n) => n + 5));
  const [first, second] = sizesIn(parts);
  expect([first?.length, second?.length]).toEqual([16, 32]);
  const large = sizesIn(parts).filter((sizes) => sizes.every((size) => size === MB));
  expect(Math.max(...large.map((sizes) => sizes.length))).toBeLessThanOrEqual(4);
});

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
