// An answer's headers in the shape of Node's IncomingMessage, which Crawlee and our own code expect.

import { extractType } from '../media-type.ts';

export type SimpleHeaders = Record<string, string | string[] | undefined>;

// As in https://nodejs.org/api/http.html#messageheaders: a second one is dropped.
const SINGLE = new Set(['age', 'content-length', 'etag', 'expires', 'last-modified', 'location', 'retry-after', 'server']);

/** Names are lower case already. Of a header that came more than once, the first stays or all are joined: only
 *  `set-cookie` is an array, and of Content-Types the one that holds is left. */
export function toNodeHeaders(headers: SimpleHeaders): SimpleHeaders {
  const entries = Object.entries(headers).map(([name, value]) => {
    if (name === 'set-cookie') return [name, typeof value === 'string' ? [value] : value];
    if (name === 'content-type' && (Array.isArray(value) || value?.includes(','))) return [name, extractType([value].flat())];
    if (!Array.isArray(value)) return [name, value];
    return [name, SINGLE.has(name) ? value[0] : value.join(', ')];
  });
  return Object.fromEntries(entries) as SimpleHeaders;
}
