// The HTTP lane's clients, one for each tier, as the settings have them. Each is made when the first page needs it.
import { createTierClients } from '../fetch/clients/by-tier.ts';
import { createPlainClient } from '../fetch/clients/plain.ts';
import type { Reach } from '../fetch/clients/reach.ts';
import type { Route, TierClient } from '../fetch/clients/tier-client.ts';
import type { Settings } from '../input/schema.ts';
import type { Ledger } from '../proxy/spend.ts';

const MEBIBYTE = 1024 * 1024;

export interface TiersOptions {
  settings: Settings;
  /** Where pages may lead. The services are asked from nets of their own. */
  reach: Reach;
  waysOut: { ledger: Pick<Ledger, 'count' | 'charge'> };
  onTierLost: (tier: Route['tier'], why: string) => void;
}

export function openTierClients({ settings, reach, waysOut, onTierLost }: TiersOptions): TierClient {
  const limits = { maxBodyBytes: settings.maxBodyMb * MEBIBYTE };
  const { ledger } = waysOut;
  const { count } = ledger;
  return createTierClients({
    onTierLost,
    clients: {
      http: () => createPlainClient({ ...limits, reach, count }),
      async impersonate() {
        const { createImpersonateClient } = await import('../fetch/clients/impersonate.ts');
        return createImpersonateClient({ browser: settings.impersonate, limits, reach, count });
      },
      async unblocker() {
        const { createUnblockerClient } = await import('../fetch/clients/unblocker.ts');
        const { unblockerUser: user = '', unblockerPass: pass = '', unblockerHost: host, unblockerPort: port } = settings;
        return createUnblockerClient({ user, pass, host, port, geo: settings.unblockerGeo, headless: 'html', limits, count });
      },
      async api() {
        const { createScrapingApiClient } = await import('../fetch/clients/scraping-api.ts');
        return createScrapingApiClient({
          plan: settings.apiPlan,
          token: settings.apiToken ?? '',
          baseUrl: settings.apiUrl,
          geo: settings.unblockerGeo,
          headless: 'html',
          limits,
          count,
          onCall: (host) => ledger.charge('api', host, settings.pricePerApiCall),
        });
      },
    },
  });
}
