// How long a page and its browser are waited for. Playwright itself would wait for most of it for ever.
import { setTimeout } from 'node:timers/promises';

import type { Page as BrowserPage } from 'playwright';

import { TransportError } from '../../core/transport.ts';
import { VerdictError } from '../../core/verdict.ts';
import type { Activity } from './activity.ts';
import { isTimeout } from './net-errors.ts';

export const SECOND = 1_000;
/** Until the document begins to arrive, and until it is there. */
export const NAVIGATION_MILLIS = 60 * SECOND;
/** For its `load` event from then on: one script that hangs is no reason to lose the page. */
const LOAD_MILLIS = 20 * SECOND;
/** For a page to say what is in it, and for the browser to do as it is told. Scripts in an endless loop never let a page
 *  answer; a browser that stands still does nothing at all. */
const READ_MILLIS = 10 * SECOND;
const CHECK_MILLIS = 500;

/** Until the document is there, and its `load` event if that comes soon.
 *  @returns `ended`: its own script has ended it before it was there, and it is shown as far as it had come. */
export async function loaded(page: BrowserPage, activity: Activity): Promise<'whole' | 'ended'> {
  const there = await isThere(page, activity, { state: 'domcontentloaded', millis: NAVIGATION_MILLIS });
  if (there === 'ended') return 'ended';
  if (there === null) throw tooLate();
  await isThere(page, activity, { state: 'load', millis: LOAD_MILLIS });
  return 'whole';
}

/** Neither event comes of a document that breaks off, nor of one that has ended. */
async function isThere(
  page: BrowserPage,
  activity: Activity,
  { state, millis }: { state: 'domcontentloaded' | 'load'; millis: number },
): Promise<'reached' | 'ended' | null> {
  const time = startTime(millis);
  for (let ended = false; ;) {
    const reached = await isReached(page, state, CHECK_MILLIS);
    if (activity.broken !== null) throw new Error(activity.broken);
    if (reached) return 'reached';
    if (ended) return 'ended';
    if (time.isUp()) return null;
    // Asked once more whether it was reached: both may have come about in between.
    ended = !activity.leaving && (await isComplete(page));
  }
}

/** When a script goes elsewhere while its document is parsed, Chromium ends the document right there, for good: also when it
 *  stays, as there was nothing to show. It is complete then, and says so only when it is asked.
 *  @throws {VerdictError} Its scripts do not rest, so it will not answer later either. */
async function isComplete(page: BrowserPage): Promise<boolean> {
  try {
    return (await inTime(page.evaluate<string>('document.readyState'))) === 'complete';
  } catch (error) {
    if (error instanceof VerdictError) throw error;
    return false; // It has just gone; the next event says more.
  }
}

export async function isReached(
  page: BrowserPage,
  state: 'domcontentloaded' | 'load' | 'networkidle',
  timeout: number,
): Promise<boolean> {
  try {
    await page.waitForLoadState(state, { timeout });
    return true;
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  }
}

export function tooLate(): TransportError {
  return new TransportError('request-timeout', `The page did not come within ${NAVIGATION_MILLIS / SECOND} s.`);
}

/** What a page is to answer. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  return within(work, 'The page did not answer for {} s: its scripts do not rest.');
}

/** What the browser is to do that no page's script can hold up. */
export async function ofBrowser<T>(work: Promise<T>): Promise<T> {
  return within(work, 'The browser did not answer for {} s: it stands still.');
}

async function within<T>(work: Promise<T>, sentence: string): Promise<T> {
  const over = new AbortController();
  const late = setTimeout(READ_MILLIS, undefined, { ref: false, signal: over.signal }).then(() => {
    throw new VerdictError('transient', sentence.replace('{}', String(READ_MILLIS / SECOND)));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

export function startTime(millis: number): { isUp(): boolean } {
  const end = performance.now() + millis;
  return { isUp: () => performance.now() >= end };
}
