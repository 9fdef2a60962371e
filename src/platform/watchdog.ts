// Watches from a thread of its own whether a page holds the event loop: such a crawl prints nothing and hears no signal. It
// names the page, and ends the process after a time, so that the next start treats the page as one that kills (core/crash.ts).
import { Worker } from 'node:worker_threads';

import { toVisible } from '../core/visible.ts';

export interface WatchdogOptions {
  /** A process that a page has held for so long is ended. */
  stallMillis: number;
  /** Takes secrets out of what is printed. */
  redact: (text: string) => string;
  /** The sentence that says how the crawl goes on after that. */
  wayOn: string;
  /** Whether signals mean this process; a worker leaves them to its parent. */
  signals: boolean;
}

export interface Watchdog {
  /** Says that a page's parsing or handler begins. @returns To be called at its end. */
  hold(page: { readonly label?: string | undefined; readonly url: string }): () => void;
  stop(): void;
}

const BEAT_MILLIS = 500;
/** Of silence, before a page is named. */
const TELL_MILLIS = 5_000;
/** Pages that can be named at once, and bytes of each name. */
const SLOTS = 32;
const SLOT_BYTES = 1_024;

/** The memory that both threads have: the heartbeat, then a length and a name for each slot. */
const HEADER_BYTES = 4 * (1 + SLOTS);

// As text: a worker's file would be found in other places by tsx, by a build and by tests, and would load tsx once more. What
// it prints goes past Node's streams, which need the thread that is held.
const THREAD = `
const { writeSync } = require('node:fs');
const { isatty } = require('node:tty');
const { workerData } = require('node:worker_threads');
const { shared, stallMillis, tellMillis, beatMillis, slots, slotBytes, headerBytes, wayOn, signals } = workerData;
const words = new Int32Array(shared, 0, 1 + slots);
let [beat, silent, last, told, signal] = [0, 0, performance.now(), false, ''];

function print(text) {
  // A pipe that is full takes it a little later.
  for (let tries = 0; tries < 20; tries++) {
    try {
      writeSync(2, (isatty(2) ? '\\r\\x1b[K' : '') + text + '\\n');
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}

function held() {
  const names = [];
  for (let slot = 0; slot < slots; slot++) {
    const length = Atomics.load(words, 1 + slot);
    if (length > 0) names.push(Buffer.from(shared, headerBytes + slot * slotBytes, length).toString());
  }
  return names;
}

function end(why) {
  print(why + ' This process ends. ' + wayOn);
  process.kill(process.pid, 'SIGKILL');
}

// Node gives signals to the main thread alone, by this same class. It would print that its door is deprecated.
if (signals) {
  process.noDeprecation = true;
  try {
    const { Signal } = process.binding('signal_wrap');
    for (const [name, number] of Object.entries(signals)) {
      const listener = new Signal();
      listener.onsignal = () => (signal = name);
      listener.start(number);
      listener.unref();
    }
  } catch {
    // A Node without it: --stall-timeout ends such a process all the same.
  }
}

setInterval(() => {
  const now = performance.now();
  // Both threads stood still while the process was stopped, or the machine asleep.
  const passed = Math.min(now - last, 2 * beatMillis);
  last = now;
  const next = Atomics.load(words, 0);
  if (next !== beat) {
    [beat, silent, told, signal] = [next, 0, false, ''];
    return;
  }
  silent += passed;
  if (silent < tellMillis) return;
  const names = held();
  if (names.length === 0) return;
  const seconds = Math.round(silent / 1000);
  const pages = names.join(', ');
  if (!told) {
    told = true;
    print('Nothing moves for ' + seconds + ' s: the crawl does not get out of the parsing or the handler of ' + pages + '.');
  }
  if (signal !== '') end(signal + ' came while ' + pages + ' held the crawl.');
  else if (silent >= stallMillis) end(pages + ' held the crawl for ' + seconds + ' s (--stall-timeout).');
}, beatMillis);
`;

/** Keeps no process alive. */
export function startWatchdog({ stallMillis, redact, wayOn, signals }: WatchdogOptions): Watchdog {
  const shared = new SharedArrayBuffer(HEADER_BYTES + SLOTS * SLOT_BYTES);
  const words = new Int32Array(shared, 0, 1 + SLOTS);
  const names = Buffer.from(shared, HEADER_BYTES);
  const thread = new Worker(THREAD, {
    eval: true,
    // Not tsx's.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    workerData: {
      shared,
      stallMillis,
      tellMillis: Math.min(TELL_MILLIS, stallMillis),
      beatMillis: BEAT_MILLIS,
      slots: SLOTS,
      slotBytes: SLOT_BYTES,
      headerBytes: HEADER_BYTES,
      wayOn,
      signals: signals ? { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } : null,
    },
  });
  // A machine without room for it crawls all the same.
  thread.on('error', () => {});
  thread.unref();
  const timer = setInterval(() => Atomics.add(words, 0, 1), BEAT_MILLIS).unref();
  return {
    hold({ label = '', url }) {
      const slot = words.indexOf(0, 1);
      if (slot === -1) return () => {};
      const length = names.write(toVisible(redact(`${label} ${url}`)), (slot - 1) * SLOT_BYTES, SLOT_BYTES);
      Atomics.store(words, slot, length);
      return () => void Atomics.store(words, slot, 0);
    },
    stop() {
      clearInterval(timer);
      void thread.terminate();
    },
  };
}
