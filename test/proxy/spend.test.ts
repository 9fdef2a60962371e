// What is summed, what it costs, and when a limit is told of.
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';

import type { TrafficKey } from '../../src/core/proxy.ts';
import { createLedger, OTHER_HOSTS, type LedgerOptions } from '../../src/proxy/spend.ts';

const viaProxy: TrafficKey = { tier: 'http', proxy: 'rotating', host: 'shop.test' };
const direct: TrafficKey = { tier: 'http', proxy: 'none', host: 'shop.test' };

function open(options: Partial<LedgerOptions> = {}) {
  const onLimit = vi.fn<(reason: string) => void>();
  return { onLimit, ledger: createLedger({ initial: [], onLimit, ...options }) };
}

it('sums by tier, mode and host, and goes on from an earlier pass', () => {
  const first = open({ pricePerGb: 3 }).ledger;
  first.count(viaProxy, { sent: 100, received: 1_000 });
  first.count(viaProxy, { sent: 10, received: 5 });
  first.count({ ...viaProxy, proxy: 'sticky' }, { sent: 1, received: 2 });
  first.count(direct, { sent: 7, received: 70 });
  first.charge('api', 'shop.test', 0.002);
  first.charge('api', 'shop.test', 0.002);

  const second = open({ pricePerGb: 3, initial: first.sums() }).ledger;
  second.count(viaProxy, { sent: 0, received: 1 });
  const nothing = { calls: 0, charged: 0 };
  expect(second.sums()).toEqual([
    { ...viaProxy, sent: 110, received: 1_006, ...nothing },
    { ...viaProxy, proxy: 'sticky', sent: 1, received: 2, ...nothing },
    { ...direct, sent: 7, received: 70, ...nothing },
    { tier: 'api', proxy: 'none', host: 'shop.test', sent: 0, received: 0, calls: 2, charged: 0.004 },
  ]);
  expect(second.cost()).toBeCloseTo(0.004 + (3 * 1_119) / 1e9, 12);
});

it('a megabyte is 10^6 bytes, and the limit is told of once, when it is reached', () => {
  const { ledger, onLimit } = open({ maxProxyMb: 50 });
  ledger.count(viaProxy, { sent: 0, received: 49_999_999 });
  expect(onLimit).not.toHaveBeenCalled();
  expect(ledger.limitReached()).toBeNull();
  ledger.count(viaProxy, { sent: 100_001, received: 0 });
  ledger.count(viaProxy, { sent: 1, received: 1 });
  expect(onLimit.mock.calls).toEqual([['--max-proxy-mb 50 is reached: 50.1 MB went through the proxy.']]);
});

it('traffic without a proxy is summed, but counts against no limit and costs nothing', () => {
  const { ledger, onLimit } = open({ maxProxyMb: 1, maxCost: 1, pricePerGb: 1_000 });
  ledger.count(direct, { sent: 5e9, received: 5e9 });
  expect(onLimit).not.toHaveBeenCalled();
  expect(ledger.cost()).toBe(0);
  expect(ledger.sums()).toMatchObject([{ proxy: 'none', received: 5e9 }]);
});

it('the cost is that of traffic and calls together', () => {
  const { ledger, onLimit } = open({ maxCost: 5, pricePerGb: 4 });
  ledger.count(viaProxy, { sent: 5e8, received: 5e8 });
  ledger.charge('api', 'shop.test', 0.99);
  expect(ledger.cost()).toBeCloseTo(4.99);
  expect(onLimit).not.toHaveBeenCalled();
  ledger.charge('api', 'shop.test', 0.01);
  expect(onLimit.mock.calls).toEqual([['--max-cost 5 is reached: traffic and calls came to 5.00.']]);
});

it.each([
  [0.04, 40_001, '--max-proxy-mb 0.04 is reached: 0.04 MB went through the proxy.'],
  [1.24, 1_241_000, '--max-proxy-mb 1.24 is reached: 1.24 MB went through the proxy.'],
  [0.0001, 123, '--max-proxy-mb 0.0001 is reached: 0.0001 MB went through the proxy.'],
  [50, 50_000_000, '--max-proxy-mb 50 is reached: 50.0 MB went through the proxy.'],
])('a limit of %d MB is never said to be reached by less: %d bytes', (maxProxyMb, received, says) => {
  const { ledger, onLimit } = open({ maxProxyMb });
  ledger.count(viaProxy, { sent: 0, received });
  expect(onLimit.mock.calls).toEqual([[says]]);
});

it.each([
  [1e-7, 1.24e-7, '--max-cost 1e-7 is reached: traffic and calls came to 0.0000001.'],
  [0.00012, 0.000123, '--max-cost 0.00012 is reached: traffic and calls came to 0.00012.'],
  [1.234, 1.2341, '--max-cost 1.234 is reached: traffic and calls came to 1.234.'],
  [0.1, 0.1, '--max-cost 0.1 is reached: traffic and calls came to 0.1000.'],
])('nor one of %d by a cost of less: %d', (maxCost, money, says) => {
  const { ledger, onLimit } = open({ maxCost });
  ledger.charge('api', 'shop.test', money);
  expect(onLimit.mock.calls).toEqual([[says]]);
});

it('a run that starts beyond its limit says so before anything is fetched', () => {
  const initial = [{ ...viaProxy, sent: 0, received: 2e6, calls: 0, charged: 0 }];
  const { ledger, onLimit } = open({ initial, maxProxyMb: 1 });
  expect(ledger.limitReached()).toBe('--max-proxy-mb 1 is reached: 2.0 MB went through the proxy.');
  expect(onLimit).not.toHaveBeenCalled();
  expect(open({ initial, maxProxyMb: 3 }).ledger.limitReached()).toBeNull();
});

it('keeps 1,000 hosts apart and the rest together, and loses no byte', () => {
  const { ledger } = open();
  for (let host = 0; host < 1_500; host++) {
    ledger.count({ ...viaProxy, host: `h${host}.test` }, { sent: 1, received: 2 });
    ledger.count({ ...direct, host: `h${host}.test` }, { sent: 1, received: 0 });
  }
  const sums = ledger.sums();
  expect(new Set(sums.map(({ host }) => host)).size).toBe(1_001);
  expect(sums.find(({ host, proxy }) => host === OTHER_HOSTS && proxy === 'rotating')).toMatchObject({
    sent: 500,
    received: 1_000,
  });
  expect(sums.reduce((total, { sent }) => total + sent, 0)).toBe(3_000);
  // Taken up by the next pass as they are.
  expect(open({ initial: sums }).ledger.sums()).toEqual(sums);
});

it('sums are the sum of what was counted, in whatever pieces', () => {
  const key = fc.record({
    tier: fc.constantFrom('http', 'browser'),
    proxy: fc.constantFrom('none', 'sticky', 'geo'),
    host: fc.constantFrom('a.test', 'b.test'),
  }) as fc.Arbitrary<TrafficKey>;
  const piece = fc.tuple(key, fc.record({ sent: fc.nat(), received: fc.nat() }));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const { ledger } = open({ pricePerGb: 1e9 });
      for (const [key, bytes] of pieces) ledger.count(key, bytes);
      const total = (keep: (key: TrafficKey) => boolean) =>
        pieces.filter(([key]) => keep(key)).reduce((sum, [, { sent, received }]) => sum + sent + received, 0);
      expect(ledger.sums().reduce((sum, { sent, received }) => sum + sent + received, 0)).toBe(total(() => true));
      expect(ledger.cost()).toBeCloseTo(
        total(({ proxy }) => proxy !== 'none'),
        3,
      );
    }),
  );
});
