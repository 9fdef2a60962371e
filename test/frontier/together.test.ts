// What happens at the same time as something else: links that are added, claims that are made, hosts that ask for a rest, and
// writes that nobody waits for.
import { Request } from '@crawlee/core';
import { describe, expect, it, vi } from 'vitest';

import { toBody, type RunStore, type StoredRequest } from '../../src/core/run-store.ts';
import { RemoteFrontier } from '../../src/frontier/remote.ts';
import { add, holdClock, NOW, overSqlite, site, take, urlOf } from './fixture.ts';

holdClock();

const stored = (name: string) => JSON.parse(toBody(new Request({ url: urlOf(name), label: 'DETAIL' }))) as StoredRequest;
const four = (name: string) => [1, 2, 3, 4].map((nth) => `${name}${nth}`);

describe('links that are added at the same time', () => {
  const how = { forefront: false, room: Infinity };

  it('by workers do not pass --max-requests', async () => {
    const { frontier } = await overSqlite({ maxRequests: 5 });
    await Promise.all(['a', 'b', 'c'].map((page) => frontier.addStored(four(page).map(stored), how)));
    expect(frontier.counts().total).toBe(5);
  });

  it('by a worker and by the main process do not pass it either', async () => {
    const { frontier } = await overSqlite({ maxRequests: 5 });
    await Promise.all([
      frontier.addStored(four('a').map(stored), how),
      frontier.addRequestsBatched(four('b').map((page) => urlOf(page))),
    ]);
    expect(frontier.counts().total).toBe(5);
  });
});

describe('claims', () => {
  it('that are made while their host asks for a rest are put back, and come after it', async () => {
    const { frontier } = await overSqlite({ limits: { hostConcurrency: 10 } });
    await add(frontier, ...'abcdefgh');
    const first = await take(frontier);
    const looking = frontier.isEmpty();
    await Promise.resolve();
    frontier.pause(first, NOW + 60_000);
    frontier.defer(first, NOW + 60_000);
    await looking;
    await frontier.reclaimRequest(first);
    expect(await frontier.fetchNextRequest()).toBeNull();
    vi.setSystemTime(NOW + 61_000);
    const urls = [];
    for (let next = await frontier.fetchNextRequest(); next; next = await frontier.fetchNextRequest()) urls.push(next.url);
    // Half as many at a time as before.
    expect(urls).toHaveLength(5);
  });

  it('are made one by one where hosts have a gap, which is measured from the claim', async () => {
    const { frontier } = await overSqlite({ limits: { delayMillis: 1_000, hostConcurrency: 10 }, concurrency: 16 });
    await add(frontier, ...['a/1', 'b/1', 'c/1', 'c/2'].map((page) => `https://${page.replace('/', '.example/')}`));
    await take(frontier); // A long page.
    const second = await take(frontier);
    vi.setSystemTime(NOW + 900);
    await frontier.markRequestHandled(second);
    const third = await take(frontier);
    expect(third.url).toBe('https://c.example/1');
    vi.setSystemTime(NOW + 1_050);
    await frontier.markRequestHandled(third);
    expect(await frontier.fetchNextRequest()).toBeNull();
    vi.setSystemTime(NOW + 1_900);
    expect((await take(frontier)).url).toBe('https://c.example/2');
  });
});

describe('a write that nobody waits for and that fails ends the crawl, which would wait for ever:', () => {
  const failing = async (what: 'rest' | 'lost' | 'moved', hostConcurrency: number) => {
    let fails = false;
    const refuse = (is: boolean) => {
      if (fails && is) throw new Error('the disk is full');
    };
    const { frontier } = await overSqlite({
      limits: { hostConcurrency },
      around: (inner): Partial<RunStore> => ({
        async rest(host, millis) {
          refuse(what === 'rest');
          return inner.rest(host, millis);
        },
        async settle(pages) {
          refuse(pages.some(({ outcome }) => outcome.kind === what));
          return inner.settle(pages);
        },
      }),
    });
    await add(frontier, 'a', 'b', 'c', 'd');
    return { frontier, fail: () => void (fails = true) };
  };
  const expectEnd = async (frontier: { isFinished(): Promise<boolean>; isEmpty(): Promise<boolean> }) => {
    await vi.waitFor(async () => expect(frontier.isEmpty()).rejects.toThrow('the disk is full'));
    await expect(frontier.isFinished()).rejects.toThrow('the disk is full');
  };

  it('the rest of a host', async () => {
    const { frontier, fail } = await failing('rest', 1);
    const page = await take(frontier);
    fail();
    frontier.pause(page, NOW + 1_000);
    await expectEnd(frontier);
  });

  it('giving back the pages of a worker that died', async () => {
    const { frontier, fail } = await failing('lost', 1);
    const page = await take(frontier);
    fail();
    frontier.lost([page.id as string]);
    await expectEnd(frontier);
  });

  it('putting back what was claimed of a host that asks for a rest', async () => {
    const { frontier, fail } = await failing('moved', 5);
    const page = await take(frontier);
    await frontier.isEmpty();
    fail();
    frontier.pause(page, NOW + 1_000);
    await expectEnd(frontier);
  });
});

it('userData that is no JSON fails its page in a worker, which is still in flight then', async () => {
  const posted: string[] = [];
  const frontier = new RemoteFrontier({
    site,
    post: ({ type }) => void posted.push(type),
    async sent() {},
    ask: async () => [] as never,
    onAssigned() {},
  });
  frontier.assign({ request: { ...stored('a'), id: 'a', label: 'DETAIL' }, tier: 'http', claimedAt: NOW, labelWorks: false });
  const request = await frontier.fetchNextRequest();
  if (!request) throw new Error('Nothing was handed out.');
  request.userData['n'] = 10n;
  await expect(frontier.markRequestHandled(request)).rejects.toThrow('BigInt');
  expect(frontier.flightOf(request).request.id).toBe('a');
  delete request.userData['n'];
  await frontier.markRequestHandled(request);
  expect(posted).toEqual(['done']);
});
