import { describe, expect, it } from 'vitest';

import { messageOf, SurefootError } from '../../src/core/errors.ts';

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
