// A misspelt key is found where a schema would drop it, and nowhere else.
import { Request } from '@crawlee/core';
import { expect, it } from 'vitest';
import { z } from 'zod';

import { assertKnownKeys } from '../../src/core/user-data.ts';

const pageNumber = z.int().default(1);
const site = {
  name: 'shop',
  userData: {
    LIST: z.object({ pageNumber }),
    REFINED: z.object({ pageNumber }).refine(() => true),
    NOTHING: z.object({}),
    LOOSE: z.looseObject({ pageNumber }),
    CATCHALL: z.object({ pageNumber }).catchall(z.string()),
    STRICT: z.strictObject({ pageNumber }),
  },
};

it.each([
  ['LIST', { pagenumber: 2 }, 'a LIST link with `userData.pagenumber`.* Did you mean pageNumber\\? It knows pageNumber\\.'],
  ['LIST', { pageNumber: 2, shelf: 'new' }, "`userData.shelf`, which the label's schema does not know. It knows pageNumber\\."],
  ['REFINED', { pagenumber: 2 }, 'Did you mean pageNumber'],
  ['NOTHING', { toString: 1 }, '`userData.toString`.* It knows nothing\\.'],
])('%s with %j is refused', (label, userData, says) => {
  expect(() => assertKnownKeys(site, label, userData)).toThrow(new RegExp(`^\\[site\\] Site "shop" added .*${says}`));
});

it.each([
  ['LIST', undefined],
  ['LIST', {}],
  ['LIST', { pageNumber: 2, label: 'LIST', __crawlee: {} }],
  ['LIST', new Request({ url: 'https://a.example/', label: 'LIST', crawlDepth: 3, enqueueStrategy: 'all' }).userData],
  ['LOOSE', { anything: 1 }],
  ['CATCHALL', { anything: 'x' }],
  // Zod's own words are for that one.
  ['STRICT', { anything: 1 }],
  ['UNKNOWN', { anything: 1 }],
])('%s with %j is not', (label, userData) => {
  expect(() => assertKnownKeys(site, label, userData)).not.toThrow();
});
