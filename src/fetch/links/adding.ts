// Adds what a page has found, in either lane: checked by its label's schema, and a level deeper than the page.
import type { AddRequestsBatchedOptions, AddRequestsBatchedResult, IRequestManager, Request, Source } from '@crawlee/cheerio';

import { crawlee } from '../../crawlee.ts';
import type { PageHandler } from '../handler.ts';

export interface Adder {
  /** Checks what links carry, and puts what their label's schema has made of it in its place.
   *  @throws What does not fit. */
  check(source: Pick<Source, 'label' | 'userData'>): Promise<void>;
  /** Resolves when they are on disk. */
  add(sources: Source[], options?: AddRequestsBatchedOptions): Promise<AddRequestsBatchedResult>;
}

export function createAdder(frontier: Pick<IRequestManager, 'addRequestsBatched'>, getSchema: PageHandler['getSchema']): Adder {
  return {
    async check(source) {
      const { label, userData = {} } = source;
      const schema = label === undefined ? undefined : getSchema(label);
      if (label !== undefined && schema) source.userData = await crawlee.validateUserData(label, schema, userData);
    },
    add: async (sources, options) => frontier.addRequestsBatched(sources, options),
  };
}

/** What a link has of the page that it stood on. Its Referer is that page, as in a browser; it is stored with the request.
 *  @param page Fetched. */
export function toLink<Link extends Source>(link: Link, page: Request): Link {
  link.crawlDepth ??= page.crawlDepth + 1;
  link.headers = { Referer: page.loadedUrl ?? page.url, ...link.headers };
  return link;
}
