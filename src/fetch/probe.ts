// One request outside any crawl, with the HTTP client that crawls: what arrives at the other end.
import { GotScrapingHttpClient } from '@crawlee/core';

import { messageOf, SurefootError } from '../core/errors.ts';

export interface ProbeResult {
  readonly status: number;
  /** The User-Agent as the server saw it; null if its answer does not say (it is no echo endpoint like httpbin's). */
  readonly userAgent: string | null;
  readonly millis: number;
}

const TIMEOUT_MILLIS = 15_000;

/** @throws {SurefootError} kind `network`: no answer, and why. */
export async function probe(url: string): Promise<ProbeResult> {
  const started = performance.now();
  try {
    const client = new GotScrapingHttpClient();
    const { statusCode, body } = await client.sendRequest({ url, responseType: 'text', timeout: { request: TIMEOUT_MILLIS } });
    return { status: statusCode, userAgent: echoedUserAgent(body), millis: performance.now() - started };
  } catch (error) {
    throw new SurefootError('network', `No answer from ${url}: ${explain(error)}`, { cause: error });
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'its name cannot be resolved. Is this machine connected to the network?';
  if (code === 'ECONNREFUSED') return 'the connection was refused. Is the address right, and does a firewall stand between?';
  if (code === 'ETIMEDOUT') return `nothing came within ${TIMEOUT_MILLIS / 1_000} s. Is this machine connected to the network?`;
  return `${messageOf(error)}. Try another endpoint with --url.`;
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
