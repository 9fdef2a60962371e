// Lends tabs to visits. A session has a browser context of its own, which keeps what a user's browser would (cookies, storage,
// cache), and which no other session sees; within it, tabs are used again.
import type { Session } from '@crawlee/core';
import type { BrowserContext, Cookie } from 'playwright';

import type { Browsers, RunningBrowser } from './browsers.ts';
import type { Exit } from './exit.ts';
import type { Way, Ways } from './exits.ts';
import { openTab, type Tab } from './tab.ts';
import { ofBrowser } from './waits.ts';

/** A session's context, for one way out. */
export interface Profile {
  readonly context: BrowserContext;
  /** Null: from this machine's own address. */
  readonly exit: Exit | null;
  /** What it holds, as far as the session knows. */
  cookies: readonly Cookie[];
}

export interface Lent {
  readonly profile: Profile;
  readonly tab: Tab;
}

export interface Visitor {
  readonly session: Session | undefined;
  readonly way: Way | null;
  /** Of the page that is asked for. */
  readonly hostname: string;
  /** The page that led to it; null for a person. */
  readonly led: string | null;
  /** Nothing of this visit is anybody else's: it has a context that ends with it. */
  readonly alone: boolean;
}

export interface Tabs {
  lend(visitor: Visitor): Promise<Lent>;
  /** @param fit False: the tab has failed, and is thrown away. Never rejects. */
  giveBack(lent: Lent, fit: boolean): Promise<void>;
  close(): Promise<void>;
}

interface OpenProfile extends Profile {
  readonly key: string | null;
  readonly session: Session | undefined;
  readonly browser: RunningBrowser;
  readonly idle: Tab[];
  /** The visit it has now: one at a time, or nobody could say which page leads to what is asked for. */
  visit: { readonly led: string | null; tab: Tab | null } | null;
}

/** @param mostIdle Contexts that are kept open for sessions that no page is open for, the last ones. @default all */
export function createTabs(browsers: Browsers, ways: Ways, mostIdle = Infinity): Tabs {
  const profiles = new Set<OpenProfile>();

  const end = async (profile: OpenProfile) => {
    profiles.delete(profile);
    await ofBrowser(profile.context.close()).catch(async () => profile.browser.end());
    await profile.exit?.close();
    profile.browser.release();
  };
  const isOver = ({ key, browser, session }: OpenProfile) => key === null || browser.retired || session?.isUsable() === false;
  const find = (key: string | null) => {
    for (const profile of profiles) {
      if (key !== null && profile.key === key && profile.visit === null && !isOver(profile)) return profile;
    }
    return null;
  };
  const open = async ({ session, way, led }: Visitor, key: string | null): Promise<OpenProfile> => {
    const browser = await browsers.hold();
    let exit: Exit | null = null;
    try {
      let profile: OpenProfile | null = null;
      // Where a page is shows who asks: it, or before it has come what led to it. The browser says so: a busy page could not.
      exit = await ways.open(way, async () => {
        const { tab = null, led: leader = led } = profile?.visit ?? {};
        const place = tab ? (await tab.cdp.send('Target.getTargetInfo')).targetInfo.url : '';
        return /^https?:/.test(place) ? place : leader;
      });
      const made = browser.browser.newContext({ acceptDownloads: false, ...(exit && { proxy: { server: exit.server } }) });
      const context = await ofBrowser(made);
      // Of the whole context: what a page opens has dialogs too. Where nobody listens, Playwright dismisses them itself, and
      // its promise rejects without a listener when the page is closed meanwhile: the process would end.
      context.on('dialog', (dialog) => {
        const answered = dialog.type() === 'beforeunload' ? dialog.accept() : dialog.dismiss();
        answered.catch(() => {});
      });
      profile = { context, exit, cookies: [], key, session, browser, idle: [], visit: null };
      profiles.add(profile);
      return profile;
    } catch (error) {
      await exit?.close();
      browser.release();
      throw error;
    }
  };

  return {
    async lend(visitor) {
      // Those that nobody will ask for again.
      for (const profile of profiles) if (profile.visit === null && isOver(profile)) void end(profile);
      const { session, way, hostname, led, alone } = visitor;
      const key = alone || !session ? null : `${session.id} ${way === null ? '' : way.rotates ? 'rotating' : way.url}`;
      const profile = find(key) ?? (await open(visitor, key));
      const visit: OpenProfile['visit'] = { led, tab: null };
      profile.visit = visit;
      profile.browser.visits += 1;
      profile.exit?.turn({ hostname, proxy: way?.rotates ? way : null });
      try {
        visit.tab = profile.idle.pop() ?? (await openTab(profile.context));
        visit.tab.activity.begin();
        return { profile, tab: visit.tab };
      } catch (error) {
        await end(profile);
        throw error;
      }
    },
    async giveBack({ profile: lent, tab }, fit) {
      const profile = lent as OpenProfile;
      const kept = fit && !isOver(profile) && (await tab.leave().catch(() => false));
      if (kept) profile.idle.push(tab);
      else if (!isOver(profile)) await ofBrowser(tab.page.close()).catch(async () => profile.browser.end());
      profile.visit = null;
      if (isOver(profile) && profiles.has(profile)) await end(profile);
      if (profiles.delete(profile)) profiles.add(profile);
      const idle = [...profiles].filter(({ visit }) => visit === null);
      if (idle.length > mostIdle) await end(idle[0] as OpenProfile);
    },
    async close() {
      await browsers.close();
      await Promise.all([...profiles].map(async ({ exit }) => exit?.close()));
      profiles.clear();
    },
  };
}
