// What the crawl has sent and received, and what that costs: residential traffic is paid for by the gigabyte, API calls by the
// piece. Tells once when a limit is reached; pages that are in flight then still end.
import type { Tier } from '../core/page.ts';
import type { TrafficNews } from '../core/worker-messages.ts';
import {
  isPaidByTheByte,
  moneyDecimals,
  showReached,
  type CountTraffic,
  type TrafficKey,
  type TrafficSum,
} from '../core/proxy.ts';

export interface LedgerOptions {
  /** What earlier passes of this run came to. */
  readonly initial: readonly TrafficSum[];
  /** Of 10^9 bytes through a proxy, sent and received alike. @default 0 */
  readonly pricePerGb?: number | undefined;
  /** `--max-proxy-mb`: in 10^6 bytes through a proxy. @default no limit */
  readonly maxProxyMb?: number | undefined;
  /** `--max-cost`: in the currency of the prices. @default no limit */
  readonly maxCost?: number | undefined;
  /** Called once, by whatever was counted last: `--max-proxy-mb 50 is reached: 50.1 MB went through the proxy.` */
  onLimit(reason: string): void;
}

export interface Ledger {
  readonly count: CountTraffic;
  /** Books one API call. @param money In the currency of the prices. */
  charge(tier: Tier, host: string, money: number): void;
  /** In the order in which they were first met. */
  sums(): TrafficSum[];
  cost(): number;
  /** The reason that `onLimit` is given, also for a run that starts beyond its limit; null while there is room. */
  limitReached(): string | null;
}

const GB = 1e9;
const MB = 1e6;

/** A browser's pages load things from everywhere: more hosts than this are no list to read, and none to keep. */
const MAX_HOSTS = 1_000;
/** Stands for all hosts beyond those. */
export const OTHER_HOSTS = '(other hosts)';

/** Traffic without a proxy is summed as well, and is free. Limits are the run's, so they count what `initial` holds. */
export function createLedger(options: LedgerOptions): Ledger {
  const { initial, pricePerGb = 0, maxProxyMb = Infinity, maxCost = Infinity, onLimit } = options;
  const entries = new Map<string, { -readonly [Name in keyof TrafficSum]: TrafficSum[Name] }>();
  const hosts = new Set<string>();
  let proxied = 0;
  let charged = 0;
  let told = false;

  const entryOf = ({ tier, proxy, host: met }: TrafficKey) => {
    const host = hosts.has(met) || hosts.size < MAX_HOSTS ? met : OTHER_HOSTS;
    if (host !== OTHER_HOSTS) hosts.add(host);
    const key = `${tier} ${proxy} ${host}`;
    const entry = entries.get(key) ?? { tier, proxy, host, sent: 0, received: 0, calls: 0, charged: 0 };
    entries.set(key, entry);
    return entry;
  };
  const book = (key: TrafficKey, amount: Partial<Omit<TrafficSum, keyof TrafficKey>>) => {
    const entry = entryOf(key);
    const { sent = 0, received = 0, calls = 0, charged: money = 0 } = amount;
    entry.sent += sent;
    entry.received += received;
    entry.calls += calls;
    entry.charged += money;
    if (isPaidByTheByte(key)) proxied += sent + received;
    charged += money;
  };
  const cost = () => (proxied / GB) * pricePerGb + charged;
  const limitReached = () => {
    if (proxied >= maxProxyMb * MB) {
      return `--max-proxy-mb ${maxProxyMb} is reached: ${showReached(proxied / MB, maxProxyMb, 1)} MB went through the proxy.`;
    }
    const money = cost();
    if (money < maxCost) return null;
    return `--max-cost ${maxCost} is reached: traffic and calls came to ${showReached(money, maxCost, moneyDecimals(money))}.`;
  };
  const tell = () => {
    const reason = told ? null : limitReached();
    if (reason === null) return;
    told = true;
    onLimit(reason);
  };

  for (const sum of initial) book(sum, sum);
  return {
    count(key, bytes) {
      book(key, bytes);
      tell();
    },
    charge(tier, host, money) {
      book({ tier, proxy: 'none', host }, { calls: 1, charged: money });
      tell();
    },
    sums: () => [...entries.values()].map((entry) => ({ ...entry })),
    cost,
    limitReached,
  };
}

/** Counts for a ledger in another process, to be taken there now and then. */
export function gatherTraffic(): Pick<Ledger, 'count' | 'charge'> & { take(): TrafficNews[] } {
  let news = new Map<string, { -readonly [Name in keyof TrafficNews]: TrafficNews[Name] } & { charges: number[] }>();
  const entryOf = ({ tier, proxy, host }: TrafficKey) => {
    const key = `${tier} ${proxy} ${host}`;
    const entry = news.get(key) ?? { tier, proxy, host, sent: 0, received: 0, charges: [] };
    news.set(key, entry);
    return entry;
  };
  return {
    count(key, { sent, received }) {
      const entry = entryOf(key);
      entry.sent += sent;
      entry.received += received;
    },
    charge: (tier, host, money) => void entryOf({ tier, proxy: 'none', host }).charges.push(money),
    take() {
      const taken = [...news.values()];
      news = new Map();
      return taken;
    },
  };
}

/** Books what another process has gathered. */
export function bookTraffic(ledger: Pick<Ledger, 'count' | 'charge'>, news: readonly TrafficNews[]): void {
  for (const { tier, proxy, host, sent, received, charges } of news) {
    if (sent + received > 0) ledger.count({ tier, proxy, host }, { sent, received });
    for (const money of charges) ledger.charge(tier, host, money);
  }
}
