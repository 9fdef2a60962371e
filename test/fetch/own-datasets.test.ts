// Sites that write to datasets of their own: a row is its page's, however many pages run at the same time.
import { EventEmitter, once } from 'node:events';

import { Dataset } from '@crawlee/core';
import { expect, it, onTestFinished } from 'vitest';

import type { Handler } from '../../src/core/page.ts';
import { newFolder, openIn } from '../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, startServer } from './lab.ts';

const PAGES = Array.from({ length: 12 }, (_, nth) => `/review/${nth}`);

it('the first row of a crawl sends the pages under way round again: each row is there once, with what its page says', async () => {
  const events = new EventEmitter();
  const underWay = once(events, 'under way');
  let pushed = false;
  const runs: string[] = [];
  const review: Handler = async ({ $, request, pushData }) => {
    const path = new URL(request.url).pathname;
    runs.push(path);
    await underWay;
    const title = $('h1').text();
    $('h1').remove(); // Another run must not find the tree so.
    await pushData({ path: title, n: 1 });
    const reviews = await Dataset.open('reviews');
    await Promise.all([reviews.pushData({ path, title, nth: 1 }), reviews.pushData({ path, title, nth: 2 })]);
    pushed = true;
    events.emit('pushed');
  };
  // Under way when the first row comes, and fails for a reason of its own, which is no try then.
  const waiting: Handler = async ({ $, pushData }) => {
    runs.push('/waiting');
    events.emit('under way');
    const wasPushed = pushed;
    await pushData({ path: $('h1').text(), n: 1 });
    if (wasPushed) return;
    await once(events, 'pushed');
    throw new Error('boom');
  };
  const server = await startServer(Object.fromEntries(['/waiting', ...PAGES].map((path) => [path, page(path)])));
  onTestFinished(() => server.close());
  const { ends, letters, rows } = await crawlLab({
    storage: openIn(newFolder()),
    site: labSite({ '/waiting': waiting, ...Object.fromEntries(PAGES.map((path) => [path, review])) }),
    // The one that waits is the first to be handed out.
    urls: ['/waiting', ...PAGES].map((path) => server.origin + path),
    concurrency: 4,
  });

  expect([ends, letters]).toEqual([{ succeeded: 13 }, []]);
  expect((await rows('default')).map(({ path }) => String(path)).toSorted()).toEqual([...PAGES, '/waiting'].toSorted());
  const reviews = (await rows('reviews')).map((row) => JSON.stringify(row)).toSorted();
  const wanted = PAGES.flatMap((path) => [1, 2].map((nth) => JSON.stringify({ path, title: path, nth }))).toSorted();
  expect(reviews).toEqual(wanted);
  // As many pages as were under way, once each.
  expect(runs.length - 13).toBeLessThanOrEqual(4);
  expect(runs.filter((path) => path === '/waiting').length).toBe(2);
});
