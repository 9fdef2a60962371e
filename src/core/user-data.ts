// What a link may carry to its handler: a key that its label's schema does not have would be dropped without a word, for a
// start URL carries nothing, so that no key is ever missed.
import { SurefootError } from './errors.ts';
import { didYouMean } from './nearest.ts';
import type { Site } from './site.ts';

/** Crawlee's own, beside a site's. */
const OF_CRAWLEE = new Set(['label', '__crawlee']);

/** Asked when a link is added: what a request in the store carries may be of an earlier version of the site.
 *  @throws {SurefootError} kind `site`: a key that a plain `z.object()` would drop. One with `.loose()`, `.strict()` or
 *  `.catchall()` has said itself what becomes of others. */
export function assertKnownKeys({ name, userData }: CarryingSite, label: string, carried: object = {}): void {
  const schema = userData && Object.hasOwn(userData, label) ? userData[label] : undefined;
  if (!schema || schema.def.catchall !== undefined) return;
  const stranger = Object.keys(carried).find((key) => !Object.hasOwn(schema.shape, key) && !OF_CRAWLEE.has(key));
  if (stranger === undefined) return;
  const keys = Object.keys(schema.shape);
  const has = keys.length === 0 ? 'nothing' : keys.join(', ');
  throw new SurefootError(
    'site',
    `Site "${name}" added a ${label} link with \`userData.${stranger}\`, which the label's schema does not know.${didYouMean(stranger, keys)} It knows ${has}.`,
  );
}

export type CarryingSite = Pick<Site, 'name'> & Partial<Pick<Site, 'userData'>>;
