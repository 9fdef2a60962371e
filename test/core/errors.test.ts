import { describe, expect, it } from 'vitest';

import { lastWords, messageOf, SurefootError, toError } from '../../src/core/errors.ts';

describe('SurefootError', () => {
  it('names its kind in its message', () => {
    const error = new SurefootError('run', 'Something is there already.');
    expect(error).toMatchObject({
      name: 'SurefootError',
      kind: 'run',
      message: '[run] Something is there already.',
      code: undefined,
    });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('SurefootError: [run] Something is there already.');
  });

  it('keeps its cause, whatever that is, and has none if there was none', () => {
    const cause = new Error('below');
    expect(new SurefootError('storage', 'Broken.', { cause, code: 'unusable-store' })).toMatchObject({
      cause,
      code: 'unusable-store',
    });
    expect('cause' in new SurefootError('storage', 'Broken.', { cause: undefined })).toBe(true);
    expect('cause' in new SurefootError('storage', 'Broken.')).toBe(false);
  });
});

describe('messageOf', () => {
  it.each([
    [new Error('it broke'), 'it broke'],
    [new TypeError(''), ''],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
  ])('%s → %j', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});

describe('toError', () => {
  const circle: Error & { cause?: unknown } = new Error('in a circle');
  circle.cause = new Error('a step', { cause: circle });
  const endless = Array.from({ length: 50 }).reduce<Error>((cause) => new Error('deep', { cause }), new Error('first'));

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a text', 'text', 'text'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['an object without a prototype', Object.create(null), 'Something was thrown that has no text.'],
    ['an error whose message is none', Object.assign(new Error('x'), { message: { a: 1 } }), '[object Object]'],
    ['an error whose stack is none', Object.assign(new Error('x'), { stack: 5 }), 'x'],
    ['an error whose cause is its own', circle, 'in a circle'],
    ['an error with causes on and on', endless, 'deep'],
    ['an error whose cause has no text for a message', new Error('x', { cause: { message: { a: 1 } } }), 'x'],
  ])('makes a plain error of %s', (_, thrown, message) => {
    const error = toError(thrown);
    expect(error).not.toBe(thrown);
    expect([error.message, error.cause, typeof error.stack]).toEqual([message, undefined, 'string']);
  });

  it('leaves any other error as it is, with its cause and its class', () => {
    const error = new SurefootError('site', 'Broken.', { cause: new TypeError('below') });
    expect(toError(error)).toBe(error);
    expect(toError(Object.freeze(new Error('frozen', { cause: 'a text' })))).toMatchObject({ cause: 'a text' });
    expect(toError(new SurefootError('site', 'Broken.', { cause: { status: 5 } }))).toBeInstanceOf(SurefootError);
  });

  it('keeps where it was thrown', () => {
    expect(toError(circle).stack).toBe(circle.stack);
  });
});

describe('lastWords', () => {
  const bug = new TypeError('x is not a function');

  it('are a sentence for what a person can mend, and the stack for a bug', () => {
    expect(lastWords(new SurefootError('input', 'No such file.'))).toBe('[input] No such file.');
    expect(lastWords(bug)).toBe(bug.stack);
    expect(lastWords('text')).toBe('text');
  });

  it('say of a promise that nobody awaited what to do about it', () => {
    expect(lastWords(bug, 'uncaughtException')).toBe(bug.stack);
    expect(lastWords(bug, 'unhandledRejection')).toMatch(
      /^TypeError: x is not a function\n[^]*\n\[site\] A call was not awaited/,
    );
  });
});
