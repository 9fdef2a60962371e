// Who works in the browser lane, and what becomes of the crawl when that ends.
import { expect, it } from 'vitest';

import { tendBrowserLane } from '../../src/engine/browser-lane.ts';
import { openBrowserLane } from '../../src/frontier/browser-lane.ts';
import { add, holdClock, overSqlite, take } from '../frontier/fixture.ts';

holdClock();

it('a lane whose crawler dies ends the crawl with its error, though a page is still in flight there', async () => {
  const { frontier } = await overSqlite();
  await add(frontier, 'a', 'b');
  const boom = new Error('boom');
  const tender = tendBrowserLane({
    frontier,
    lane: openBrowserLane(frontier),
    open: async () => ({
      async run() {
        await take(frontier);
        throw boom;
      },
    }),
    onLost() {},
    onDeadLetter() {},
  });
  tender.need();
  await expect(tender.ended()).rejects.toBe(boom);
  // What the HTTP lane asks.
  await expect(frontier.isEmpty()).rejects.toBe(boom);
  await expect(frontier.isFinished()).rejects.toBe(boom);
});
