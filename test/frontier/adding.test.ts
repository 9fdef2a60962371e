// Links into the frontier: on disk when the call resolves, labelled, checked, and never over the limit.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { reopenAfterCrash } from '../storage/sqlite/fixture.ts';
import { add, afterCrash, holdClock, nameOf, overSqlite, STORES, take, urlOf } from './fixture.ts';

holdClock();

const urls = (count: number, prefix = 'page') => Array.from({ length: count }, (_, n) => urlOf(`${prefix}-${n}`));

describe.each(STORES)('over %s', (_, open) => {
  it.each([
    ['a URL', urlOf('list/2'), 'LIST'],
    ['a URL of another kind', urlOf('item/2'), 'DETAIL'],
    ['an object without a label', { url: urlOf('list/2') }, 'LIST'],
    ['an object with a label', { url: urlOf('list/2'), label: 'DETAIL' }, 'DETAIL'],
    ['an object with a label in its userData', { url: urlOf('list/2'), userData: { label: 'DETAIL' } }, 'DETAIL'],
    ['a Request', new Request({ url: urlOf('list/2') }), 'LIST'],
    ['a Request with a label', new Request({ url: urlOf('list/2'), label: 'DETAIL' }), 'DETAIL'],
    ['capital letters', 'HTTPS://A.EXAMPLE/list', 'LIST'],
  ])('%s gets its label', async (_, source, label) => {
    const { frontier } = await open();
    await frontier.addRequestsBatched([source]);
    expect((await take(frontier)).label).toBe(label);
  });

  it.each([
    ['an unknown label', { url: urlOf('a'), label: 'NEWS' }, /Site "test" has no route NEWS .*a\.example\/a.* LIST, DETAIL/],
    ['a label that every object has', { url: urlOf('a'), label: 'toString' }, /no route toString/],
    ['a relative link', '/item?id=1', /"test" added a link that is no absolute http\(s\) URL: \/item\?id=1/],
    ['another protocol', 'ftp://a.example/', /no absolute http\(s\) URL: ftp:/],
    ['a mail address', { url: 'mailto:a@a.example' }, /no absolute http\(s\) URL: mailto:/],
    ['a script', 'javascript:void(0)', /no absolute http\(s\) URL: javascript:/],
    ['no URL', {}, /no absolute http\(s\) URL: undefined/],
    ['an empty one', '', /no absolute http\(s\) URL/],
    ['a list to be fetched', { requestsFromUrl: urlOf('list.txt') }, /no absolute http\(s\) URL/],
    ['a host that cannot be', 'https://', /no absolute http\(s\) URL/],
    ['a cookie', { url: urlOf('a'), headers: { cookie: 'sid=hunter2' } }, /header cookie, which would be stored.*--cookies/],
    ['a password', { url: urlOf('a'), headers: { Authorization: 'Basic aHVudGVyMg==' } }, /header Authorization.*defineSite/],
    ["a proxy's password", { url: urlOf('a'), headers: { 'proxy-authorization': 'x' } }, /header proxy-authorization/],
  ])('%s is refused in words, and nothing of its batch is added', async (_, source, message) => {
    const { frontier } = await open();
    const adding = frontier.addRequestsBatched([urlOf('good'), source]);
    await expect(adding).rejects.toThrow(SurefootError);
    await expect(adding).rejects.toThrow(message);
    expect([frontier.getTotalCount(), await frontier.isFinished()]).toEqual([0, true]);
  });

  it.each([
    ['methods', [urlOf('a'), { url: urlOf('a'), method: 'POST' as const }], 2],
    ['payloads', ['q=1', 'q=2', 'q=1'].map((payload) => ({ url: urlOf('a'), method: 'POST' as const, payload })), 2],
    ['bytes of a query that are no UTF-8', ['%C0', '%C1', '%c0'].map((letter) => `${urlOf('a')}?letter=${letter}`), 2],
    ['keys of their own', ['one', 'two'].map((uniqueKey) => ({ url: urlOf('a'), uniqueKey })), 2],
    ['fragments that one request keeps', [urlOf('a'), { url: urlOf('a#/b'), keepUrlFragment: true }], 2],
    ['fragments', [urlOf('a'), urlOf('a#/b'), urlOf('a#!/c')], 1],
  ])('one URL with different %s', async (_, sources, requests) => {
    const { frontier } = await open();
    await frontier.addRequestsBatched(sources);
    expect(frontier.getTotalCount()).toBe(requests);
  });

  it("fragments are pages of their own where a site says `fragments: 'keep'`, however they are added", async () => {
    const { frontier } = await open({ fragments: 'keep' });
    const hashes = ['', '#', '#/a', '#/b', '#!/c', '#/a:~:text=x'];
    await frontier.addRequestsBatched(hashes.map((hash) => urlOf(`a${hash}`)));
    await frontier.addRequestsBatched(['#/a', '#/d'].map((hash) => new Request({ url: urlOf(`a${hash}`) })));
    expect(frontier.getTotalCount()).toBe(5);
  });

  it('a URL that is known is skipped, however it is spelt, also once it is done', async () => {
    const { frontier } = await open();
    await frontier.addRequestsBatched([urlOf('a'), urlOf('a#top'), `${urlOf('a')}?utm_source=x`, urlOf('b')]);
    expect(frontier.getTotalCount()).toBe(2);
    await frontier.markRequestHandled(await take(frontier));
    await frontier.markRequestHandled(await take(frontier));
    const { addedRequests } = await frontier.addRequestsBatched([urlOf('a'), urlOf('c')]);
    expect(addedRequests.filter(({ wasAlreadyPresent }) => wasAlreadyPresent)).toHaveLength(1);
    expect([nameOf(await take(frontier)), await frontier.fetchNextRequest()]).toEqual(['c', null]);
  });

  it('what is added first is handed out first, and the forefront before all', async () => {
    const { frontier } = await open();
    await add(frontier, 'a', 'b');
    expect(nameOf(await take(frontier))).toBe('a');
    await frontier.addRequest({ url: urlOf('urgent') }, { forefront: true });
    expect([nameOf(await take(frontier)), nameOf(await take(frontier))]).toEqual(['urgent', 'b']);
  });

  it('addRequest says whether the request was known', async () => {
    const { frontier } = await open();
    const first = await frontier.addRequest({ url: urlOf('a') });
    const second = await frontier.addRequest({ url: urlOf('a') });
    expect([first.wasAlreadyPresent, second.wasAlreadyPresent, second.requestId]).toEqual([false, true, first.requestId]);
  });

  it('counts what is known and done', async () => {
    const { frontier } = await open();
    await add(frontier, 'a', 'b', 'c');
    await frontier.markRequestHandled(await take(frontier));
    await take(frontier);
    expect([frontier.getTotalCount(), frontier.getPendingCount(), await frontier.handledCount()]).toEqual([3, 2, 1]);
  });

  it('takes any iterable, an async one too', async () => {
    const { frontier } = await open();
    await frontier.addRequestsBatched(new Set([urlOf('a')]));
    await frontier.addRequestsBatched(
      (async function* () {
        yield urlOf('b');
        yield { url: urlOf('c') };
      })(),
    );
    expect(frontier.getTotalCount()).toBe(3);
  });

  it('never knows more than maxRequests, and says which were left out', async () => {
    const { frontier } = await open({ maxRequests: 5 });
    await add(frontier, 'a', 'b', 'c');
    const { addedRequests, requestsOverLimit } = await frontier.addRequestsBatched(['a', 'd', 'b', 'e', 'f', 'g'].map(urlOf));
    expect(frontier.getTotalCount()).toBe(5);
    expect(addedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent)).toHaveLength(2);
    expect(requestsOverLimit).toEqual([{ url: urlOf('f') }, { url: urlOf('g') }]);
    await expect(frontier.addRequest({ url: urlOf('h') })).rejects.toThrow(
      /a\.example\/h was not added: --max-requests is reached/,
    );
  });

  it('never knows more than maxRequests, though many pages add links at once', async () => {
    const { frontier } = await open({ maxRequests: 50 });
    await Promise.all(Array.from({ length: 10 }, (_, page) => frontier.addRequestsBatched(urls(20, `from-${page}`))));
    expect(frontier.getTotalCount()).toBe(50);
  });

  it('never quotes a secret header, and takes any other', async () => {
    const { frontier } = await open();
    const adding = frontier.addRequestsBatched([{ url: urlOf('a'), headers: { Cookie: 'sid=hunter2' } }]);
    await expect(adding).rejects.not.toThrow(/hunter2/);
    await frontier.addRequestsBatched([{ url: urlOf('b'), headers: { Referer: urlOf('list'), 'X-Cookie': '1' } }]);
    expect((await take(frontier)).headers).toEqual({ Referer: urlOf('list'), 'X-Cookie': '1' });
  });

  it('goes on adding after a batch that was refused, with a limit too', async () => {
    const { frontier } = await open({ maxRequests: 5 });
    const adding = [['ftp://a.example/'], urls(3), ['mailto:a@a.example'], urls(4, 'more')].map((batch) =>
      frontier.addRequestsBatched(batch),
    );
    expect((await Promise.allSettled(adding)).map((result) => result.status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(frontier.getTotalCount()).toBe(5);
  });

  it('never knows more than maxRequests, nor less than it may, though many pages add the same links at once', async () => {
    const { frontier } = await open({ maxRequests: 30 });
    const shared = urls(10, 'shared');
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, page) => frontier.addRequestsBatched([...shared, ...urls(5, `from-${page}`)])),
    );
    expect(frontier.getTotalCount()).toBe(30);
    // The shared ones, and five each of the first four pages.
    const added = results.map(({ addedRequests }) => addedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length);
    expect(added).toEqual([15, 5, 5, 5, 0, 0]);
  });

  it("keeps to the caller's own limit of new requests", async () => {
    const { frontier } = await open();
    await add(frontier, 'a');
    const { requestsOverLimit } = await frontier.addRequestsBatched(['a', 'b', 'c', 'd'].map(urlOf), { maxNewRequests: 2 });
    expect([frontier.getTotalCount(), requestsOverLimit]).toEqual([3, [{ url: urlOf('d') }]]);
  });
});

describe('over SQLite', () => {
  it('2,500 links are on disk when the call resolves', async () => {
    const { frontier, dir } = await overSqlite();
    const { addedRequests, waitForAllRequestsToBeAdded } = await frontier.addRequestsBatched(urls(2_500));
    const { storage } = reopenAfterCrash(dir);
    const { id } = await storage.requestQueues().getOrCreate('default');
    expect([storage.counts(id).total, addedRequests.length]).toEqual([2_500, 2_500]);
    expect(await waitForAllRequestsToBeAdded).toEqual([]);
  });

  it('links of a page are on disk before the page is done', async () => {
    const first = await overSqlite();
    await add(first.frontier, 'list');
    await take(first.frontier);
    await add(first.frontier, 'a', 'b');
    const { frontier } = await afterCrash(first);
    const taken: (string | null)[] = [];
    for (let page = 0; page < 3; page++) {
      const request = await take(frontier);
      taken.push(nameOf(request));
      await frontier.markRequestHandled(request);
    }
    expect(taken).toEqual(['list', 'a', 'b']);
  });

  it('maxRequests holds over restarts, and known URLs in a batch take no room', async () => {
    const first = await overSqlite({ maxRequests: 1_200 });
    await first.frontier.addRequestsBatched(urls(1_100));
    first.storage.close();
    const { frontier } = await overSqlite({ dir: first.dir, maxRequests: 1_200 });
    const { requestsOverLimit } = await frontier.addRequestsBatched([...urls(1_100), ...urls(150, 'new')]);
    expect([frontier.getTotalCount(), requestsOverLimit?.length]).toEqual([1_200, 50]);
    const again = await frontier.addRequestsBatched(urls(10, 'newer'));
    expect([frontier.getTotalCount(), again.requestsOverLimit?.length]).toEqual([1_200, 10]);
  });
});
