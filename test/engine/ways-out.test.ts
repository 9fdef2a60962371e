// When a crawl stops for its proxy: at once for a refusal, and for one that is not reached by what it answers in between.
import { afterEach, expect, it, vi } from 'vitest';

import type { TransportFault } from '../../src/core/transport.ts';
import { TransportError } from '../../src/core/transport.ts';
import { openWaysOut, type WaysOut } from '../../src/engine/ways-out.ts';
import { createProxyProvider } from '../../src/proxy/provider.ts';

const open: WaysOut[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((waysOut) => waysOut.close()));
});

function bench() {
  const onStop = vi.fn<(reason: string) => void>();
  let at = 1_000_000;
  const provider = createProxyProvider({
    mode: 'rotating',
    byLabel: { DIRECT: 'none' },
    place: {},
    proxyUrls: ['http://proxy.test:1'],
    decodo: null,
    salt: '',
  });
  const waysOut = openWaysOut({ provider, settings: { pricePerGb: 0 }, spent: [], onStop, now: () => at });
  open.push(waysOut);
  const fail = (fault: TransportFault = 'proxy-unreachable') => waysOut.onFault(new TransportError(fault, 'It is gone.'));
  /** Fails seven times, 2 s apart. */
  const failOnAndOn = (between: () => void = () => {}) => {
    for (let times = 0; times < 7; times++) {
      fail();
      at += 2_000;
      between();
    }
  };
  return { waysOut, onStop, fail, failOnAndOn };
}

it('a proxy that refuses stops the crawl at once', () => {
  const { onStop, fail } = bench();
  fail('proxy-refused');
  expect(onStop.mock.calls).toEqual([['It is gone.']]);
});

it('one that is not reached stops it after five tries and 10 s', () => {
  const { onStop, fail, failOnAndOn } = bench();
  for (let times = 0; times < 20; times++) fail();
  expect(onStop).not.toHaveBeenCalled();
  failOnAndOn();
  expect(onStop).toHaveBeenCalledWith('It is gone.');
});

it('the bytes of a handshake or a CONNECT that failed are no sign that it was reached', () => {
  const { waysOut, onStop, failOnAndOn } = bench();
  const key = { tier: 'http', proxy: 'rotating', host: 'shop.test' } as const;
  failOnAndOn(() => waysOut.ledger.count(key, { sent: 500, received: 20 }));
  expect(onStop).toHaveBeenCalledWith('It is gone.');
});

it('an answer that came through it is one', () => {
  const { waysOut, onStop, failOnAndOn } = bench();
  failOnAndOn(() => waysOut.onAnswer({ label: 'LIST', tier: 'impersonate' }));
  expect(onStop).not.toHaveBeenCalled();
});

it.each([
  ['directly', { label: 'DIRECT', tier: 'http' }],
  ['from a service', { label: 'LIST', tier: 'unblocker' }],
  ['from the other service', { label: 'LIST', tier: 'api' }],
] as const)('an answer that came %s is none', (_, page) => {
  const { waysOut, onStop, failOnAndOn } = bench();
  failOnAndOn(() => waysOut.onAnswer(page));
  expect(onStop).toHaveBeenCalled();
});
