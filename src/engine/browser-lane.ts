// Tends the browser lane: a crawler is started when the first page needs it, ends when it has been idle for a while, and is
// started again. Without a browser the pages that need one are given up, each with the reason.
import type { Request } from '@crawlee/core';
import { setTimeout as sleep } from 'node:timers/promises';

import { attemptsOf } from '../core/attempts.ts';
import { toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { messageOf, SurefootError } from '../core/errors.ts';
import type { Frontier } from '../frontier/frontier.ts';

export interface BrowserLaneTender {
  /** A page wants the lane. */
  need(): void;
  /** Resolves when nobody works in the lane; rejects if its crawler failed. */
  ended(): Promise<void>;
}

export interface BrowserLaneTenderOptions {
  frontier: Frontier;
  /** Hands out the lane's requests. */
  lane: AsyncIterable<Request>;
  /** Opens a crawler over the lane. @throws {SurefootError} There is no browser here, and what helps. */
  open: () => Promise<{ run(): Promise<unknown> }>;
  /** Told once that there is no browser. */
  onLost: (why: string) => void;
  onDeadLetter: (letter: DeadLetter) => void;
}

/** While a host rests, its pages cannot be given up either. */
const DRAIN_PAUSE_MILLIS = 200;

export function tendBrowserLane({ frontier, lane, open, onLost, onDeadLetter }: BrowserLaneTenderOptions): BrowserLaneTender {
  let working: Promise<void> | null = null;
  let lost: string | null = null;

  const work = async () => {
    if (lost === null) {
      const crawler = await open().catch((error: unknown) => {
        if (!(error instanceof SurefootError)) throw error;
        lost = messageOf(error);
        onLost(lost);
      });
      if (crawler) await crawler.run();
    }
    if (lost !== null) await drain(lost);
  };

  const drain = async (why: string) => {
    while (frontier.hasWork('browser') && !(await frontier.isFinished())) {
      for await (const request of lane) {
        const { verdict = 'needs-browser', status = null } = attemptsOf(request).at(-1) ?? {};
        const letter = toDeadLetter(request, { at: new Date().toISOString(), tier: 'browser', verdict, status, error: why });
        frontier.giveUp(request, 'failed', letter);
        await frontier.markRequestHandled(request);
        onDeadLetter(letter);
      }
      await sleep(DRAIN_PAUSE_MILLIS);
    }
  };

  const need = () => {
    working ??= tend();
    // Mark as handled; `ended()` rethrows it.
    working.catch(() => {});
  };

  const tend = async () => {
    try {
      // Something may come while a crawler is ending.
      do await work();
      while (frontier.hasWork('browser') && !frontier.isStopped);
      working = null;
    } catch (error) {
      // The HTTP lane would wait for pages that nobody fetches.
      frontier.fail(error);
      throw error;
    }
  };

  return {
    need,
    // None is begun any more once the HTTP lane has ended.
    ended: async () => (await working) ?? undefined,
  };
}
