// One client for the HTTP lane, over those of its tiers: each is made when the first request needs it.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { HttpRequest, HttpResponse, RedirectHandler, ResponseTypes } from '@crawlee/core';

import { messageOf } from '../../core/errors.ts';
import { VerdictError } from '../../core/verdict.ts';
import type { Route, RoutedRequest, TierClient } from './tier-client.ts';

type HttpTier = Route['tier'];

export interface TierClientsOptions {
  /** How a tier's client is made. `http` is always needed: requests without a route go that way, such as robots.txt. */
  clients: Readonly<Partial<Record<HttpTier, () => TierClient | Promise<TierClient>>>> & { readonly http: () => TierClient };
  /** Told once of a tier whose client cannot be made here, and why. Its requests come round again, to go another way. */
  onTierLost: (tier: HttpTier, why: string) => void;
}

export function createTierClients({ clients, onTierLost }: TierClientsOptions): TierClient {
  const made = new Map<HttpTier, Promise<TierClient>>();
  // A client outlives the page that it is made for, and must not keep that page's memory (its async context) alive.
  const inOwnContext = AsyncLocalStorage.snapshot();

  const clientOf = (request: RoutedRequest): Promise<TierClient> => {
    const { tier = 'http' } = request.route ?? {};
    let client = made.get(tier);
    if (!client) {
      client = (async () => {
        const make = clients[tier];
        if (!make) throw new Error(`There is no client for tier ${tier}.`);
        return inOwnContext(make);
      })().catch((error: unknown) => {
        onTierLost(tier, messageOf(error));
        throw new VerdictError('early', `Tier ${tier} cannot be used here.`);
      });
      made.set(tier, client);
    }
    return client;
  };

  return {
    async stream(request: HttpRequest, onRedirect?: RedirectHandler) {
      return (await clientOf(request)).stream(request, onRedirect);
    },
    async sendRequest<Type extends keyof ResponseTypes = 'text'>(request: HttpRequest<Type>): Promise<HttpResponse<Type>> {
      return (await clientOf(request as RoutedRequest)).sendRequest(request);
    },
    async close() {
      const clientsMade = await Promise.allSettled(made.values());
      await Promise.all(clientsMade.map(async (client) => client.status === 'fulfilled' && client.value.close()));
    },
  };
}
