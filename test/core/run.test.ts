// A start over what is there: every combination of a previous run, its input and the flags.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decideRun, describeRun, isSameInput, type RunInput, type RunRecord } from '../../src/core/run.ts';

const input: RunInput = { site: 'hackernews', startUrls: ['https://a.example/', 'https://b.example/'], maxRequests: null };
const unfinished: RunRecord = { input, startedAt: '2026-02-03T04:05:06.000Z', finishedAt: null, demoPort: null };
const finished: RunRecord = { ...unfinished, finishedAt: '2026-02-03T05:05:06.000Z' };
const other: RunInput = { ...input, startUrls: ['https://c.example/'] };

const PREVIOUS = { none: null, unfinished, finished };

describe('decideRun', () => {
  it.each([
    // previous, input, fresh, resume → decision
    ['none', 'same', false, false, 'start'],
    ['none', 'same', false, true, 'start'],
    ['none', 'same', true, false, 'start'],
    ['none', 'other', false, false, 'start'],
    ['none', 'other', false, true, 'start'],
    ['none', 'other', true, false, 'start'],
    ['unfinished', 'same', false, false, 'resume'],
    ['unfinished', 'same', false, true, 'resume'],
    ['unfinished', 'same', true, false, 'start'],
    ['unfinished', 'other', false, false, 'refuse'],
    ['unfinished', 'other', false, true, 'resume'],
    ['unfinished', 'other', true, false, 'start'],
    ['finished', 'same', false, false, 'start'],
    ['finished', 'same', false, true, 'start'],
    ['finished', 'same', true, false, 'start'],
    ['finished', 'other', false, false, 'start'],
    ['finished', 'other', false, true, 'start'],
    ['finished', 'other', true, false, 'start'],
  ] as const)('a run that is %s, %s input, fresh %s, resume %s: %s', (previous, which, fresh, resume, kind) => {
    const run = PREVIOUS[previous];
    const decision = decideRun(run, which === 'same' ? input : other, { fresh, resume });
    expect(decision).toEqual(kind === 'start' ? { kind } : { kind, run });
  });

  it('goes on with what the run was begun with, not with what the flags say now', () => {
    const decision = decideRun(unfinished, other, { fresh: false, resume: true });
    expect(decision).toMatchObject({ kind: 'resume', run: { input } });
  });
});

describe('isSameInput', () => {
  it.each<[string, Partial<RunInput>, boolean]>([
    ['the same', {}, true],
    ['another order of start URLs', { startUrls: input.startUrls.toReversed() }, true],
    ['a start URL named twice', { startUrls: [...input.startUrls, 'https://a.example/'] }, true],
    ['another site', { site: 'other' }, false],
    ['one start URL more', { startUrls: [...input.startUrls, 'https://c.example/'] }, false],
    ['one start URL less', { startUrls: ['https://a.example/'] }, false],
    ['none: the demo site', { startUrls: [] }, false],
    ['start URLs that only look alike when joined', { startUrls: ['https://a.example/,https://b.example/'] }, false],
    ['a limit where there was none', { maxRequests: 100 }, false],
  ])('%s', (_, change, same) => {
    expect(isSameInput(input, { ...input, ...change })).toBe(same);
    expect(isSameInput({ ...input, ...change }, input)).toBe(same);
  });

  it('compares start URLs as a set', () => {
    const urls = fc.array(fc.webUrl(), { maxLength: 6 });
    fc.assert(
      fc.property(urls, urls, (a, b) => {
        const sameSet = new Set([...a, ...b]).size === new Set(a).size && new Set(a).size === new Set(b).size;
        expect(isSameInput({ ...input, startUrls: a }, { ...input, startUrls: b })).toBe(sameSet);
      }),
    );
  });

  it('leaves its arguments as they are', () => {
    const startUrls = Object.freeze(['https://b.example/', 'https://a.example/']);
    isSameInput({ ...input, startUrls }, input);
    expect(startUrls).toEqual(['https://b.example/', 'https://a.example/']);
  });
});

describe('describeRun', () => {
  it.each([
    ['finished', finished, { status: 'finished', startUrls: input.startUrls, finishedAt: finished.finishedAt }],
    ['unfinished', unfinished, { status: 'unfinished', startUrls: input.startUrls, finishedAt: null }],
    ['of the demo site', { ...unfinished, input: { ...input, startUrls: [] }, demoPort: 4711 }, { startUrls: [/4711/] }],
    ['of the demo site that never listened', { ...unfinished, input: { ...input, startUrls: [] } }, { startUrls: [/demo site/] }],
  ])('a run %s', (_, run, { startUrls, ...expected }) => {
    const description = describeRun(run);
    expect(description).toMatchObject({ site: 'hackernews', startedAt: run.startedAt, ...expected });
    expect(description.startUrls).toHaveLength(startUrls.length);
    for (const [index, url] of startUrls.entries()) expect(description.startUrls[index]).toMatch(url);
  });
});
