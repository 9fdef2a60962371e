// What a response or an error means. The table that decides; fetch/outcome.ts acts on it.

/** - `ok`: hand it to the site's handler.
 *  - `missing`: the page is not there (404, 410); no retry, no row, no failure.
 *  - `throttled`: too fast (429, 503 with Retry-After).
 *  - `blocked`: refused (401, 403); another session may do better.
 *  - `transient`: likely to work a little later: 408, 425, 5xx, timeouts, connections that broke, a handler that threw.
 *  - `fatal`: will not work however often it is tried: other 4xx, a certificate that is not valid, a wrong content type. */
export type Verdict = 'ok' | 'missing' | 'throttled' | 'blocked' | 'transient' | 'fatal';

/** A response that is not `ok`, as an error that carries its verdict through Crawlee to fetch/outcome.ts. */
export class VerdictError extends Error {
  override readonly name = 'VerdictError';
  readonly verdict: Exclude<Verdict, 'ok'>;
  /** The response's Retry-After, as it was sent. */
  readonly retryAfter: string | undefined;

  constructor(verdict: Exclude<Verdict, 'ok'>, reason: string, retryAfter?: string) {
    super(reason);
    this.verdict = verdict;
    this.retryAfter = retryAfter;
  }
}

/** @param status HTTP status. @param hasRetryAfter Whether the response says when to come back. */
export function verdictOfStatus(status: number, hasRetryAfter: boolean): Verdict {
  if (status === 404 || status === 410) return 'missing';
  if (status === 429 || (status === 503 && hasRetryAfter)) return 'throttled';
  if (status === 401 || status === 403) return 'blocked';
  if (status === 408 || status === 425 || status >= 500) return 'transient';
  if (status >= 400) return 'fatal';
  return 'ok';
}

// TLS failures as OpenSSL and Node name them: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const TLS_FAILURE = /CERT_|_CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS_|EPROTO/;

/** What an error that ended an attempt means. One without a verdict of its own is most often a connection that broke, a
 *  timeout or a handler that threw: each deserves another try. */
export function verdictOfError(error: unknown): Exclude<Verdict, 'ok'> {
  if (error instanceof VerdictError) return error.verdict;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (TLS_FAILURE.test(code)) return 'fatal';
  const message = error instanceof Error ? error.message : '';
  // Crawlee's own words for a content type it does not parse, and for an encoding it does not know.
  if (/served Content-Type|unsupported charset/.test(message)) return 'fatal';
  return 'transient';
}
