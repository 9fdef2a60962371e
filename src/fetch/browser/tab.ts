// One page of the browser with what every step of a visit needs of it.
import type { CDPSession, Page as BrowserPage } from 'playwright';

import { watchActivity, type Activity } from './activity.ts';
import { openApart, type Apart } from './apart.ts';
import { ofBrowser } from './waits.ts';

export interface Tab {
  readonly page: BrowserPage;
  readonly cdp: CDPSession;
  /** The id of its main frame. */
  readonly mainFrame: string;
  readonly activity: Activity;
  readonly apart: Apart;
}

export async function openTab(page: BrowserPage): Promise<Tab> {
  const activity = watchActivity(page);
  const cdp = await ofBrowser(page.context().newCDPSession(page));
  const { frameTree } = await ofBrowser(cdp.send('Page.getFrameTree'));
  const mainFrame = frameTree.frame.id;
  return { page, cdp, mainFrame, activity, apart: openApart(cdp, mainFrame) };
}
