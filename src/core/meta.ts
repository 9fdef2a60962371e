// What a run came to: the `meta` of the JSON export, and what the summary and `status` print. Built from the store's sums.
import { isPaidByTheByte, type TrafficSum } from './proxy.ts';
import { firstPagesOf, missingStartsOf, type FirstPage, type MissingStart } from './facts.ts';
import type { Standing, TallySum } from './run-store.ts';
import type { SkipRule } from './verdict.ts';

/** Hosts listed in `RunMeta.hosts`; a wide crawl would otherwise write a `meta` longer than its items. */
export const HOSTS_LISTED = 100;

/** A run's identity and times. */
export interface RunDescription {
  /** The site's name, as `--site` takes it. */
  readonly site: string;
  readonly startUrls: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC; null while pages are left. */
  readonly finishedAt: string | null;
  readonly status: 'finished' | 'unfinished';
}

/** Sums for one tier. */
export interface TierMeta {
  readonly pages: number;
  /** Decoded bodies. */
  readonly bytes: number;
  /** From hand-out to commit, added up: pages overlap, so this is more than the clock shows. */
  readonly seconds: number;
  /** What the tier's traffic and calls have cost; only where there is a price. */
  readonly cost?: number;
}

/** Sums for one host; `pages` includes the failed ones. */
export interface HostMeta extends TierMeta {
  readonly failed: number;
}

/** Pages that went from one tier to another. */
export interface ClimbMeta {
  readonly from: string;
  readonly to: string;
  /** The verdict that sent them. */
  readonly why: string;
  readonly pages: number;
}

/** What went through sockets, headers and TLS included, and what that costs. Bytes. */
export interface TrafficMeta {
  readonly sent: number;
  readonly received: number;
  /** Of both, what went through a proxy. */
  readonly throughProxy: number;
  /** In the currency of `--price-per-gb` and `--price-per-api-call`; 0 without them. */
  readonly cost: number;
  /** The most bytes first; at most `HOSTS_LISTED`. Direct traffic of the tiers impersonate and browser is not seen. */
  readonly by: readonly TrafficSum[];
  /** Requests for images, fonts, media and trackers that the browser did not make, by kind. */
  readonly notFetched: Readonly<Record<string, number>>;
}

/** What a run has used, beside the sums of its pages. */
export interface Used {
  /** Of the store: climbs and the like, by name. */
  readonly counters: Readonly<Record<string, number>>;
  readonly traffic: readonly TrafficSum[];
  readonly pricePerGb: number;
}

/** A run in figures. Pages are counted once, however often they were tried. */
export interface RunMeta extends RunDescription {
  /** `succeeded + failed + missing`. */
  readonly attempted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** 404 and 410: no failures. */
  readonly missing: number;
  /** Of these, start URLs: how many, and the first of them. */
  readonly missingStarts: { readonly count: number; readonly first: readonly MissingStart[] };
  /** The first page of each label that succeeded. */
  readonly firstPages: readonly FirstPage[];
  /** Not wanted, so in no other figure. */
  readonly skipped: number;
  /** Of these, by the rule that says so. */
  readonly skippedBy: Readonly<Partial<Record<SkipRule, number>>>;
  /** Rows, not pages: those that failed the site's schema. */
  readonly rejected: number;
  /** Pages still in the queue. */
  readonly pending: number;
  readonly bytes: number;
  /** Keyed by tier, the most pages first. */
  readonly tiers: Readonly<Record<string, TierMeta>>;
  /** Keyed by host, the most pages first; at most `HOSTS_LISTED`. */
  readonly hosts: Readonly<Record<string, HostMeta>>;
  /** Present when `hosts` was cut: how many there are. */
  readonly hostsNote?: string;
  /** How pages went up the ladder, the most frequent way first. */
  readonly climbs: readonly ClimbMeta[];
  readonly traffic: TrafficMeta;
  /** Without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Adds up a store's figures.
 *  @param tallies In any order; several for one (tier, host, end) are fine, as from several queues.
 *  @param counts Of all the run's queues together.
 *  @param settings Goes into the export as it is: leave secrets out. */
export function toMeta(
  run: RunDescription,
  tallies: readonly TallySum[],
  counts: Pick<Standing, 'total' | 'handled'>,
  settings: Readonly<Record<string, unknown>>,
  used: Used = { counters: {}, traffic: [], pricePerGb: 0 },
): RunMeta {
  const ends = { succeeded: 0, failed: 0, missing: 0, skipped: 0 };
  for (const tally of tallies) ends[tally.end] += tally.pages;

  const fetched = tallies.filter((tally) => tally.end !== 'skipped');
  const hosts = byPages(groupBy(fetched, (tally) => tally.host).map(([host, group]) => [host, toHostMeta(group)] as const));
  const tiers = byPages(
    groupBy(fetched, (tally) => tally.tier).map(([tier, group]) => [tier, withCost(toTierMeta(group), tier, used)] as const),
  );
  const { site, startUrls, startedAt, finishedAt, status } = run;
  return {
    site,
    startUrls,
    startedAt,
    finishedAt,
    status,
    attempted: ends.succeeded + ends.failed + ends.missing,
    ...ends,
    missingStarts: missingStartsOf(used.counters),
    firstPages: firstPagesOf(used.counters),
    skippedBy: Object.fromEntries(namesWith(used.counters, 'skipped').map(([[rule = ''], pages]) => [rule, pages])),
    rejected: sum(tallies, 'rejected'),
    pending: Math.max(0, counts.total - counts.handled),
    bytes: sum(tallies, 'bytes'),
    tiers: Object.fromEntries(tiers),
    hosts: Object.fromEntries(hosts.slice(0, HOSTS_LISTED)),
    ...(hosts.length > HOSTS_LISTED && {
      hostsNote: `The ${HOSTS_LISTED} hosts with the most pages, of ${hosts.length}.`,
    }),
    climbs: toClimbs(used.counters),
    traffic: toTraffic(used),
    settings,
  };
}

/** The name under which the frontier counts a climb. */
export function climbCounter(from: string, to: string, why: string): string {
  return `climb ${from} ${to} ${why}`;
}

/** The name under which the browser lane counts what it did not fetch. @param kind Such as `image`. */
export function notFetchedCounter(kind: string): string {
  return `not-fetched ${kind}`;
}

/** The name under which the frontier counts a page that was skipped. */
export function skippedCounter(rule: SkipRule): string {
  return `skipped ${rule}`;
}

function toClimbs(counters: Used['counters']): ClimbMeta[] {
  return namesWith(counters, 'climb')
    .map(([[from = '', to = '', why = ''], pages]) => ({ from, to, why, pages }))
    .toSorted((a, b) => b.pages - a.pages);
}

function toTraffic({ counters, traffic, pricePerGb }: Used): TrafficMeta {
  const total = (sums: readonly TrafficSum[], figure: 'sent' | 'received') => sums.reduce((sum, entry) => sum + entry[figure], 0);
  const proxied = traffic.filter(isPaidByTheByte);
  const throughProxy = total(proxied, 'sent') + total(proxied, 'received');
  return {
    sent: total(traffic, 'sent'),
    received: total(traffic, 'received'),
    throughProxy,
    cost: costOf(traffic, pricePerGb),
    by: traffic.toSorted((a, b) => b.sent + b.received - a.sent - a.received).slice(0, HOSTS_LISTED),
    notFetched: Object.fromEntries(namesWith(counters, 'not-fetched').map(([[kind = ''], times]) => [kind, times])),
  };
}

/** The counters whose name begins with a word; the other words of the name, and the value. */
function namesWith(counters: Used['counters'], first: string): [string[], number][] {
  return Object.entries(counters)
    .filter(([name]) => name.startsWith(`${first} `))
    .map(([name, value]) => [name.split(' ').slice(1), value]);
}

function groupBy(tallies: readonly TallySum[], keyOf: (tally: TallySum) => string): [string, TallySum[]][] {
  const groups = new Map<string, TallySum[]>();
  for (const tally of tallies) {
    const group = groups.get(keyOf(tally));
    if (group) group.push(tally);
    else groups.set(keyOf(tally), [tally]);
  }
  return [...groups];
}

function sum(tallies: readonly TallySum[], figure: 'pages' | 'bytes' | 'millis' | 'rejected'): number {
  return tallies.reduce((total, tally) => total + tally[figure], 0);
}

function toTierMeta(tallies: readonly TallySum[]): TierMeta {
  return {
    pages: sum(tallies, 'pages'),
    bytes: sum(tallies, 'bytes'),
    seconds: Math.round(sum(tallies, 'millis')) / 1000,
  };
}

function withCost(meta: TierMeta, tier: string, { traffic, pricePerGb }: Used): TierMeta {
  const cost = costOf(
    traffic.filter((sum) => sum.tier === tier),
    pricePerGb,
  );
  return cost > 0 ? { ...meta, cost } : meta;
}

function costOf(traffic: readonly TrafficSum[], pricePerGb: number): number {
  return traffic.reduce(
    (cost, sum) => cost + sum.charged + (isPaidByTheByte(sum) ? ((sum.sent + sum.received) / 1e9) * pricePerGb : 0),
    0,
  );
}

function toHostMeta(tallies: readonly TallySum[]): HostMeta {
  const failed = sum(
    tallies.filter((tally) => tally.end === 'failed'),
    'pages',
  );
  const { pages, bytes, seconds } = toTierMeta(tallies);
  return { pages, failed, bytes, seconds };
}

/** The most pages first; a tie goes by name, so that two exports of one run are the same text. */
function byPages<Figures extends TierMeta>(entries: (readonly [string, Figures])[]): (readonly [string, Figures])[] {
  return entries.toSorted(([a, { pages: pagesA }], [b, { pages: pagesB }]) => pagesB - pagesA || (a < b ? -1 : 1));
}
