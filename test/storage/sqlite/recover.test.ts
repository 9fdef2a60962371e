// What several processes of one crawl need of the store: the pages of one that died.
import { expect, it } from 'vitest';

import { claim, newFolder, openIn, queueWith, rowsOf, tally } from './fixture.ts';

it('the pages of a process that died come back at once; only those whose answer had begun to arrive go behind the others', async () => {
  const storage = openIn(newFolder());
  const queue = await queueWith(storage, ['a', 'b', 'c', 'd']);
  const [a, b, c] = await claim(storage, queue, 3);
  await storage.handOut(queue, a!.id as string);
  await storage.handOut(queue, c!.id as string);
  await storage.recover(queue, [a!.id as string, b!.id as string]);
  const again = await claim(storage, queue);
  expect(again.map(({ url }) => url)).toEqual([b!.url, expect.stringContaining('d'), a!.url]);
  await storage.commit(queue, b!, { rows: [], tally: tally() });
  await storage.recover(queue, [b!.id as string]);
  expect(storage.counts(queue).handled, 'one that is done stays so').toBe(1);
  expect(await rowsOf(storage, 'default')).toEqual([]);
});
