// The proxies of the pages that are open: one exit for each, opened before its context and closed after it.
import type { ProxyConfiguration } from '@crawlee/core';
import type { PlaywrightCrawlingContext } from '@crawlee/playwright';

import type { ProxyMode } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { parseProxyUrl } from '../clients/proxy-address.ts';
import { openExit, type Exit } from './exit.ts';

export interface ExitsOptions {
  proxyConfiguration?: ProxyConfiguration | undefined;
  through?: ((proxyUrl: string, key: { tier: 'browser'; proxy: ProxyMode }) => Promise<string>) | undefined;
  lastFault?: ((proxyUrl: string) => { readonly message: string } | null) | undefined;
  modeOf?: ((label: string | undefined) => ProxyMode) | undefined;
}

/** `pageId` is a Crawlee context's id. */
export interface Exits {
  /** Decides which proxy an attempt goes through, and says so in `context.proxyInfo`.
   *  @returns Options of its browser context. */
  open(context: Pick<PlaywrightCrawlingContext, 'id' | 'request' | 'session' | 'proxyInfo'>): Promise<{
    proxy?: { server: string };
  }>;
  faultOf(pageId: string, url: string): TransportError | null;
  close(pageId: string): Promise<void>;
}

export function createExits({ proxyConfiguration, through, lastFault, modeOf }: ExitsOptions): Exits {
  const open = new Map<string, { exit: Exit; relayed: string }>();
  return {
    async open(context) {
      const { id, request, session } = context;
      const info = await proxyConfiguration?.newProxyInfo(session?.id, { request });
      if (!info) return {};
      context.proxyInfo = info;
      const { url } = info;
      const proxy = modeOf?.(request.label) ?? 'rotating';
      const relayed = through ? await through(url, { tier: 'browser', proxy }) : url;
      const exit = await openExit(relayed, parseProxyUrl(url).name);
      open.set(id, { exit, relayed });
      return { proxy: { server: exit.server } };
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
      await exit?.close();
    },
  };
}
