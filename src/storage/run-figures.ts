// The figures of a run over a store that does not keep them: sums of tallies, for this process or from a record.
import type { PageTally, TallySum } from '../core/run-store.ts';

/** As a record has them. */
export interface SavedFigures {
  readonly sums: readonly TallySum[];
  readonly counters: Readonly<Record<string, number>>;
}

export interface Figures {
  add(tally: PageTally): void;
  tallies(): TallySum[];
  /** Sums of all tallies' counters. */
  counters(): Record<string, number>;
  /** For a record. */
  save(): SavedFigures;
}

/** @param saved What they begin with; it stays as it is. */
export function openFigures(saved: SavedFigures = { sums: [], counters: {} }): Figures {
  const sums = new Map(saved.sums.map((sum) => [keyOf(sum), sum]));
  const counters: Record<string, number> = { ...saved.counters };
  const figures: Figures = {
    add(tally) {
      const { tier, host, end, bytes, millis, rejected } = tally;
      const sum = sums.get(keyOf(tally)) ?? { tier, host, end, pages: 0, bytes: 0, millis: 0, rejected: 0 };
      sums.set(keyOf(tally), {
        ...sum,
        pages: sum.pages + 1,
        bytes: sum.bytes + bytes,
        millis: sum.millis + millis,
        rejected: sum.rejected + rejected,
      });
      for (const [name, value] of Object.entries(tally.counters ?? {})) counters[name] = (counters[name] ?? 0) + value;
    },
    tallies: () => [...sums.values()],
    counters: () => ({ ...counters }),
    save: () => ({ sums: figures.tallies(), counters: figures.counters() }),
  };
  return figures;
}

function keyOf({ tier, host, end }: Pick<PageTally, 'tier' | 'host' | 'end'>): string {
  return `${tier} ${host} ${end}`;
}
