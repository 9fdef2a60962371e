// Conformance: the same promises seen through Crawlee's own RequestQueue, Dataset and KeyValueStore.
import { Configuration, Dataset, KeyValueStore, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';
import { expect, vi } from 'vitest';

import type { Suite } from './suite.ts';

/** A configuration of its own: Crawlee caches opened stores by configuration. */
function configure(client: StorageClient): Configuration {
  return new Configuration({ storageClient: client, purgeOnStart: false });
}

const openQueue = (client: StorageClient) => RequestQueue.open(null, { config: configure(client) });
const openDataset = (client: StorageClient) => Dataset.open(undefined, { config: configure(client) });
const openStore = (client: StorageClient) => KeyValueStore.open(null, { config: configure(client) });

const requests = (count: number) => Array.from({ length: count }, (_, n) => ({ url: `https://example.com/${n}` }));

/** The next request as its last path segment, or null. */
async function next(queue: RequestQueue): Promise<string | null> {
  const request = await queue.fetchNextRequest();
  return request && request.url.slice(request.url.lastIndexOf('/') + 1);
}

async function handleNext(queue: RequestQueue): Promise<string> {
  const request = await queue.fetchNextRequest();
  if (!request) throw new Error('The queue has nothing to hand out');
  await queue.markRequestHandled(request);
  return request.url.slice(request.url.lastIndexOf('/') + 1);
}

export function crawleeChecks({ check, checkReopened }: Suite): void {
  check('RequestQueue: it is finished when the last request is handled, not before', async ({ client }) => {
    const queue = await openQueue(client);
    expect(await queue.isFinished()).toBe(true);
    await queue.addRequests(requests(2));
    expect(await queue.isFinished()).toBe(false);
    await handleNext(queue);
    const last = await queue.fetchNextRequest();
    expect(await queue.isEmpty()).toBe(true);
    expect(await queue.isFinished()).toBe(false);
    expect(await queue.fetchNextRequest()).toBeNull();
    await queue.markRequestHandled(last!);
    expect(await queue.isFinished()).toBe(true);
    expect(await queue.handledCount()).toBe(2);
  });

  // Both calls wait for the same `listAndLockHead`, and the fetch takes its request before `isFinished` looks.
  check('RequestQueue: it is not finished while the last request is being fetched', async ({ client }) => {
    await (await openQueue(client)).addRequests(requests(1));
    const queue = await openQueue(client);
    const [request, finished] = await Promise.all([queue.fetchNextRequest(), queue.isFinished()]);
    expect([request?.url, finished]).toEqual(['https://example.com/0', false]);
  });

  check('RequestQueue: requests are fetched once, in order, beyond one page of locks', async ({ client }) => {
    const queue = await openQueue(client);
    const batches = {
      batchSize: 20,
      waitBetweenBatchesMillis: 1,
      waitForAllRequestsToBeAdded: true,
    };
    await queue.addRequestsBatched(requests(60), batches);
    const fetched: string[] = [];
    while (!(await queue.isFinished())) fetched.push(await handleNext(queue));
    expect(fetched).toEqual(Array.from({ length: 60 }, (_, n) => String(n)));
    expect(await queue.getInfo()).toMatchObject({
      totalRequestCount: 60,
      handledRequestCount: 60,
      pendingRequestCount: 0,
    });
  });

  check('RequestQueue: a forefront request is fetched next', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequests(requests(4));
    expect(await next(queue)).toBe('0');
    await queue.addRequest({ url: 'https://example.com/urgent' }, { forefront: true });
    expect([await next(queue), await next(queue)]).toEqual(['urgent', '1']);
  });

  check('RequestQueue: a request reclaimed to the forefront is fetched next, with its state', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequests(requests(3));
    const request = (await queue.fetchNextRequest())!;
    request.retryCount = 2;
    request.userData['note'] = 'ä';
    request.pushErrorMessage('boom');
    await queue.reclaimRequest(request, { forefront: true });
    const again = await queue.fetchNextRequest();
    expect(again).toMatchObject({
      url: request.url,
      retryCount: 2,
      userData: { note: 'ä' },
      errorMessages: ['boom'],
    });
  });

  check('RequestQueue: a reclaimed request is fetched again and then handled', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequests(requests(2));
    await queue.reclaimRequest((await queue.fetchNextRequest())!);
    const fetched = [await handleNext(queue), await handleNext(queue)];
    expect(fetched.toSorted()).toEqual(['0', '1']);
    expect(await queue.isFinished()).toBe(true);
  });

  check('RequestQueue: a depth and a retry limit stay with the request until it is handled', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequest({ url: 'https://example.com/deep', crawlDepth: 3, maxRetries: 5 });
    const request = (await queue.fetchNextRequest())!;
    expect([request.crawlDepth, request.maxRetries]).toEqual([3, 5]);
    await queue.reclaimRequest(request);
    const again = (await queue.fetchNextRequest())!;
    expect([again.crawlDepth, again.maxRetries]).toEqual([3, 5]);
  });

  check('RequestQueue: two of them over one store share the work', async ({ client }) => {
    const [one, two] = [await openQueue(client), await openQueue(client)];
    await one.addRequests(requests(40));
    const fetched: string[] = [];
    for (const queue of [one, two, one, two]) fetched.push(await handleNext(queue));
    expect(new Set(fetched).size).toBe(4);
    expect((await two.addRequest({ url: 'https://example.com/0' })).wasAlreadyPresent).toBe(true);
    expect(await two.isFinished()).toBe(false);
  });

  check('RequestQueue: a dropped one is empty when it is opened again', async ({ client }) => {
    const queue = await openQueue(client);
    await queue.addRequests(requests(2));
    await queue.drop();
    expect(await (await openQueue(client)).isFinished()).toBe(true);
  });

  checkReopened('RequestQueue: a new session goes on with what was in flight, then with the rest', async ({ client, reopen }) => {
    const before = await openQueue(client);
    await before.addRequests(requests(12));
    await handleNext(before);
    expect(await next(before)).toBe('1');
    const queue = await openQueue(await reopen());
    expect([queue.getTotalCount(), queue.getPendingCount()]).toEqual([12, 11]);
    const fetched: string[] = [];
    while (!(await queue.isFinished())) fetched.push(await handleNext(queue));
    expect(fetched).toEqual(Array.from({ length: 11 }, (_, n) => String(n + 1)));
  });

  check('Dataset: what is pushed is read, iterated and exported', async ({ client }) => {
    const dataset = await openDataset(client);
    await dataset.pushData({ n: 0, text: 'ä' });
    await dataset.pushData([{ n: 1 }, { n: 2 }]);
    expect(await dataset.getData({ offset: 1 })).toMatchObject({
      total: 3,
      count: 2,
      items: [{ n: 1 }, { n: 2 }],
    });
    const seen: unknown[] = [];
    await dataset.forEach((item, index) => void seen.push([index, item['n']]), { limit: 2 });
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(await dataset.map((item) => item['n'])).toEqual([0, 1, 2]);
    expect(await dataset.reduce((sum: number, item) => sum + Number(item['n']), 0)).toBe(3);
    expect(await dataset.export()).toEqual([{ n: 0, text: 'ä' }, { n: 1 }, { n: 2 }]);
    const iterated: unknown[] = [];
    for await (const item of dataset) iterated.push(item['n']);
    expect(iterated).toEqual([0, 1, 2]);
    expect(await dataset.getInfo()).toMatchObject({ itemCount: 3 });
  });

  check('Dataset: it exports JSON and CSV into the key-value store', async ({ client }) => {
    const config = configure(client);
    const dataset = await Dataset.open(undefined, { config });
    await dataset.pushData([{ n: 1, text: 'a,b' }]);
    await dataset.exportToJSON('rows');
    await dataset.exportToCSV('table');
    const store = await KeyValueStore.open(null, { config });
    expect(await store.getValue('rows')).toEqual([{ n: 1, text: 'a,b' }]);
    expect(await store.getValue('table')).toBe('n,text\n1,"a,b"\n');
  });

  check('KeyValueStore: values keep their type; null deletes', async ({ client }) => {
    const store = await openStore(client);
    await store.setValue('object', { a: 'ä' });
    await store.setValue('number', 5);
    await store.setValue('text', 'plain', { contentType: 'text/plain' });
    await store.setValue('bytes', Buffer.from([0, 255]), { contentType: 'image/png' });
    expect(await store.getValue('object')).toEqual({ a: 'ä' });
    expect(await store.getValue('number')).toBe(5);
    expect(await store.getValue('text')).toBe('plain');
    expect(await store.getValue('bytes')).toEqual(Buffer.from([0, 255]));
    const keys: unknown[] = [];
    await store.forEachKey((key, index, { size }) => void keys.push([key, index, size > 0]));
    expect(keys).toEqual(['bytes', 'number', 'object', 'text'].map((key, index) => [key, index, true]));
    await store.setValue('object', null);
    expect(await store.getValue('object')).toBeNull();
    expect(await store.getValue('object', 'fallback')).toBe('fallback');
    expect(await store.recordExists('object')).toBe(false);
  });

  check('KeyValueStore: an auto-saved value is stored when the state is persisted', async ({ client }) => {
    const config = configure(client);
    const store = await KeyValueStore.open(null, { config });
    const state = await store.getAutoSavedValue('state', { seen: 0 });
    state.seen = 3;
    config.getEventManager().emit('persistState');
    const other = await openStore(client);
    await vi.waitFor(async () => expect(await other.getValue('state')).toEqual({ seen: 3 }));
  });
}
