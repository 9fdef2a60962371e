// A run's figures: sums of tallies by tier, host and end, and counters by name.
import type { PageEnd, PageTally, Redriven, TallySum } from '../../core/run-store.ts';
import type { Tier } from '../../core/page.ts';
import type { Connection } from './transactions.ts';

export interface Figures {
  /** Called inside the transaction of the page's commit. */
  add(queue: number, tally: PageTally): void;
  /** Takes a page that failed out. Called inside a transaction. */
  take(queue: number, letter: Redriven): void;
  /** With what the transaction has added so far, if there is one. */
  tallies(queue: number): TallySum[];
  counters(queue: number): Record<string, number>;
}

type TallyKey = readonly [queue: number, tier: Tier, host: string, end: PageEnd];
type CounterKey = readonly [queue: number, name: string];

export function openFigures({ db, ledger }: Connection): Figures {
  const addTally = db.prepare(
    `INSERT INTO tallies (store, tier, host, page_end, pages, bytes, millis, rejected) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (store, tier, host, page_end) DO UPDATE SET pages = pages + excluded.pages, bytes = bytes + excluded.bytes,
       millis = millis + excluded.millis, rejected = rejected + excluded.rejected`,
  );
  const takeTally = db.prepare(
    `UPDATE tallies SET pages = pages - 1, bytes = MAX(0, bytes - ?), millis = MAX(0, millis - ?) WHERE store = ? AND tier = ? AND host = ? AND page_end = 'failed' AND pages > 0`,
  );
  const readTallies = db.prepare(
    'SELECT tier, host, page_end AS "end", pages, bytes, millis, rejected FROM tallies WHERE store = ? AND pages > 0 ORDER BY pages DESC',
  );
  const addCounter = db.prepare(
    'INSERT INTO counters (store, name, value) VALUES (?, ?, ?) ON CONFLICT (store, name) DO UPDATE SET value = value + excluded.value',
  );
  const readCounters = db.prepare('SELECT name, value FROM counters WHERE store = ?');
  const sums = ledger.open<TallyKey>({ write: (key, by) => void addTally.run(...key, ...by) });
  const counters = ledger.open<CounterKey>({ write: (key, by) => void addCounter.run(...key, ...by) });

  return {
    add(queue, { tier, host, end, bytes, millis, rejected, counters: counted = {} }) {
      sums.add([queue, tier, host, end], [1, bytes, Math.round(millis), rejected]);
      for (const [name, value] of Object.entries(counted)) counters.add([queue, name], [value]);
    },
    take(queue, { url, attempts, bytes = 0, millis = 0 }) {
      takeTally.run(bytes, millis, queue, attempts.at(-1)?.tier ?? 'http', new URL(url).host);
    },
    tallies(queue) {
      const lines = readTallies.all(queue) as TallySum[];
      for (const { key, by } of sums.pending()) {
        if (key[0] === queue) addTo(lines, key, by);
      }
      return lines;
    },
    counters(queue) {
      const lines = readCounters.all(queue) as { name: string; value: number }[];
      const values = Object.fromEntries(lines.map(({ name, value }) => [name, value]));
      for (const { key, by } of counters.pending()) {
        const [of, name] = key;
        if (of === queue) values[name] = (values[name] ?? 0) + (by[0] ?? 0);
      }
      return values;
    },
  };
}

function addTo(lines: TallySum[], [, tier, host, end]: TallyKey, by: readonly number[]): void {
  const at = lines.findIndex((line) => line.tier === tier && line.host === host && line.end === end);
  const before = lines[at];
  const [pages = 0, bytes = 0, millis = 0, rejected = 0] = by;
  lines.splice(at === -1 ? lines.length : at, 1, {
    tier,
    host,
    end,
    pages: pages + (before?.pages ?? 0),
    bytes: bytes + (before?.bytes ?? 0),
    millis: millis + (before?.millis ?? 0),
    rejected: rejected + (before?.rejected ?? 0),
  });
}
