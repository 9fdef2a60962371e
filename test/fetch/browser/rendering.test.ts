// When a document that scripts have worked on has more to read than the one that was sent.
import { expect, it } from 'vitest';

import { addsText } from '../../../src/fetch/browser/rendering.ts';

const page = (body: string) => `<!doctype html><html><head><title>x</title></head><body>${body}</body></html>`;
const text = 'word '.repeat(100);

it.each<[string, string, string, boolean]>([
  ['a shell that was filled', page('<div id="app"></div><script>fill()</script>'), page(`<div id="app">${text}</div>`), true],
  ['a list that got its second half', page(text), page(text + text), true],
  ['a page that nothing was added to', page(text), page(text), false],
  ['a page that got a date and a count', page(text), page(`${text}<p>Today, 12 comments</p>`), false],
  [
    'scripts and styles that scripts have added',
    page(text),
    page(`${text}<script>${text}</script><style>${text}</style>`),
    false,
  ],
  ['what <noscript> said', page(`<noscript>${text}</noscript>${text}`), page(text), false],
  ['a page that lost something', page(text + text), page(text), false],
])('%s', (_, sent, rendered, expected) => {
  expect(addsText(sent, rendered)).toBe(expected);
});
