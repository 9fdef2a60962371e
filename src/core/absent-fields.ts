// Which fields of a record are not there at all: on a page that has scripts, they may come with those.
import type { z } from 'zod';

/** The fields that a record's schema misses because nothing was found for them: absent, null or ''. A field that holds
 *  something wrong is another matter.
 *  @returns Paths such as `price` or `author.name`, in the schema's order. */
export function absentFields(record: unknown, error: z.ZodError): string[] {
  return error.issues.filter(({ path }) => isNothing(valueAt(record, path))).map(({ path }) => path.join('.'));
}

function valueAt(record: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    record,
  );
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || Number.isNaN(value);
}
