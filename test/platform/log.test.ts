// Crawlee's one log, by level: what is said elsewhere is not said twice.
import { log } from '@crawlee/core';
import { afterEach, describe, expect, it } from 'vitest';

import { setUpLog } from '../../src/platform/log.ts';

const options = log.getOptions();
afterEach(() => log.setOptions(options));

/** What is written at a level. */
function linesAt(level: 'quiet' | 'normal' | 'verbose', say: (crawlee: typeof log) => void): string[] {
  const lines: string[] = [];
  say(setUpLog({ level, write: (line) => lines.push(line) }));
  return lines;
}

const everyLevel = (crawlee: typeof log) => {
  crawlee.debug('a detail');
  crawlee.info('some news');
  crawlee.warning('a warning');
  crawlee.error('an error');
};

describe('setUpLog', () => {
  it.each([
    ['quiet', ['an error']],
    ['normal', ['a warning', 'an error']],
    ['verbose', ['a warning', 'an error']],
  ] as const)('%s writes %j', (level, expected) => {
    const lines = linesAt(level, everyLevel);
    expect(lines).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(lines[index]).toContain(text);
  });

  it('is the one log that every part of Crawlee writes to', () => {
    const lines = linesAt('normal', () => {
      log.child({ prefix: 'RequestQueue' }).warning('a lock is gone', { id: 'x1' });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/RequestQueue.*a lock is gone.*x1/);
  });

  it('verbose writes what handlers say of their pages, with the page, and nothing of Crawlee’s insides', () => {
    const lines = linesAt('verbose', (crawlee) => {
      const page = crawlee.child({ suffix: '(https://a.example/)' });
      page.debug('30 stories', { more: true });
      page.info('some news');
      page.debug('Page opened.', { url: 'https://a.example/', label: 'LIST' });
      crawlee.child({ prefix: 'SessionPool' }).debug('Created new Session');
    });
    expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'DEBUG 30 stories {"more":true} (https://a.example/)',
      'INFO some news (https://a.example/)',
    ]);
  });

  it('has no colours and no raw controls, and forges no line, in a message, its data or a stack', () => {
    const foreign = 'x\u001b[31m\nERROR all is lost\r\u202e\u009b';
    const lines = linesAt('verbose', (crawlee) => {
      crawlee.warning(foreign, { foreign });
      crawlee.exception(new Error(foreign), 'It failed.');
    });
    expect(lines.filter((line) => /[\p{Cc}\u202e]/u.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ERROR all is lost'))).toEqual([]);
    expect(lines[0]).toContain(String.raw`x\x1b[31m\nERROR all is lost\r\u202e\x9b`);
  });

  it.each([
    'Reclaiming failed request back to the list or queue. HTTP 500',
    'Request failed and reached maximum retries. Error: HTTP 500',
    'Pausing... Press CTRL+C again to force exit.',
  ])('says nothing that is said elsewhere: %s', (message) => {
    const say = (crawlee: typeof log) => crawlee.child({ prefix: 'CheerioCrawler' }).error(message);
    expect([linesAt('quiet', say), linesAt('normal', say)]).toEqual([[], []]);
    expect(linesAt('verbose', say)).toEqual([]);
  });

  it("keeps an error's message that only mentions such words", () => {
    const lines = linesAt('normal', (crawlee) => crawlee.warning('He said: Pausing... is fine'));
    expect(lines).toHaveLength(1);
  });

  it('writes nothing to the console itself', () => {
    const lines = linesAt('verbose', (crawlee) => crawlee.exception(new Error('boom'), 'It failed.'));
    expect(lines.join('\n')).toMatch(/It failed.[\s\S]*boom/);
  });

  it('applies to children made after it is set up again', () => {
    const first = linesAt('verbose', everyLevel);
    const second = linesAt('quiet', (crawlee) => everyLevel(crawlee.child({ prefix: 'New' })));
    expect([first.length, second.length]).toEqual([2, 1]);
  });
});
