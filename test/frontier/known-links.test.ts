// Links that were found before are not asked of the store again.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { pastKnown } from '../../src/frontier/known-links.ts';

const link = (n: number) => new Request({ url: `https://a.example/${n}` });

/** A store that takes `capacity` links, and keeps what it was asked. */
function storeOf(capacity = Infinity) {
  const asked: string[][] = [];
  const stored = new Set<string>();
  const add = pastKnown(async (requests) => {
    asked.push(requests.map(({ url }) => new URL(url).pathname.slice(1)));
    return requests.flatMap(({ uniqueKey }) => {
      const wasAlreadyPresent = stored.has(uniqueKey);
      if (!wasAlreadyPresent && stored.size >= capacity) return [];
      stored.add(uniqueKey);
      return [{ uniqueKey, requestId: uniqueKey, wasAlreadyPresent, wasAlreadyHandled: false }];
    });
  });
  const added = async (...numbers: number[]) => {
    const { processedRequests, unprocessedRequests } = await add(numbers.map(link), { forefront: false, room: Infinity });
    return [processedRequests.map(({ wasAlreadyPresent }) => wasAlreadyPresent), unprocessedRequests.length];
  };
  return { asked, added };
}

describe('adding links', () => {
  it('asks for each once, and says of each whether it is new', async () => {
    const { asked, added } = storeOf();
    expect(await added(1, 2)).toEqual([[false, false], 0]);
    expect(await added(2, 3, 1)).toEqual([[true, true, false], 0]);
    expect(await added(1, 2, 3)).toEqual([[true, true, true], 0]);
    expect(asked).toEqual([['1', '2'], ['3']]);
  });

  it('asks again for what was left out', async () => {
    const { asked, added } = storeOf(1);
    expect(await added(1, 2)).toEqual([[false], 1]);
    expect(await added(1, 2)).toEqual([[true], 1]);
    expect(asked).toEqual([['1', '2'], ['2']]);
  });

  it('twice in one call is once new', async () => {
    const { added } = storeOf();
    expect(await added(1, 1)).toEqual([[false, true], 0]);
  });

  it('remembers the last 10,000', async () => {
    const { asked, added } = storeOf();
    await added(...Array.from({ length: 10_001 }, (_, n) => n));
    await added(0, 10_000);
    expect(asked.at(-1)).toEqual(['0']);
  });
});
