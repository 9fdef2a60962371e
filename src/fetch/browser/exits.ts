// Which way a page leaves this machine: the proxy that its request and session are given, and the exit that takes its context
// there.
import type { ProxyConfiguration, ProxyInfo, Request, Session } from '@crawlee/core';

import type { ProxyMode } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { parseProxyUrl } from '../clients/proxy-address.ts';
import type { LedFrom, Reach } from '../clients/reach.ts';
import { openDirectExit } from './direct-exit.ts';
import { openExit, type Exit } from './exit.ts';

export interface WaysOptions {
  proxyConfiguration?: ProxyConfiguration | undefined;
  through?: ((proxyUrl: string, key: { tier: 'browser'; proxy: ProxyMode }) => Promise<string>) | undefined;
  lastFault?: ((proxyUrl: string) => { readonly message: string } | null) | undefined;
  /** @default anywhere; pages without a proxy have no exit then */
  reach?: Reach | undefined;
  modeOf?: ((label: string | undefined) => ProxyMode) | undefined;
}

export interface Way {
  readonly info: ProxyInfo;
  /** The proxy's URL, or the relay's in its place. */
  readonly url: string;
  /** The proxy for messages. */
  readonly name: string;
  /** Each page is to leave by connections of its own. */
  readonly rotates: boolean;
}

export interface Ways {
  /** @returns Null: from this machine's own address. */
  choose(request: Request, session: Session | undefined): Promise<Way | null>;
  /** @param from Which page leads to what is asked for now.
   *  @returns Null: Chromium connects by itself. */
  open(way: Way | null, from: LedFrom): Promise<Exit | null>;
  /** Why an address was not reached; null if it was. */
  faultOf(way: Way | null, exit: Exit, url: string): TransportError | null;
}

export function createWays({ proxyConfiguration, through, lastFault, modeOf, reach }: WaysOptions): Ways {
  return {
    async choose(request, session) {
      const info = await proxyConfiguration?.newProxyInfo(session?.id, { request });
      if (!info) return null;
      const proxy = modeOf?.(request.label) ?? 'rotating';
      const url = through ? await through(info.url, { tier: 'browser', proxy }) : info.url;
      return { info, url, name: parseProxyUrl(info.url).name, rotates: proxy === 'rotating' };
    },
    async open(way, from) {
      if (!way) return reach ? openDirectExit(reach, from) : null;
      return openExit(way.url, way.name, (host) => reach?.admit(host, { from, proxied: true }));
    },
    faultOf(way, exit, url) {
      const fault = exit.faultOf(url);
      if (fault === null || way === null || fault.fault === 'proxy-refused') return fault;
      // The relay was reached; what it did not reach, it alone knows.
      const behind = lastFault?.(way.url) ?? null;
      return behind === null ? fault : new TransportError('proxy-unreachable', behind.message);
    },
  };
}
