// Messages between two processes: in order, gathered, and questions answered with what the other side met.
import { deserialize, serialize } from 'node:v8';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { TransportError } from '../../src/core/transport.ts';
import { VerdictError } from '../../src/core/verdict.ts';
import { createChannel, type Channel } from '../../src/platform/channel.ts';

interface Asked {
  double: { asked: number; answered: number };
  fail: { asked: string; answered: never };
}

const FAILURES: Record<string, Error> = {
  verdict: new VerdictError('transient', 'robots.txt cannot be read: HTTP 503', { status: 503 }),
  transport: new TransportError('proxy-refused', 'The proxy refuses'),
  surefoot: new SurefootError('storage', 'There is no dataset "x".'),
  other: new TypeError('x is not a function'),
};

/** Two ends; what one sends reaches the other as it would another process. */
function pair() {
  const heard: unknown[] = [];
  const batches: unknown[][] = [];
  const near: Channel<unknown, Asked> = createChannel<unknown, unknown, Asked>({
    send(batch) {
      batches.push(batch as unknown[]);
      far.receive(deserialize(serialize(batch)));
    },
    onMessage: () => {},
  });
  const far: Channel<unknown, Asked> = createChannel<unknown, unknown, Asked>({
    send: (batch) => near.receive(deserialize(serialize(batch))),
    onMessage: (message) => heard.push(message),
    answers: {
      double: async (number) => number * 2,
      async fail(how) {
        throw FAILURES[how];
      },
    },
  });
  return { near, heard, batches };
}

describe('a channel', () => {
  it('sends what is posted in one turn together, in order', async () => {
    const { near, heard, batches } = pair();
    near.post('a');
    near.post('b');
    expect(heard).toEqual([]);
    await setImmediate();
    near.post('c');
    await setImmediate();
    expect(heard).toEqual(['a', 'b', 'c']);
    expect(batches.map(({ length }) => length)).toEqual([2, 1]);
  });

  it('says when what was posted is out, be it with all of its turn or at once', async () => {
    const { near, heard } = pair();
    await near.sent();
    near.post('a', 10_000);
    const sent = near.sent();
    near.post('b');
    expect(heard).toEqual([]);
    await sent;
    expect(heard).toEqual(['a', 'b']);
    near.post('c', 10_000);
    const flushed = near.sent();
    near.flush();
    await flushed;
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  it('sends all that waits, in order, when it is flushed, before that returns', () => {
    const { near, heard } = pair();
    near.post('patient', 60_000);
    near.post('a');
    near.flush();
    expect(heard).toEqual(['patient', 'a']);
  });

  it('sends what may wait within its time, and sooner with something else', async () => {
    const { near, heard } = pair();
    near.post('patient', 60_000);
    await setImmediate();
    expect(heard).toEqual([]);
    near.post('now');
    await setImmediate();
    expect(heard).toEqual(['patient', 'now']);
    near.post('patient', 5);
    await sleep(50);
    expect(heard).toHaveLength(3);
  });

  it('answers each question, however many are open', async () => {
    const { near } = pair();
    expect(await Promise.all([1, 2, 3].map((number) => near.ask('double', number)))).toEqual([2, 4, 6]);
  });

  it.each(Object.entries(FAILURES))('gives a failure back as what it was: %s', async (name, error) => {
    const { near } = pair();
    const met = await near.ask('fail', name).catch((thrown: unknown) => thrown as Error);
    expect(met).toMatchObject({ message: error.message });
    for (const key of ['verdict', 'status', 'fault', 'kind'])
      expect((met as unknown as Record<string, unknown>)[key]).toEqual((error as unknown as Record<string, unknown>)[key]);
    expect(met instanceof SurefootError).toBe(error instanceof SurefootError);
  });
});
