// The frontier: an IRequestManager around the run's store that knows each page's tier, stages what a page pushes and settles it
// with the page. The HTTP lane's crawler gets it as `requestQueue`; the browser lane's gets its view of it (browser-lane.ts).
import type {
  AddRequestsBatchedOptions,
  AddRequestsBatchedResult,
  IRequestManager,
  RequestQueueOperationInfo,
  RequestQueueOperationOptions,
  RequestsLike,
  Source,
  Request,
} from '@crawlee/core';
import type { Dictionary, RequestSchema } from '@crawlee/types';

import { createClock, type Clock } from '../core/clock.ts';
import { MAX_DEATHS } from '../core/crash.ts';
import { attemptsOf, climbsOf } from '../core/attempts.ts';
import { toDeadLetter, type DeadLetter } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import { openFacts, type Facts } from '../core/facts.ts';
import { createLadder, type Ladder } from '../core/ladder.ts';
import { labelFor } from '../core/label.ts';
import { laneOf, type Lane } from '../core/lane.ts';
import { climbCounter, skippedCounter } from '../core/meta.ts';
import type { HostLanding, Landing } from '../core/pace.ts';
import {
  toBody,
  type Outcome,
  type PageEnd,
  type RunStore,
  type Settlement,
  type Standing,
  type StoredRequest,
  type Totals,
} from '../core/run-store.ts';
import type { Assignment } from '../core/worker-messages.ts';
import { crawlee } from '../crawlee.ts';
import type { Next } from './claims.ts';
import { toEnded } from './ended-attempt.ts';
import { openFlight, type Flight, type InFlight, type OpenFlight } from './flight.ts';
import { createIntake, type Intake } from './intake.ts';
import { pastKnown } from './known-links.ts';
import type { FrontierOptions, FrontierSnapshot } from './options.ts';
import { Schedule } from './schedule.ts';

/** Hosts that a snapshot shows. */
const HOSTS_SHOWN = 50;
/** Hosts whose gap is remembered here; the store knows those of all. */
const GAPS_KNOWN = 10_000;

export class Frontier implements IRequestManager {
  /** Written by Crawlee. */
  internalTimeoutMillis = 0;

  readonly #store: RunStore;
  readonly #site: FrontierOptions['site'];
  readonly #intake: Intake;
  readonly #maxRequests: number;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #schedule: Schedule;
  readonly #flights = new Map<string, Airborne>();
  /** Since when a host's gap is kept, by the store's clock. */
  readonly #gaps = new Map<string, { readonly millis: number; readonly since: number }>();
  readonly #ladder: Ladder;
  readonly #onDeadLetter: (letter: DeadLetter) => void;
  readonly #onArrived: NonNullable<FrontierOptions['onArrived']>;
  readonly #onBrowserNeeded: () => void;
  readonly #onLearnt: () => void;
  readonly #onAttempt: FrontierOptions['onAttempt'];
  readonly #onAgain: FrontierOptions['onAgain'];
  readonly #facts: Facts;
  #standing: Standing;
  #failed: number;
  #counters: Record<string, number> = {};
  #landed = 0;
  /** Why the crawl cannot go on: a lane has died, or a write that nobody waited for has failed. */
  #broken: { error: unknown } | null = null;

  /** @param options.store Opened for this process. */
  static async open(options: FrontierOptions): Promise<Frontier> {
    return new Frontier(options, await options.store.totals());
  }

  private constructor(options: FrontierOptions, totals: Totals) {
    const { store, site, maxRequests = Infinity } = options;
    const { clock = createClock({ machine: () => Date.now(), elapsed: () => performance.now() }) } = options;
    this.#store = store;
    this.#site = site;
    this.#maxRequests = maxRequests;
    this.#clock = clock;
    this.#now = clock.now;
    this.#ladder = options.ladder ?? createLadder({ tiers: ['http'] });
    this.#onArrived = options.onArrived ?? (() => {});
    this.#onBrowserNeeded = options.onBrowserNeeded ?? (() => {});
    this.#onLearnt = options.onLearnt ?? (() => {});
    this.#onAttempt = options.onAttempt;
    this.#onAgain = options.onAgain;
    this.#facts = openFacts(totals.counters);
    this.#onDeadLetter = options.onDeadLetter ?? (() => {});
    this.#standing = totals;
    this.#failed = totals.tallies.reduce((sum, { end, pages }) => (end === 'failed' ? sum + pages : sum), 0);
    const addRequests = pastKnown(async (requests, how) => this.#add(requests, how));
    this.#intake = createIntake({ queue: { addRequests }, site });
    this.#schedule = new Schedule({
      store,
      site,
      ladder: this.#ladder,
      now: this.#now,
      concurrency: options.concurrency ?? 0,
      hasGaps: options.hasGaps ?? false,
      secondPassDelayMillis: options.secondPassDelayMillis ?? 60_000,
      inFlight: () => this.#flights.size,
      bury: (next) => this.#bury(next),
      onStanding: (standing) => {
        this.#standing = standing;
      },
      onBrowserNeeded: this.#onBrowserNeeded,
      onSecondPass: options.onSecondPass ?? (() => {}),
      onBroken: (error) => this.fail(error),
    });
  }

  /** Written by Crawlee: a lease outlives the slowest handler. */
  set requestLockSecs(seconds: number) {
    this.#schedule.leaseMillis = seconds * 1_000;
  }

  /** No further hand-outs; pages in flight go on. The frontier is then finished as soon as they are. */
  stop(): void {
    this.#schedule.stop();
  }

  get isStopped(): boolean {
    return this.#schedule.isStopped;
  }

  /** Ends the crawl with an error: whoever asks for a page, or whether all is done, meets it. Pages that are in flight in a
   *  lane that has died would be waited for otherwise. */
  fail(error: unknown): void {
    this.#broken ??= { error };
  }

  /** The attempt under way at a request that was handed out. */
  flightOf(request: Pick<InFlight, 'id'>): Flight {
    return this.#airborneOf(request).flight;
  }

  /** Says that the answer to a request has begun to arrive: from here on its page can kill the process (its size, its
   *  compression, the parser, the handler), and that is on disk when this resolves. */
  async arrived(request: Pick<InFlight, 'id'>): Promise<void> {
    const { flight, next } = this.#airborneOf(request);
    flight.enter('reading');
    this.#onArrived({ label: flight.request.label, tier: flight.tier });
    await this.#store.arrived([next.page]);
  }

  /** Sends a failed attempt round again, not before a time (epoch milliseconds by the machine's clock; Infinity: in the
   *  second pass). What it staged is dropped. */
  defer(request: Pick<InFlight, 'id'>, notBefore: number): void {
    const { flight } = this.#airborneOf(request);
    flight.abandon(null);
    flight.due = this.#clock.toRun(notBefore);
  }

  /** Ends a request without its rows; a dead letter, if given, is committed with the done mark. */
  giveUp(request: Pick<InFlight, 'id'>, end: PageEnd, deadLetter?: DeadLetter): void {
    this.#airborneOf(request).flight.abandon(end, deadLetter);
  }

  /** Rests a request's whole host until a time (epoch milliseconds by the machine's clock), as a host that throttles asks
   *  for. */
  pause(request: Pick<InFlight, 'id' | 'url'>, until: number): void {
    this.#airborneOf(request).flight.throttled = true;
    const { host } = new URL(request.url);
    this.#see(this.#store.rest(host, Math.max(0, this.#clock.toRun(until) - this.#now())));
    this.#schedule.drop(host);
  }

  /** Keeps a gap between two hand-outs to the request's host (its Crawl-delay).
   *  @returns Since when that is known (by the store's clock, as `claimedAt` of a flight), null if only now. */
  async setDelay(request: Pick<InFlight, 'url'>, delayMillis: number): Promise<number | null> {
    const { host } = new URL(request.url);
    this.#schedule.keepGaps();
    const known = this.#gaps.get(host);
    if (known && known.millis >= delayMillis) return known.since;
    const since = await this.#store.slow(host, delayMillis);
    if (since !== null) {
      const [oldest] = this.#gaps.keys();
      if (this.#gaps.size >= GAPS_KNOWN && oldest !== undefined) this.#gaps.delete(oldest);
      this.#gaps.set(host, { millis: delayMillis, since });
    }
    return since;
  }

  /** What is in flight and what waits, for whoever asks why nothing seems to happen. */
  async snapshot(): Promise<FrontierSnapshot> {
    const now = this.#now();
    const machine = this.#clock.toMachine(now);
    const hosts = await this.#store.hosts(HOSTS_SHOWN);
    const { total, handled } = this.#standing;
    return {
      total,
      handled,
      flights: [...this.#flights.values()].map(({ flight: { request, tier, phase, since } }) => ({
        url: request.url,
        label: request.label ?? null,
        tier,
        phase,
        ageMillis: now - since,
      })),
      hosts: hosts.map(({ restsFor, ...host }) => ({ ...host, restsUntil: restsFor === 0 ? 0 : machine + restsFor })),
      nextWake: this.nextWake,
    };
  }

  /** As the store's last answer had it. */
  counts(): Standing {
    return this.#standing;
  }

  /** When something falls due next (epoch milliseconds by the machine's clock); null: nothing waits for a time. */
  get nextWake(): number | null {
    const wake = this.#schedule.nextWake;
    return wake === null ? null : this.#clock.toMachine(wake);
  }

  /** Pages that were given up, over all restarts. */
  get failed(): number {
    return this.#failed;
  }

  /** Attempts that ended in this process, well or not. It stands still when nothing moves. */
  get landed(): number {
    return this.#landed;
  }

  /** Pages in flight. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** Adds to a figure of the run; it is kept with the next page that is done. */
  count(name: string, by = 1): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + by;
  }

  /** Whether a lane has any request that is not handled. There is always an HTTP lane, so nobody has to ask for it. */
  hasWork(lane: Lane): boolean {
    return lane === 'http' || this.#standing.browser;
  }

  // -- what the crawler calls -----------------------------------------------------------------------------------------

  async isEmpty(lane: Lane = 'http'): Promise<boolean> {
    this.#assertWhole();
    return this.#schedule.isEmpty(lane);
  }

  async isFinished(): Promise<boolean> {
    this.#assertWhole();
    if (this.#flights.size > 0) return false;
    if (this.isStopped) return true;
    return !this.#schedule.busy && (await this.#store.isFinished());
  }

  async fetchNextRequest<T extends Dictionary = Dictionary>(lane: Lane = 'http'): Promise<Request<T> | null> {
    this.#assertWhole();
    const next = await this.#schedule.take(lane);
    if (!next) return null;
    const request = new crawlee.Request<T>(next.page.request);
    // Added past this frontier, through RequestQueue.open().
    request.label ??= labelFor(request, this.#site);
    this.#takeOff(request, next);
    return request;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request> {
    for (;;) {
      const request = await this.fetchNextRequest();
      if (!request) return;
      yield request;
    }
  }

  /** Commits a page: its rows, its done mark and its figures in one transaction. Crawlee calls this for pages that failed
   *  for good as well; `giveUp()` has said so before. */
  async markRequestHandled(request: InFlight): Promise<void> {
    const airborne = this.#airborneOf(request);
    const { flight, next } = airborne;
    flight.close();
    flight.enter('committing');
    const isSkipped = request instanceof crawlee.Request && request.state === crawlee.RequestState.SKIPPED;
    if (request instanceof crawlee.Request) request.handledAt = this.#date();
    const end = flight.end ?? (isSkipped ? 'skipped' : 'succeeded');
    const { host } = new URL(request.url);
    // Before anything is taken: it throws for userData that is no JSON.
    const body = bodyOf(request);
    const counted = this.#counters;
    this.#counters = {};
    const counters = { ...counted };
    const own = climbsOf(request).map(({ from, to, why }) => climbCounter(from, to, why));
    if (end === 'skipped') own.push(skippedCounter(attemptsOf(request).at(-1)?.rule ?? 'robots'));
    const facts = this.#facts.of({
      url: request.url,
      label: request.label ?? '',
      end,
      tier: flight.tier,
      bytes: flight.bytes,
      rows: flight.rows.length + flight.rejected,
      links: flight.links,
      status: end === 'missing' ? (attemptsOf(request).at(-1)?.status ?? null) : null,
      isStart: end === 'missing' && depthOf(next.page.request) === 0,
    });
    own.push(...facts);
    for (const name of own) counters[name] = (counters[name] ?? 0) + 1;
    const { tier, bytes, rejected, since, rows, letter } = flight;
    const tally = { end, tier, host, bytes, millis: this.#now() - since, rejected, counters };
    // A page that was not fetched says nothing of how fast its host is.
    const landing = this.#landingOf(flight, end === 'failed' || end === 'skipped' ? 'bad' : 'good');
    const outcome: Outcome = letter
      ? { kind: 'dead', body, letter, tally, landing }
      : { kind: 'done', body, rows, tally, landing };
    const isOurs = await this.#settle(airborne, outcome).catch((error: unknown) => {
      for (const [name, value] of Object.entries(counted)) this.count(name, value);
      this.#facts.forget(facts);
      throw error;
    });
    // Only now: a commit that failed is tried again, with the same rows.
    if (isOurs && end === 'failed') this.#failed++;
    if (isOurs && (end === 'succeeded' || end === 'missing')) this.#learn(flight, request, host);
    if (isOurs) this.#onAttempt?.(toEnded(flight, request, end, this.#now()));
    this.#land(request);
  }

  async reclaimRequest(request: InFlight): Promise<RequestQueueOperationInfo> {
    const id = request.id as string;
    const airborne = this.#airborneOf(request);
    const { flight } = airborne;
    if (request instanceof crawlee.Request) delete request.handledAt; // Set by a commit that failed.
    const { next, verdict, endOfPass, error = '' } = attemptsOf(request).at(-1) ?? {};
    const lane = laneOf(next ?? flight.tier);
    const due = flight.due ?? 0;
    const after = due === Infinity ? 'second pass' : Math.max(0, due - this.#now());
    const landing = this.#landingOf(flight, 'bad');
    const isOurs = await this.#settle(airborne, { kind: 'again', body: bodyOf(request), after, lane, landing });
    // Only now, as above.
    if (isOurs && next !== undefined && next !== flight.tier && verdict === 'needs-browser') {
      this.#ladder.needsScripts(new URL(request.url).host, request.label ?? '');
    }
    if (isOurs && next !== undefined && next !== flight.tier && verdict === 'blocked') {
      if (this.#ladder.refused(new URL(request.url).host, request.label ?? '', flight.tier, next)) this.#onLearnt();
    }
    if (endOfPass) this.#schedule.putOff = { url: request.url, label: request.label ?? null, error };
    if (isOurs) {
      this.#onAttempt?.(toEnded(flight, request, 'again', this.#now()));
      this.#onAgain?.({ url: request.url, label: request.label ?? null, error });
    }
    if (lane === 'browser') this.#onBrowserNeeded();
    this.#land(request);
    return { requestId: id, uniqueKey: request.uniqueKey, wasAlreadyPresent: true, wasAlreadyHandled: false, forefront: false };
  }

  async addRequest(source: Source, options: RequestQueueOperationOptions = {}): Promise<RequestQueueOperationInfo> {
    const { addedRequests } = await this.addRequestsBatched([source], options);
    const [added] = addedRequests;
    if (!added) throw new SurefootError('input', `${source.url} was not added: --max-requests is reached.`);
    return { ...added, forefront: options.forefront ?? false };
  }

  async addRequestsBatched(requests: RequestsLike, options: AddRequestsBatchedOptions = {}): Promise<AddRequestsBatchedResult> {
    const result = await this.#intake(requests, options);
    this.#schedule.wake();
    return result;
  }

  async handledCount(): Promise<number> {
    return this.#standing.handled;
  }

  getTotalCount(): number {
    return this.#standing.total;
  }

  getPendingCount(): number {
    const { total, handled } = this.#standing;
    return total - handled;
  }

  // -- what workers do: pages of the HTTP lane that are fetched in other processes (engine/workers.ts) ------------------

  /** Hands a request out to a worker. Its flight ends as any other, by what the worker says of it, or by `lost`. */
  async assign(): Promise<Assignment | null> {
    this.#assertWhole();
    const next = await this.#schedule.take('http');
    if (!next) return null;
    const { request: stored, at } = next.page;
    const { id, url, uniqueKey, errorMessages = [] } = stored;
    const label = labelFor(stored, this.#site);
    this.#takeOff({ id, url, uniqueKey, label, errorMessages, body: '' }, next);
    const labelWorks = this.#facts.works(label ?? '');
    return { request: { ...stored, ...(label !== undefined && { label }) }, tier: next.tier, claimedAt: at, labelWorks };
  }

  /** Adds what a worker's intake has let in. Resolves when it is on disk; what is beyond `room` new ones, or beyond the
   *  crawl's limit, is left out. */
  async addStored(requests: readonly RequestSchema[], how: { forefront: boolean; room: number }) {
    const added = await this.#add(requests, how);
    this.#schedule.wake();
    return [...added];
  }

  /** A worker has died: its pages come back at once. Those whose answer had begun to arrive may have killed it. */
  lost(requestIds: readonly string[]): void {
    this.#schedule.died();
    const lost = requestIds.map((id) => this.#airborneOf({ id }));
    const outcome = { kind: 'lost' } as const;
    // Claims that are asked for from now on find them.
    this.#see(this.#settleAll(lost.map(({ next }) => ({ claim: next.page, outcome }))));
    for (const { flight } of lost) {
      flight.abandon(null);
      this.#land(flight.request);
    }
  }

  // -- inside ---------------------------------------------------------------------------------------------------------

  async #add(requests: readonly RequestSchema[], how: { forefront: boolean; room: number }) {
    const { processed, standing } = await this.#store.add(requests, { ...how, limit: this.#maxRequests });
    this.#standing = standing;
    return processed;
  }

  #takeOff(request: InFlight, next: Next): void {
    const labelWorks = this.#facts.works(request.label ?? '');
    const flight = openFlight(request, { tier: next.tier, since: this.#now(), claimedAt: next.page.at, labelWorks });
    this.#flights.set(request.id as string, { flight, next });
    this.#schedule.tookOff(request, next, this.#flights.size);
  }

  #airborneOf(request: { readonly id?: string; readonly url?: string }): Airborne {
    const airborne = this.#flights.get(request.id as string);
    if (!airborne)
      throw new SurefootError(
        'site',
        `${request.url ?? request.id} is not in flight: it was not handed out by this frontier, or is done.`,
      );
    return airborne;
  }

  /** @returns Whether the page was still ours: one that another machine has taken over is settled there. */
  async #settle({ next: { page } }: Airborne, outcome: Outcome): Promise<boolean> {
    return !(await this.#settleAll([{ claim: page, outcome }])).includes(page.id);
  }

  async #settleAll(settlements: readonly Settlement[]): Promise<readonly string[]> {
    const { standing, refused } = await this.#store.settle(settlements);
    this.#standing = standing;
    this.#schedule.wake();
    return refused;
  }

  /** Of a write that nobody waits for: a crawl whose host stays closed on disk, or whose page stays locked, would wait for ever. */
  #see(writing: Promise<unknown>): void {
    writing.catch((error: unknown) => this.fail(error));
  }

  #assertWhole(): void {
    if (this.#broken) throw this.#broken.error;
  }

  /** Makes a page that killed the process a dead letter, without fetching it again. */
  async #bury(next: Next): Promise<void> {
    const request = new crawlee.Request(next.page.request);
    const { tier } = next;
    this.#takeOff(request, next);
    const error = `The process died ${MAX_DEATHS} times while this page was in flight, the last time with no other page.`;
    const last = { at: this.#date(), tier, verdict: 'crash', status: null, error } as const;
    const letter = toDeadLetter(request, last);
    this.giveUp(request, 'failed', letter);
    await this.markRequestHandled(request);
    this.#onDeadLetter(letter);
  }

  /** Now, for people. */
  #date(): string {
    return new Date(this.#clock.toMachine(this.#now())).toISOString();
  }

  #learn({ tier, rendered }: OpenFlight, request: InFlight, host: string): void {
    const started = attemptsOf(request)[0]?.tier ?? tier;
    const why = climbsOf(request).at(-1)?.why ?? null;
    const page = { host, label: request.label ?? '', started, ended: tier, why };
    if (this.#ladder.learn(rendered === undefined ? page : { ...page, rendered })) this.#onLearnt();
  }

  #landingOf({ tier, since, throttled }: OpenFlight, how: Landing): HostLanding {
    // How long a page takes says something of its host only beside pages that are fetched likewise.
    const millis = tier === 'http' || tier === 'impersonate' ? this.#now() - since : null;
    return { how: throttled ? 'throttled' : how, millis };
  }

  #land({ id }: Pick<InFlight, 'id'>): void {
    this.#flights.delete(id as string);
    this.#landed++;
    this.#schedule.landed();
  }
}

/** A flight and the claim that it began with. */
interface Airborne {
  readonly flight: OpenFlight;
  readonly next: Next;
}

/** How many links led to a page; 0: a person named it. */
function depthOf({ userData }: StoredRequest): number {
  return (userData?.['__crawlee'] as { crawlDepth?: number } | undefined)?.crawlDepth ?? 0;
}

/** One that a worker had is a body already. */
function bodyOf(request: InFlight): string {
  return 'body' in request ? request.body : toBody(request);
}
