// Short words for the queue checks: make a queue, fill it, claim its head, read its counts.
import type { RequestQueueClient, RequestSchema, StorageClient } from '@crawlee/types';

export const LONG_LOCK_SECS = 60;

/** A handle of the queue called `name`, created if need be. Each `clientKey` stands for one client. */
export async function openQueue(client: StorageClient, clientKey = 'one', name = 'queue'): Promise<RequestQueueClient> {
  const { id } = await client.requestQueues().getOrCreate(name);
  return client.requestQueue(id, { clientKey });
}

export function requestFor(key: string, more: Partial<RequestSchema> = {}): RequestSchema {
  return {
    url: `https://example.com/${key}`,
    uniqueKey: key,
    method: 'GET',
    retryCount: 0,
    ...more,
  };
}

/** Adds the requests one after the other and returns their ids. */
export async function addAll(queue: RequestQueueClient, keys: readonly string[], forefront = false): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) ids.push((await queue.addRequest(requestFor(key), { forefront })).requestId);
  return ids;
}

/** Locks the head, as Crawlee does before it hands requests out, and returns the unique keys in their order. */
export async function claim(queue: RequestQueueClient, limit = 25, lockSecs = LONG_LOCK_SECS): Promise<string[]> {
  return (await queue.listAndLockHead({ limit, lockSecs })).items.map((item) => item.uniqueKey);
}

export async function headOf(queue: RequestQueueClient): Promise<string[]> {
  return (await queue.listHead()).items.map((item) => item.uniqueKey);
}

export async function readRequest(queue: RequestQueueClient, id: string): Promise<RequestSchema & { id: string }> {
  const request = await queue.getRequest(id);
  if (!request) throw new Error(`The queue has no request "${id}"`);
  return request as unknown as RequestSchema & { id: string };
}

/** What Crawlee's `markRequestHandled` does to the client. */
export async function handle(queue: RequestQueueClient, id: string) {
  return queue.updateRequest({
    ...(await readRequest(queue, id)),
    handledAt: new Date().toISOString(),
  });
}

/** What Crawlee's `reclaimRequest` does to the client: it ignores it if the update has already given up the lock. */
export async function reclaim(queue: RequestQueueClient, id: string, forefront = false): Promise<void> {
  const request = await readRequest(queue, id);
  await queue.updateRequest({ ...request, retryCount: (request.retryCount ?? 0) + 1 }, { forefront });
  await queue.deleteRequestLock(id, { forefront }).catch(() => {});
}

export async function countsOf(queue: RequestQueueClient) {
  const info = await queue.get();
  return {
    total: info?.totalRequestCount,
    handled: info?.handledRequestCount,
    pending: info?.pendingRequestCount,
  };
}
