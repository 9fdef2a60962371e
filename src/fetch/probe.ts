// One request outside any crawl, with the HTTP client that crawls, directly or through a proxy: what arrives at the other end.
import { messageOf, SurefootError } from '../core/errors.ts';
import { TransportError } from '../core/transport.ts';
import { createPlainClient } from './clients/plain.ts';
import type { RoutedRequest } from './clients/tier-client.ts';

export interface ProbeResult {
  readonly status: number;
  /** The User-Agent as the server saw it; null if its answer does not say (it is no echo endpoint like httpbin's). */
  readonly userAgent: string | null;
  readonly millis: number;
}

const TIMEOUT_MILLIS = 15_000;

/** @param headers What is sent along.
 *  @param way Through which proxy, and how. Without: from this machine's own address.
 *  @throws {SurefootError} kind `network`: no answer, and why. */
export async function probe(
  url: string,
  headers: Record<string, string>,
  way: Pick<RoutedRequest, 'proxyUrl' | 'route'> = {},
): Promise<ProbeResult> {
  const started = performance.now();
  const client = createPlainClient({ requestTimeoutMillis: TIMEOUT_MILLIS });
  try {
    const { statusCode, body } = await client.sendRequest({ ...way, url, headers, responseType: 'text' });
    return { status: statusCode, userAgent: echoedUserAgent(body), millis: performance.now() - started };
  } catch (error) {
    throw new SurefootError('network', `No answer from ${url}: ${explain(error)}`, { cause: error });
  } finally {
    await client.close();
  }
}

function explain(error: unknown): string {
  const fault = error instanceof TransportError ? error.fault : null;
  if (fault === 'dns') return 'its name cannot be resolved. Is this machine connected to the network?';
  if (fault === 'refused') return 'the connection was refused. Is the address right, and does a firewall stand between?';
  if (fault === 'connect-timeout' || fault === 'request-timeout')
    return 'nothing came in time. Is this machine connected to the network?';
  if (fault?.startsWith('proxy-')) return messageOf(error);
  return `${messageOf(error)} Try another endpoint with --url.`;
}

/** httpbin and its like answer with JSON that has the request's headers. */
function echoedUserAgent(body: string): string | null {
  try {
    const { headers } = JSON.parse(body) as { headers?: Record<string, unknown> };
    const agent = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'user-agent')?.[1];
    return typeof agent === 'string' ? agent : null;
  } catch {
    return null; // Not JSON: a page that echoes nothing.
  }
}
