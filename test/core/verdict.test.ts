// What a response or an error means: the table, row by row, and what holds for every status.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { VerdictError, verdictOfError, verdictOfStatus, type Verdict } from '../../src/core/verdict.ts';

describe('verdictOfStatus', () => {
  it.each<[status: number, hasRetryAfter: boolean, verdict: Verdict]>([
    [200, false, 'ok'],
    [204, false, 'ok'],
    [304, false, 'ok'],
    [400, false, 'fatal'],
    [401, false, 'blocked'],
    [402, false, 'fatal'],
    [403, false, 'blocked'],
    [403, true, 'blocked'],
    [404, false, 'missing'],
    [404, true, 'missing'],
    [405, false, 'fatal'],
    [407, false, 'fatal'],
    [408, false, 'transient'],
    [409, false, 'fatal'],
    [410, false, 'missing'],
    [418, false, 'fatal'],
    [425, false, 'transient'],
    [429, false, 'throttled'],
    [429, true, 'throttled'],
    [451, false, 'fatal'],
    [500, false, 'transient'],
    [500, true, 'transient'],
    [502, false, 'transient'],
    [503, false, 'transient'],
    [503, true, 'throttled'],
    [504, false, 'transient'],
    [599, false, 'transient'],
  ])('%i (Retry-After: %s) is %s', (status, hasRetryAfter, verdict) => {
    expect(verdictOfStatus(status, hasRetryAfter)).toBe(verdict);
  });

  it('hands no error page to a handler, and refuses no page that arrived', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.boolean(), (status, hasRetryAfter) => {
        expect(verdictOfStatus(status, hasRetryAfter) === 'ok').toBe(status < 400);
      }),
    );
  });
});

describe('verdictOfError', () => {
  const withCode = (code: string, message = 'it broke') => Object.assign(new Error(message), { code });

  it.each<Exclude<Verdict, 'ok'>>(['missing', 'throttled', 'blocked', 'transient', 'fatal'])(
    'a VerdictError keeps its verdict: %s',
    (verdict) => {
      expect(verdictOfError(new VerdictError(verdict, 'served Content-Type'))).toBe(verdict);
    },
  );

  it.each([
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_UNTRUSTED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('a certificate that is not valid (%s) is fatal', (code) => {
    expect(verdictOfError(withCode(code))).toBe('fatal');
  });

  it.each([
    'ECONNRESET',
    'ECONNREFUSED',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENOTFOUND',
    'ERR_HTTP2_STREAM_ERROR',
    'HPE_INVALID_CONSTANT',
    '',
  ])('a connection that broke (%s) is transient', (code) => {
    expect(verdictOfError(withCode(code))).toBe('transient');
  });

  it.each([
    ['a content type that Crawlee does not parse', 'Resource http://x/ served Content-Type image/png, but only text/html'],
    ['an encoding that Crawlee does not know', 'Resource http://x/ served with unsupported charset/encoding: xyz'],
  ])('%s is fatal', (_, message) => {
    expect(verdictOfError(new Error(message))).toBe('fatal');
  });

  it.each([
    ['a handler that threw', new TypeError('Cannot read properties of undefined')],
    ['a timeout', new Error('requestHandler timed out after 60 seconds')],
    ['a code that is no text', Object.assign(new Error('x'), { code: 42 })],
    ['a string', 'served Content-Type'],
    ['undefined', undefined],
    ['null', null],
  ])('%s is transient', (_, thrown) => {
    expect(verdictOfError(thrown)).toBe('transient');
  });

  it('keeps Retry-After as it was sent', () => {
    expect(new VerdictError('throttled', 'HTTP 429', ' 120 ').retryAfter).toBe(' 120 ');
    expect(new VerdictError('throttled', 'HTTP 429')).toMatchObject({ message: 'HTTP 429', retryAfter: undefined });
  });
});
