// Rows as CSV (RFC 4180 quoting, LF line ends: what `wc`, `sort` and git expect, and every spreadsheet reads).
import { pipeline, Readable } from 'node:stream';

import type { Row } from './json.ts';

/** What a stream holds: by default it is 16 rows, whatever their size. */
const ONE_ROW = { highWaterMark: 1 };

/** `columns`, then every other key that a row has, in the order in which they first appear. Reads all rows. */
export async function findColumns(rows: AsyncIterable<Row>, columns: readonly string[]): Promise<string[]> {
  const found = new Set(columns);
  for await (const row of rows) {
    for (const key of Object.keys(row)) found.add(key);
  }
  return [...found];
}

/** A header, then a line a row. Keys that are not in `columns` are left out: see `findColumns()`.
 *  Errors of `rows` come out of the iteration unchanged. */
export async function* toCsv(rows: AsyncIterable<Row>, columns: readonly string[]): AsyncGenerator<string> {
  // Not before there is something to export, which for a crawl is at its end.
  const { stringify } = await import('csv-stringify');
  const stringifier = stringify({
    // Rows go in as arrays: csv-stringify would take a key such as `price.eur` for a path into the row.
    columns: columns.map((column, index) => ({ key: `${index}`, header: disarm(column) })),
    header: true,
    // In a single column an empty cell would make an empty line, which readers skip.
    quoted_empty: columns.length === 1,
    encoding: 'utf8',
    ...ONE_ROW,
  });
  // Errors reach the reader below, as `stringifier` is destroyed with them; nothing is left for the callback.
  pipeline(Readable.from(toRecords(rows, columns), ONE_ROW), stringifier, () => {});
  for await (const text of stringifier) yield String(text);
}

async function* toRecords(rows: AsyncIterable<Row>, columns: readonly string[]): AsyncGenerator<string[]> {
  for await (const row of rows) {
    yield columns.map((column) => toCell(Object.hasOwn(row, column) ? row[column] : undefined));
  }
}

/** A value as a cell's text: nothing for null, undefined and what is no number or date; ISO 8601 for dates; JSON for lists
 *  and objects. Strings alone can start a formula, so that the number -5 stays a number. */
export function toCell(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return disarm(value);
    case 'number':
      return Number.isFinite(value) ? `${value}` : '';
    case 'boolean':
    case 'bigint':
      return `${value}`;
    case 'object':
      if (value === null) return '';
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
      return JSON.stringify(value);
    default:
      return '';
  }
}

/** Puts an apostrophe before text that a spreadsheet could run (OWASP's list for CSV injection, the full-width signs
 *  included). csv-stringify's `escape_formulas` misses a line feed, and signs behind blanks, which some importers trim. */
function disarm(text: string): string {
  return /^(?:[\t\r\n]|[\s\p{Cc}]*[=+\-@＝＋－＠])/u.test(text) ? `'${text}` : text;
}
