import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { findJsonError } from '../../src/input/json-error.ts';

describe('findJsonError', () => {
  it.each([
    ['', 0, 1, 1],
    ['{', 1, 1, 2],
    ['{"a":x}', 5, 1, 6],
    ['{"a":1,}', 7, 1, 8],
    ['[1 2]', 3, 1, 4],
    ['[1,]', 3, 1, 4],
    ['"ab', 3, 1, 4],
    ['tru', 3, 1, 4],
    ['trux', 3, 1, 4],
    ['undefined', 0, 1, 1],
    ['{"a":1}}', 7, 1, 8],
    ['{\n  "a": 1,\n  "b": oops\n}', 19, 3, 8],
    ['{\n  "a": 1\n  "b": 2\n}', 13, 3, 3],
  ])('points at the first wrong character of %j', (text, position, line, column) => {
    expect(findJsonError(text)).toEqual({ position, line, column });
  });

  it('finds a character that JSON never has, behind any content', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (before, after) => {
        const text = `[${before}, @, ${after}]`;
        expect(findJsonError(text).position).toBe(before.length + 3);
      }),
    );
  });

  it('points at the end of a list that is never closed', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (items) => {
        const text = JSON.stringify(items).slice(0, -1);
        expect(findJsonError(text).position).toBe(text.length);
      }),
    );
  });
});
