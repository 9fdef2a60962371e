// How requests leave this machine, and what is counted of them.
import { messageOf } from './errors.ts';
import type { Tier } from './page.ts';

/** - `none`: from this machine's own address.
 *  - `rotating`: from another address each time, so each request has a connection of its own.
 *  - `sticky`: one address for a session's life; its connections are kept alive.
 *  - `geo`: rotating, within a place (country, city, ...). */
export const PROXY_MODES = ['none', 'rotating', 'sticky', 'geo'] as const;

export type ProxyMode = (typeof PROXY_MODES)[number];

/** What traffic is counted by. */
export interface TrafficKey {
  readonly tier: Tier;
  readonly proxy: ProxyMode;
  /** The target's name and port, as in `new URL(url).host`. */
  readonly host: string;
}

/** Told of bytes as they pass a socket: headers, TLS and what is sent to set a tunnel up included. */
export type CountTraffic = (key: TrafficKey, bytes: { readonly sent: number; readonly received: number }) => void;

/** Sums of traffic for one tier, proxy mode and host. */
export interface TrafficSum extends TrafficKey {
  /** Bytes. */
  readonly sent: number;
  /** Bytes. */
  readonly received: number;
  /** Calls that were paid for by the piece. */
  readonly calls: number;
  /** What those came to, in the currency of the prices. */
  readonly charged: number;
}

/** Whether traffic goes against `--max-proxy-mb` and `--price-per-gb`: the Site Unblocker has prices of its own. */
export function isPaidByTheByte({ tier, proxy }: Pick<TrafficKey, 'tier' | 'proxy'>): boolean {
  return proxy !== 'none' && tier !== 'unblocker';
}

/** A proxy that cannot be reached so often in a row, and for so long, is gone; before that it may only have hiccuped. */
const MAX_UNREACHED = 5;
const MAX_UNREACHED_MILLIS = 10_000;

/** @param since The first time of these; epoch milliseconds. @param times In a row, without an answer through it. */
export function isProxyGone(times: number, since: number, now: number): boolean {
  return times >= MAX_UNREACHED && now - since >= MAX_UNREACHED_MILLIS;
}

/** Why a proxy was not reached, for a message: a line without OpenSSL's own, which names its sources.
 *  @param error Node's. */
export function whyUnreached(error: unknown): string {
  // Several addresses were tried: the first error stands for all.
  const message = messageOf(error instanceof AggregateError ? error.errors[0] : error);
  // https://docs.openssl.org/3.0/man3/ERR_error_string/: error:0A00010B:SSL routines:ssl3_get_record:wrong version number:...
  const [, said = ''] = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(message) ?? [];
  if (said === 'wrong version number') return 'it speaks no TLS: perhaps it is http:// instead of https://';
  return (said || (message.split('\n', 1)[0] as string)).replace(/\.$/, '');
}

/** In the currency of the prices: two decimals, and four where a hundredth is too coarse. */
export function toMoney(amount: number): string {
  return amount.toFixed(moneyDecimals(amount));
}

export function moneyDecimals(amount: number): number {
  return amount < 1 ? 4 : 2;
}

const MAX_DECIMALS = 12;

/** An amount that has reached a limit, with as many decimals as it takes for what is shown to have reached it too.
 *  @param least Decimals, at least. */
export function showReached(amount: number, limit: number, least: number): string {
  let decimals = least;
  while (Number(amount.toFixed(decimals)) < limit && decimals < MAX_DECIMALS) decimals++;
  return amount.toFixed(decimals);
}
