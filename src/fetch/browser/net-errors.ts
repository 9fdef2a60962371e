// What Chromium and Playwright say when a page does not come, in the words that the table in core/transport.ts knows.
import { messageOf } from '../../core/errors.ts';
import { TransportError, type TransportFault } from '../../core/transport.ts';
import { VerdictError } from '../../core/verdict.ts';

// https://source.chromium.org/chromium/chromium/src/+/main:net/base/net_error_list.h; the first that matches counts.
const FAULTS: readonly (readonly [RegExp, TransportFault])[] = [
  // A page's proxy is its exit (exit.ts), which knows better what the real one said.
  [/^ERR_(?:PROXY_|TUNNEL_|SOCKS_|UNEXPECTED_PROXY_|MANDATORY_PROXY_)/, 'proxy-no-route'],
  [/^ERR_(?:NAME_|DNS_|ICANN_)/, 'dns'],
  [/^ERR_(?:CONNECTION_TIMED_OUT|TIMED_OUT)$/, 'connect-timeout'],
  [/^ERR_(?:CONNECTION_REFUSED|CONNECTION_FAILED|ADDRESS_|INTERNET_DISCONNECTED|NETWORK_ACCESS_DENIED|SOCKS_)/, 'refused'],
  [/^ERR_(?:CERT_|SSL_|BAD_SSL_|CERTIFICATE_)/, 'tls'],
  [/^ERR_TOO_MANY_REDIRECTS$/, 'too-many-redirects'],
  [/^ERR_(?:CONTENT_LENGTH_MISMATCH|INCOMPLETE_)/, 'cut-body'],
  [/^ERR_(?:CONNECTION_|EMPTY_RESPONSE|SOCKET_|HTTP2_|QUIC_|NETWORK_)/, 'reset'],
  [/^ERR_(?:INVALID_|CONTENT_DECODING_|RESPONSE_HEADERS_|UNSAFE_|UNKNOWN_URL_|DISALLOWED_URL_|UNEXPECTED)/, 'bad-answer'],
];

// As Playwright 1.61 words them.
const BROWSER_GONE = /(?:page, context or browser|browser) has (?:been closed|disconnected)|Browser closed|Connection closed/i;
const PAGE_GONE = /(?:Page|Target) crashed|Target closed|frame was detached|Session closed/i;

/** @param code Without `net::`: `ERR_CONNECTION_REFUSED`. */
export function faultOfNetError(code: string): TransportFault | null {
  return FAULTS.find(([pattern]) => pattern.test(code))?.[1] ?? null;
}

/** An error of the browser as one that carries its verdict; any other as it is. A browser or page that crashed costs one try. */
export function nameBrowserError(error: unknown): unknown {
  if (error instanceof TransportError || error instanceof VerdictError) return error;
  const message = messageOf(error);
  const code = /net::(ERR_\w+)/.exec(message)?.[1];
  const fault = code === undefined ? null : faultOfNetError(code);
  if (fault !== null) return new TransportError(fault, `The browser says ${code}.`, { cause: error });
  if (PAGE_GONE.test(message)) return new VerdictError('transient', 'The page crashed in the browser.');
  if (BROWSER_GONE.test(message)) return new VerdictError('transient', 'The browser crashed or was closed under the page.');
  return error;
}

/** Whether a wait of Playwright's ended for the time alone. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
