// A Page without an engine: HTML in, what the handler pushed and added out. userData is parsed as the engine does it.
import type { Dictionary, Source } from 'crawlee';

import type { Page } from '../../src/core/page.ts';
import { openText } from '../../src/fetch/document.ts';
import { site } from '../../src/routes/hackernews/index.ts';

export interface Handled {
  label: string;
  pushed: Dictionary[];
  added: Source[];
  addCalls: number;
}

/** Runs the site's handler for `url` over `html`. `options.loadedUrl` is where a redirect led. */
export async function handle(
  url: string,
  html: string,
  options: { loadedUrl?: string; userData?: Dictionary; label?: string } = {},
): Promise<Handled> {
  const label = options.label ?? site.labelOf(new URL(url));
  const handled: Handled = { label, pushed: [], added: [], addCalls: 0 };
  const log = { debug() {}, info() {}, warning() {}, error() {} };
  const { read } = openText(html);
  const page = {
    read,
    request: { url, loadedUrl: options.loadedUrl ?? url, label, userData: site.userData[label]?.parse(options.userData ?? {}) },
    get $() {
      return openText(html).$;
    },
    html,
    response: { status: 200, headers: {}, url: options.loadedUrl ?? url },
    tier: 'http',
    fetchedAt: '2026-02-03T04:05:06.789Z',
    log,
    async pushData(record: Dictionary) {
      handled.pushed.push(record);
    },
    async addRequests(requests: Source[]) {
      handled.addCalls += 1;
      handled.added.push(...requests);
    },
    enqueueLinks() {
      throw new Error('the fake page finds no links');
    },
  };
  const handler = site.routes[label];
  if (!handler) throw new Error(`no route for ${label}`);
  await handler(page as unknown as Page);
  return handled;
}

/** The URLs a handler added under one label. */
export function urlsOf(handled: Handled, label: string): string[] {
  return handled.added.filter((request) => request.label === label).map((request) => request.url ?? '');
}
