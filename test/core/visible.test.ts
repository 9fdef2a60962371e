import { expect, it } from 'vitest';

import { toVisible, toVisibleLines } from '../../src/core/visible.ts';

it.each([
  ['\u001b[2J\u001b]0;title\u0007', String.raw`\x1b[2J\x1b]0;title\x07`],
  ['a\r\nFailed: b', String.raw`a\r\nFailed: b`],
  ['\u0000\u0008\u000b\u007f', String.raw`\x00\x08\x0b\x7f`],
  ['\u0085\u009b31m\u009d0;t\u009c', String.raw`\x85\x9b31m\x9d0;t\x9c`],
  ['\u200e\u200f\u061c', String.raw`\u200e\u200f\u061c`],
  ['\u202aa\u202bb\u202cc\u202dd\u202ee', String.raw`\u202aa\u202bb\u202cc\u202dd\u202ee`],
  ['\u2066\u2067\u2068\u2069', String.raw`\u2066\u2067\u2068\u2069`],
  ['a\u2028b\u2029c', String.raw`a\u2028b\u2029c`],
  ['\ufeff\u200b\u2060\u00ad', String.raw`\ufeff\u200b\u2060\xad`],
  ['\u{e0041}', String.raw`\u{e0041}`],
])('what is not seen, steers or turns text around is written as an escape: %j', (text, shown) => {
  expect(toVisible(text)).toBe(shown);
  expect(toVisible(shown)).toBe(shown);
});

it.each(['Größe 12 €', 'می‌خواهم', '👩‍💻 🏳️‍🌈', 'नमस्ते', '日本語', 'a\tb', String.raw`C:\new`, 'עברית'])(
  'what is visible stays: %s',
  (text) => {
    expect(toVisible(text)).toBe(text);
  },
);

it('text of several lines keeps its lines alone', () => {
  expect(toVisibleLines('a\nb\r\n\u001b[1mc')).toBe('a\nb\\r\n\\x1b[1mc');
});
