// What a frontier is made of, and what it shows of itself.
import type { Clock } from '../core/clock.ts';
import type { DeadLetter, PutOff } from '../core/dead-letter.ts';
import type { Ladder } from '../core/ladder.ts';
import type { HostSpeed } from '../core/pace.ts';
import type { Tier } from '../core/page.ts';
import type { RunStore } from '../core/run-store.ts';
import type { EndedAttempt } from './ended-attempt.ts';
import type { Phase } from './flight.ts';
import type { IntakeSite } from './intake.ts';

export interface FrontierOptions {
  store: RunStore;
  site: IntakeSite;
  /** Requests known at most, over all restarts; further ones are not added. @default no limit */
  maxRequests?: number | undefined;
  /** Whether hosts have a gap between their pages from the beginning (`--delay`). @default false */
  hasGaps?: boolean;
  /** Pages that the HTTP lane can have in flight: so many are looked for at once. @default as many as it has had */
  concurrency?: number;
  /** @default one of tier `http` alone */
  ladder?: Ladder;
  /** Told when the answer to a request has begun to arrive. */
  onArrived?: ((page: { readonly label: string | undefined; readonly tier: Tier }) => void) | undefined;
  /** Told when a request goes to the browser lane: somebody has to work there. */
  onBrowserNeeded?: (() => void) | undefined;
  /** Told of each attempt that is over and on disk. */
  onAttempt?: ((attempt: EndedAttempt) => void) | undefined;
  /** Told of each attempt that failed and is to be repeated, once that is on disk. */
  onAgain?: ((page: PutOff) => void) | undefined;
  /** Told when the ladder has learnt something worth saving. */
  onLearnt?: (() => void) | undefined;
  /** When all else is done, requests that used up their tries rest this long and go round once more. @default 60,000 */
  secondPassDelayMillis?: number;
  /** Told when the second pass begins, of how many requests, and which of them this process put off last. */
  onSecondPass?: ((requests: number, last: PutOff | null) => void) | undefined;
  /** Told of a page that is given up because it killed the process. */
  onDeadLetter?: ((letter: DeadLetter) => void) | undefined;
  /** @default the machine's as long as that is not set back */
  clock?: Clock;
}

/** What `Frontier.snapshot()` shows. Times are epoch milliseconds by the machine's clock. */
export interface FrontierSnapshot {
  readonly total: number;
  readonly handled: number;
  readonly flights: readonly { url: string; label: string | null; tier: string; phase: Phase; ageMillis: number }[];
  readonly hosts: readonly (Omit<HostSpeed, 'restsFor'> & { readonly restsUntil: number })[];
  readonly nextWake: number | null;
}
