import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createClock } from '../../src/core/clock.ts';

const NOW = Date.parse('2026-02-03T04:05:06.000Z');
const HOUR = 3_600_000;

/** A machine's clock that is set by hand, and what passes. */
function machine() {
  const of = { time: NOW, passed: 5_000 };
  return {
    options: { machine: () => of.time, elapsed: () => of.passed },
    set: (time: number) => void (of.time = time),
    pass(millis: number) {
      of.time += millis;
      of.passed += millis;
    },
    /** Only the clock that can be set goes on. */
    sleep: (millis: number) => void (of.time += millis),
  };
}

describe("the run's clock", () => {
  it("is the machine's while nobody sets that", () => {
    const { options, pass } = machine();
    const clock = createClock(options);
    pass(1_234);
    expect([clock.now(), clock.toRun(NOW + 7), clock.toMachine(NOW + 7)]).toEqual([NOW + 1_234, NOW + 7, NOW + 7]);
  });

  it('goes on by what passes when the other is set back', () => {
    const { options, pass, set } = machine();
    const clock = createClock(options);
    pass(1_000);
    expect(clock.now()).toBe(NOW + 1_000);
    set(NOW + 1_000 - HOUR);
    pass(500);
    expect(clock.now()).toBe(NOW + 1_500);
    expect([clock.toRun(NOW - HOUR), clock.toMachine(NOW)]).toEqual([NOW, NOW - HOUR]);
    expect([clock.toRun(Infinity), clock.toRun(options.machine())]).toEqual([Infinity, clock.now()]);
  });

  it('follows the other when that is set ahead, as after a sleep, and stays there', () => {
    const { options, pass, set, sleep } = machine();
    const clock = createClock(options);
    sleep(HOUR);
    expect(clock.now()).toBe(NOW + HOUR);
    set(NOW);
    pass(10);
    expect(clock.now()).toBe(NOW + HOUR + 10);
  });

  it('goes on from where the process before it was, if the other is behind', () => {
    const { options, pass } = machine();
    const [behind, ahead] = [NOW + HOUR, NOW - HOUR].map((notBefore) => createClock({ ...options, notBefore }));
    pass(10);
    expect([behind?.now(), ahead?.now()]).toEqual([NOW + HOUR + 10, NOW + 10]);
  });

  it('never goes back, and never slower than time', () => {
    const step = fc.record({ pass: fc.double({ min: 0, max: 1e6, noNaN: true }), jump: fc.integer({ min: -1e7, max: 1e7 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { options, pass, sleep } = machine();
        const clock = createClock(options);
        let last = clock.now();
        for (const { pass: millis, jump } of steps) {
          sleep(jump);
          pass(millis);
          const now = clock.now();
          expect(now - last).toBeGreaterThan(millis - 1.001);
          expect(now).toBeGreaterThanOrEqual(Math.floor(options.machine()));
          last = now;
        }
      }),
    );
  });
});
