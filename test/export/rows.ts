// What the export tests share: a meta, rows from a list, and a CSV reader (RFC 4180).
import { type RunMeta, toMeta } from '../../src/core/meta.ts';
import type { Row } from '../../src/export/json.ts';

export const meta: RunMeta = toMeta(
  {
    site: 'shop',
    startUrls: ['https://shop.example/größe'],
    startedAt: '2026-11-22T15:50:12.000Z',
    finishedAt: '2026-11-22T15:55:12.000Z',
    status: 'finished',
  },
  [],
  { total: 0, handled: 0 },
  {},
);

export async function* from(rows: Iterable<Row>): AsyncGenerator<Row> {
  yield* rows;
}

export async function textFrom(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** Every record is ended by LF; a quote inside a quoted cell is doubled. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        if (at >= text.length) throw new Error('a quoted cell has no end');
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') {
        if (text[at] === '"' || text[at] === '\r') throw new Error(`a bare ${JSON.stringify(text[at])} at ${at}`);
        cell += text[at];
        at += 1;
      }
    }
    record.push(cell);
    if (text[at] === '\n') {
      records.push(record);
      record = [];
    } else if (text[at] !== ',') throw new Error(`no end of a cell at ${at}`);
    at += 1;
  }
  return records;
}
