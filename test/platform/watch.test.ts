// A crawl watched from outside: shown when somebody asks or when nothing moves, and kept for `status --live`.
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { watch, type WatchOptions } from '../../src/platform/watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start(change: Partial<WatchOptions<number>> = {}) {
  const state = { progress: 0, asked: 0 };
  const shown: (number | null)[] = [];
  const kept: number[] = [];
  const watching = watch<number>({
    progress: () => state.progress,
    snapshot: async () => ++state.asked,
    keep: async (snapshot) => void kept.push(snapshot),
    show: (_, stalledSeconds) => void shown.push(stalledSeconds),
    stallMillis: 10_000,
    everyMillis: 1_000,
    ...change,
  });
  onTestFinished(() => watching.stop());
  return { state, shown, kept, watching };
}

describe('watch', () => {
  it('keeps a snapshot each time it looks, and shows none while there is progress', async () => {
    const { state, shown, kept } = start();
    for (let second = 0; second < 60; second++) {
      if (second % 9 === 0) state.progress++;
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect([kept.length, shown]).toEqual([60, []]);
  });

  it('shows what is waited for once nothing has moved for so long, and again after as long', async () => {
    const { shown } = start();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(shown).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown).toEqual([10]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(shown).toEqual([10]);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(shown).toEqual([10, 20, 30]);
  });

  it('begins anew with any progress', async () => {
    const { state, shown } = start();
    await vi.advanceTimersByTimeAsync(15_000);
    state.progress++;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shown).toEqual([10]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(shown).toEqual([10, 10]);
  });

  it('shows it at each SIGUSR2, with no word of a stall', async () => {
    const { shown } = start();
    process.emit('SIGUSR2');
    process.emit('SIGUSR2');
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([null, null]);
  });

  it('goes on when a snapshot cannot be kept', async () => {
    const { shown } = start({ keep: () => Promise.reject(new Error('the disk is full')) });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shown).toEqual([10]);
  });

  it('ends with stop(): nothing is looked at, kept or listened to any more', async () => {
    const listeners = process.listenerCount('SIGUSR2');
    const { watching, shown, kept } = start();
    expect(process.listenerCount('SIGUSR2')).toBe(listeners + 1);
    watching.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([shown, kept, process.listenerCount('SIGUSR2'), vi.getTimerCount()]).toEqual([[], [], listeners, 0]);
  });
});
