// One page of the browser with what every step of a visit needs of it. It is used again for further visits of its session:
// what costs is a new renderer.
import type { BrowserContext, CDPSession, Page as BrowserPage } from 'playwright';

import { watchActivity, type Activity } from './activity.ts';
import { openApart, type Apart } from './apart.ts';
import type { UserAgentOverride } from './identity.ts';
import { ruleRequests, type RuledRequests } from './requests.ts';
import { ofBrowser } from './waits.ts';

export interface Tab {
  readonly page: BrowserPage;
  readonly cdp: CDPSession;
  readonly activity: Activity;
  readonly apart: Apart;
  readonly requests: RuledRequests;
  /** Says what the browser calls itself from here on. */
  identify(identity: UserAgentOverride): Promise<void>;
  /** Leaves the page that was visited: its scripts, timers and requests end. @returns Whether it may be used again. */
  leave(): Promise<boolean>;
}

/** A renderer grows with each page, and what a script has leaked stays. */
const MAX_VISITS = 50;
const MAX_HEAP_BYTES = 150 * 2 ** 20;
/** How often its heap is asked for: each time would cost more than it tells. */
const VISITS_A_LOOK = 5;

export async function openTab(context: BrowserContext): Promise<Tab> {
  const page = await ofBrowser(context.newPage());
  const activity = watchActivity(page);
  const cdp = await ofBrowser(context.newCDPSession(page));
  const { frameTree } = await ofBrowser(cdp.send('Page.getFrameTree'));
  const mainFrame = frameTree.frame.id;
  let identity = '';
  let visits = 0;
  return {
    page,
    cdp,
    activity,
    apart: openApart(cdp, mainFrame),
    requests: ruleRequests({ cdp, mainFrame }),
    async identify(wanted) {
      const next = JSON.stringify(wanted);
      if (next !== identity) await cdp.send('Emulation.setUserAgentOverride', wanted);
      identity = next;
    },
    async leave() {
      visits += 1;
      if (visits >= MAX_VISITS || page.isClosed()) return false;
      await ofBrowser(page.goto('about:blank', { waitUntil: 'commit' }));
      if (visits % VISITS_A_LOOK !== 0) return true;
      const { usedSize, embedderHeapUsedSize } = await ofBrowser(cdp.send('Runtime.getHeapUsage'));
      return usedSize + embedderHeapUsedSize < MAX_HEAP_BYTES;
    },
  };
}
