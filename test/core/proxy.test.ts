// Why a proxy was not reached, in words.
import { expect, it } from 'vitest';

import { whyUnreached } from '../../src/core/proxy.ts';

const WRONG = 'error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:\n';
const ALERT = 'error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../deps/openssl/rec.c:1:\n';

it.each<[unknown, string]>([
  [new Error('connect ECONNREFUSED 127.0.0.1:9'), 'connect ECONNREFUSED 127.0.0.1:9'],
  [new Error('No connection within 5 s.'), 'No connection within 5 s'],
  [new AggregateError([new Error('connect ECONNREFUSED ::1:9'), new Error('...')]), 'connect ECONNREFUSED ::1:9'],
  [new Error(`809C0280547F0000:${WRONG}`), 'it speaks no TLS: perhaps it is http:// instead of https://'],
  [new Error(`write EPROTO 809C0280547F0000:${ALERT}`), 'sslv3 alert handshake failure'],
  [new Error('first line\nsecond line'), 'first line'],
])('%j', (error, text) => {
  expect(whyUnreached(error)).toBe(text);
});
