// Conformance: any sequence of operations leaves the queue with the counts and the order of a ten-line model.
import type { RequestQueueClient } from '@crawlee/types';
import fc from 'fast-check';
import { expect } from 'vitest';

import { addAll, claim, countsOf, handle, openQueue, reclaim, requestFor } from './queue-fixture.ts';
import type { Suite } from './suite.ts';

interface Operation {
  readonly kind: 'add' | 'batch' | 'lock' | 'handle' | 'reclaim' | 'unlock' | 'delete';
  readonly key: string;
  readonly forefront: boolean;
  readonly limit: number;
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

function operations(kinds: readonly Operation['kind'][]): fc.Arbitrary<Operation[]> {
  const operation = fc.record({
    kind: fc.constantFrom(...kinds),
    key: fc.constantFrom(...KEYS),
    forefront: fc.boolean(),
    limit: fc.integer({ min: 1, max: 3 }),
  });
  return fc.array(operation, { minLength: 5, maxLength: 25 });
}

/** Keys by state. `order` holds the pending ones, locked or not, head first. */
class Model {
  order: string[] = [];
  locked = new Set<string>();
  handled = new Set<string>();

  add(key: string, forefront: boolean): void {
    if (this.handled.has(key) || this.order.includes(key)) return;
    if (forefront) this.order.unshift(key);
    else this.order.push(key);
  }

  lock(limit: number): string[] {
    const keys = this.order.filter((key) => !this.locked.has(key)).slice(0, limit);
    for (const key of keys) this.locked.add(key);
    return keys;
  }

  unlock(key: string, forefront: boolean): void {
    this.locked.delete(key);
    if (forefront) this.order = [key, ...this.order.filter((other) => other !== key)];
  }

  remove(key: string): void {
    this.order = this.order.filter((other) => other !== key);
    this.locked.delete(key);
    this.handled.delete(key);
  }

  counts() {
    const [pending, handled] = [this.order.length, this.handled.size];
    return { total: pending + handled, handled, pending };
  }
}

/** Does one operation to both. Crawlee reclaims and unlocks only what it holds, so the rest of those is left out, and
 *  the place of a plain reclaim is left open (queue-locks.ts), so here it always goes to the forefront. */
async function apply(operation: Operation, model: Model, queue: RequestQueueClient, ids: Map<string, string>) {
  const { kind, key, forefront, limit } = operation;
  const id = ids.get(key) ?? '';
  const known = model.order.includes(key) || model.handled.has(key);
  if (kind === 'add') {
    expect((await queue.addRequest(requestFor(key), { forefront })).wasAlreadyPresent).toBe(known);
    model.add(key, forefront);
  } else if (kind === 'batch') {
    const keys = [key, ...KEYS.slice(0, limit), key];
    await queue.batchAddRequests(
      keys.map((each) => requestFor(each)),
      { forefront },
    );
    for (const each of keys) model.add(each, forefront);
  } else if (kind === 'lock') {
    expect(await claim(queue, limit)).toEqual(model.lock(limit));
  } else if (kind === 'handle' && known) {
    expect((await handle(queue, id)).wasAlreadyHandled).toBe(model.handled.has(key));
    model.remove(key);
    model.handled.add(key);
  } else if (kind === 'reclaim' && model.locked.has(key)) {
    await reclaim(queue, id, true);
    model.unlock(key, true);
  } else if (kind === 'unlock' && model.locked.has(key)) {
    await queue.deleteRequestLock(id, { forefront });
    model.unlock(key, forefront);
  } else if (kind === 'delete') {
    await queue.deleteRequest(id);
    model.remove(key);
  }
}

export function queueModelChecks({ check }: Suite): void {
  const kinds = ['add', 'batch', 'lock', 'handle', 'reclaim', 'unlock'] as const;
  for (const [name, used, numRuns] of [
    ['queue: counts and order stay true through any sequence of operations', kinds, 25],
    ['queue: counts and order stay true through any sequence with deletions', [...kinds, 'delete'], 25],
  ] as const) {
    check(name, async ({ client }) => {
      const scratch = await openQueue(client, 'one', 'scratch');
      const idList = await addAll(scratch, KEYS);
      const ids = new Map(KEYS.map((key, index) => [key, idList[index] ?? '']));
      let run = 0;
      const property = fc.asyncProperty(operations(used), async (sequence) => {
        const model = new Model();
        const queue = await openQueue(client, 'one', `queue-${run++}`);
        for (const operation of sequence) {
          await apply(operation, model, queue, ids);
          expect(await countsOf(queue)).toEqual(model.counts());
        }
        expect(await claim(queue)).toEqual(model.lock(25));
      });
      await fc.assert(property, { numRuns });
    });
  }
}
