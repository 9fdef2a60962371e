import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toJson, toJsonl } from '../../src/export/json.ts';
import { from, meta, textFrom } from './rows.ts';

/** Any text, half surrogate pairs included. */
const anyText = fc.string({ unit: 'binary' });
const anyRow = fc.dictionary(anyText, fc.jsonValue({ stringUnit: 'binary' }));

/** What a reader of the file gets: through UTF-8, as on disk. */
function throughUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

describe('toJson', () => {
  it.each([0, 1, 2])('is one valid document with %i rows', async (count) => {
    const rows = Array.from({ length: count }, (_, index) => ({ index }));
    expect(JSON.parse(await textFrom(toJson(from(rows), meta)))).toEqual({ meta, items: rows });
  });

  it('writes an item a line', async () => {
    const text = await textFrom(toJson(from([{ a: 1 }, { text: 'two\nlines' }]), meta));
    expect(text).toContain('\n    {"a":1},\n    {"text":"two\\nlines"}\n  ]\n}\n');
  });

  it('leaves text as it is', async () => {
    const text = await textFrom(toJson(from([{ größe: '½ 価格 🦶 \u2028 </script>' }]), meta));
    expect(text).toContain('{"größe":"½ 価格 🦶 \u2028 </script>"}');
    expect(text).toContain('https://shop.example/größe');
  });

  it('gives every row back, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow), async (rows) => {
        const text = throughUtf8(await textFrom(toJson(from(rows), meta)));
        expect(JSON.parse(text).items).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
    );
  });

  it('gives half a surrogate pair back, which UTF-8 cannot hold', async () => {
    const text = throughUtf8(await textFrom(toJson(from([{ half: '\uD83E' }]), meta)));
    expect(JSON.parse(text).items).toEqual([{ half: '\uD83E' }]);
  });
});

describe('toJsonl', () => {
  it('is empty without rows', async () => {
    expect(await textFrom(toJsonl(from([])))).toBe('');
  });

  it('gives every row back, one a line, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow), async (rows) => {
        const lines = throughUtf8(await textFrom(toJsonl(from(rows)))).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines.map((line) => JSON.parse(line))).toEqual(rows.map((row) => JSON.parse(JSON.stringify(row))));
      }),
    );
  });
});
