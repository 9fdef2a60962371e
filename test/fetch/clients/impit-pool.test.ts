// Which exits a pool keeps, hands out and cuts, whatever is asked of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createImpitPool } from '../../../src/fetch/clients/impit-pool.ts';

function openPool(max: number) {
  const pool = createImpitPool<{ id: number; cut(): void }>(max);
  const cut: number[] = [];
  let opened = 0;
  const open = () => {
    const id = opened++;
    return { id, cut: () => void cut.push(id) };
  };
  return { lease: (key: string | null) => pool.lease(key, open), cut, cutAll: pool.cut, opened: () => opened };
}

describe('a key', () => {
  it('has one exit for all its requests, as long as they end well', () => {
    const { lease, cut } = openPool(2);
    const [first, second] = [lease('a'), lease('a')];
    first.end(true);
    second.end(true);
    expect([first.exit.id, second.exit.id, lease('a').exit.id, cut]).toEqual([0, 0, 0, []]);
  });

  it('gets a new one after a request that did not; the old one is cut once its other requests are done', () => {
    const { lease, cut } = openPool(2);
    const [broken, other] = [lease('a'), lease('a')];
    broken.end(false);
    expect([lease('a').exit.id, cut]).toEqual([1, []]);
    other.end(true);
    expect(cut).toEqual([0]);
  });

  it('is let go when it is the one not used for the longest, and not before its requests are done', () => {
    const { lease, cut } = openPool(2);
    const busy = lease('a');
    lease('b').end(true);
    lease('c').end(true);
    expect(cut).toEqual([]);
    lease('d').end(true);
    expect(cut).toEqual([1]);
    busy.end(true);
    expect(cut).toEqual([1, 0]);
  });
});

it('without a key, each request has an exit of its own, cut at its end', () => {
  const { lease, cut } = openPool(2);
  const [first, second] = [lease(null), lease(null)];
  expect([first.exit.id, second.exit.id]).toEqual([0, 1]);
  second.end(true);
  first.end(true);
  first.end(true);
  expect(cut).toEqual([1, 0]);
});

it('no exit is ever cut twice or under a request, none is lost, and no more than the bound are idle', () => {
  const steps = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', null), end: fc.nat(5), whole: fc.boolean(), isEnd: fc.boolean() }),
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 3 }), (steps, max) => {
      const { lease, cut, cutAll, opened } = openPool(max);
      const running: ReturnType<typeof lease>[] = [];
      for (const { key, end, whole, isEnd } of steps) {
        if (isEnd) running.splice(end % Math.max(1, running.length), 1)[0]?.end(whole);
        else running.push(lease(key));
        const inUse = new Set(running.map(({ exit }) => exit.id));
        expect(cut.filter((id) => inUse.has(id))).toEqual([]);
        expect(opened() - cut.length - inUse.size).toBeLessThanOrEqual(max);
      }
      cutAll();
      expect(cut.toSorted((a, b) => a - b)).toEqual(Array.from({ length: opened() }, (_, id) => id));
    }),
  );
});
