// What a crawl is doing at this moment, page by page: for SIGUSR2, `status --live`, and a run that has stalled.
import { toCount, toDuration, toPlainText } from './figures.ts';
import { newTable } from './table.ts';

/** What is shown. Times are epoch milliseconds. */
export interface Snapshot {
  readonly total: number;
  readonly handled: number;
  readonly flights: readonly { url: string; label: string | null; tier: string; phase: string; ageMillis: number }[];
  readonly hosts: readonly { host: string; inFlight: number; window: number; restsUntil: number }[];
  readonly nextWake: number | null;
}

/** Hosts and pages shown of each. */
const SHOWN = 50;

/** @param now Epoch milliseconds. Ends without a line break. */
export function formatSnapshot({ total, handled, flights, hosts, nextWake }: Snapshot, now: number): string {
  const next = nextWake === null ? 'nothing waits for a time' : `next due in ${toDuration(Math.max(0, nextWake - now) / 1_000)}`;
  const parts = [`${toCount(handled)} of ${toCount(total)} pages done, ${toCount(flights.length)} in flight, ${next}`];
  if (flights.length > 0) {
    const table = open(['Label', 'Tier', 'Phase', 'Age', 'URL']);
    const oldest = flights.toSorted((a, b) => b.ageMillis - a.ageMillis).slice(0, SHOWN);
    for (const { label, tier, phase, ageMillis, url } of oldest) {
      table.push([label ?? '', tier, phase, toDuration(ageMillis / 1_000), toPlainText(url, 100)]);
    }
    parts.push(table.toString());
  }
  if (hosts.length > 0) {
    const table = open(['Host', 'In flight', 'At most', 'Rests']);
    for (const { host, inFlight, window, restsUntil } of hosts.slice(0, SHOWN)) {
      const rests = restsUntil > now ? toDuration((restsUntil - now) / 1_000) : '';
      table.push([toPlainText(host, 60), toCount(inFlight), toCount(window), rests]);
    }
    parts.push(table.toString());
  }
  return parts.join('\n');
}

function open(head: string[]) {
  return newTable({ head, style: { head: [], border: [], compact: true } });
}
