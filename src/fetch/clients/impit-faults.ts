// Names what ended a request that impit sent. Its errors are Rust's debug output with hardly a type to them, so they are
// told apart by what that output names; the rest of it goes into no message.
import { TransportError, type TransportFault } from '../../core/transport.ts';
import { requestTimeout, type Limits, type Phase } from './faults.ts';

// rustls: https://docs.rs/rustls/latest/rustls/enum.Error.html
const BAD_HANDSHAKE = /InvalidMessage|AlertReceived|PeerIncompatible|PeerMisbehaved|HandshakeNotComplete/;

// The first line that fits counts. As impit 0.14.5 puts it; test/fetch/clients/impersonate-faults.test.ts has a server for each.
const FAULTS: readonly (readonly [RegExp, TransportFault])[] = [
  [/dns error/, 'dns'],
  [/ConnectionRefused|HostUnreachable|NetworkUnreachable/, 'refused'],
  [/ConnectionReset|ConnectionAborted|BrokenPipe|NotConnected|Remote protocol error|IncompleteMessage|ChannelClosed/, 'reset'],
  [/InvalidCertificate/, 'tls'],
  [BAD_HANDSHAKE, 'tls'],
  // h2: https://docs.rs/h2/latest/h2/struct.Error.html
  [/Reset\(|GoAway\(/, 'reset'],
  [/Library,|Parse\(/, 'bad-answer'],
  // A handshake that ends early, an end without TLS's own goodbye, and what a later version may come up with.
  [/hyper|reqwest|rustls/, 'reset'],
];

const FAULTS_OF_A_BODY: readonly (readonly [RegExp, TransportFault])[] = [
  [/UnexpectedEof|IncompleteBody|unexpected BufError|BrokenPipe|Reset\(|GoAway\(/, 'cut-body'],
  [/DecompressError|Invalid gzip|brotli error|frame descriptor|corrupt|\bCRC\b|Invalid chunk/, 'bad-answer'],
];

const SENTENCES: Partial<Record<TransportFault, string>> = {
  dns: 'The name of the host cannot be resolved.',
  refused: 'The connection was refused.',
  reset: 'The connection broke.',
  'cut-body': 'The body ended before it was complete.',
};

/** A TransportError, or the error itself if it is none of the transport's. */
export function nameImpitFault(error: unknown, phase: Phase, limits: Limits): Error {
  if (error instanceof TransportError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const message = withoutAddress(error.message);
  if (error.name === 'TimeoutError' || message.includes('source: TimedOut')) return requestTimeout(limits.requestTimeoutMillis);
  // Its text quotes the value: a cookie, say. No `cause` either.
  const value = /^The header (name|value) `/.exec(message)?.[1];
  if (value) return new Error(`A request header's ${value} has characters that cannot be sent.`);
  const table = phase === 'reading' ? [...FAULTS_OF_A_BODY, ...FAULTS] : FAULTS;
  const fault = table.find(([sign]) => sign.test(message))?.[1];
  if (fault === undefined) return error;
  return new TransportError(fault, SENTENCES[fault] ?? sentence(fault, message), { cause: error });
}

/** Whether TLS was not understood, of an error that has been named `tls`; else it is the certificate that is not valid. */
export function isBadHandshake({ cause }: TransportError): boolean {
  return cause instanceof Error && BAD_HANDSHAKE.test(withoutAddress(cause.message));
}

/** Whether what came does not even begin as an answer, of an error that has been named `bad-answer`. */
export function isNoAnswer({ cause }: TransportError): boolean {
  return cause instanceof Error && /Parse\(\s*Version/.test(withoutAddress(cause.message));
}

/** An address may hold any word. */
function withoutAddress(message: string): string {
  return message.replace(/url: ".*"/, '');
}

function sentence(fault: TransportFault, message: string): string {
  if (fault !== 'tls') return 'The answer cannot be understood.';
  const [, what, why] =
    /(InvalidCertificate|AlertReceived|InvalidMessage|Peer\w+)\(\s*(?:Other\(\s*OtherError\(\s*)?(\w+)/.exec(message) ?? [];
  return what === 'InvalidCertificate'
    ? `The server's certificate is not valid (${why}).`
    : `The TLS handshake failed${why ? ` (${why})` : ''}.`;
}
