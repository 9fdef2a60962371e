// What a site may do with a page before it is read: the BrowserView that its `prepare` is called with.
import { setTimeout } from 'node:timers/promises';

import type { BrowserView } from '../../core/site.ts';
import { isTimeout } from './net-errors.ts';
import type { Tab } from './tab.ts';
import { inTime, startTime } from './waits.ts';

/** Nothing was added and nothing asked for in this time: the end. */
const REST_MILLIS = 1_500;
const STEP_MILLIS = 100;
/** What is gone through again after the page has grown: a trigger may stand this far above the end. */
const TAIL_SCREENS = 5;

/** Where one can scroll: the page, and boxes in it that are large enough to hold a list. */
const SCROLLERS = `[document.scrollingElement ?? document.documentElement, ...Array.from(document.body?.getElementsByTagName('*') ?? [])
  .filter((each) => each.scrollHeight > each.clientHeight + 1 && each.clientHeight > 100 && /auto|scroll/.test(getComputedStyle(each).overflowY))]`;
/** How far all of it goes, and how much there is: a list may grow without getting longer. */
const EXTENT = `[document.getElementsByTagName('*').length, ...${SCROLLERS}.map((each) => each.scrollHeight)].join(' ')`;
const TO_THE_END = `${SCROLLERS}.forEach((each) => each.scrollTo(0, each.scrollHeight))`;
/** A screen with each frame that is drawn, so that what waits to be seen is seen. As far as it comes in a second. */
const sweep = (screens: number) => `(async () => {
  const end = performance.now() + 1000;
  for (const each of ${SCROLLERS}) {
    const screen = Math.max(each.clientHeight * 0.9, 50);
    for (let top = Math.max(0, each.scrollHeight - ${screens} * screen); top < each.scrollHeight && performance.now() < end; top += screen) {
      each.scrollTo({ top, behavior: 'instant' });
      await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); setTimeout(resolve, 100); });
    }
    each.scrollTo(0, each.scrollHeight);
  }
})()`;

/** @param tab Watched since before its page was opened. */
export function createView({ page, activity, apart }: Tab): BrowserView {
  return {
    async scrollToEnd({ maxSeconds = 30 } = {}) {
      const time = startTime(maxSeconds * 1_000);
      let seen = '';
      let swept = false;
      let screens = 1_000;
      for (let rest = 0; rest < REST_MILLIS && !time.isUp(); rest += STEP_MILLIS) {
        const now = await inTime(apart.evaluate<string>(EXTENT));
        if (now !== seen) {
          await inTime(apart.evaluate(TO_THE_END));
          swept = false;
        } else if (!swept && activity.asking === 0) {
          await inTime(apart.evaluate(sweep(screens)));
          swept = true;
          screens = TAIL_SCREENS;
        }
        if (now !== seen || activity.asking > 0) rest = 0;
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
