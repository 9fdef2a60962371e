// The ways out of the pages that are open: one exit for each, opened before its context and closed after it.
import type { ProxyConfiguration, Request } from '@crawlee/core';
import type { PlaywrightCrawlingContext } from '@crawlee/playwright';

import type { ProxyMode } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { parseProxyUrl } from '../clients/proxy-address.ts';
import type { Reach } from '../clients/reach.ts';
import { ledFrom } from '../hooks.ts';
import { openDirectExit } from './direct-exit.ts';
import { openExit, type Exit } from './exit.ts';

export interface ExitsOptions {
  proxyConfiguration?: ProxyConfiguration | undefined;
  through?: ((proxyUrl: string, key: { tier: 'browser'; proxy: ProxyMode }) => Promise<string>) | undefined;
  lastFault?: ((proxyUrl: string) => { readonly message: string } | null) | undefined;
  /** @default anywhere; pages without a proxy have no exit then */
  reach?: Reach | undefined;
  modeOf?: ((label: string | undefined) => ProxyMode) | undefined;
}

/** `pageId` is a Crawlee context's id. */
export interface Exits {
  /** Decides which proxy an attempt goes through, and says so in `context.proxyInfo`.
   *  @returns Options of its browser context. */
  open(context: Pick<PlaywrightCrawlingContext, 'id' | 'request' | 'session' | 'proxyInfo'>): Promise<{
    proxy?: { server: string };
  }>;
  /** @param placeOf Tells which address the page shows by now, of the browser itself: a busy page could not say. */
  locate(pageId: string, placeOf: () => Promise<string>): void;
  faultOf(pageId: string, url: string): TransportError | null;
  close(pageId: string): Promise<void>;
}

export function createExits({ proxyConfiguration, through, lastFault, modeOf, reach }: ExitsOptions): Exits {
  const open = new Map<string, { exit: Exit; relayed?: string }>();
  const places = new Map<string, () => Promise<string>>();
  /** Where a page is shows who asks: it, or before it has come what led to it. */
  const ledFromPage = (id: string, request: Request) => async (): Promise<string | null> => {
    const place = (await places.get(id)?.()) ?? '';
    return /^https?:/.test(place) ? place : ledFrom(request);
  };
  return {
    async open(context) {
      const { id, request, session } = context;
      const info = await proxyConfiguration?.newProxyInfo(session?.id, { request });
      const from = ledFromPage(id, request);
      if (!info) {
        if (!reach) return {};
        const exit = await openDirectExit(reach, from);
        open.set(id, { exit });
        return { proxy: { server: exit.server } };
      }
      context.proxyInfo = info;
      const { url } = info;
      const proxy = modeOf?.(request.label) ?? 'rotating';
      const relayed = through ? await through(url, { tier: 'browser', proxy }) : url;
      const exit = await openExit(relayed, parseProxyUrl(url).name, (host) => reach?.admit(host, { from, proxied: true }));
      open.set(id, { exit, relayed });
      return { proxy: { server: exit.server } };
    },
    locate(pageId, placeOf) {
      places.set(pageId, placeOf);
    },
    faultOf(pageId, url) {
      const { exit, relayed } = open.get(pageId) ?? {};
      const fault = exit?.faultOf(url) ?? null;
      if (fault === null || relayed === undefined || fault.fault === 'proxy-refused') return fault;
      // The relay was reached; what it did not reach, it alone knows.
      const behind = lastFault?.(relayed) ?? null;
      return behind === null ? fault : new TransportError('proxy-unreachable', behind.message);
    },
    async close(pageId) {
      const { exit } = open.get(pageId) ?? {};
      open.delete(pageId);
      places.delete(pageId);
      await exit?.close();
    },
  };
}
