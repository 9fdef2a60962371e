// What goes out next: each lane's look at the store, pages that must be alone, and when the second pass begins.
import { handOutAfter, maxDeathsNow, QUIET_MILLIS } from '../core/crash.ts';
import type { PutOff } from '../core/dead-letter.ts';
import type { Ladder } from '../core/ladder.ts';
import { laneOf, LANES, type Lane } from '../core/lane.ts';
import type { RunStore, Settlement, Standing } from '../core/run-store.ts';
import { createClaims, type Found, type LaneClaims, type Next } from './claims.ts';
import type { IntakeSite } from './intake.ts';
import { createLanes, type Lanes, type Routed } from './lanes.ts';

/** Requests claimed in one transaction at most. */
const MAX_ROOM = 16;
/** Longer than the slowest page, where nobody says how long that is. */
const LEASE_MILLIS = 180_000;

export interface ScheduleOptions {
  store: RunStore;
  site: IntakeSite;
  ladder: Ladder;
  /** The run's clock. */
  now: () => number;
  /** Pages that can be in flight, as far as is known. */
  concurrency: number;
  hasGaps: boolean;
  secondPassDelayMillis: number;
  inFlight: () => number;
  /** Makes a dead letter of a page that killed the process. */
  bury: (next: Next) => Promise<void>;
  onStanding: (standing: Standing) => void;
  onBrowserNeeded: () => void;
  onSecondPass: (requests: number, last: PutOff | null) => void;
  /** Told of a write that nobody waits for and that failed: the crawl would wait for ever. */
  onBroken: (error: unknown) => void;
}

export class Schedule {
  /** Longer than the slowest page. */
  leaseMillis = LEASE_MILLIS;
  /** What was put off to the second pass last. */
  putOff: PutOff | null = null;

  readonly #options: ScheduleOptions;
  readonly #lanes: Lanes;
  readonly #claims: Readonly<Record<Lane, LaneClaims>>;
  #hasGaps: boolean;
  #peak: number;
  /** Grows with all that may give a claim something to find. */
  #changes = 0;
  /** When this process began, or lost a worker: since then nothing has died. */
  #quietSince: number;
  #alone = false;
  #stopped = false;
  #nextWake: number | null = null;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#lanes = createLanes(options.ladder, options.site);
    this.#claims = { http: this.#claimsOf('http'), browser: this.#claimsOf('browser') };
    this.#hasGaps = options.hasGaps;
    this.#peak = options.concurrency;
    this.#quietSince = options.now();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Whether anything is claimed ahead, or being looked for. */
  get busy(): boolean {
    return LANES.some((lane) => this.#claims[lane].busy);
  }

  /** When something falls due, by the run's clock, as the last look in vain has found; null: nothing does. */
  get nextWake(): number | null {
    return this.#nextWake;
  }

  /** Whether a lane has nothing to hand out now. */
  async isEmpty(lane: Lane): Promise<boolean> {
    return this.#mustWait(lane) || (await this.#claims[lane].isEmpty()) || this.#mustWait(lane);
  }

  /** The next request to go out. */
  async take(lane: Lane): Promise<Next | null> {
    if (await this.isEmpty(lane)) return null;
    // The other lane may have taken a page meanwhile.
    if (this.#mustWait(lane)) return null;
    // Or another call this one; whoever asks does so again.
    return this.#claims[lane].take();
  }

  tookOff(request: Routed, { page }: Next, inFlight: number): void {
    this.#lanes.taken(request);
    this.#alone = handOutAfter(page.deaths) === 'alone';
    this.#peak = Math.max(this.#peak, inFlight);
  }

  /** A page has ended: it may have added links past the frontier, and its host may be called again. */
  landed(): void {
    this.#alone = false;
    this.wake();
  }

  /** Something here has died that had pages in flight. */
  died(): void {
    this.#quietSince = this.#options.now();
  }

  keepGaps(): void {
    this.#hasGaps = true;
  }

  /** Gives back what is claimed of a host and not handed out. */
  drop(host: string): void {
    for (const lane of LANES) this.#claims[lane].drop(host);
  }

  /** What happened may give either lane something to claim. */
  wake(): void {
    this.#changes++;
    for (const lane of LANES) this.#claims[lane].wake();
  }

  #claimsOf(lane: Lane): LaneClaims {
    return createClaims({
      now: this.#options.now,
      changes: () => this.#changes,
      claim: () => this.#claim(lane),
      wakeAt: (now, wakesIn) => this.#wakeAt(lane, now, wakesIn),
      giveBack: (next) => this.#giveBack(next),
      bury: this.#options.bury,
    });
  }

  async #claim(lane: Lane): Promise<Found> {
    const { store, now, inFlight, onStanding } = this.#options;
    const at = now();
    const maxDeaths = maxDeathsNow(inFlight(), at - this.#quietSince);
    const claims = await store.claim({ lane, room: this.#room(lane), maxDeaths, leaseMillis: this.leaseMillis });
    onStanding(claims.standing);
    const next: Next[] = [];
    const moved: Settlement[] = [];
    for (const page of claims.pages) {
      const tier = this.#lanes.tierFor(page.request, lane, at);
      const belongs = laneOf(tier);
      if (belongs === lane) next.push({ page, tier, readyAt: at + page.startsIn });
      else moved.push({ claim: page, outcome: { kind: 'moved', lane: belongs } });
    }
    if (moved.length > 0) {
      onStanding((await store.settle(moved)).standing);
      this.wake();
      if (lane === 'http') this.#options.onBrowserNeeded();
    }
    return { next, wakesIn: claims.wakesIn };
  }

  /** The lane can have more pages in flight than now: so many can be claimed in one transaction. A page that has to be alone
   *  is only claimed with none in flight, and then by itself. */
  #room(lane: Lane): number {
    const inFlight = this.#options.inFlight();
    // The gap to a host's last page is measured from the claim: what waits in line would shorten it, where turns are not
    // reserved ahead.
    if ((this.#hasGaps && !this.#options.store.traits.shared) || lane === 'browser' || inFlight === 0) return 1;
    return Math.min(MAX_ROOM, Math.max(1, this.#peak - inFlight));
  }

  /** Puts back what was claimed and must not be handed out now. */
  #giveBack(next: readonly Next[]): void {
    const { store, onStanding, onBroken } = this.#options;
    const given = next.map(({ page }): Settlement => ({ claim: page, outcome: { kind: 'moved', lane: page.lane } }));
    const settle = async () => {
      onStanding((await store.settle(given)).standing);
      this.wake();
    };
    settle().catch(onBroken);
    this.wake();
  }

  /** Nothing is handed out beside a page that must be alone, nor such a page, claimed while all was quiet, beside another. */
  #mustWait(lane: Lane): boolean {
    if (this.#stopped || this.#alone) return true;
    const { ahead } = this.#claims[lane];
    return ahead !== null && this.#options.inFlight() > 0 && handOutAfter(ahead.page.deaths) === 'alone';
  }

  /** When there may be something to claim. With nothing else left, the second pass begins. */
  async #wakeAt(lane: Lane, now: number, wakesIn: number | null): Promise<number> {
    const { store, inFlight, secondPassDelayMillis, onSecondPass } = this.#options;
    this.#nextWake = wakesIn === null ? null : now + wakesIn;
    const wake = this.#nextWake;
    // Until then, pages that may have killed the process twice are not even looked for.
    const quietAt = this.#quietSince + QUIET_MILLIS;
    if (now < quietAt) return Math.min(wake ?? Infinity, quietAt);
    if (wake !== null || inFlight() > 0 || LANES.some((other) => this.#claims[other].ahead)) return wake ?? Infinity;
    // The browser lane has not looked at what waits for the HTTP lane.
    if (lane !== 'http') return Infinity;
    const postponed = await store.startSecondPass(secondPassDelayMillis);
    if (postponed === 0) return Infinity;
    const begin = now + secondPassDelayMillis;
    this.#nextWake = begin;
    this.#peak = 0; // Fewer at a time from here on.
    onSecondPass(postponed, this.putOff);
    return begin;
  }
}
