// The way into the frontier: what a handler adds becomes a request with a label of the site, and is on disk before its
// page can be done.
import type { AddRequestsBatchedOptions, AddRequestsBatchedResult, RequestsLike, Source, Request } from '@crawlee/core';
import type { BatchAddRequestsResult, ProcessedRequest } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import { nameLabel } from '../core/label.ts';
import type { Site } from '../core/site.ts';
import { assertKnownKeys, type CarryingSite } from '../core/user-data.ts';
import type { KnownOptions } from './known-links.ts';
import { crawlee, uniqueKeyOf } from '../crawlee.ts';

/** Requests added in one transaction. */
const BATCH_SIZE = 1_000;
/** What is stored with a request must not be a secret. */
const SECRET_HEADERS = /^(proxy-)?authorization$|^cookie$/i;

export type Intake = (requests: RequestsLike, options: AddRequestsBatchedOptions) => Promise<AddRequestsBatchedResult>;

export type IntakeSite = CarryingSite & Pick<Site, 'labelOf' | 'routes' | 'fragments'>;

export interface IntakeOptions {
  /** What it leaves unprocessed is over a limit. */
  queue: { addRequests(requests: Request[], options: KnownOptions): Promise<BatchAddRequestsResult> };
  site: IntakeSite;
}

/** Resolves when all requests are on disk: Crawlee's own queue leaves all but the first 1,000 to the background, where a
 *  page could be done before its links are known.
 *  @throws {SurefootError} kind `site`: a link that is no http(s) URL, a label without a route, a secret header,
 *  a key of `userData` that its label's schema does not know. */
export function createIntake({ queue, site }: IntakeOptions): Intake {
  return async (requests, { forefront = false, maxNewRequests: room = Infinity }) => {
    const addedRequests: ProcessedRequest[] = [];
    const requestsOverLimit: Source[] = [];
    let batch: Request[] = [];
    let added = 0;
    const flush = async () => {
      if (batch.length === 0) return;
      const { processedRequests, unprocessedRequests } = await queue.addRequests(batch, { forefront, room: room - added });
      requestsOverLimit.push(...unprocessedRequests.map(({ url }) => ({ url })));
      added += processedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length;
      addedRequests.push(...processedRequests);
      batch = [];
    };
    for await (const source of requests) {
      batch.push(toRequest(source, site));
      if (batch.length === BATCH_SIZE) await flush();
    }
    await flush();
    return { addedRequests, waitForAllRequestsToBeAdded: Promise.resolve([]), requestsOverLimit };
  };
}

function toRequest(source: string | Source, site: IntakeSite): Request {
  const given = typeof source === 'string' ? { url: source } : source;
  if (given.url === undefined || !URL.canParse(given.url) || !/^https?:/i.test(given.url)) {
    throw new SurefootError('site', `Site "${site.name}" added a link that is no absolute http(s) URL: ${String(given.url)}.`);
  }
  const request = given instanceof crawlee.Request ? given : new crawlee.Request({ ...given, url: given.url });
  if (site.fragments === 'keep' && request.uniqueKey === uniqueKeyOf(request)) {
    request.uniqueKey = uniqueKeyOf({ ...request, keepUrlFragment: true });
  }
  request.label = nameLabel(request, site);
  const secret = Object.keys(request.headers ?? {}).find((name) => SECRET_HEADERS.test(name));
  if (secret !== undefined) {
    throw new SurefootError(
      'site',
      `Site "${site.name}" added a request with the header ${secret}, which would be stored. Give it by \`headers\` of defineSite(), or by --cookies.`,
    );
  }
  if (!Object.hasOwn(site.routes, request.label)) {
    const labels = Object.keys(site.routes).join(', ');
    throw new SurefootError('site', `Site "${site.name}" has no route ${request.label} (for ${request.url}). It has ${labels}.`);
  }
  assertKnownKeys(site, request.label, request.userData);
  return request;
}
