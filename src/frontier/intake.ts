// The way into the frontier: what a handler adds becomes a request with a label of the site, and is on disk before its
// page can be done.
import type { AddRequestsBatchedOptions, AddRequestsBatchedResult, RequestsLike, Source, Request } from '@crawlee/core';
import type { BatchAddRequestsResult, ProcessedRequest } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { Site } from '../core/site.ts';
import { assertKnownKeys, type CarryingSite } from '../core/user-data.ts';
import type { AddOptions } from './known-links.ts';
import { crawlee, uniqueKeyOf } from '../crawlee.ts';

/** Requests added in one transaction. */
const BATCH_SIZE = 1_000;
/** What is stored with a request must not be a secret. */
const SECRET_HEADERS = /^(proxy-)?authorization$|^cookie$/i;

export type Intake = (requests: RequestsLike, options: AddRequestsBatchedOptions) => Promise<AddRequestsBatchedResult>;

export type IntakeSite = CarryingSite & Pick<Site, 'labelOf' | 'routes' | 'fragments'>;

export interface IntakeOptions {
  /** What it leaves unprocessed is over its own limit. */
  queue: { addRequests(requests: Request[], options: AddOptions): Promise<BatchAddRequestsResult> };
  site: IntakeSite;
  /** Requests known at most; further ones are not added. */
  maxRequests: number;
  /** Requests that are known now. */
  known: () => number;
  /** Runs what goes by that number after all that did so before. @default at once */
  inTurn?: InTurn;
}

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** One after the other, or several at once would each find the same room. */
export function takeTurns(): InTurn {
  let before: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const now = before.then(work);
    before = Promise.allSettled([now]);
    return now;
  };
}

/** Resolves when all requests are on disk: Crawlee's own queue leaves all but the first 1,000 to the background, where a
 *  page could be done before its links are known.
 *  @throws {SurefootError} kind `site`: a link that is no http(s) URL, a label without a route, a secret header,
 *  a key of `userData` that its label's schema does not know. */
export function createIntake({ queue, site, maxRequests, known, inTurn }: IntakeOptions): Intake {
  const add: Intake = async (requests, { forefront = false, maxNewRequests = Infinity }) => {
    const addedRequests: ProcessedRequest[] = [];
    const requestsOverLimit: Source[] = [];
    let batch: Request[] = [];
    let budget = maxNewRequests;
    const flush = async () => {
      while (batch.length > 0) {
        const room = Math.min(budget, maxRequests - known());
        const part = batch.splice(0, Math.max(0, Math.min(batch.length, room)));
        if (part.length === 0) break;
        const { processedRequests, unprocessedRequests } = await queue.addRequests(part, { forefront, room });
        requestsOverLimit.push(...unprocessedRequests.map(({ url }) => ({ url })));
        budget -= processedRequests.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length;
        addedRequests.push(...processedRequests);
      }
      requestsOverLimit.push(...batch.map(({ url }) => ({ url })));
      batch = [];
    };
    for await (const source of requests) {
      batch.push(toRequest(source, site));
      if (batch.length === BATCH_SIZE) await flush();
    }
    await flush();
    return { addedRequests, waitForAllRequestsToBeAdded: Promise.resolve([]), requestsOverLimit };
  };
  return inTurn ? async (requests, options) => inTurn(async () => add(requests, options)) : add;
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
  request.label ??= site.labelOf(new URL(request.url));
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
