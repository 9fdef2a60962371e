// Which fields of a record count as absent.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { absentFields } from '../../src/core/absent-fields.ts';

const BOOK = z.object({
  title: z.string().min(1),
  price: z.number().positive(),
  author: z.object({ name: z.string().min(1) }),
  tags: z.array(z.string()),
});
const GOOD = { title: 'A', price: 1, author: { name: 'B' }, tags: [] };

describe('a field is absent', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['when it is missing', { ...GOOD, title: undefined }, ['title']],
    ['when it is null', { ...GOOD, title: null }, ['title']],
    ['when it is an empty text', { ...GOOD, title: '' }, ['title']],
    ['when it is the number of an empty text', { ...GOOD, price: Number.NaN }, ['price']],
    ['within another one', { ...GOOD, author: { name: '' } }, ['author.name']],
    ['with others', { tags: [] }, ['title', 'price', 'author']],
    ['not when it holds something wrong', { ...GOOD, price: -1, title: 7 }, []],
    ['not when an item of it is wrong', { ...GOOD, tags: [1] }, []],
  ])('%s', (_, record, expected) => {
    const { error } = BOOK.safeParse(record);
    expect(absentFields(record, error as z.ZodError)).toEqual(expected);
  });
});
