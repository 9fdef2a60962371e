// How a crawl's requests leave this machine: the proxies, what goes through them and what that costs, and when it has to
// stop for it. Everything that was spent is kept with the run.
import { SERVICES, type Tier } from '../core/page.ts';
import { isProxyGone, type ProxyMode, type TrafficSum } from '../core/proxy.ts';
import type { TransportError } from '../core/transport.ts';
import type { Site } from '../core/site.ts';
import type { Settings } from '../input/schema.ts';
import { createProxyProvider, type ProxyProvider } from '../proxy/provider.ts';
import { createRelay, type Relay } from '../proxy/relay.ts';
import { createLedger, type Ledger } from '../proxy/spend.ts';

export interface WaysOut {
  /** Null: every request leaves from this machine's own address. */
  readonly provider: ProxyProvider | null;
  readonly ledger: Ledger;
  readonly relay: Relay;
  modeOf(label: string | undefined): ProxyMode;
  /** A request met a proxy's fault. */
  onFault(fault: TransportError | null): void;
  /** The answer to a page's request has begun to arrive. */
  onAnswer(page: { readonly label: string | undefined; readonly tier: Tier }): void;
  close(): Promise<void>;
}

export interface WaysOutOptions {
  provider: ProxyProvider | null;
  settings: Pick<Settings, 'pricePerGb' | 'maxProxyMb' | 'maxCost'>;
  /** What the run had spent when this process began. */
  spent: readonly TrafficSum[];
  /** Told once why the crawl must stop: a limit is reached, or the proxy is closed. */
  onStop: (reason: string) => void;
  /** @default Date.now */
  now?: () => number;
}

export function openWaysOut({ provider, settings, spent, onStop, now = Date.now }: WaysOutOptions): WaysOut {
  const { pricePerGb, maxProxyMb, maxCost } = settings;
  const ledger = createLedger({ initial: spent, pricePerGb, maxProxyMb, maxCost, onLimit: onStop });
  const relay = createRelay({ count: ledger.count });
  const modeOf = (label: string | undefined) => provider?.modeOf(label) ?? 'none';
  const unreached = { times: 0, since: 0 };
  return {
    provider,
    ledger,
    relay,
    modeOf,
    onFault(fault) {
      if (fault?.fault !== 'proxy-unreachable') {
        onStop(fault?.message ?? 'The proxy refuses (HTTP 407).');
        return;
      }
      if (unreached.times === 0) unreached.since = now();
      unreached.times++;
      if (isProxyGone(unreached.times, unreached.since, now())) onStop(fault.message);
    },
    onAnswer({ label, tier }) {
      // Not by the bytes that pass: what is no proxy takes a handshake or a CONNECT, and answers it, before that fails.
      const isService = SERVICES.includes(tier);
      if (!isService && modeOf(label) !== 'none') unreached.times = 0;
    },
    close: () => relay.close(),
  };
}

/** The proxies that the settings and the site ask for. @param runId Keeps the sessions of two runs apart.
 *  @throws {SurefootError} kind `input`: settings that do not go together, or credentials that are missing. */
export function chooseProxies(settings: Settings, site: Pick<Site, 'proxy'>, runId: string): ProxyProvider | null {
  const { country, city, state, zip, asn, continent, decodoUser = '', decodoPass = '' } = settings;
  const hasCredentials = decodoUser !== '' || decodoPass !== '';
  return createProxyProvider({
    mode: settings.proxy,
    byLabel: site.proxy,
    place: {
      ...(country !== undefined && { country }),
      ...(city !== undefined && { city }),
      ...(state !== undefined && { state }),
      ...(zip !== undefined && { zip }),
      ...(asn !== undefined && { asn: String(asn) }),
      ...(continent !== undefined && { continent }),
    },
    sessionMinutes: settings.sessionMinutes,
    proxyUrls: settings.proxyUrls,
    decodo: hasCredentials ? { user: decodoUser, pass: decodoPass, host: settings.decodoHost, port: settings.decodoPort } : null,
    salt: runId,
  });
}
