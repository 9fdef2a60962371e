// What becomes of a failed attempt: round again at a due time, or given up, and what is written down about it.
import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { climbsOf, type Attempt } from '../../src/core/attempts.ts';
import type { DeadLetter } from '../../src/core/dead-letter.ts';
import { climb } from '../../src/core/ladder.ts';
import type { Tier } from '../../src/core/page.ts';
import { TransportError } from '../../src/core/transport.ts';
import { VerdictError } from '../../src/core/verdict.ts';
import { createErrorHandler, type Ways } from '../../src/fetch/outcome.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');

function bench({
  random = 0,
  secondPass = false,
  labelWorks = true,
  maxRetryAfterMillis = 1_800_000,
  ways = undefined as Ways | undefined,
} = {}) {
  let tier: Tier = 'http';
  const request = new Request({ url: 'https://a.example/item', label: 'DETAIL' });
  const outcomes: unknown[] = [];
  const pauses: number[] = [];
  const letters: DeadLetter[] = [];
  const handle = createErrorHandler({
    recourse: {
      defer: (_, notBefore) => outcomes.push(notBefore - NOW),
      pause: (_, until) => pauses.push(until - NOW),
      giveUp: (_, end, letter) => outcomes.push(letter ? [end, letter.attempts.length] : [end]),
      flightOf: () => ({ tier, labelWorks }),
    },
    ways,
    maxRetryAfterMillis,
    secondPass,
    redact: (text) => text.replaceAll('hunter2', '***'),
    onDeadLetter: (letter) => letters.push(letter),
    now: () => NOW,
    random: () => random,
  });
  /** As Crawlee does it: the stack first, then the handler. */
  const fail = (error: unknown) => {
    request.pushErrorMessage(error);
    return handle(request, error);
  };
  const attempts = () => request.errorMessages.map((message) => JSON.parse(message) as Attempt);
  const goTo = (next: Tier) => {
    tier = next;
  };
  return { request, outcomes, pauses, letters, fail, attempts, goTo };
}

describe('the error handler', () => {
  it('keeps with a page of a private net why it was not fetched', () => {
    const { fail, attempts, outcomes } = bench();
    fail(new TransportError('private-address', '10.0.0.1 leads to a private net'));
    expect(outcomes).toEqual([['skipped']]);
    expect(attempts()).toMatchObject([{ verdict: 'skipped', rule: 'private-net', error: '10.0.0.1 leads to a private net' }]);
  });

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
      () => new VerdictError('throttled', 'HTTP 429', { status: 429, retryAfter: '7' }),
      [7_000, 7_000, 7_000, 7_000, 7_000, ['failed', 6]],
    ],
    ['a page that is missing', () => new VerdictError('missing', 'HTTP 404'), [['missing']]],
    ['a page that must not be fetched', () => new VerdictError('skipped', 'robots.txt forbids it'), [['skipped']]],
    ['a fatal answer', () => new VerdictError('fatal', 'HTTP 418'), [['failed', 1]]],
    ['an application without its scripts', () => new VerdictError('needs-browser', 'HTTP 200'), [['failed', 1]]],
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
    const { outcomes, fail } = bench({ random: 0.999_999 });
    fail(new Error('x'));
    expect(outcomes).toEqual([1_250]);
  });

  it('writes each attempt down with its time and verdict, in place of the stack', () => {
    const { fail, attempts } = bench();
    fail(new VerdictError('throttled', 'HTTP 429 Too Many Requests', { status: 429, retryAfter: '1' }));
    fail(new Error('two\n  lines\tand a tab '));
    expect(attempts()).toEqual([
      { at: '2026-02-03T04:05:06.000Z', tier: 'http', verdict: 'throttled', status: 429, error: 'HTTP 429 Too Many Requests' },
      { at: '2026-02-03T04:05:06.000Z', tier: 'http', verdict: 'transient', status: null, error: 'two lines and a tab' },
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

  const thrownBy = (error: Error) =>
    Object.assign(error, { stack: `${String(error)}\n    at detail (/x/src/routes/shop/detail.ts:4:9)` });
  const quick = [1_000, 2_000, ['failed', 3]];
  const usual = [1_000, 2_000, 4_000, Infinity];

  it.each([
    ['a bug where no page of the label has succeeded yet', () => thrownBy(new TypeError('x is undefined')), false, quick],
    ['a name that is not there', () => thrownBy(new ReferenceError('x is not defined')), false, quick],
    ['JSON that cannot be read', () => thrownBy(new SyntaxError('Unexpected token')), false, quick],
    ['the same where one has', () => thrownBy(new TypeError('x is undefined')), true, usual],
    ['an error that the handler means', () => thrownBy(new Error('no title yet')), false, usual],
    ['a fetch() in the handler', () => thrownBy(new TypeError('fetch failed', { cause: new Error('reset') })), false, usual],
    ['what has a code', () => thrownBy(Object.assign(new TypeError('bad'), { code: 'ERR_X' })), false, usual],
    ['a bug that is not in the site', () => new TypeError('x is undefined'), false, usual],
  ] as const)('%s: how long the wait is', (_, error, labelWorks, expected) => {
    const { outcomes, fail } = bench({ labelWorks, secondPass: true });
    for (const _ of expected) fail(error());
    expect(outcomes).toEqual(expected);
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

  it('tells the verdict, for the session', () => {
    expect(bench().fail(new VerdictError('blocked', 'HTTP 403'))).toBe('blocked');
    expect(bench().fail(new Error('x'))).toBe('transient');
    expect(bench().fail(new VerdictError('missing', 'HTTP 404'))).toBe('missing');
  });

  it('takes secrets out of what is written down', () => {
    const { fail, letters } = bench();
    fail(new VerdictError('fatal', 'no way in for hunter2'));
    expect(letters).toMatchObject([{ error: 'no way in for ***', attempts: [{ error: 'no way in for ***' }] }]);
    expect(JSON.stringify(letters)).not.toContain('hunter2');
  });

  it('sends a page that was handed out too early back in line, and that was no attempt', () => {
    const { request, outcomes, fail, attempts } = bench();
    for (let time = 0; time < 10; time++) fail(new VerdictError('early', 'Crawl-delay of 1000 ms'));
    expect([outcomes, attempts(), request.noRetry]).toEqual([Array(10).fill(0), [], false]);
  });
});

describe('a host that throttles', () => {
  it('rests as long as its page does', () => {
    const { outcomes, pauses, fail } = bench();
    for (let time = 0; time < 5; time++) fail(new VerdictError('throttled', 'HTTP 429'));
    expect(pauses).toEqual(outcomes);
    expect(pauses[0]).toBe(30_000);
  });

  it('rests when its page is given up, too, and as long as it asks for', () => {
    const asks = bench();
    for (let time = 0; time < 6; time++) asks.fail(new VerdictError('throttled', 'HTTP 429', { retryAfter: '7' }));
    expect([asks.outcomes.at(-1), asks.pauses]).toEqual([['failed', 6], Array(6).fill(7_000)]);
    const asksNot = bench();
    for (let time = 0; time < 6; time++) asksNot.fail(new VerdictError('throttled', 'HTTP 429'));
    expect(asksNot.pauses.at(-1)).toBe(480_000);
  });

  it('rests no longer than the limit that is set', () => {
    const { outcomes, pauses, fail } = bench({ maxRetryAfterMillis: 60_000 });
    fail(new VerdictError('throttled', 'HTTP 429', { retryAfter: '3600' }));
    expect([outcomes, pauses]).toEqual([[60_000], [60_000]]);
  });

  it.each(['transient', 'blocked', 'fatal', 'missing', 'skipped', 'early'] as const)(
    'does not rest for what is %s',
    (verdict) => {
      const { pauses, fail } = bench();
      fail(new VerdictError(verdict, 'x', { retryAfter: '7' }));
      expect(pauses).toEqual([]);
    },
  );
});

describe('with a second pass', () => {
  it.each([
    ['transient', 4],
    ['blocked', 4],
    ['throttled', 6],
  ] as const)('a %s page waits for it after %i tries, and the next failure ends it', (verdict, tries) => {
    const { request, outcomes, letters, fail, attempts } = bench({ secondPass: true });
    for (let time = 0; time < tries; time++) fail(new VerdictError(verdict, 'x'));
    expect([outcomes.at(-1), letters, request.noRetry]).toEqual([Infinity, [], false]);
    expect(attempts().map(({ endOfPass }) => endOfPass ?? false)).toEqual([...Array(tries - 1).fill(false), true]);
    fail(new VerdictError(verdict, 'x'));
    expect([outcomes.at(-1), request.noRetry, letters.length]).toEqual([['failed', tries + 1], true, 1]);
  });

  it('whatever ends it there is the last failure, another verdict too', () => {
    const { outcomes, fail } = bench({ secondPass: true });
    for (let time = 0; time < 4; time++) fail(new VerdictError('transient', 'x'));
    fail(new VerdictError('throttled', 'HTTP 429'));
    expect(outcomes.at(-1)).toEqual(['failed', 5]);
  });

  it.each(['fatal', 'needs-browser'] as const)('what is %s has none: time does not mend it', (verdict) => {
    const { outcomes, fail } = bench({ secondPass: true });
    fail(new VerdictError(verdict, 'x'));
    expect(outcomes).toEqual([['failed', 1]]);
  });

  it('is remembered over a restart, and also if the next start has none', () => {
    const first = bench({ secondPass: true });
    for (let time = 0; time < 4; time++) first.fail(new Error('x'));
    for (const secondPass of [true, false]) {
      const { request, outcomes, fail } = bench({ secondPass });
      request.errorMessages.push(...first.request.errorMessages);
      fail(new Error('x'));
      expect(outcomes).toEqual([['failed', 5]]);
    }
  });
});

describe('on the ladder', () => {
  const ladder = (faults: unknown[] = [], isLast = false): Ways => ({
    climb: (from, verdict) => climb(['http', 'impersonate', 'browser'], from, verdict),
    onProxyFault: (fault) => faults.push(fault?.fault ?? null),
    onTierGone(tier, why) {
      faults.push([tier, why]);
      return isLast;
    },
    whyNoTier: (verdict) => (verdict === 'needs-browser' ? 'No browser was found.' : ''),
  });

  it('a refused page goes up at once, tier by tier, and has the tries of the last one', () => {
    const { outcomes, fail, goTo, attempts } = bench({ ways: ladder() });
    const blocked = () => new VerdictError('blocked', 'HTTP 403', { status: 403 });
    fail(blocked());
    goTo('impersonate');
    fail(blocked());
    goTo('browser');
    for (let tries = 0; tries < 4; tries++) fail(blocked());
    expect(outcomes).toEqual([0, 0, 1_000, 2_000, 4_000, ['failed', 6]]);
    expect(attempts().map(({ tier, next }) => [tier, next])).toEqual([
      ['http', 'impersonate'],
      ['impersonate', 'browser'],
      ...Array.from({ length: 4 }, () => ['browser', undefined]),
    ]);
  });

  it('a shell goes straight to the browser', () => {
    const { outcomes, fail, attempts } = bench({ ways: ladder() });
    fail(new VerdictError('needs-browser', 'HTTP 200: a shell', { status: 200 }));
    expect(outcomes).toEqual([0]);
    expect(attempts()[0]).toMatchObject({ tier: 'http', next: 'browser', verdict: 'needs-browser' });
  });

  it('an answer that cannot be understood goes up at once, tier by tier, and is fatal at the top alone', () => {
    const { outcomes, fail, goTo, attempts, request } = bench({ ways: ladder(), secondPass: true });
    const garbled = () => new TransportError('bad-answer', 'Response does not match the HTTP/1.1 protocol');
    fail(garbled());
    goTo('impersonate');
    fail(garbled());
    goTo('browser');
    fail(garbled());
    expect(outcomes).toEqual([0, 0, ['failed', 3]]);
    expect(attempts().map(({ tier, verdict, next }) => [tier, verdict, next])).toEqual([
      ['http', 'fatal', 'impersonate'],
      ['impersonate', 'fatal', 'browser'],
      ['browser', 'fatal', undefined],
    ]);
    expect(climbsOf(request)).toEqual([
      { from: 'http', to: 'impersonate', why: 'bad-answer' },
      { from: 'impersonate', to: 'browser', why: 'bad-answer' },
    ]);
  });

  it.each([
    new TransportError('bad-redirect', 'redirects to "mailto:a@b.example"'),
    new TransportError('tls', 'no valid certificate'),
    new VerdictError('fatal', 'HTTP 418'),
  ])('what no other tier does better is fatal at once: $message', (error) => {
    const { outcomes, fail } = bench({ ways: ladder() });
    fail(error);
    expect(outcomes).toEqual([['failed', 1]]);
  });

  it('a transient or throttled page stays where it is', () => {
    const { fail, attempts } = bench({ ways: ladder() });
    fail(new VerdictError('transient', 'HTTP 500'));
    fail(new VerdictError('throttled', 'HTTP 429'));
    expect(attempts().map(({ next }) => next)).toEqual([undefined, undefined]);
  });

  it('a page whose tier is not there says why in its dead letter', () => {
    const { fail, goTo, letters } = bench({ ways: ladder() });
    goTo('browser');
    fail(new VerdictError('needs-browser', 'HTTP 200: a shell'));
    expect(letters[0]?.error).toBe('HTTP 200: a shell No browser was found.');
  });

  it("a proxy's fault is no attempt at the page: it comes again, and the run is told", () => {
    const faults: unknown[] = [];
    const { outcomes, fail, attempts, letters } = bench({ ways: ladder(faults) });
    fail(new TransportError('proxy-refused', 'The proxy refuses'));
    fail(new VerdictError('proxy', 'HTTP 407'));
    expect(outcomes).toEqual([2_000, 2_000]);
    expect([attempts(), letters]).toEqual([[], []]);
    expect(faults).toEqual(['proxy-refused', null]);
  });

  it('a service that refuses and has nobody beside it is no attempt at the page: the run stops, to be resumed', () => {
    const { outcomes, fail, goTo, attempts } = bench({ ways: ladder([], true) });
    goTo('api');
    fail(new TransportError('proxy-refused', 'It refuses the token.'));
    expect([outcomes, attempts()]).toEqual([[2_000], []]);
  });

  it.each<Tier>(['unblocker', 'api'])('a service that refuses ends its tier (%s), and the page without another try', (tier) => {
    const faults: unknown[] = [];
    const { outcomes, fail, goTo, attempts } = bench({ ways: ladder(faults), secondPass: true });
    goTo(tier);
    fail(new TransportError('proxy-refused', 'It refuses the token.'));
    expect(outcomes).toEqual([['failed', 1]]);
    expect(faults).toEqual([[tier, 'It refuses the token.']]);
    expect(attempts()[0]).toMatchObject({ tier, verdict: 'blocked', error: 'It refuses the token.' });
  });

  it('a service that cannot be reached is tried again like anything transient', () => {
    const faults: unknown[] = [];
    const { outcomes, fail, goTo } = bench({ ways: ladder(faults) });
    goTo('api');
    fail(new TransportError('proxy-unreachable', 'It cannot be reached.'));
    expect([outcomes, faults]).toEqual([[1_000], []]);
  });
});
