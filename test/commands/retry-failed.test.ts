// `retry-failed`: dead letters go back into the queue, once, and the next start of the same crawl fetches them.
import { readdirSync } from 'node:fs';

import { Request } from '@crawlee/core';
import { describe, expect, it } from 'vitest';

import { isMeant, retryFailedCommand } from '../../src/commands/retry-failed.ts';
import { recordAttempt, type Attempt } from '../../src/core/attempts.ts';
import { toDeadLetter, type DeadLetter } from '../../src/core/dead-letter.ts';
import { decideRun, type RunRecord } from '../../src/core/run.ts';
import { settingsSchema, type Settings } from '../../src/input/schema.ts';
import { readRun, writeRun } from '../../src/storage/run.ts';
import { acquireRunLock, readLockOwner } from '../../src/storage/sqlite/lock.ts';
import { claimAll, newFolder, openIn, tally } from '../storage/sqlite/fixture.ts';

const AT = '2026-02-03T04:05:06.000Z';

function letterOf(change: Partial<DeadLetter> = {}): DeadLetter {
  const attempt = { at: AT, tier: 'http', verdict: 'transient', status: 503, error: 'HTTP 503' } as const;
  const ends = { firstAt: AT, lastAt: AT, attempts: [attempt] };
  return { url: 'https://a.example:8080/1', requestId: 'id', label: 'DETAIL', ...attempt, ...ends, ...change };
}

describe('isMeant', () => {
  const none = { status: [], host: [], label: [], verdict: [] };

  it.each([
    ['no filter', {}, {}, true],
    ['its status', { status: ['429', '503'] }, {}, true],
    ['another status', { status: ['500'] }, {}, false],
    ['a status, and it had no answer', { status: ['503'] }, { status: null }, false],
    ["its host's name", { host: ['a.example'] }, {}, true],
    ["its host's name and port", { host: ['b.example', 'a.example:8080'] }, {}, true],
    ['another port', { host: ['a.example:80'] }, {}, false],
    ['a part of its host', { host: ['example'] }, {}, false],
    ['its label', { label: ['DETAIL'] }, {}, true],
    ['another label', { label: ['LIST'] }, {}, false],
    ['a label, and it has none', { label: ['LIST'] }, { label: null }, false],
    ['its verdict', { verdict: ['crash', 'transient'] }, {}, true],
    ['another verdict', { verdict: ['fatal'] }, {}, false],
    ['all of it', { status: ['503'], host: ['a.example'], label: ['DETAIL'], verdict: ['transient'] }, {}, true],
    ['all of it but one', { status: ['503'], host: ['a.example'], label: ['DETAIL'], verdict: ['fatal'] }, {}, false],
  ])('%s', (_, filters, letter, expected) => {
    expect(isMeant(letterOf(letter), { ...none, ...filters })).toBe(expected);
  });
});

const run: RunRecord = {
  input: { site: 'hackernews', startUrls: ['https://a.example/'], maxRequests: null },
  startedAt: AT,
  finishedAt: AT,
  demoPort: null,
};

const open = (dir: string) => {
  const client = openIn(dir);
  return { client, close: () => client.close() };
};

/** A finished crawl in which these pages failed, each as it says, and one did not. */
async function crawled(failures: Record<string, { verdict: Attempt['verdict']; status: number | null; label?: string }>) {
  const dir = newFolder();
  const { client, close } = open(dir);
  const { id: queue } = await client.requestQueues().getOrCreate('default');
  const requests = Object.entries(failures).map(([url, { label = 'DETAIL' }]) => new Request({ url, label }));
  await client.requestQueue(queue).batchAddRequests([...requests, new Request({ url: 'https://a.example/ok' })]);
  for (const { request } of await claimAll(client, queue)) {
    const failure = failures[request.url];
    const { host } = new URL(request.url);
    request.handledAt = AT;
    if (failure) {
      request.pushErrorMessage(new Error('x'));
      recordAttempt(request, {
        at: AT,
        tier: 'http',
        error: 'x',
        verdict: failure.verdict,
        status: failure.status,
        endOfPass: true,
      });
      request.retryCount = 4;
      request.noRetry = true;
    }
    const rows = failure ? [{ dataset: 'failed', json: JSON.stringify(toDeadLetter(request)) }] : [];
    await client.commit(queue, request, { rows, tally: tally({ host, end: failure ? 'failed' : 'succeeded' }) });
  }
  await writeRun(client, run);
  close();
  const retry = (filters: Partial<Settings> = {}) =>
    retryFailedCommand(settingsSchema.parse({ command: 'retry-failed', storageDir: dir, ...filters }));
  /** What the next start finds. */
  const look = async () => {
    const { client, close } = open(dir);
    const { id } = await client.datasets().getOrCreate('failed');
    const letters = (await client.dataset(id).listItems()).items.map(({ url }) => url as string);
    const state = { letters, counts: client.counts(queue), tallies: client.tallies(queue), run: await readRun(client) };
    const waiting = (await claimAll(client, queue)).map(({ request }) => request);
    close();
    return { ...state, waiting };
  };
  return { dir, retry, look };
}

const FAILURES = {
  'https://a.example/1': { verdict: 'transient', status: 503 },
  'https://b.example/1': { verdict: 'throttled', status: 429, label: 'LIST' },
  'https://a.example/2': { verdict: 'crash', status: null },
} as const;

describe('retry-failed', () => {
  it('puts every dead letter back as if it had never been tried, and the crawl is unfinished again', async () => {
    const { retry, look } = await crawled(FAILURES);
    expect(await retry()).toBe('Put back: 3. Dead letters left: 0. Run the same crawl again to fetch them.');
    const { letters, counts, tallies, waiting, run: after } = await look();
    expect([letters, counts]).toEqual([[], { total: 4, handled: 1 }]);
    expect(tallies.map(({ end, pages }) => [end, pages])).toEqual([['succeeded', 1]]);
    expect(waiting.map(({ url }) => url).toSorted()).toEqual(Object.keys(FAILURES).toSorted());
    for (const request of waiting) {
      expect(request).toMatchObject({ retryCount: 0, noRetry: false, errorMessages: [] });
      expect(request.handledAt).toBeUndefined();
    }
    expect(after).toEqual({ ...run, finishedAt: null });
    expect(decideRun(after, run.input, { fresh: false, resume: false }).kind).toBe('resume');
  });

  it('puts back what the filters mean, and leaves the rest', async () => {
    const { retry, look } = await crawled(FAILURES);
    expect(await retry({ status: ['503'], host: ['a.example'] })).toMatch(/^Put back: 1\. Dead letters left: 2\./);
    const { letters, counts, waiting } = await look();
    expect(letters.toSorted()).toEqual(['https://a.example/2', 'https://b.example/1']);
    expect([counts, waiting.map(({ url }) => url)]).toEqual([{ total: 4, handled: 3 }, ['https://a.example/1']]);
  });

  it('done twice puts nothing back twice', async () => {
    const { retry, look } = await crawled(FAILURES);
    await retry({ verdict: ['crash'] });
    const before = await look();
    expect(await retry({ verdict: ['crash'] })).toBe('Nothing to put back: none of the 2 dead letters matches the filters.');
    const { counts, letters, tallies } = await look();
    expect({ counts, letters, tallies }).toEqual({ counts: before.counts, letters: before.letters, tallies: before.tallies });
  });

  it('with nothing to put back leaves a finished run finished', async () => {
    const { retry, look } = await crawled(FAILURES);
    expect(await retry({ label: ['NEWS'] })).toBe('Nothing to put back: none of the 3 dead letters matches the filters.');
    expect((await look()).run).toEqual(run);
  });

  it('is refused while a crawl runs on the folder, and frees the folder afterwards', async () => {
    const { dir, retry, look } = await crawled(FAILURES);
    const lock = acquireRunLock(dir);
    await expect(retry()).rejects.toMatchObject({ kind: 'run' });
    lock.release();
    expect((await look()).letters).toHaveLength(3);
    await retry();
    expect(readLockOwner(dir)).toBeNull();
  });

  it('says so where there never was a crawl', async () => {
    const storageDir = newFolder();
    await expect(retryFailedCommand(settingsSchema.parse({ command: 'retry-failed', storageDir }))).rejects.toMatchObject({
      kind: 'storage',
    });
    expect(readdirSync(storageDir), 'nothing is left there').toEqual([]);
  });
});
