// Which links of a page are its own: by the host that the page has come from, after redirects.
import type { Request } from '@crawlee/core';

import { VerdictError } from '../../core/verdict.ts';
import { getDomain } from '../domain.ts';

/** Crawlee's names. */
export const STRATEGIES = ['all', 'same-domain', 'same-hostname', 'same-origin'] as const;

export type Strategy = (typeof STRATEGIES)[number];

/** Asked of every link of a page.
 *  - `same-hostname`: its host and port, by http or https
 *  - `same-domain`: its registrable domain (`a.example.co.uk` is of `example.co.uk`); of an address, which has none, the host
 *  - `same-origin`: host, port and scheme
 *  - `all`: any http(s) URL */
export function belongsTo(page: string, strategy: Strategy): (link: URL) => boolean {
  const { host, hostname, port, origin } = new URL(page);
  if (strategy === 'same-origin') return (link) => link.origin === origin;
  if (strategy === 'same-domain') {
    const domain = getDomain(hostname, { mixedInputs: false });
    if (domain !== null) {
      const suffix = `.${domain}`;
      return (link) => isWeb(link) && link.port === port && (link.hostname === domain || link.hostname.endsWith(suffix));
    }
  }
  return strategy === 'all' ? isWeb : (link) => link.host === host && isWeb(link);
}

/** Asked of a fetched request: a link that was to stay with its page's host must not lead away from it by a redirect. One that
 *  was added without a strategy may.
 *  @throws {VerdictError} `skipped` */
export function assertStays(request: Request): void {
  const { url, loadedUrl } = request;
  const { enqueueStrategy: strategy } = request as unknown as { enqueueStrategy?: Strategy };
  if (!strategy || loadedUrl === undefined) return;
  const [from, to] = [new URL(url), new URL(loadedUrl)];
  // Ports may change on the way, as with http: and https:.
  if (strategy !== 'same-origin') from.port = to.port = '';
  if (belongsTo(from.href, strategy)(to)) return;
  throw new VerdictError('skipped', `It is redirected to ${loadedUrl}, which is not ${strategy}.`, { rule: 'redirect' });
}

export function isWeb({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
