// What a site may do with a page before it is read: the BrowserView that its `prepare` is called with.
import { setTimeout } from 'node:timers/promises';

import type { Page as BrowserPage } from 'playwright';

import type { BrowserView } from '../../core/site.ts';
import { isTimeout } from './net-errors.ts';
import type { Activity } from './activity.ts';
import { inTime } from './waits.ts';

/** Nothing was added and nothing asked for in this time: the end. */
const REST_MILLIS = 1_500;
const STEP_MILLIS = 100;

/** How far the page goes, and how much there is on it: a list may grow without getting longer. */
const EXTENT = '`${document.documentElement.scrollHeight} ${document.getElementsByTagName("*").length}`';
const TO_THE_END = 'window.scrollTo(0, document.documentElement.scrollHeight)';

/** @param activity Of the same page, since before it was opened. */
export function createView(page: BrowserPage, activity: Activity): BrowserView {
  return {
    async scrollToEnd({ maxSeconds = 30 } = {}) {
      const extent = () => inTime(page.evaluate<string>(EXTENT));
      let steps = (maxSeconds * 1_000) / STEP_MILLIS;
      let seen = '';
      for (let rest = 0; rest < REST_MILLIS && steps > 0; steps -= 1) {
        const now = await extent();
        if (now !== seen) await inTime(page.evaluate(TO_THE_END));
        rest = now !== seen || activity.asking > 0 ? 0 : rest + STEP_MILLIS;
        seen = now;
        await setTimeout(STEP_MILLIS);
      }
    },
    click: (selector, { timeoutMillis = 5_000 } = {}) => isDone(page.locator(selector).first().click({ timeout: timeoutMillis })),
    waitFor: (selector, { timeoutMillis = 10_000 } = {}) =>
      isDone(page.locator(selector).first().waitFor({ state: 'attached', timeout: timeoutMillis })),
  };
}

async function isDone(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  }
}
