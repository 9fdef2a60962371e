// Rows as JSON text, piece by piece: one document with the run's meta (JSON), or a row a line and nothing else (JSONL).
import type { RunMeta } from '../core/meta.ts';

/** One record as the dataset holds it. */
export type Row = Readonly<Record<string, unknown>>;

/** `{ "meta": {...}, "items": [...] }`, one item a line, whole and valid from 0 rows on. Text is left as it is; JSON.stringify
 *  escapes only what JSON requires, and half a surrogate pair, which UTF-8 cannot hold. */
export async function* toJson(rows: AsyncIterable<Row>, meta: RunMeta): AsyncGenerator<string> {
  // A line break inside a string is escaped already, so this only indents.
  const metaText = JSON.stringify(meta, null, 2).replaceAll('\n', '\n  ');
  yield `{\n  "meta": ${metaText},\n  "items": [`;
  let before = '\n    ';
  for await (const row of rows) {
    yield before + JSON.stringify(row);
    before = ',\n    ';
  }
  yield before.startsWith(',') ? '\n  ]\n}\n' : ']\n}\n';
}

/** One row a line, each line ended by LF. No meta. */
export async function* toJsonl(rows: AsyncIterable<Row>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}
