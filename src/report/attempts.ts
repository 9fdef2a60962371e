// What --verbose says of each attempt at a page once it is over.
import { toDuration, toSize } from './figures.ts';

export interface EndedAttempt {
  readonly url: string;
  readonly label: string | null;
  readonly tier: string;
  /** `again`: the page is tried once more. */
  readonly end: string;
  readonly millis: number;
  readonly bytes: number;
  readonly rows: number;
  /** Why it did not succeed; null if it did. */
  readonly error: string | null;
}

/** `DETAIL https://a.example/1: succeeded by http in 0.31 s, 14.2 kB, 1 row` */
export function attemptLine({ url, label, tier, end, millis, bytes, rows, error }: EndedAttempt): string {
  const what = end === 'again' ? 'to be tried again' : end;
  const line = `${label ?? ''} ${url}: ${what}, by ${tier} in ${toDuration(millis / 1_000)}`.trim();
  if (error !== null) return `${line}: ${error}`;
  return end === 'succeeded' ? `${line}, ${toSize(bytes)}, ${rows === 1 ? '1 row' : `${rows} rows`}` : line;
}
