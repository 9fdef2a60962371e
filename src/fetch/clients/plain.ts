// The HTTP client of tier `http`: undici with kept-alive connections, HTTP/2 where a server offers it, and proxies, behind
// Crawlee's BaseHttpClient. Every limit has a name of its own, and a body is never longer in memory than its limit allows.
import type { CountTraffic } from '../../core/proxy.ts';
import { DEFAULT_LIMITS, type Limits } from './faults.ts';
import { createLines } from './lines.ts';
import type { Reach } from './reach.ts';
import { createStreamClient } from './stream-client.ts';
import type { TierClient } from './tier-client.ts';

export interface PlainClientOptions extends Partial<Limits> {
  /** Whether certificates of targets are verified; Node's own NODE_EXTRA_CA_CERTS adds to the known ones. @default true */
  rejectUnauthorized?: boolean;
  /** Told of each byte once: when an answer has ended, or its connection. */
  count?: CountTraffic;
  /** Where requests may go. @default anywhere */
  reach?: Reach | undefined;
}

/** A request goes directly, or through its `proxyUrl` (http or https, user and password percent-encoded): http targets by
 *  their whole URL, https ones by CONNECT. In proxy mode `sticky` its connections are kept for the requests of its session;
 *  in any other it has connections of its own, closed after its answer.
 *
 *  One call is one request to the server, plus its redirects: nothing is tried again here, not even on a kept connection that
 *  the server closed as it was taken up. undici looks at such a connection first, so that is rare, and the request comes round
 *  again as `reset`.
 *  @throws {Error} The route names a proxy mode and the request no proxy; a `proxyUrl` that is none. */
export function createPlainClient(options: PlainClientOptions = {}): TierClient {
  const { rejectUnauthorized = true, count, reach, ...given } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...given };
  return createStreamClient({ limits, reach, lines: createLines({ limits, rejectUnauthorized, count, reach }) });
}
