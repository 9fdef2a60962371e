// Conformance: what a killed process leaves behind. Everything that was acknowledged is there, and nothing is locked.
import { expect } from 'vitest';

import { addAll, claim, countsOf, handle, openQueue, requestFor } from './queue-fixture.ts';
import type { Suite } from './suite.ts';

const KEYS = Array.from({ length: 12 }, (_, index) => `page-${index}`);

export function crashChecks({ checkReopened }: Suite): void {
  checkReopened('crash: the queue has its order, marks and counts, and no locks', async ({ client, reopenAfterCrash }) => {
    const before = await openQueue(client);
    const [id = ''] = await addAll(before, KEYS);
    await addAll(before, ['urgent'], true);
    expect(await claim(before, 3)).toEqual(['urgent', 'page-0', 'page-1']);
    await handle(before, id);
    const queue = await openQueue(await reopenAfterCrash(), 'two');
    expect(await countsOf(queue)).toEqual({ total: 13, handled: 1, pending: 12 });
    expect(await queue.addRequest(requestFor('page-0'))).toMatchObject({ wasAlreadyPresent: true, wasAlreadyHandled: true });
    const claimed = await claim(queue);
    expect(claimed.toSorted()).toEqual(['urgent', ...KEYS.slice(1)].toSorted());
    expect(claimed.filter((key) => key !== 'urgent')).toEqual(KEYS.slice(1));
  });

  checkReopened('crash: rows and records are all there', async ({ client, reopenAfterCrash }) => {
    const rows = await client.datasets().getOrCreate('rows');
    const state = await client.keyValueStores().getOrCreate('state');
    for (let n = 0; n < 12; n++) {
      await client.dataset(rows.id).pushItems([{ n }, { n: n + 0.5 }]);
      await client.keyValueStore(state.id).setRecord({ key: 'state', value: { n } });
    }
    const later = await reopenAfterCrash();
    const { items, total } = await later.dataset('rows').listItems();
    expect(items).toEqual(Array.from({ length: 24 }, (_, index) => ({ n: index / 2 })));
    expect(total).toBe(24);
    expect((await later.keyValueStore('state').getRecord('state'))?.value).toEqual({ n: 11 });
  });
}
