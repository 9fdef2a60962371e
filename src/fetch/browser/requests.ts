// Steps in where a page's requests leave the browser: assets stay in, and the document takes along what the site asks for.
//
// By CDP's Fetch in a session of our own, with patterns for the kinds of request that are meant. Playwright's `page.route()`
// would send every request through this process, turn the page's cache off and answer its CORS preflights itself; Crawlee's
// `blockRequests()` (Network.setBlockedURLs) goes by the URL alone, and most pictures have none that tells.
import type { CDPSession } from 'playwright';

import { ASSET_PATTERNS, blockedKindOf, type BlockedKind, type FetchPattern } from './assets.ts';

export interface RequestRules {
  /** The page that is crawled. */
  readonly url: string;
  readonly loadAssets: boolean;
  onBlocked(kind: BlockedKind): void;
  /** Sent with the document's request, and to its own origin alone: neither to where it redirects nor with anything that the
   *  page loads. */
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  readonly payload: string | undefined;
  /** Asked before the page goes elsewhere, by a redirect or a script: throws if it must not. Null: it may. */
  readonly onHop: ((url: string) => Promise<void>) | null;
}

/** A GIF of one clear pixel. A picture that fails runs the page's `onerror`, which often puts another one in its place: what
 *  is read off the page would change. One that loads is left alone. */
const PIXEL = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

interface Paused {
  readonly requestId: string;
  readonly resourceType: string;
  readonly frameId: string;
  readonly redirectedRequestId?: string | undefined;
  readonly request: { readonly url: string; readonly headers: Record<string, string> };
}

export interface RuledRequests {
  /** Sets what holds from here on: for one visit. */
  rule(rules: RequestRules): Promise<void>;
}

export function ruleRequests({ cdp, mainFrame }: { cdp: CDPSession; mainFrame: string }): RuledRequests {
  let current: RequestRules | null = null;
  let enabled = '';
  cdp.on('Fetch.requestPaused', (paused) => {
    const done = current ? decide(cdp, paused, mainFrame, current) : cdp.send('Fetch.continueRequest', paused);
    // The page may be gone before it is answered.
    done.catch(() => {});
  });
  return {
    async rule(rules) {
      current = rules;
      const changed =
        rules.onHop !== null || rules.method !== 'GET' || rules.payload !== undefined || Object.keys(rules.headers).length > 0;
      const patterns: FetchPattern[] = [
        ...(rules.loadAssets ? [] : ASSET_PATTERNS),
        ...(changed ? [{ resourceType: 'Document' } as const] : []),
      ];
      const wanted = `${rules.loadAssets} ${changed}`;
      if (wanted === enabled) return;
      if (patterns.length > 0) await cdp.send('Fetch.enable', { patterns });
      else if (enabled !== '') await cdp.send('Fetch.disable');
      enabled = wanted;
    },
  };
}

async function decide(cdp: CDPSession, paused: Paused, mainFrame: string, rules: RequestRules): Promise<void> {
  const { requestId, resourceType, frameId, request } = paused;
  if (resourceType === 'Document' && frameId === mainFrame) {
    if (await mayGo(request.url, rules))
      await cdp.send('Fetch.continueRequest', { requestId, ...documentChanges(paused, rules) });
    else await cdp.send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
    return;
  }
  const kind = rules.loadAssets ? null : blockedKindOf({ url: request.url, resourceType }, rules.url);
  if (kind === null) {
    await cdp.send('Fetch.continueRequest', { requestId });
    return;
  }
  rules.onBlocked(kind);
  if (kind !== 'image') {
    await cdp.send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
    return;
  }
  await cdp.send('Fetch.fulfillRequest', {
    requestId,
    responseCode: 200,
    responseHeaders: [
      { name: 'content-type', value: 'image/gif' },
      { name: 'access-control-allow-origin', value: '*' },
    ],
    body: PIXEL,
  });
}

/** Whoever asks has been told why not. */
async function mayGo(to: string, { url, onHop }: RequestRules): Promise<boolean> {
  if (onHop === null || to === withoutFragment(url) || !/^https?:/.test(to)) return true;
  return onHop(to).then(
    () => true,
    () => false,
  );
}

function documentChanges({ request, redirectedRequestId }: Paused, { url, headers, method, payload }: RequestRules) {
  const sameOrigin = new URL(request.url).origin === new URL(url).origin;
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  // What is added holds for one hop: a redirect is asked about anew.
  // https://chromedevtools.github.io/devtools-protocol/tot/Fetch/#method-continueRequest
  const own = Object.entries(request.headers).filter(([name]) => !names.has(name.toLowerCase()));
  const sent = sameOrigin ? [...own, ...Object.entries(headers)] : own;
  const first = redirectedRequestId === undefined && request.url === withoutFragment(url);
  return {
    headers: sent.map(([name, value]) => ({ name, value })),
    ...(first && method !== 'GET' && { method }),
    ...(first && payload !== undefined && { postData: Buffer.from(payload).toString('base64') }),
  };
}

/** As Chromium names it: normalised, and the fragment apart. */
function withoutFragment(url: string): string {
  const target = new URL(url);
  target.hash = '';
  return target.href;
}
