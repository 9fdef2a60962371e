import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { findColumns, toCell, toCsv } from '../../src/export/csv.ts';
import type { Row } from '../../src/export/json.ts';
import { from, parseCsv, textFrom } from './rows.ts';

async function csv(rows: Row[], columns: string[]): Promise<string> {
  return textFrom(toCsv(from(rows), columns));
}

describe('findColumns', () => {
  it("keeps the site's order and adds further keys as they first appear", async () => {
    const rows = [{ z: 1, title: 'a' }, { a: 1, z: 2 }, { 'price.eur': 3 }];
    expect(await findColumns(from(rows), ['url', 'title'])).toEqual(['url', 'title', 'z', 'a', 'price.eur']);
  });
});

describe('toCsv', () => {
  it('reads no more than a few rows ahead: each may be large', async () => {
    let read = 0;
    async function* rows(): AsyncGenerator<Row> {
      for (; read < 1_000; read += 1) yield { text: 'x'.repeat(100_000) };
    }
    let written = 0;
    for await (const text of toCsv(rows(), ['text'])) {
      written += text.length;
      expect(read - written / 100_000).toBeLessThan(8);
    }
    expect(read).toBe(1_000);
  });

  it.each([
    { name: 'a header alone without rows', rows: [], columns: ['a', 'b'], text: 'a,b\n' },
    {
      name: 'columns in their order, whatever the order of keys',
      rows: [{ b: 2, a: 1 }],
      columns: ['a', 'b'],
      text: 'a,b\n1,2\n',
    },
    { name: 'an empty cell for a key that a row lacks', rows: [{ b: 2 }], columns: ['a', 'b'], text: 'a,b\n,2\n' },
    {
      name: 'quotes only where they are needed',
      rows: [{ a: 'x', b: 'y,"z"\n' }],
      columns: ['a', 'b'],
      text: 'a,b\nx,"y,""z""\n"\n',
    },
    { name: 'a key with a dot as a key, not as a path', rows: [{ 'a.b': 1, a: { b: 2 } }], columns: ['a.b'], text: 'a.b\n1\n' },
    { name: 'no value from the prototype', rows: [{ a: 1 }], columns: ['a', 'constructor'], text: 'a,constructor\n1,\n' },
    { name: 'a line for an empty row of a single column', rows: [{}, { a: 1 }], columns: ['a'], text: 'a\n""\n1\n' },
    { name: 'a header that cannot run', rows: [{ '=1+1': 1 }], columns: ['=1+1'], text: "'=1+1\n1\n" },
    { name: 'an empty key', rows: [{ '': 1, a: 2 }], columns: ['', 'a'], text: ',a\n1,2\n' },
  ])('writes $name', async ({ rows, columns, text }) => {
    expect(await csv(rows, columns)).toBe(text);
  });

  it('gives every text back, whatever is in it, but for the apostrophe before a formula', async () => {
    // Commas, quotes and line ends often: among all of Unicode they would be rare.
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom(',', '"', '\n', '\r', '\t', '=', '-', "'", ' ', ';'), fc.string({ unit: 'binary' })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ a: text, b: text })), async (rows) => {
        const [header, ...records] = parseCsv(await csv(rows, ['a', 'b']));
        expect(header).toEqual(['a', 'b']);
        expect(records).toHaveLength(rows.length);
        for (const [index, { a, b }] of rows.entries()) {
          for (const [cell, given] of [
            [records[index]?.[0], a],
            [records[index]?.[1], b],
          ]) {
            expect([given, `'${given}`]).toContain(cell);
            expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
          }
        }
      }),
    );
  });

  it('passes on what reading the rows threw, unchanged', async () => {
    const broken = new Error('row 2 is corrupt');
    async function* rows(): AsyncGenerator<Row> {
      yield { a: 1 };
      throw broken;
    }
    await expect(textFrom(toCsv(rows(), ['a']))).rejects.toBe(broken);
  });

  it('closes the rows when the reader stops early', async () => {
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    async function* rows(): AsyncGenerator<Row> {
      try {
        for (let index = 0; ; index += 1) yield { index };
      } finally {
        closed();
      }
    }
    for await (const text of toCsv(rows(), ['index'])) {
      expect(text).not.toBe('');
      break;
    }
    await isClosed;
  });
});

describe('toCell', () => {
  it.each([
    ['null', null, ''],
    ['undefined', undefined, ''],
    ['a number', 1.5, '1.5'],
    ['a negative number', -5, '-5'],
    ['not a number', Number.NaN, ''],
    ['infinity', Number.NEGATIVE_INFINITY, ''],
    ['a bigint', -5n, '-5'],
    ['true', true, 'true'],
    ['false', false, 'false'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a date that is none', new Date(Number.NaN), ''],
    ['a list', ['a', 1], '["a",1]'],
    ['an object', { a: null }, '{"a":null}'],
    ['text', 'plain = text', 'plain = text'],
    ['empty text', '', ''],
    ['an equals sign', '=1+1', "'=1+1"],
    ['a plus', '+1', "'+1"],
    ['a minus in text', '-1', "'-1"],
    ['an at sign', '@SUM(A1)', "'@SUM(A1)"],
    ['a tab', '\tx', "'\tx"],
    ['a carriage return', '\rx', "'\rx"],
    ['a line feed', '\nx', "'\nx"],
    ['a full-width equals sign', '＝1', "'＝1"],
    ['a sign behind blanks', ' \u00A0=1', "' \u00A0=1"],
    ['a sign behind a NUL', '\u0000=1', "'\u0000=1"],
    ['blanks before harmless text', '  x', '  x'],
  ])('turns %s into a cell', (_, value, cell) => {
    expect(toCell(value)).toBe(cell);
  });
});
