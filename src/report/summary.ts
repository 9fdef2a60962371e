// A run in tables: what is printed at the end of a crawl, and what `status` says of one that is under way or was left.
import type { Table } from 'cli-table3';

import type { RunMeta } from '../core/meta.ts';
import { toMoney } from '../core/proxy.ts';
import { toCount, toDuration, toPages, toPlainText, toRate, toSize } from './figures.ts';
import { newTable } from './table.ts';

export const FAILURES_SHOWN = 10;
/** Lines of paid traffic at the end of a crawl; `status` has all. */
const TRAFFIC_SHOWN = 10;
/** Characters of a URL or an error: two lines of a terminal. */
const TEXT_CHARS = 200;
/** Numbers of ANSI's "select graphic rendition". */
const BOLD = 1;
const RED = 31;

export interface SummaryExtra {
  /** In the dataset. */
  readonly rows: number;
  /** Paths of the files that were written. */
  readonly exports: readonly string[];
  /** How long this process crawled. */
  readonly elapsedSeconds: number;
  /** Pages with an outcome since this process started: fewer than `meta.attempted` if it resumed a run. @default meta.attempted */
  readonly pagesThisTime?: number;
  /** Whether `retry-failed` can work on the run's store. @default true */
  readonly canRetry?: boolean;
  /** @default false */
  readonly colour?: boolean;
}

/** One row of the failed dataset. */
export interface FailureLine {
  readonly url: string;
  readonly label: string;
  readonly error: string;
}

/** Who holds the run's lock. */
export interface OwnerLine {
  readonly pid: number;
  /** False: it died without giving the lock back. */
  readonly running: boolean;
}

/** The end of a crawl: pages, tiers, speed, files, and what to do about what is left. Ends without a line break. */
export function formatSummary(meta: RunMeta, extra: SummaryExtra): string {
  const { rows, exports, elapsedSeconds, pagesThisTime = meta.attempted, canRetry = true, colour = false } = extra;
  const rate = elapsedSeconds > 0 ? pagesThisTime / elapsedSeconds : 0;
  const title = `${meta.site}: ${meta.status} after ${toDuration(elapsedSeconds)}, ${toRate(rate)} pages/s`;
  const files = exports.length > 0 ? ['Files:', ...exports.map((path) => `  ${path}`)] : ['No files were written.'];
  const tables = [
    pagesTable(meta, rows, colour),
    tiersTable(meta, colour),
    ...climbsTable(meta, colour),
    ...skipped(meta),
    ...spending(meta),
    ...trafficTable(meta, colour, TRAFFIC_SHOWN),
  ];
  return [
    paint(title, BOLD, colour),
    ...tables,
    ...files,
    ...noRows(meta, rows),
    ...barren(meta),
    ...missingStarts(meta),
    ...nextSteps(meta, canRetry),
  ].join('\n');
}

/** The `status` command: how far a run is, host by host, and what failed last. Ends without a line break.
 *  @param failures The newest `FAILURES_SHOWN` of them, oldest first.
 *  @param owner Null when nobody holds the run. */
export function formatStatus(
  meta: RunMeta,
  failures: readonly FailureLine[],
  owner: OwnerLine | null,
  { rows, colour = false }: { rows: number; colour?: boolean },
): string {
  const parts = [
    paint(`${meta.site}: ${meta.status}, ${holder(owner)}`, BOLD, colour),
    `Started ${meta.startedAt}${meta.finishedAt === null ? '' : `, finished ${meta.finishedAt}`}`,
    pagesTable(meta, rows, colour),
    tiersTable(meta, colour),
    ...hostsTable(meta, colour),
    ...climbsTable(meta, colour),
    ...spending(meta),
    ...trafficTable(meta, colour),
  ];
  if (meta.hostsNote !== undefined) parts.push(meta.hostsNote);
  if (failures.length > 0) {
    parts.push(`Last failures (${toCount(failures.length)} of ${toCount(meta.failed)}):`);
    for (const { label, url, error } of failures) {
      parts.push(`  ${toPlainText(`${label} ${url}`, TEXT_CHARS)}`, `    ${paint(toPlainText(error, TEXT_CHARS), RED, colour)}`);
    }
  }
  // While it runs, neither command could: the run is locked.
  if (owner?.running !== true) parts.push(...nextSteps(meta));
  return parts.join('\n');
}

function holder(owner: OwnerLine | null): string {
  if (owner === null) return 'no process is on it';
  return owner.running ? `process ${owner.pid} is on it` : `process ${owner.pid} died on it`;
}

function nextSteps(meta: RunMeta, canRetry = true): string[] {
  const steps = [];
  const isOver = meta.status !== 'unfinished';
  const folder = folderFlag(meta.settings['storageDir']);
  if (!isOver) steps.push(`${toPages(meta.pending)} left: run the same command again to go on.`);
  if (meta.rejected > 0) {
    const rows = meta.rejected === 1 ? '1 row' : `${toCount(meta.rejected)} rows`;
    const where = isOver ? 'the file' : `\`npx tsx src/main.ts export${folder}\` writes the file`;
    steps.push(`${rows} did not fit the site's schema: ${where} -rejected.json${isOver ? ' says' : ', which says'} why of each.`);
  }
  if (meta.failed > 0 && !canRetry) steps.push(`${toPages(meta.failed)} failed: the file -failed.json says why of each.`);
  if (meta.failed > 0 && canRetry) {
    const again = `npx tsx src/main.ts retry-failed${folder}`;
    steps.push(
      `${toPages(meta.failed)} failed: \`${again}\` ${meta.failed === 1 ? 'puts it' : 'puts them'} back, and the same crawl tries again.`,
    );
  }
  return steps;
}

/** A crawl that brought nothing says so in one sentence, whatever its exit code. */
function noRows(meta: RunMeta, rows: number): string[] {
  const { site, startUrls, succeeded, failed, missing, rejected } = meta;
  if (rows > 0 || meta.status === 'unfinished') return [];
  const began = meta.firstPages.find(({ url }) => startUrls.includes(url)) ?? meta.firstPages[0];
  const start = startUrls[0] === undefined ? '' : ` It began at ${toPlainText(startUrls[0], TEXT_CHARS)}.`;
  const first = began === undefined ? start : ` ${toFirst(began)}`;
  if (rejected > 0) {
    return [`No rows: none of ${toCount(rejected)} that were pushed fits the schema in src/routes/${site}/.${first}`];
  }
  if (succeeded > 0) {
    const pages = succeeded === 1 ? '1 page succeeded, and its handler' : `${toPages(succeeded)} succeeded, and their handlers`;
    return [
      `No rows: ${pages} pushed none. See in src/routes/${site}/ whether the selectors find anything in what came, ` +
        `and whether labelOf() gives pages with data to the handler that pushes it.${first}`,
    ];
  }
  if (missing > 0 && failed === 0) return [`No rows: ${toPages(missing)} missing (HTTP 404 or 410), and no other came.${first}`];
  return [];
}

/** Pages that were to lead on and led nowhere. */
function barren({ firstPages, status }: RunMeta): string[] {
  if (status === 'unfinished') return [];
  return firstPages
    .filter(({ isBarren }) => isBarren)
    .map(
      (page) =>
        `No links: none of the ${page.label} pages on which links were looked for had one, and none had rows. ${toFirst(page)} ` +
        'See whether the selector and the strategy of enqueueLinks() fit it.',
    );
}

function toFirst({ url, label, tier, bytes }: RunMeta['firstPages'][number]): string {
  return `The first ${label} page, ${toPlainText(url, TEXT_CHARS)}, was ok by tier ${tier} (${toSize(bytes)}).`;
}

/** A page that a person named is one that they count on. */
function missingStarts({ missingStarts: { count, first } }: RunMeta): string[] {
  if (count === 0) return [];
  const named = first.map(
    ({ url, status }) => `${toPlainText(url, TEXT_CHARS)} (${status === null ? 'no status' : `HTTP ${status}`})`,
  );
  const what = count === 1 ? 'A start URL is missing' : `${toCount(count)} start URLs are missing`;
  const more = count > named.length ? ', and more' : '';
  return [`${what}: ${named.join(', ')}${more}. Mend the address or leave it out.`];
}

/** The command's own default needs no flag. */
function folderFlag(storageDir: unknown): string {
  if (typeof storageDir !== 'string' || storageDir === 'storage') return '';
  return ` --storage-dir ${/[^\w./@%+-]/.test(storageDir) ? `'${storageDir.replaceAll("'", String.raw`'\''`)}'` : storageDir}`;
}

function pagesTable(meta: RunMeta, rows: number, colour: boolean): string {
  const table = openTable(['Succeeded', 'Failed', 'Missing', 'Skipped', 'Pending', 'Rows', 'Rejected rows'], colour, 0);
  const failed = paint(toCount(meta.failed), RED, colour && meta.failed > 0);
  const [succeeded, missing, skipped] = [toCount(meta.succeeded), toCount(meta.missing), toCount(meta.skipped)];
  table.push([succeeded, failed, missing, skipped, toCount(meta.pending), toCount(rows), toCount(meta.rejected)]);
  return table.toString();
}

function tiersTable(meta: RunMeta, colour: boolean): string {
  const isPaid = Object.values(meta.tiers).some(({ cost }) => cost !== undefined);
  const table = openTable(['Tier', 'Pages', 'Size', 'Time', 'A page', ...(isPaid ? ['Cost'] : [])], colour, 1);
  for (const [tier, { pages, bytes, seconds, cost = 0 }] of Object.entries(meta.tiers)) {
    const perPage = toDuration(pages > 0 ? seconds / pages : 0);
    table.push([tier, toCount(pages), toSize(bytes), toDuration(seconds), perPage, ...(isPaid ? [toMoney(cost)] : [])]);
  }
  return table.length > 0 ? table.toString() : 'No page was fetched.';
}

/** Why pages were not fetched by the cheapest tier; nothing if all were. */
function climbsTable({ climbs }: RunMeta, colour: boolean): string[] {
  if (climbs.length === 0) return [];
  const table = openTable(['From', 'To', 'Why', 'Pages'], colour, 3);
  for (const { from, to, why, pages } of climbs) table.push([from, to, why, toCount(pages)]);
  return [table.toString()];
}

/** Why pages were skipped. */
function skipped({ skippedBy: { robots = 0, redirect = 0, 'private-net': privateNet = 0 } }: RunMeta): string[] {
  const lines = [];
  if (robots > 0) lines.push(`Skipped: robots.txt forbids ${toPages(robots)}.`);
  if (redirect > 0) {
    const links = redirect === 1 ? '1 link was' : `${toCount(redirect)} links were`;
    lines.push(`Skipped: ${links} redirected to another host. enqueueLinks({ strategy: 'all' }) follows them there.`);
  }
  if (privateNet > 0)
    lines.push(`Skipped: ${toPages(privateNet)} in a private net, where a page must not lead. --allow-private HOSTS lets it.`);
  return lines;
}

/** What was paid for, and what was not fetched at all. */
function spending({ traffic: { throughProxy, cost, notFetched } }: RunMeta): string[] {
  const lines = [];
  if (throughProxy > 0) lines.push(`Through the proxy: ${toSize(throughProxy)}.`);
  if (cost > 0) lines.push(`Cost: ${toMoney(cost)}.`);
  const kinds = Object.entries(notFetched).toSorted(([, a], [, b]) => b - a);
  if (kinds.length > 0) {
    lines.push(`Not fetched by the browser: ${kinds.map(([kind, times]) => toKinds(kind, times)).join(', ')}.`);
  }
  return lines;
}

/** `1 font`, `2 images`, `3 media`. */
function toKinds(kind: string, times: number): string {
  return `${toCount(times)} ${kind}${times === 1 || kind === 'media' ? '' : 's'}`;
}

/** What paid traffic went where; nothing without any. */
function trafficTable({ traffic: { by } }: RunMeta, colour: boolean, atMost = Infinity): string[] {
  const paid = by.filter(({ proxy, charged }) => proxy !== 'none' || charged > 0).slice(0, atMost);
  if (paid.length === 0) return [];
  const table = openTable(['Tier', 'Proxy', 'Host', 'Sent', 'Received', 'Calls'], colour, 3);
  for (const { tier, proxy, host, sent, received, calls } of paid) {
    table.push([tier, proxy, toPlainText(host, TEXT_CHARS), toSize(sent), toSize(received), toCount(calls)]);
  }
  return [table.toString()];
}

function hostsTable(meta: RunMeta, colour: boolean): string[] {
  const table = openTable(['Host', 'Pages', 'Failed', 'MB', 's'], colour, 1);
  for (const [host, { pages, failed, bytes, seconds }] of Object.entries(meta.hosts)) {
    const failures = paint(toCount(failed), RED, colour && failed > 0);
    table.push([toPlainText(host, TEXT_CHARS), toCount(pages), failures, toRate(bytes / 1e6), toRate(seconds)]);
  }
  return table.length > 0 ? [table.toString()] : [];
}

/** @param names How many of the first columns are names, on the left; figures stand on the right. */
function openTable(head: string[], colour: boolean, names: number): Table {
  return newTable({
    head: head.map((title) => paint(title, BOLD, colour)),
    colAligns: head.map((_, index) => (index < names ? 'left' : 'right')),
    // cli-table3 colours by what stdout is; here the caller knows better.
    style: { head: [], border: [], compact: true },
  });
}

function paint(text: string, code: number, colour: boolean): string {
  return colour ? `\u001B[${code}m${text}\u001B[0m` : text;
}
