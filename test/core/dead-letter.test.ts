// What each failed attempt met is kept with the request, through a restart, and becomes its dead letter.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { recordAttempt, type Attempt } from '../../src/core/attempts.ts';
import { toDeadLetter } from '../../src/core/dead-letter.ts';

const URL = 'https://a.example/item?id=1';

function attempt(n: number, verdict: Attempt['verdict'] = 'transient'): Attempt {
  return {
    at: `2026-02-03T04:05:0${n}.000Z`,
    tier: 'http',
    verdict,
    status: verdict === 'throttled' ? 429 : null,
    error: `attempt ${n}`,
  };
}

/** A failed attempt as Crawlee and the error handler leave it. */
function fail(request: Request, failed: Attempt): void {
  request.pushErrorMessage(new Error(failed.error));
  recordAttempt(request, failed);
}

describe('a dead letter', () => {
  it('has every attempt in order, with the first and the last time', () => {
    const request = new Request({ id: 'the-id', url: URL, label: 'DETAIL' });
    const attempts = [attempt(1), attempt(2, 'throttled'), { ...attempt(3, 'fatal'), status: 418 }];
    for (const failed of attempts) fail(request, failed);
    expect(toDeadLetter(request)).toEqual({
      url: URL,
      requestId: 'the-id',
      label: 'DETAIL',
      verdict: 'fatal',
      status: 418,
      error: 'attempt 3',
      firstAt: attempts[0]?.at,
      lastAt: attempts[2]?.at,
      attempts,
    });
  });

  it('ends with an attempt that was never recorded, if there is one', () => {
    const request = new Request({ url: URL });
    fail(request, attempt(1));
    const letter = toDeadLetter(request, attempt(2, 'crash'));
    expect(letter).toMatchObject({ label: null, verdict: 'crash', status: null, firstAt: attempt(1).at, lastAt: attempt(2).at });
    expect(letter.attempts).toHaveLength(2);
    expect(request.errorMessages).toHaveLength(1);
  });

  it('can be that of a page that only ever killed the process', () => {
    const crash = attempt(4, 'crash');
    expect(toDeadLetter(new Request({ url: URL }), crash)).toMatchObject({
      firstAt: crash.at,
      lastAt: crash.at,
      attempts: [crash],
    });
  });

  it('survives being stored with the request', () => {
    const request = new Request({ url: URL });
    fail(request, { ...attempt(1), error: 'with "quotes",\nlines and ümläuts \u2028' });
    const stored = new Request(JSON.parse(JSON.stringify(request)) as ConstructorParameters<typeof Request>[0]);
    fail(stored, attempt(2));
    expect(toDeadLetter(stored).attempts.map(({ error }) => error)).toEqual([
      'with "quotes",\nlines and ümläuts \u2028',
      'attempt 2',
    ]);
  });

  it('is written for a request whose handler left a message of its own, as Crawlee allows', () => {
    const request = new Request({ url: URL });
    request.pushErrorMessage('a note from the handler');
    fail(request, attempt(1));
    expect(toDeadLetter(request)).toMatchObject({ error: 'attempt 1', lastAt: attempt(1).at });
  });
});
