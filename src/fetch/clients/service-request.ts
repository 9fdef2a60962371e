// What goes along of a request when a service fetches the page (Site Unblocker, Web Scraping API): it brings a browser's
// headers of its own, so ours stay here; what the site or the session added does not.
import { createHash } from 'node:crypto';

import type { HttpRequest } from '@crawlee/core';

import { DEFAULT_LIMITS, type Limits } from './faults.ts';

/** A service may try several times and render the page before it says anything. */
const PAGE_MILLIS = 180_000;

export interface ServiceLimits extends Partial<Pick<Limits, 'connectTimeoutMillis' | 'maxBodyBytes'>> {
  /** From the start to the last byte. @default 180,000 */
  requestTimeoutMillis?: number;
}

/** The limits of a service's tier. The first byte may come as late as the last one. */
export function serviceLimits({ requestTimeoutMillis = PAGE_MILLIS, ...limits }: ServiceLimits = {}): Limits {
  return { ...DEFAULT_LIMITS, ...limits, requestTimeoutMillis, idleTimeoutMillis: requestTimeoutMillis };
}

// A browser's (fetch/headers.ts), the crawler's own, and those of a connection.
const NOT_FOR_THE_SERVICE =
  /^(?:accept|accept-(?:encoding|language)|connection|content-length|cookie|from|host|proxy-.*|referer|sec-.*|te|transfer-encoding|upgrade-insecure-requests|user-agent|x-su-.*)$/i;

/** The headers that are neither a browser's nor of the connection, such as Authorization and Content-Type; a Cookie header
 *  is apart. A site's own Accept or User-Agent stays behind too: it would contradict the service's browser. */
export function ownHeaders({ headers = {} }: Pick<HttpRequest, 'headers'>): { own: Record<string, string>; cookie: string } {
  const own: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (name.toLowerCase() === 'cookie') cookies.push(...[value].flat());
    else if (!NOT_FOR_THE_SERVICE.test(name)) own[name] = [value].flat().join(', ');
  }
  return { own, cookie: cookies.join('; ') };
}

/** The name under which a service keeps a session's address, for about ten minutes: the same one after a resume. */
export function serviceSession(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 16);
}
