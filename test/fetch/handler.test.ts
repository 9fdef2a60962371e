// From a page to its handler: a page whose record lacks what scripts may make is fetched otherwise, whatever its handler does.
import { log, Request } from '@crawlee/core';
import { load } from 'cheerio';
import { describe, expect, it } from 'vitest';

import type { Dom, Handler } from '../../src/core/page.ts';
import { createPageHandler } from '../../src/fetch/handler.ts';
import { pageOf, type FetchedPage } from '../../src/fetch/page.ts';
import { labSite } from './lab.ts';

/** Runs a handler on a page that has a script and enough to read. */
async function handle(handler: Handler, canClimb = true): Promise<{ rows: string[]; rejected: number; error: unknown }> {
  const site = labSite({ '/x': handler });
  const html = `<title>x</title><p>${'Enough to read. '.repeat(40)}</p><script src="/app.js"></script>`;
  const rows: string[] = [];
  let rejected = 0;
  const flight = {
    tier: 'http',
    stage: (dataset: string) => void rows.push(dataset),
    found: () => {},
    reject: () => void rejected++,
    measure() {},
    rendering() {},
    enter() {},
  } as const;
  const { handle: run } = createPageHandler({ site, lane: { flightOf: () => flight }, duringPage: async (_, work) => work() });
  const request = new Request({ url: 'https://a.example/x', label: 'PAGE', userData: {} });
  request.loadedUrl = request.url;
  const document = { text: html, $: load(html) as unknown as Dom, read: () => null };
  const fetched = { request, document, log, tier: 'http', response: { status: 200, headers: {} } };
  const error = await run(request, (_, want) =>
    pageOf(fetched as unknown as FetchedPage, site, flight, { may: () => canClimb, want }),
  ).catch((thrown: unknown) => thrown);
  return { rows, rejected, error };
}

const WANTS = { verdict: 'needs-browser', message: 'HTTP 200: no n, on a page that has scripts' };

describe('a record that lacks a field, on a page that has scripts,', () => {
  it.each<[string, Handler]>([
    ['awaits it', async (page) => page.pushData({ path: '/x' })],
    ['does not await it', async (page) => void page.pushData({ path: '/x' })],
    ['catches what it throws', async (page) => page.pushData({ path: '/x' }).catch(() => {})],
    [
      'throws for another reason afterwards',
      async (page) => {
        await page.pushData({ path: '/x' });
        throw new TypeError('no n');
      },
    ],
  ])('sends the page to a browser, also when its handler %s', async (_, handler) => {
    expect((await handle(handler)).error).toMatchObject(WANTS);
  });

  it('is a rejected row where no tier would help', async () => {
    const result = await handle(async (page) => page.pushData({ path: '/x' }), false);
    expect(result).toEqual({ rows: ['rejected'], rejected: 1, error: undefined });
  });
});
