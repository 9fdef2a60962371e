// What can go wrong between sending a request and holding its whole body, by name, whichever client sent it.
import type { Verdict } from './verdict.ts';

/** Each fault, and what it means for the request. */
export const TRANSPORT_FAULTS = {
  'connect-timeout': 'transient',
  /** Nothing came for too long, in the middle of an answer. */
  'idle-timeout': 'transient',
  'request-timeout': 'transient',
  refused: 'transient',
  reset: 'transient',
  dns: 'transient',
  /** The body ended before it was complete: by its Content-Length, its chunks or its compression. */
  'cut-body': 'transient',
  tls: 'fatal',
  'body-too-large': 'fatal',
  'redirect-loop': 'fatal',
  'too-many-redirects': 'fatal',
  /** A Location that is no http(s) URL. */
  'bad-redirect': 'fatal',
  /** An answer that is no HTTP, or whose body is not as its encoding says. Clients differ in what they take, so a page climbs
   *  for it (core/ladder.ts): it is fatal where no higher tier is. */
  'bad-answer': 'fatal',
  /** The proxy refuses this user or password (407), or says that the traffic that was paid for is used up. */
  'proxy-refused': 'proxy',
  /** The proxy itself cannot be reached. */
  'proxy-unreachable': 'proxy',
  /** The proxy works, but does not get through to this target from this exit (CONNECT answered by 5xx and the like). */
  'proxy-no-route': 'transient',
  /** A page leads to a private net that nobody has named (fetch/clients/reach.ts). */
  'private-address': 'skipped',
} as const satisfies Record<string, Exclude<Verdict, 'ok'>>;

export type TransportFault = keyof typeof TRANSPORT_FAULTS;

/** An attempt that ended without a whole response. Its message names the fault and the limit that was passed. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly fault: TransportFault;

  constructor(fault: TransportFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}

const FAULT_BY_CODE: Readonly<Record<string, TransportFault>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  UND_ERR_BODY_TIMEOUT: 'idle-timeout',
  ETIMEDOUT: 'connect-timeout',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'cut-body',
  Z_BUF_ERROR: 'cut-body',
  ERR_STREAM_PREMATURE_CLOSE: 'cut-body',
  Z_DATA_ERROR: 'bad-answer',
  HPE_HEADER_OVERFLOW: 'bad-answer',
  UND_ERR_HEADERS_OVERFLOW: 'bad-answer',
  EPROTO: 'tls',
};

// As OpenSSL and Node name them: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const TLS_CODE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS_|ERR_SSL_/;

/** The fault that an error code of Node, undici or zlib stands for; null if it is none of theirs. */
export function faultOfCode(code: string): TransportFault | null {
  if (TLS_CODE.test(code)) return 'tls';
  if (code.startsWith('HPE_')) return 'bad-answer';
  return FAULT_BY_CODE[code] ?? null;
}
