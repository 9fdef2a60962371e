// The browser lane's view of the frontier: Crawlee's IRequestManager for the crawler that works there. It is finished when
// the frontier is, and also when there has been nothing to do for a while: a browser that nobody needs is closed.
import type { IRequestManager, Request } from '@crawlee/core';

import type { Dictionary } from '@crawlee/types';

import type { Frontier } from './frontier.ts';

export interface BrowserLaneOptions {
  /** How long the lane may be without any request before its crawler ends. @default 30,000 */
  idleMillis?: number;
  /** @default Date.now */
  now?: () => number;
}

/** A request manager, and what a crawler's hooks ask of the frontier. */
export interface BrowserLane extends IRequestManager, Pick<Frontier, 'arrived' | 'flightOf' | 'setDelay'> {}

export function openBrowserLane(frontier: Frontier, options: BrowserLaneOptions = {}): BrowserLane {
  const { idleMillis = 30_000, now = Date.now } = options;
  let lastWork = now();

  const fetchNextRequest = async <T extends Dictionary = Dictionary>(): Promise<Request<T> | null> =>
    frontier.fetchNextRequest<T>('browser');

  return {
    isEmpty: () => frontier.isEmpty('browser'),
    async isFinished() {
      if (await frontier.isFinished()) return true;
      if (frontier.hasWork('browser')) lastWork = now();
      return now() - lastWork >= idleMillis;
    },
    fetchNextRequest,
    async *[Symbol.asyncIterator]() {
      for (let request = await fetchNextRequest(); request; request = await fetchNextRequest()) yield request;
    },
    markRequestHandled: (request) => frontier.markRequestHandled(request),
    reclaimRequest: (request) => frontier.reclaimRequest(request),
    addRequest: (source, queueOptions) => frontier.addRequest(source, queueOptions),
    addRequestsBatched: (requests, queueOptions) => frontier.addRequestsBatched(requests, queueOptions),
    handledCount: () => frontier.handledCount(),
    getTotalCount: () => frontier.getTotalCount(),
    getPendingCount: () => frontier.getPendingCount(),
    arrived: (request) => frontier.arrived(request),
    flightOf: (request) => frontier.flightOf(request),
    setDelay: (request, delayMillis) => frontier.setDelay(request, delayMillis),
  };
}
