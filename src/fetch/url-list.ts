// One file with addresses, fetched before a crawl begins with the client and the limits that its pages have.
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../core/errors.ts';
import { TransportError } from '../core/transport.ts';
import { createPlainClient } from './clients/plain.ts';
import { createReach } from './clients/reach.ts';
import { decodeBody } from './decode.ts';
import { isBinary, kindOf } from './media-type.ts';

export interface UrlListOptions {
  readonly headers: Record<string, string>;
  readonly maxBodyBytes: number;
  /** Where a redirect may lead beside the file's own host. */
  readonly allowPrivate: readonly string[];
  /** @default the client's */
  readonly requestTimeoutMillis?: number;
  /** Between tries, if a server or a line fails. @default 1 and 3 seconds */
  readonly waitMillis?: readonly number[];
}

/** The file's text and whether it is HTML or XML, or why there is none: a sentence without its full stop. */
export type UrlList = { readonly text: string; readonly isMarkup: boolean } | { readonly why: string };

const WAIT_MILLIS = [1_000, 3_000];

/** Fetches the file directly, whatever proxy the pages go through. Never throws. */
export async function fetchUrlList(url: string, options: UrlListOptions): Promise<UrlList> {
  const { allowPrivate, maxBodyBytes, requestTimeoutMillis, waitMillis = WAIT_MILLIS } = options;
  const client = createPlainClient({
    maxBodyBytes,
    reach: createReach({ startUrls: [url], allowPrivate }),
    ...(requestTimeoutMillis !== undefined && { requestTimeoutMillis }),
  });
  try {
    for (const wait of [...waitMillis, null]) {
      const answer = await client.sendRequest({ url, headers: options.headers, responseType: 'buffer' }).catch(toFailure);
      if ('statusCode' in answer && answer.statusCode < 300) {
        return toText(answer.body, answer.headers['content-type']?.toString());
      }
      const failure = 'statusCode' in answer ? toStatusFailure(answer.statusCode) : answer;
      if (wait === null || !failure.mayPass) return { why: failure.why };
      await sleep(wait);
    }
    throw new Error('The last try always returns.');
  } finally {
    await client.close();
  }
}

interface Failure {
  readonly why: string;
  readonly mayPass: boolean;
}

/** Of a list that is longer than its limit, the same answer would come again. */
const LASTING: ReadonlySet<string> = new Set(['private-address', 'body-too-large']);

function toFailure(error: unknown): Failure {
  const mayPass = error instanceof TransportError && !LASTING.has(error.fault);
  return { why: messageOf(error).replace(/\.$/, ''), mayPass };
}

function toStatusFailure(status: number): Failure {
  return { why: `the server answers HTTP ${status}`, mayPass: status === 408 || status === 429 || status >= 500 };
}

function toText(bytes: Buffer, contentType: string | undefined): UrlList {
  if (isBinary(bytes)) return { why: `it is no text, but ${contentType ?? 'without a type'}` };
  const kind = kindOf(contentType);
  return { text: decodeBody(bytes, contentType), isMarkup: kind === 'html' || kind === 'xhtml' || kind === 'xml' };
}
