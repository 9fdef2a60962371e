// What becomes of a failed attempt: round again at a due time, or given up, and what is written down about it.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import type { Attempt, DeadLetter } from '../../src/core/dead-letter.ts';
import { VerdictError } from '../../src/core/verdict.ts';
import { createErrorHandler } from '../../src/fetch/outcome.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');

function bench(random = 0) {
  const request = new Request({ url: 'https://a.example/item', label: 'DETAIL' });
  const outcomes: unknown[] = [];
  const letters: DeadLetter[] = [];
  const handle = createErrorHandler({
    recourse: {
      defer: (_, notBefore) => outcomes.push(notBefore - NOW),
      giveUp: (_, end, letter) => outcomes.push(letter ? [end, letter.attempts.length] : [end]),
    },
    onDeadLetter: (letter) => letters.push(letter),
    now: () => NOW,
    random: () => random,
  });
  /** As Crawlee does it: the stack first, then the handler. */
  const fail = (error: unknown) => {
    request.pushErrorMessage(error);
    handle(request, error);
  };
  const attempts = () => request.errorMessages.map((message) => JSON.parse(message) as Attempt);
  return { request, outcomes, letters, fail, attempts };
}

describe('the error handler', () => {
  it.each([
    [
      'a connection that broke',
      () => Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
      [1_000, 2_000, 4_000, ['failed', 4]],
    ],
    ['a page that is blocked', () => new VerdictError('blocked', 'HTTP 403'), [1_000, 2_000, 4_000, ['failed', 4]]],
    [
      'a server that throttles',
      () => new VerdictError('throttled', 'HTTP 429'),
      [30_000, 60_000, 120_000, 240_000, 480_000, ['failed', 6]],
    ],
    [
      'a server that says when',
      () => new VerdictError('throttled', 'HTTP 429', '7'),
      [7_000, 7_000, 7_000, 7_000, 7_000, ['failed', 6]],
    ],
    ['a page that is missing', () => new VerdictError('missing', 'HTTP 404'), [['missing']]],
    ['a fatal answer', () => new VerdictError('fatal', 'HTTP 418'), [['failed', 1]]],
  ])('%s: waits, then what ends it', (_, error, expected) => {
    const { request, outcomes, fail } = bench();
    for (const _ of expected) {
      expect(request.noRetry).toBe(false);
      fail(error());
    }
    expect(outcomes).toEqual(expected);
    expect(request.noRetry).toBe(true);
  });

  it('spreads retries by up to a quarter', () => {
    const { outcomes, fail } = bench(0.999_999);
    fail(new Error('x'));
    expect(outcomes).toEqual([1_250]);
  });

  it('writes each attempt down with its time and verdict, in place of the stack', () => {
    const { fail, attempts } = bench();
    fail(new VerdictError('throttled', 'HTTP 429 Too Many Requests', '1'));
    fail(new Error('two\n  lines\tand a tab '));
    expect(attempts()).toEqual([
      { at: '2026-02-03T04:05:06.000Z', tier: 'http', verdict: 'throttled', error: 'HTTP 429 Too Many Requests' },
      { at: '2026-02-03T04:05:06.000Z', tier: 'http', verdict: 'transient', error: 'two lines and a tab' },
    ]);
  });

  it('names the line of a site that threw', () => {
    const { fail, attempts } = bench();
    const error = new TypeError('no title');
    error.stack = `TypeError: no title\n    at detail (/home/x/surefoot/src/routes/hackernews/detail.ts:12:34)\n    at node:internal`;
    fail(error);
    const windows = new TypeError('no title');
    windows.stack = `TypeError: no title\n    at detail (C:\\x\\src\\routes\\hackernews\\detail.ts:12:34)`;
    fail(windows);
    expect(attempts().map(({ error }) => error)).toEqual([
      'no title (src/routes/hackernews/detail.ts:12:34)',
      'no title (src\\routes\\hackernews\\detail.ts:12:34)',
    ]);
  });

  it.each([
    ['a string', 'boom', 'boom'],
    ['nothing', undefined, 'undefined'],
    ['an object', { a: 1 }, '[object Object]'],
    ['an error without a message', new Error(''), ''],
  ])('takes %s that was thrown', (_, thrown, message) => {
    const { outcomes, fail, attempts } = bench();
    fail(thrown);
    expect([outcomes, attempts().map(({ error }) => error)]).toEqual([[1_000], [message]]);
  });

  it('tells of every dead letter, once, and of no missing page', () => {
    const { fail, letters } = bench();
    for (let time = 0; time < 4; time++) fail(new Error(`attempt ${time}`));
    expect(letters).toMatchObject([{ url: 'https://a.example/item', label: 'DETAIL', verdict: 'transient', error: 'attempt 3' }]);
    expect(letters[0]?.attempts).toHaveLength(4);
    const missing = bench();
    missing.fail(new VerdictError('missing', 'HTTP 410'));
    expect(missing.letters).toEqual([]);
  });

  it('counts attempts over a restart', () => {
    const first = bench();
    for (let time = 0; time < 3; time++) first.fail(new Error('x'));
    const { request, outcomes, fail } = bench();
    request.errorMessages.push(...first.request.errorMessages);
    fail(new Error('x'));
    expect(outcomes).toEqual([['failed', 4]]);
  });

  it('lets the verdict decide where Crawlee has said that there is no use in trying', () => {
    const { request, outcomes, fail } = bench();
    request.noRetry = true;
    fail(new VerdictError('transient', 'HTTP 500'));
    expect([outcomes, request.noRetry]).toEqual([[1_000], false]);
  });
});
