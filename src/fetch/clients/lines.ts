// Which way a request goes out: directly, through a proxy by a connection of its own, or by its session's kept ones.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { CountTraffic } from '../../core/proxy.ts';
import type { Limits } from './faults.ts';
import { createLine, type Line, type LineOptions } from './line.ts';
import { parseProxyUrl } from './proxy-address.ts';
import type { Reach } from './reach.ts';
import type { Route, RoutedRequest } from './tier-client.ts';

/** Sessions whose connections are kept. Beyond, the one that was not used for the longest has its closed. */
const MAX_STICKY_LINES = 200;

export interface LinesOptions {
  readonly limits: Limits;
  readonly rejectUnauthorized: boolean;
  readonly count: CountTraffic | undefined;
  readonly reach: Reach | undefined;
}

export interface TakenLine {
  readonly line: Line;
  /** Called when the answer has ended, whichever way. */
  leave(): void;
}

export interface Lines {
  /** @throws {Error} The request is to go through a proxy and names none: directly, it would show our own address. */
  take(request: RoutedRequest): TakenLine;
  /** All lines, once what they sent and received has been told. */
  close(): Promise<void>;
}

const DIRECT: Route = { tier: 'http', proxy: 'none', sessionId: '' };
const ROTATING: Route = { ...DIRECT, proxy: 'rotating' };

export function createLines(options: LinesOptions): Lines {
  // A connection outlives the page that it was opened for, and must not keep that page's memory (its async context) alive.
  const inOwnContext = AsyncLocalStorage.snapshot();
  const shared: Pick<LineOptions, keyof LinesOptions | 'http1Only' | 'inOwnContext'> = {
    ...options,
    http1Only: new Set(),
    inOwnContext,
  };
  const direct = new Map<Route['tier'], TakenLine>();
  const sticky = new Map<string, TakenLine & { users: number }>();
  const single = new Set<Line>();

  const takeDirect = (tier: Route['tier']): TakenLine => {
    let taken = direct.get(tier);
    if (!taken) {
      taken = { line: createLine({ ...shared, proxy: null, key: { tier, proxy: 'none' } }), leave() {} };
      direct.set(tier, taken);
    }
    return taken;
  };

  const takeSticky = (proxyUrl: string, { tier, proxy: mode, sessionId }: Route): TakenLine => {
    const name = JSON.stringify([tier, sessionId, proxyUrl]);
    let taken = sticky.get(name);
    if (!taken) {
      const line = createLine({ ...shared, proxy: parseProxyUrl(proxyUrl), key: { tier, proxy: mode } });
      const created = { line, users: 0, leave: () => void (created.users -= 1) };
      taken = created;
      closeUnused();
    }
    taken.users += 1;
    sticky.delete(name);
    sticky.set(name, taken); // The last one is the one that was used last.
    return taken;
  };

  const closeUnused = () => {
    if (sticky.size < MAX_STICKY_LINES) return;
    for (const [name, { line, users }] of sticky) {
      if (users > 0) continue;
      sticky.delete(name);
      void line.close();
      return;
    }
  };

  const takeSingle = (proxyUrl: string, { tier, proxy: mode }: Route): TakenLine => {
    const line = createLine({ ...shared, proxy: parseProxyUrl(proxyUrl), key: { tier, proxy: mode } });
    single.add(line);
    return {
      line,
      leave() {
        void line.close().then(() => single.delete(line));
      },
    };
  };

  return {
    take({ proxyUrl, route }) {
      if (!proxyUrl) {
        const { tier, proxy } = route ?? DIRECT;
        if (proxy !== 'none')
          throw new Error(
            `A request in proxy mode "${proxy}" has no proxy: sent directly, it would show this machine's address.`,
          );
        return takeDirect(tier);
      }
      return (route?.proxy === 'sticky' ? takeSticky : takeSingle)(proxyUrl, route ?? ROTATING);
    },
    async close() {
      const lines = [...[...direct.values(), ...sticky.values()].map(({ line }) => line), ...single];
      direct.clear();
      sticky.clear();
      single.clear();
      await Promise.all(lines.map((line) => line.close()));
    },
  };
}
