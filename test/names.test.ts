// The names of tests are the list of what is guaranteed: each fits on a line.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const MOST = 119;
/** A call of it() or describe(), with or without a table, up to the end of its name. */
const NAME = /\b(?:it|test|describe)(?:\.\w+)*(?:\([^'"`)]*\))?\(\s*(['"`])((?:\\.|(?!\1).)+)\1\s*,/g;

it(`names of tests have ${MOST} characters at most`, () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  const names = files.flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(NAME)].map(([, , name = '']) => ({ file, name })),
  );
  expect(names.length).toBeGreaterThan(500);
  expect(names.filter(({ name }) => name.length > MOST)).toEqual([]);
});
