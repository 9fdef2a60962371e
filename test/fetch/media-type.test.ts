// What a body is read as, by its Content-Type.
import { expect, it } from 'vitest';

import { extractType, isBinary, isTyped, kindOf } from '../../src/fetch/media-type.ts';

it.each([
  ['html', undefined, '', ' ', 'text/html', 'TEXT/HTML; charset=utf-8', 'text/html ;charset=x', 'text/html, text/html'],
  // No types, or none that says anything: browsers look into the body then.
  ['html', 'html', ';charset=utf-8', '*/*', 'unknown/unknown', 'application/unknown'],
  ['xhtml', 'application/xhtml+xml', ' application/xhtml+xml; charset=utf-8'],
  ['xml', 'text/xml', 'application/xml; charset=utf-8', 'application/rss+xml', 'application/atom+xml', 'text/vnd.x-y.z+xml'],
  ['text', 'text/css', 'text/markdown', 'text/xmlish', 'application/javascript', 'text/x-javascript'],
  ['text', 'text/plain', 'application/json', 'text/json', 'application/ld+json; charset=utf-8', 'application/vnd.api+json'],
  ['other', 'application/pdf', 'image/svg+xml', 'application/xhtml', 'application/octet-stream', 'text/csv', 'text/calendar'],
])('is %s for %j and the others of its row', (kind, ...types) => {
  expect(types.map(kindOf)).toEqual(types.map(() => kind));
});

// https://fetch.spec.whatwg.org/#concept-header-extract-mime-type, with the standard's own examples; Chromium does the same.
it.each([
  [['text/html', 'text/plain'], 'text/plain'],
  [['text/plain', 'text/html'], 'text/html'],
  [['text/plain, text/html'], 'text/html'],
  [['text/html;charset=utf-8, text/plain'], 'text/plain'],
  [['text/plain;charset=gbk, text/html'], 'text/html'],
  [['text/html;charset=gbk;a=b, text/html;x=y'], 'text/html;x=y;charset=gbk'],
  [['text/html;charset=gbk;a=b', 'text/html;x=y'], 'text/html;x=y;charset=gbk'],
  [['text/html;charset=gbk', 'x/x', 'text/html;x=y'], 'text/html;x=y'],
  [['text/html;charset=gbk', 'TEXT/HTML;charset=utf-8'], 'TEXT/HTML;charset=utf-8'],
  [['text/html', 'cannot-parse'], 'text/html'],
  [['text/html', '*/*'], 'text/html'],
  [['text/html', ''], 'text/html'],
  [['image/png', 'text/html'], 'text/html'],
  [['text/html;x="a,text/plain"'], 'text/html;x="a,text/plain"'],
  [['html', 'words'], 'html'],
])('of the Content-Types %j, %s holds', (types, held) => {
  expect(extractType(types)).toBe(held);
});

it.each([undefined, '', 'html', '*/*', 'unknown/unknown', 'application/unknown; x=y', 'text / html', ';text/html'])(
  '%j says nothing of a body',
  (type) => expect([isTyped(type), kindOf(type)]).toEqual([false, 'html']),
);

it.each([
  ['a picture', '\x89PNG\r\n\x1a\n', true],
  ['a picture that begins like text', 'GIF89a', true],
  ['a PDF', '%PDF-1.4\n', true],
  ['a zip', 'PK\x03\x04', true],
  ['a page', '<!doctype html>\r\n\t\f<p>', false],
  ['a page in an old encoding', '<p>\xcf\xf0\xe8', false],
  ['a page in a Japanese one, which has escapes', '<p>\x1b$B', false],
  ['a page in UTF-16', '\xff\xfe<\0p\0', false],
  ['nothing', '', false],
])('%s without a type is text or binary as browsers see it', (_, bytes, expected) => {
  expect(isBinary(Buffer.from(bytes, 'latin1'))).toBe(expected);
});
