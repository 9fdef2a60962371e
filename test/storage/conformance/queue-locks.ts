// Conformance: locks. A request is with one client at a time, and always comes back.
import { setTimeout as delay } from 'node:timers/promises';

import { expect, vi } from 'vitest';

import { addAll, claim, countsOf, handle, headOf, openQueue, readRequest, reclaim } from './queue-fixture.ts';
import type { Suite } from './suite.ts';

const SHORT_LOCK_SECS = 0.1;

/** Waits until `keys` can be claimed: a lock has run out. */
async function claimedInTheEnd(attempt: () => Promise<string[]>, keys: string[]): Promise<void> {
  await vi.waitFor(async () => expect(await attempt()).toEqual(keys), {
    timeout: 3000,
    interval: 10,
  });
}

export function queueLockChecks({ check, checkReopened }: Suite): void {
  check('queue: listHead locks nothing and names id, url, method and retries', async ({ client }) => {
    const queue = await openQueue(client);
    const [id] = await addAll(queue, ['a', 'b']);
    const { items } = await queue.listHead();
    expect(items[0]).toMatchObject({
      id,
      uniqueKey: 'a',
      url: 'https://example.com/a',
      method: 'GET',
      retryCount: 0,
    });
    expect(await claim(queue)).toEqual(['a', 'b']);
  });

  // Without `queueHasLockedRequests`, Crawlee takes an empty head for a finished queue.
  check('queue: listHead shows locked requests too', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, ['a', 'b']);
    await claim(queue, 1);
    expect((await headOf(queue)).toSorted()).toEqual(['a', 'b']);
  });

  check('queue: listHead shows the order of handing out, also after a reclaim', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a', 'b', 'c']);
    await claim(queue, 1);
    await delay(5);
    await reclaim(queue, id);
    const shown = await headOf(queue);
    expect(shown).toEqual(await claim(queue));
  });

  check('queue: a locked request is not handed out again, whoever asks', async ({ client }) => {
    const [one, two] = [await openQueue(client, 'one'), await openQueue(client, 'two')];
    await addAll(one, ['a', 'b', 'c', 'd']);
    const head = await one.listAndLockHead({ limit: 2, lockSecs: 60 });
    expect(head).toMatchObject({ limit: 2, lockSecs: 60 });
    expect(head.items.map((item) => item.uniqueKey)).toEqual(['a', 'b']);
    expect(await claim(two, 1)).toEqual(['c']);
    expect(await claim(one)).toEqual(['d']);
    expect(await claim(two)).toEqual([]);
  });

  check('queue: clients that claim at the same moment never share a request', async ({ client }) => {
    const [one, two] = [await openQueue(client, 'one'), await openQueue(client, 'two')];
    const keys = Array.from({ length: 20 }, (_, index) => `page-${index}`);
    await addAll(one, keys);
    const claims = await Promise.all([one, two, one, two, one, two].map((queue) => claim(queue, 3)));
    const claimed = claims.flat();
    expect(claimed).toHaveLength(18);
    expect(new Set(claimed)).toEqual(new Set(keys.slice(0, 18)));
  });

  check('queue: queueHasLockedRequests is true until all is handled', async ({ client }) => {
    const queue = await openQueue(client);
    const locked = async () => (await queue.listAndLockHead({ limit: 25, lockSecs: 60 })).queueHasLockedRequests;
    expect(await locked()).toBe(false);
    const [idOfA = '', idOfB = ''] = await addAll(queue, ['a', 'b']);
    expect(await locked()).toBe(true);
    await handle(queue, idOfA);
    expect(await locked()).toBe(true);
    await handle(queue, idOfB);
    expect(await locked()).toBe(false);
  });

  check('queue: a lock that runs out gives the request back in its old place', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, ['a', 'b', 'c']);
    expect(await claim(queue, 2, SHORT_LOCK_SECS)).toEqual(['a', 'b']);
    expect(await claim(queue, 1, SHORT_LOCK_SECS)).toEqual(['c']);
    expect(await claim(queue)).toEqual([]);
    await claimedInTheEnd(async () => (await delay(2 * SHORT_LOCK_SECS * 1000), claim(queue)), ['a', 'b', 'c']);
  });

  check('queue: a prolonged lock holds beyond its first end', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await claim(queue, 1, SHORT_LOCK_SECS);
    const { lockExpiresAt } = await queue.prolongRequestLock(id, { lockSecs: 60 });
    expect(lockExpiresAt.getTime()).toBeGreaterThan(Date.now() + 59_000);
    await delay(2 * SHORT_LOCK_SECS * 1000);
    expect(await claim(queue)).toEqual([]);
  });

  check('queue: a prolonged lock lasts lockSecs from now', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await claim(queue, 1, 1000);
    const { lockExpiresAt } = await queue.prolongRequestLock(id, { lockSecs: 60 });
    expect(lockExpiresAt.getTime()).toBeLessThan(Date.now() + 61_000);
  });

  check('queue: a lock that ran out can be prolonged while nobody else has the request', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await claim(queue, 1, 0.01);
    await delay(30);
    await queue.prolongRequestLock(id, { lockSecs: 60 });
    expect(await claim(queue)).toEqual([]);
  });

  // Crawlee drops a request whose lock it cannot prolong ("lost the lock"); if it can, two clients crawl it.
  check('queue: a lock that another client has taken over cannot be prolonged', async ({ client }) => {
    const [one, two] = [await openQueue(client, 'one'), await openQueue(client, 'two')];
    const [id = ''] = await addAll(one, ['a']);
    await claim(one, 1, 0.01);
    await claimedInTheEnd(() => claim(two), ['a']);
    await expect(one.prolongRequestLock(id, { lockSecs: 60 })).rejects.toThrow();
  });

  check('queue: the lock of a handled or unknown request cannot be prolonged', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await claim(queue);
    await handle(queue, id);
    await expect(queue.prolongRequestLock(id, { lockSecs: 60 })).rejects.toThrow();
    await expect(queue.prolongRequestLock('nobody', { lockSecs: 60 })).rejects.toThrow();
  });

  check('queue: deleteRequestLock gives a request back at once, in its old place', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a', 'b', 'c']);
    await claim(queue, 2);
    await queue.deleteRequestLock(id);
    expect(await claim(queue)).toEqual(['a', 'c']);
  });

  check('queue: deleteRequestLock with forefront puts the request first', async ({ client }) => {
    const queue = await openQueue(client);
    const [, id = ''] = await addAll(queue, ['a', 'b', 'c']);
    await addAll(queue, ['first'], true);
    expect(await claim(queue, 3)).toEqual(['first', 'a', 'b']);
    await addAll(queue, ['second'], true);
    await queue.deleteRequestLock(id, { forefront: true });
    expect(await claim(queue)).toEqual(['b', 'second', 'c']);
  });

  // Where a plain reclaim comes back is left open: the platform puts it last, the stock client into its old place.
  check('queue: a reclaimed request comes again at once and once, first if asked', async ({ client }) => {
    const queue = await openQueue(client);
    const [idOfA = '', , idOfC = ''] = await addAll(queue, ['a', 'b', 'c', 'd']);
    await claim(queue, 3);
    await reclaim(queue, idOfA);
    await reclaim(queue, idOfC, true);
    expect((await readRequest(queue, idOfA)).retryCount).toBe(1);
    const [first, ...others] = await claim(queue);
    expect([first, others.toSorted()]).toEqual(['c', ['a', 'd']]);
    expect(await countsOf(queue)).toEqual({ total: 4, handled: 0, pending: 4 });
  });

  check('queue: a locked request is still pending', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, ['a', 'b']);
    await claim(queue, 1);
    expect(await countsOf(queue)).toEqual({ total: 2, handled: 0, pending: 2 });
  });

  checkReopened('queue: locks of an earlier session are void at once', async ({ client, reopen }) => {
    const before = await openQueue(client);
    await addAll(before, ['a', 'b']);
    expect(await claim(before)).toEqual(['a', 'b']);
    expect((await claim(await openQueue(await reopen(), 'two'))).toSorted()).toEqual(['a', 'b']);
  });
}
