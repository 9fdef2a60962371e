// A page's text and tree end with the page.
import { describe, expect, it } from 'vitest';

import { fields, text } from '../../src/core/fields.ts';
import { openDocument, openText } from '../../src/fetch/document.ts';

const HTML = '<title>t</title><p>one<p>two';

describe('a document', () => {
  it.each<[string, string | undefined, boolean, string]>([
    ['HTML', 'text/html; charset=utf-8', true, 'one'],
    ['taken for HTML without a type', undefined, true, 'one'],
    ['a feed: a tree', 'application/rss+xml; charset=utf-8', true, 'onetwo'],
    ['JSON: a text and an empty tree', 'application/json', false, ''],
  ])('is %s', (_, type, isMarkup, first) => {
    const document = openDocument(Buffer.from(HTML), type);
    expect(document).toMatchObject({ isMarkup, text: HTML });
    expect(document.$('p').first().text()).toBe(first);
    expect(document.read(fields({ first: text('p') }))).toEqual({ first: isMarkup ? first : null });
  });

  it('is parsed once', () => {
    const document = openText(HTML);
    expect(document.$).toBe(document.$);
  });

  it('can be read no more when its page is over, nor does its tree stay behind', () => {
    const document = openText(HTML);
    const { $, read } = document;
    document.release();
    for (const look of [() => document.text, () => document.$, () => read(fields({ first: text('p') }))]) {
      expect(look).toThrow('A page was read after it was over. Await all that its handler begins.');
    }
    expect($('p').length).toBe(0);
  });
});
