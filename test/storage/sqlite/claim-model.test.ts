// Any sequence of adding, claiming, resting and failing, also past the frontier through Crawlee's own queue client, leaves
// the store with the order of a small model: no request is ever in two hands, and each claim is the model's next.
import { Request } from '@crawlee/core';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Rest } from '../../../src/core/pace.ts';
import { toRequestId } from '../../../src/storage/sqlite/request-queue.ts';
import { claimNext, newFolder, OPEN, openIn, tally, type ClaimsStorage } from './fixture.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');
const HOSTS = ['a', 'b', 'c'];
const NAMES = HOSTS.flatMap((host) => [1, 2, 3].map((page) => `${host}${page}`));

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterEach(() => void vi.useRealTimers());

const urlOf = (name: string) => `https://${name[0]}.example/${name.slice(1)}`;
const nameOf = ({ url }: { url: string }) => `${url[8]}${url.at(-1)}`;
const idOf = (name: string) => toRequestId(urlOf(name));

interface Line {
  seq: number;
  state: 'waiting' | 'locked' | 'handled';
  due: number;
}

/** What the store promises, with everything in memory and looked through from end to end. */
class Model {
  readonly lines = new Map<string, Line>();
  readonly rests = new Map<string, Rest>();
  #places = 0;

  add(name: string, forefront: boolean): void {
    if (!this.lines.has(name)) this.lines.set(name, { seq: this.place(forefront), state: 'waiting', due: 0 });
  }

  place(forefront: boolean): number {
    this.#places++;
    return forefront ? -this.#places : this.#places;
  }

  /** Names of what is due, in order. */
  ready(now: number): string[] {
    const due = [...this.lines].filter(([, { state, due }]) => state === 'waiting' && due <= now);
    return due.toSorted(([, one], [, other]) => one.seq - other.seq).map(([name]) => name);
  }

  next(now: number): string | null {
    const mayBeCalled = ({ until, closed }: Rest) => !closed && until <= now;
    return this.ready(now).find((name) => mayBeCalled(this.rests.get(name[0] as string) ?? OPEN)) ?? null;
  }

  /** When something changes by itself, if nothing can be claimed now. */
  wake(now: number): number | null {
    const rests = this.ready(now).map((name) => this.rests.get(name[0] as string) as Rest);
    const resting = rests.map(({ until, closed }) => (closed ? Infinity : until));
    const waiting = [...this.lines.values()].filter(({ state, due }) => state === 'waiting' && due > now).map(({ due }) => due);
    const wake = Math.min(...resting, ...waiting);
    return wake === Infinity ? null : wake;
  }

  locked(): string[] {
    return [...this.lines].filter(([, { state }]) => state === 'locked').map(([name]) => name);
  }

  counts() {
    const handled = [...this.lines.values()].filter(({ state }) => state === 'handled').length;
    return { total: this.lines.size, handled };
  }
}

const KINDS = ['add', 'claim', 'claim', 'commit', 'reclaim', 'rest', 'lock', 'unlock', 'delete', 'wait', 'secondPass'] as const;
/** Milliseconds from now; 0 is now, Infinity without end. */
const time = fc.constantFrom(0, 10, 30, Infinity);
const operation = fc.record({
  kind: fc.constantFrom(...KINDS),
  name: fc.constantFrom(...NAMES),
  also: fc.constantFrom(...NAMES),
  pick: fc.nat(10),
  forefront: fc.boolean(),
  time,
  closed: fc.boolean(),
});
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** Does one operation to both. @returns What the store claimed, where that is what is done. */
async function apply(
  { kind, name, also, pick, forefront, time, closed }: Operation,
  model: Model,
  storage: ClaimsStorage,
  queue: string,
) {
  const now = Date.now();
  const own = storage.requestQueue(queue, { clientKey: 'test' });
  const locked = model.locked();
  const held = locked[pick % Math.max(1, locked.length)];
  const line = held === undefined ? undefined : model.lines.get(held);
  const rest = { until: time === 0 || time === Infinity ? 0 : now + time, closed };
  switch (kind) {
    case 'add':
      await own.batchAddRequests(
        [name, also].map((each) => new Request({ url: urlOf(each) })),
        { forefront },
      );
      for (const each of [name, also]) model.add(each, forefront);
      break;
    case 'claim': {
      const expected = model.next(now);
      const claimed = await claimNext(storage, queue, { now, restAfter: () => rest });
      expect(claimed && nameOf(claimed.request)).toBe(expected);
      if (expected === null) return;
      (model.lines.get(expected) as Line).state = 'locked';
      model.rests.set(expected[0] as string, rest);
      break;
    }
    case 'commit':
      if (!held || !line) return;
      await storage.commit(queue, new Request({ id: idOf(held), url: urlOf(held) }), { rows: [], tally: tally() });
      line.state = 'handled';
      break;
    case 'reclaim':
      if (!held || !line) return;
      await storage.reclaim(queue, new Request({ id: idOf(held), url: urlOf(held) }), now + time);
      Object.assign(line, { state: 'waiting', due: now + time });
      break;
    case 'rest':
      await storage.rest(queue, `${name[0]}.example`, rest);
      model.rests.set(name[0] as string, rest);
      break;
    case 'lock': {
      const expected = model.ready(now).slice(0, 1 + (pick % 3));
      const { items } = await own.listAndLockHead({ limit: 1 + (pick % 3), lockSecs: 3_600 });
      expect(items.map(nameOf)).toEqual(expected);
      for (const each of expected) (model.lines.get(each) as Line).state = 'locked';
      break;
    }
    case 'unlock':
      if (!held || !line) return;
      await own.deleteRequestLock(idOf(held), { forefront });
      Object.assign(line, { state: 'waiting', due: 0 });
      if (forefront) line.seq = model.place(true);
      break;
    case 'delete':
      await own.deleteRequest(idOf(name));
      model.lines.delete(name);
      break;
    case 'wait':
      vi.setSystemTime(now + 10);
      break;
    case 'secondPass': {
      const waiting = [...model.lines.values()].filter((each) => each.state === 'waiting');
      const isLast = model.locked().length === 0 && waiting.every((each) => each.due === Infinity);
      const postponed = isLast ? waiting : [];
      expect(storage.startSecondPass(queue, now + 10)).toBe(postponed.length);
      for (const each of postponed) each.due = now + 10;
      break;
    }
  }
}

it('each claim is the next of the model, whatever happened before, and so is the time to look again', async () => {
  const storage = openIn(newFolder());
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (operations) => {
      vi.setSystemTime(NOW);
      const model = new Model();
      const { id: queue } = await storage.requestQueues().getOrCreate(`queue-${run++}`);
      for (const step of operations) {
        await apply(step, model, storage, queue);
        expect(storage.counts(queue)).toEqual(model.counts());
        if (step.kind !== 'claim' || model.next(Date.now()) !== null) continue;
        // As a frontier does it: it looks for a time when there is nothing to claim.
        expect(await claimNext(storage, queue)).toBeNull();
        const wake = storage.nextWake(queue);
        const expected = model.wake(Date.now());
        // What was taken past the frontier is only found out at the next claim from its host: that may be too early, never too late.
        const early = operations.some(({ kind }) => kind === 'lock' || kind === 'delete');
        if (wake !== expected && early) expect(wake ?? Infinity).toBeLessThan(expected ?? Infinity);
        else expect(wake).toBe(expected);
      }
    }),
    { numRuns: 200 },
  );
}, 180_000);
