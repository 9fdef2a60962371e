// What a body is read as, by its Content-Type.
import { expect, it } from 'vitest';

import { kindOf } from '../../src/fetch/media-type.ts';

it.each([
  ['html', undefined, '', ' ', 'text/html', 'TEXT/HTML; charset=utf-8', 'text/html ;charset=x', 'text/html, text/html'],
  // No types, or none that says anything: browsers look into the body then.
  ['html', 'html', ';charset=utf-8', '*/*', 'unknown/unknown', 'application/unknown'],
  ['xhtml', 'application/xhtml+xml', ' application/xhtml+xml; charset=utf-8'],
  ['xml', 'text/xml', 'application/xml; charset=utf-8', 'application/rss+xml', 'application/atom+xml', 'text/vnd.x-y.z+xml'],
  ['text', 'text/plain', 'application/json', 'text/json', 'application/ld+json; charset=utf-8', 'application/vnd.api+json'],
  ['other', 'application/pdf', 'image/svg+xml', 'text/css', 'text/xmlish', 'application/xhtml', 'application/octet-stream'],
])('is %s for %j and the others of its row', (kind, ...types) => {
  expect(types.map(kindOf)).toEqual(types.map(() => kind));
});
