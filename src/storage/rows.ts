// What Crawlee's datasets take, as rows: one JSON text each.
import { SurefootError } from '../core/errors.ts';

/** What `pushItems` takes, as one JSON text a row. Crawlee passes objects as well as JSON of one or of many.
 *  @throws {SurefootError} kind `storage`: a row that is no object. */
export function toRows(items: unknown): string[] {
  const parsed: unknown = typeof items === 'string' ? JSON.parse(items) : items;
  return (Array.isArray(parsed) ? parsed : [parsed]).map((item: unknown) => {
    const row: unknown = typeof item === 'string' ? JSON.parse(item) : item;
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new SurefootError('storage', `A dataset's row must be an object, got ${JSON.stringify(row)?.slice(0, 80)}.`);
    }
    return JSON.stringify(row);
  });
}
