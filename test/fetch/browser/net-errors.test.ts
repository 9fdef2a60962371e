// What Chromium's errors mean for a request.
import { expect, it } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { VerdictError, verdictOfError } from '../../../src/core/verdict.ts';
import { faultOfNetError, nameBrowserError } from '../../../src/fetch/browser/net-errors.ts';

it.each([
  ['ERR_NAME_NOT_RESOLVED', 'dns'],
  ['ERR_CONNECTION_REFUSED', 'refused'],
  ['ERR_ADDRESS_UNREACHABLE', 'refused'],
  ['ERR_CONNECTION_RESET', 'reset'],
  ['ERR_CONNECTION_CLOSED', 'reset'],
  ['ERR_EMPTY_RESPONSE', 'reset'],
  ['ERR_HTTP2_PROTOCOL_ERROR', 'reset'],
  ['ERR_NETWORK_CHANGED', 'reset'],
  ['ERR_CONNECTION_TIMED_OUT', 'connect-timeout'],
  ['ERR_CONTENT_LENGTH_MISMATCH', 'cut-body'],
  ['ERR_INCOMPLETE_CHUNKED_ENCODING', 'cut-body'],
  ['ERR_CERT_DATE_INVALID', 'tls'],
  ['ERR_SSL_PROTOCOL_ERROR', 'tls'],
  ['ERR_TOO_MANY_REDIRECTS', 'too-many-redirects'],
  ['ERR_INVALID_HTTP_RESPONSE', 'bad-answer'],
  ['ERR_UNSAFE_PORT', 'bad-answer'],
  ['ERR_TUNNEL_CONNECTION_FAILED', 'proxy-no-route'],
  // A page's proxy is a port of this process; that it is gone says nothing of the real one.
  ['ERR_PROXY_CONNECTION_FAILED', 'proxy-no-route'],
  ['ERR_ABORTED', null],
])('%s is %s', (code, fault) => {
  expect(faultOfNetError(code)).toBe(fault);
});

it.each([
  ['page.goto: net::ERR_CONNECTION_RESET at http://shop.example/', 'reset'],
  ['page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://shop.example/\nCall log:\n', 'tls'],
])('%s keeps its cause and shows no address', (message, fault) => {
  const cause = new Error(message);
  const named = nameBrowserError(cause);
  expect(named).toBeInstanceOf(TransportError);
  expect(named).toMatchObject({ fault, cause });
  expect((named as Error).message).not.toContain('shop');
});

it.each([
  'page.content: Target page, context or browser has been closed',
  'browserController.newPage() failed: x\nCause:browser.newPage: Target page, context or browser has been closed.',
  'page.goto: Page crashed',
  'page.evaluate: Target crashed',
])('%s is worth another try', (message) => {
  expect(verdictOfError(nameBrowserError(new Error(message)))).toBe('transient');
});

it('an error that is not the browser’s stays as it is', () => {
  const own = new VerdictError('blocked', 'x');
  const other = new TypeError('page.$ is not a function');
  expect([nameBrowserError(own), nameBrowserError(other)]).toEqual([own, other]);
});
