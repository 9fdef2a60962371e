// Conformance: what a request queue client holds and in which order. Locks are in queue-locks.ts.
import { Request } from '@crawlee/core';
import { expect } from 'vitest';

import { addAll, claim, countsOf, handle, headOf, openQueue, readRequest, requestFor } from './queue-fixture.ts';
import type { Suite } from './suite.ts';

const TWELVE = Array.from({ length: 12 }, (_, index) => `page-${index}`);

export function queueChecks({ check, checkReopened }: Suite): void {
  check('queue: a request is added once, by unique key', async ({ client }) => {
    const queue = await openQueue(client);
    const first = await queue.addRequest(requestFor('a'));
    expect(first).toMatchObject({ wasAlreadyPresent: false, wasAlreadyHandled: false });
    const again = await queue.addRequest({
      ...requestFor('a'),
      url: 'https://example.com/elsewhere',
    });
    expect(again).toMatchObject({
      requestId: first.requestId,
      wasAlreadyPresent: true,
      wasAlreadyHandled: false,
    });
    await handle(queue, first.requestId);
    expect(await queue.addRequest(requestFor('a'))).toMatchObject({
      wasAlreadyPresent: true,
      wasAlreadyHandled: true,
    });
    expect(await countsOf(queue)).toEqual({ total: 1, handled: 1, pending: 0 });
    expect(await readRequest(queue, first.requestId)).toMatchObject({
      url: 'https://example.com/a',
    });
  });

  check('queue: the id of a request follows from its unique key alone', async ({ client }) => {
    const [one, two] = [await openQueue(client), await openQueue(client, 'one', 'other')];
    const { requestId } = await one.addRequest(requestFor('a'));
    expect((await two.addRequest({ ...requestFor('a'), method: 'POST' })).requestId).toBe(requestId);
    expect((await two.addRequest(requestFor('b'))).requestId).not.toBe(requestId);
  });

  check('queue: a batch answers for every request, also for repeats inside it', async ({ client }) => {
    const queue = await openQueue(client);
    const [idOfA] = await addAll(queue, ['a', 'done']);
    await handle(queue, (await queue.addRequest(requestFor('done'))).requestId);
    const result = await queue.batchAddRequests(['b', 'a', 'b', 'done'].map((key) => requestFor(key)));
    expect(result.unprocessedRequests).toEqual([]);
    const answers = result.processedRequests;
    expect(answers.map((answer) => [answer.uniqueKey, answer.wasAlreadyPresent, answer.wasAlreadyHandled])).toEqual([
      ['b', false, false],
      ['a', true, false],
      ['b', true, false],
      ['done', true, true],
    ]);
    expect(answers[1]?.requestId).toBe(idOfA);
    expect(answers[2]?.requestId).toBe(answers[0]?.requestId);
    expect(await countsOf(queue)).toEqual({ total: 3, handled: 1, pending: 2 });
    expect(await claim(queue)).toEqual(['a', 'b']);
  });

  check('queue: a request comes back as it was added', async ({ client }) => {
    const queue = await openQueue(client);
    const request = requestFor('ключ ☂', {
      url: 'https://example.com/?q=%C3%A9&x=1#part',
      method: 'POST',
      payload: '{"näme":"日本 🦦"}',
      headers: { 'X-Test': 'a, b', accept: '*/*' },
      userData: {
        label: 'DETAIL',
        nested: { list: [1, null, { deep: true }] },
        __crawlee: { crawlDepth: 3 },
      },
      noRetry: true,
      retryCount: 2,
      errorMessages: ['first\nline'],
      loadedUrl: 'https://example.com/loaded',
    });
    const { requestId } = await queue.addRequest(request);
    expect(await readRequest(queue, requestId)).toEqual({ ...request, id: requestId });
  });

  check("queue: Crawlee's Request survives, with its depth and retry limit", async ({ client }) => {
    const queue = await openQueue(client);
    const request = new Request({
      url: 'https://example.com/a',
      userData: { label: 'LIST' },
      maxRetries: 7,
    });
    request.crawlDepth = 4;
    const { requestId } = await queue.addRequest(request);
    const back = new Request({ ...(await readRequest(queue, requestId)) });
    expect([back.label, back.maxRetries, back.crawlDepth, back.id]).toEqual(['LIST', 7, 4, requestId]);
  });

  check('queue: an unknown request is undefined', async ({ client }) => {
    const queue = await openQueue(client);
    expect(await queue.getRequest('nobody')).toBeUndefined();
  });

  check('queue: what the caller changes later does not reach the queue', async ({ client }) => {
    const queue = await openQueue(client);
    const request = requestFor('a', { userData: { page: 1 } });
    const { requestId } = await queue.addRequest(request);
    request.userData = { page: 2 };
    (await readRequest(queue, requestId)).userData = { page: 3 };
    expect(await readRequest(queue, requestId)).toMatchObject({ userData: { page: 1 } });
  });

  check('queue: updateRequest stores the new state', async ({ client }) => {
    const queue = await openQueue(client);
    const { requestId } = await queue.addRequest(requestFor('a', { userData: { page: 1 } }));
    const changed = { retryCount: 1, errorMessages: ['boom'], userData: { page: 2 } };
    const result = await queue.updateRequest({
      ...(await readRequest(queue, requestId)),
      ...changed,
    });
    expect(result).toMatchObject({ requestId, wasAlreadyPresent: true, wasAlreadyHandled: false });
    expect(await readRequest(queue, requestId)).toMatchObject(changed);
  });

  check('queue: a handled request leaves the head and is counted once', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a', 'b']);
    expect(await handle(queue, id)).toMatchObject({
      wasAlreadyPresent: true,
      wasAlreadyHandled: false,
    });
    expect(await handle(queue, id)).toMatchObject({
      wasAlreadyPresent: true,
      wasAlreadyHandled: true,
    });
    expect(await countsOf(queue)).toEqual({ total: 2, handled: 1, pending: 1 });
    expect((await readRequest(queue, id)).handledAt).toEqual(expect.any(String));
    expect(await headOf(queue)).toEqual(['b']);
  });

  check('queue: a request can be added as handled', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequest(requestFor('a', { handledAt: new Date().toISOString() }));
    expect(await countsOf(queue)).toEqual({ total: 1, handled: 1, pending: 0 });
    expect(await claim(queue)).toEqual([]);
  });

  check('queue: a handled request can be made pending again', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await handle(queue, id);
    const { handledAt: _, ...pending } = await readRequest(queue, id);
    expect(await queue.updateRequest(pending)).toMatchObject({
      wasAlreadyPresent: true,
      wasAlreadyHandled: true,
    });
    expect(await claim(queue)).toEqual(['a']);
    expect(await countsOf(queue)).toEqual({ total: 1, handled: 0, pending: 1 });
  });

  check('queue: updating a request that is not there adds it', async ({ client }) => {
    const queue = await openQueue(client);
    const [id = ''] = await addAll(queue, ['a']);
    await queue.deleteRequest(id);
    const result = await queue.updateRequest(requestFor('a', { id }) as { id: string } & ReturnType<typeof requestFor>);
    expect(result).toMatchObject({
      requestId: id,
      wasAlreadyPresent: false,
      wasAlreadyHandled: false,
    });
    expect(await countsOf(queue)).toEqual({ total: 1, handled: 0, pending: 1 });
    expect(await claim(queue)).toEqual(['a']);
  });

  check('queue: a deleted request is gone and can be added again', async ({ client }) => {
    const queue = await openQueue(client);
    const [idOfA = '', idOfB = ''] = await addAll(queue, ['a', 'b', 'c']);
    await handle(queue, idOfB);
    await queue.deleteRequest(idOfA);
    await queue.deleteRequest(idOfB);
    await queue.deleteRequest('nobody');
    expect(await queue.getRequest(idOfA)).toBeUndefined();
    expect(await countsOf(queue)).toEqual({ total: 1, handled: 0, pending: 1 });
    expect(await queue.addRequest(requestFor('a'))).toMatchObject({
      requestId: idOfA,
      wasAlreadyPresent: false,
    });
    expect(await claim(queue)).toEqual(['c', 'a']);
  });

  check('queue: a request added at the forefront can be deleted', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, ['a']);
    const [id = ''] = await addAll(queue, ['first'], true);
    await queue.deleteRequest(id);
    expect(await headOf(queue)).toEqual(['a']);
    expect(await claim(queue)).toEqual(['a']);
  });

  check('queue: requests come in the order of adding', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, TWELVE.slice(0, 6));
    await queue.batchAddRequests(TWELVE.slice(6).map((key) => requestFor(key)));
    expect(await headOf(queue)).toEqual(TWELVE);
    expect((await queue.listHead({ limit: 5 })).items.map((item) => item.uniqueKey)).toEqual(TWELVE.slice(0, 5));
    expect(await claim(queue)).toEqual(TWELVE);
  });

  check('queue: what is added at the forefront comes first, the last one before the others', async ({ client }) => {
    const queue = await openQueue(client);
    await addAll(queue, ['a', 'b']);
    await addAll(queue, ['x', 'y'], true);
    await queue.batchAddRequests([requestFor('z1'), requestFor('z2')], { forefront: true });
    await queue.addRequest(requestFor('a'), { forefront: true });
    expect(await headOf(queue)).toEqual(['z2', 'z1', 'y', 'x', 'a', 'b']);
    expect(await claim(queue)).toEqual(['z2', 'z1', 'y', 'x', 'a', 'b']);
  });

  check('queue: the forefront is the same for every handle of the queue', async ({ client }) => {
    const [one, two] = [await openQueue(client, 'one'), await openQueue(client, 'two')];
    await addAll(one, ['a', 'b']);
    await addAll(one, ['first'], true);
    expect(await claim(two, 1)).toEqual(['first']);
  });

  checkReopened('queue: a reopened queue keeps its requests and what is handled', async ({ client, reopen }) => {
    const before = await openQueue(client);
    const [id = ''] = await addAll(before, TWELVE);
    await handle(before, id);
    const queue = await openQueue(await reopen());
    expect((await claim(queue)).toSorted()).toEqual(TWELVE.slice(1).toSorted());
    expect(await queue.addRequest(requestFor('page-0'))).toMatchObject({
      wasAlreadyPresent: true,
      wasAlreadyHandled: true,
    });
  });

  checkReopened('queue: a reopened queue keeps its counts', async ({ client, reopen }) => {
    const before = await openQueue(client);
    const ids = await addAll(before, TWELVE);
    for (const id of ids.slice(0, 5)) await handle(before, id);
    expect(await countsOf(await openQueue(await reopen()))).toEqual({
      total: 12,
      handled: 5,
      pending: 7,
    });
  });

  checkReopened('queue: a reopened queue keeps its order', async ({ client, reopen }) => {
    await addAll(await openQueue(client), TWELVE);
    expect(await claim(await openQueue(await reopen()))).toEqual(TWELVE);
  });

  checkReopened('queue: a reopened queue keeps its forefront', async ({ client, reopen }) => {
    const before = await openQueue(client);
    await addAll(before, TWELVE);
    await addAll(before, ['x', 'y', 'z'], true);
    expect(await claim(await openQueue(await reopen()), 3)).toEqual(['z', 'y', 'x']);
  });
}
