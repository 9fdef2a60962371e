// Figures that change by additions alone: summed in memory while a transaction lasts and written once, at its end. A
// crawl's pages nearly all add to the same few lines.

type Key = readonly (string | number)[];

/** The lines of one table. */
export interface Sums<K extends Key> {
  /** Adds to a line's figures; called inside a transaction.
   *  @throws {RangeError} no finite number: it would spoil what others add. */
  add(key: K, by: readonly number[]): void;
  /** A line as it stands inside this transaction, by `read`. */
  now(key: K): readonly number[];
  /** What this transaction has added so far, which is in no table yet. Outside of one: nothing. */
  pending(): { readonly key: K; readonly by: readonly number[] }[];
}

export interface Ledger {
  /** @param table.write Adds to a line of the table, at the end of a transaction.
   *  @param table.read The line as the table has it; asked for once a transaction. */
  open<K extends Key>(table: { write(key: K, by: readonly number[]): void; read?(key: K): readonly number[] }): Sums<K>;
  /** A place to go back to. */
  mark(): number;
  /** Takes back all that was added since a mark. */
  undo(mark: number): void;
  /** Writes all of it; inside the transaction. */
  write(): void;
  /** Forgets all of it: the transaction is over. */
  clear(): void;
}

interface Line {
  by: readonly number[];
  start?: readonly number[];
}

export function createLedger(): Ledger {
  const books: { write(): void; clear(): void }[] = [];
  /** What each addition has found: to take it back is exact, also for fractions. */
  const log: { line: Line; before: readonly number[] }[] = [];

  return {
    open<K extends Key>({ write, read = () => [] }: Parameters<typeof this.open<K>>[0]): Sums<K> {
      const lines = new Map<string, Line & { readonly key: K }>();
      const lineOf = (key: K) => {
        const id = key.join('\0');
        let line = lines.get(id);
        if (!line) lines.set(id, (line = { key, by: [] }));
        return line;
      };
      const pending = () => [...lines.values()].filter(({ by }) => by.some((figure) => figure !== 0));
      books.push({
        write() {
          for (const { key, by } of pending()) write(key, by);
        },
        clear: () => lines.clear(),
      });
      return {
        add(key, by) {
          if (!by.every(Number.isFinite)) throw new RangeError(`${key.join(' ')} cannot grow by ${by.join(', ')}.`);
          const line = lineOf(key);
          log.push({ line, before: line.by });
          line.by = by.map((figure, index) => figure + (line.by[index] ?? 0));
        },
        now(key) {
          const line = lineOf(key);
          line.start ??= read(key);
          return line.start.map((figure, index) => figure + (line.by[index] ?? 0));
        },
        pending,
      };
    },
    mark: () => log.length,
    undo(mark) {
      for (const { line, before } of log.splice(mark).toReversed()) line.by = before;
    },
    write() {
      for (const book of books) book.write();
    },
    clear() {
      log.length = 0;
      for (const book of books) book.clear();
    },
  };
}
