// The frontier: an IRequestManager around Crawlee's RequestQueue that knows due times, each host's pace and each page's
// tier, stages what a page pushes and commits it with the page. The HTTP lane's crawler gets it as `requestQueue`; the
// browser lane's gets its view of it (browser-lane.ts).
// Over 300 lines because it is one object: Crawlee's interface, the handlers' side and both lanes share its few fields.
import type {
  AddRequestsBatchedOptions,
  AddRequestsBatchedResult,
  IRequestManager,
  RequestQueue,
  RequestQueueOperationInfo,
  RequestQueueOperationOptions,
  RequestsLike,
  Source,
  Request,
} from '@crawlee/core';
import type { Dictionary, ProcessedRequest, RequestSchema } from '@crawlee/types';

import { DATASETS, type PageEnd, type QueueCounts, type Rest } from '../core/checkpoint.ts';
import { createClock, type Clock } from '../core/clock.ts';
import { handOutAfter, MAX_DEATHS, maxDeathsNow, QUIET_MILLIS } from '../core/crash.ts';
import { attemptsOf, climbsOf, toDeadLetter, type DeadLetter, type PutOff } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import { createLadder, type Ladder } from '../core/ladder.ts';
import { laneOf, LANES, type Lane } from '../core/lane.ts';
import { climbCounter, skippedCounter } from '../core/meta.ts';
import type { Tier } from '../core/page.ts';
import type { Assignment, StoredRequest } from '../core/worker-messages.ts';
import { crawlee } from '../crawlee.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createClaims, type Claims, type Next } from './claims.ts';
import { openFlight, type Flight, type InFlight, type OpenFlight } from './flight.ts';
import { createIntake, takeTurns, type InTurn, type Intake } from './intake.ts';
import { pastKnown } from './known-links.ts';
import { createLanes, labelFor, type Lanes } from './lanes.ts';
import type { FrontierOptions, FrontierSnapshot } from './options.ts';
import type { Landing, Pace } from './pace.ts';

/** Requests claimed in one transaction at most. */
const MAX_ROOM = 16;

export class Frontier implements IRequestManager {
  /** Written by Crawlee. */
  internalTimeoutMillis = 0;

  readonly #queue: RequestQueue;
  readonly #checkpoint: Checkpoint;
  readonly #site: FrontierOptions['site'];
  readonly #intake: Intake;
  readonly #maxRequests: number;
  readonly #pace: Pace;
  readonly #secondPassDelayMillis: number;
  readonly #onSecondPass: (requests: number, last: PutOff | null) => void;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #flights = new Map<string, OpenFlight>();
  readonly #dueTimes = new Map<string, number>();
  /** When this process began, or lost a worker: since then nothing has died. */
  #quietSince: number;
  readonly #onDeadLetter: (letter: DeadLetter) => void;
  #failed: number;
  #counters: Record<string, number> = {};
  #landed = 0;
  /** Pages that can be in flight, as far as is known. */
  #peak: number;
  /** Grows with all that may give a claim something to find. */
  #changes = 0;
  readonly #ladder: Ladder;
  readonly #lanes: Lanes;
  readonly #claims: Readonly<Record<Lane, Claims>>;
  readonly #onArrived: NonNullable<FrontierOptions['onArrived']>;
  readonly #onBrowserNeeded: () => void;
  readonly #onLearnt: () => void;
  readonly #inTurn: InTurn;
  #alone = false;
  #stopped = false;
  /** What was put off to the second pass last. */
  #putOff: PutOff | null = null;
  /** Why the crawl cannot go on: a lane has died, or a write that nobody waited for has failed. */
  #broken: { error: unknown } | null = null;

  constructor(options: FrontierOptions) {
    const { queue, checkpoint, site, pace } = options;
    const { clock = createClock({ machine: () => Date.now(), elapsed: () => performance.now() }) } = options;
    this.#queue = queue;
    this.#checkpoint = checkpoint;
    this.#site = site;
    this.#pace = pace;
    this.#peak = options.concurrency ?? 0;
    this.#clock = clock;
    this.#now = clock.now;
    this.#ladder = options.ladder ?? createLadder({ tiers: ['http'] });
    this.#lanes = createLanes(this.#ladder, site);
    this.#claims = { http: this.#claimsOf('http'), browser: this.#claimsOf('browser') };
    this.#onArrived = options.onArrived ?? (() => {});
    this.#onBrowserNeeded = options.onBrowserNeeded ?? (() => {});
    this.#onLearnt = options.onLearnt ?? (() => {});
    const { maxRequests = Infinity } = options;
    this.#maxRequests = maxRequests;
    this.#inTurn = maxRequests === Infinity ? async (work) => work() : takeTurns();
    this.#intake = createIntake({
      queue: { addRequests: pastKnown((requests, { forefront }) => checkpoint.add(requests, forefront)) },
      site,
      maxRequests,
      known: () => checkpoint.counts().total,
      inTurn: this.#inTurn,
    });
    this.#secondPassDelayMillis = options.secondPassDelayMillis ?? 60_000;
    this.#onSecondPass = options.onSecondPass ?? (() => {});
    this.#onDeadLetter = options.onDeadLetter ?? (() => {});
    this.#quietSince = clock.now();
    this.#failed = checkpoint.tallies().reduce((sum, { end, pages }) => (end === 'failed' ? sum + pages : sum), 0);
  }

  /** Written by Crawlee: a lock outlives the slowest handler. */
  set requestLockSecs(seconds: number) {
    this.#queue.requestLockSecs = seconds;
  }

  /** No further hand-outs; pages in flight go on. The frontier is then finished as soon as they are. */
  stop(): void {
    this.#stopped = true;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Ends the crawl with an error: whoever asks for a page, or whether all is done, meets it. Pages that are in flight in a
   *  lane that has died would be waited for otherwise. */
  fail(error: unknown): void {
    this.#broken ??= { error };
  }

  /** The attempt under way at a request that was handed out. */
  flightOf(request: Pick<InFlight, 'id'>): Flight {
    return this.#openFlightOf(request);
  }

  /** Says that the answer to a request has begun to arrive: from here on its page can kill the process (its size, its
   *  compression, the parser, the handler), and that is on disk when this resolves. */
  async arrived(request: Pick<InFlight, 'id'>): Promise<void> {
    const flight = this.#openFlightOf(request);
    flight.enter('reading');
    this.#onArrived({ label: flight.request.label, tier: flight.tier });
    await this.#checkpoint.handOut(request.id as string);
  }

  /** Sends a failed attempt round again, not before a time (epoch milliseconds by the machine's clock; Infinity: in the
   *  second pass). What it staged is dropped. */
  defer(request: Pick<InFlight, 'id'>, notBefore: number): void {
    this.#openFlightOf(request).abandon(null, []);
    this.#dueTimes.set(request.id as string, this.#clock.toRun(notBefore));
  }

  /** Ends a request without its rows; a dead letter, if given, is committed with the done mark. */
  giveUp(request: Pick<InFlight, 'id'>, end: PageEnd, deadLetter?: DeadLetter): void {
    const rows = deadLetter ? [{ dataset: DATASETS.failed, json: JSON.stringify(deadLetter) }] : [];
    this.#openFlightOf(request).abandon(end, rows);
  }

  /** Rests a request's whole host until a time (epoch milliseconds by the machine's clock), as a host that throttles asks
   *  for. */
  pause(request: Pick<InFlight, 'id' | 'url'>, until: number): void {
    this.#openFlightOf(request).throttled = true;
    const { host } = new URL(request.url);
    this.#rest(host, this.#pace.pause(host, this.#clock.toRun(until), this.#now()));
    for (const lane of LANES) {
      for (const next of this.#claims[lane].drop(({ request: { url } }) => new URL(url).host === host))
        this.#giveBack(next, lane);
    }
  }

  /** Keeps a gap between two hand-outs to the request's host (its Crawl-delay).
   *  @returns Since when that is known (by the run's clock, as `claimedAt` of a flight), null if only now. */
  setDelay(request: Pick<InFlight, 'url'>, delayMillis: number): number | null {
    const { host } = new URL(request.url);
    const now = this.#now();
    const since = this.#pace.setDelay(host, delayMillis, now);
    // What is claimed from now on keeps the gap too.
    if (since === null) this.#rest(host, this.#pace.restOf(host, now));
    return since;
  }

  /** What is in flight and what waits, for whoever asks why nothing seems to happen. */
  snapshot(): FrontierSnapshot {
    const now = this.#now();
    const flights = [...this.#flights.values()].map(({ request, tier, phase, since }) => ({
      url: request.url,
      label: request.label ?? null,
      tier,
      phase,
      ageMillis: now - since,
    }));
    const { toMachine } = this.#clock;
    const hosts = this.#pace.snapshot().map((host) => ({ ...host, restsUntil: Math.max(0, toMachine(host.restsUntil)) }));
    const wake = this.#checkpoint.nextWake();
    return { ...this.counts(), flights, hosts, nextWake: wake === null ? null : toMachine(wake) };
  }

  counts(): QueueCounts {
    return this.#checkpoint.counts();
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
  count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1;
  }

  /** Whether a lane has any request that is not handled. */
  hasWork(lane: Lane): boolean {
    return this.#checkpoint.hasWork(lane);
  }

  // -- what the crawler calls -----------------------------------------------------------------------------------------

  async isEmpty(lane: Lane = 'http'): Promise<boolean> {
    this.#assertWhole();
    return this.#mustWait(lane) || (await this.#claims[lane].isEmpty()) || this.#mustWait(lane);
  }

  async isFinished(): Promise<boolean> {
    this.#assertWhole();
    if (this.#flights.size > 0) return false;
    if (this.#stopped) return true;
    return LANES.every((lane) => !this.#claims[lane].busy) && (await this.#checkpoint.isFinished());
  }

  async fetchNextRequest<T extends Dictionary = Dictionary>(lane: Lane = 'http'): Promise<Request<T> | null> {
    const next = await this.#take(lane);
    if (!next) return null;
    const request = asRequest(next.request) as Request<T>;
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
    const flight = this.#openFlightOf(request);
    flight.close();
    flight.enter('committing');
    const isSkipped = request instanceof crawlee.Request && request.state === crawlee.RequestState.SKIPPED;
    if (request instanceof crawlee.Request) request.handledAt = this.#date();
    const end = flight.end ?? (isSkipped ? 'skipped' : 'succeeded');
    const { host } = new URL(request.url);
    for (const { from, to, why } of climbsOf(request)) this.count(climbCounter(from, to, why));
    if (end === 'skipped') this.count(skippedCounter(attemptsOf(request).at(-1)?.rule ?? 'robots'));
    const counters = this.#counters;
    this.#counters = {};
    await this.#checkpoint.commit(request, flight.rows, {
      end,
      tier: flight.tier,
      host,
      bytes: flight.bytes,
      millis: this.#now() - flight.since,
      rejected: flight.rejected,
      counters,
    });
    // Only now: a commit that failed is tried again, with the same rows.
    if (end === 'failed') this.#failed++;
    if (end === 'succeeded' || end === 'missing') this.#learn(flight, request, host);
    // A page that was not fetched says nothing of how fast its host is.
    this.#land(flight, end === 'failed' || end === 'skipped' ? 'bad' : 'good');
  }

  async reclaimRequest(request: InFlight): Promise<RequestQueueOperationInfo> {
    const id = request.id as string;
    const flight = this.#openFlightOf(request);
    if (request instanceof crawlee.Request) delete request.handledAt; // Set by a commit that failed.
    const { next, verdict, endOfPass, error = '' } = attemptsOf(request).at(-1) ?? {};
    const lane = laneOf(next ?? flight.tier);
    if (next !== undefined && next !== flight.tier && verdict === 'blocked') {
      if (this.#ladder.refused(new URL(request.url).host, request.label ?? '', flight.tier, next)) this.#onLearnt();
    }
    if (endOfPass) this.#putOff = { url: request.url, label: request.label ?? null, error };
    await this.#checkpoint.reclaim(request, this.#dueTimes.get(id) ?? this.#now(), lane);
    this.#dueTimes.delete(id);
    if (lane === 'browser') this.#onBrowserNeeded();
    this.#land(flight, 'bad');
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
    this.#wake();
    return result;
  }

  async handledCount(): Promise<number> {
    return this.counts().handled;
  }

  getTotalCount(): number {
    return this.counts().total;
  }

  getPendingCount(): number {
    const { total, handled } = this.counts();
    return total - handled;
  }

  // -- what workers do: pages of the HTTP lane that are fetched in other processes (engine/workers.ts) ------------------

  /** Hands a request out to a worker. Its flight ends as any other, by what the worker says of it, or by `lost`. */
  async assign(): Promise<Assignment | null> {
    const next = await this.#take('http');
    if (!next) return null;
    const stored = next.request as StoredRequest;
    const { id, url, uniqueKey, errorMessages = [] } = stored;
    const label = labelFor(stored, this.#site);
    this.#takeOff({ id, url, uniqueKey, label, errorMessages, body: '' }, next);
    return { request: { ...stored, ...(label !== undefined && { label }) }, tier: next.tier, claimedAt: next.at };
  }

  /** Adds what a worker's intake has let in. Resolves when it is on disk; what is beyond `room` new ones, or beyond the
   *  crawl's limit, is left out. */
  async addStored(requests: readonly RequestSchema[], { forefront, room }: { forefront: boolean; room: number }) {
    return this.#inTurn(async () => {
      const left = [...requests];
      const added: ProcessedRequest[] = [];
      for (let news = 0; left.length > 0;) {
        const part = left.splice(0, Math.max(0, Math.min(left.length, room - news, this.#maxRequests - this.counts().total)));
        if (part.length === 0) break;
        const processed = await this.#checkpoint.add(part, forefront);
        news += processed.filter(({ wasAlreadyPresent }) => !wasAlreadyPresent).length;
        added.push(...processed);
      }
      this.#wake();
      return added;
    });
  }

  /** A worker has died: its pages come back at once. Those whose answer had begun to arrive may have killed it. */
  lost(requestIds: readonly string[]): void {
    this.#quietSince = this.#now();
    // Claims that are asked for from now on find them.
    this.#see(this.#checkpoint.recover(requestIds));
    for (const id of requestIds) {
      const flight = this.#openFlightOf({ id });
      flight.abandon(null, []);
      this.#land(flight, 'bad');
    }
  }

  // -- inside ---------------------------------------------------------------------------------------------------------

  /** The next request to go out. */
  async #take(lane: Lane): Promise<Next | null> {
    if (await this.isEmpty(lane)) return null;
    // The other lane may have taken a page meanwhile.
    if (this.#mustWait(lane)) return null;
    // Or another call this one; whoever asks does so again.
    return this.#claims[lane].take();
  }

  #takeOff(request: InFlight, { tier, deaths, at }: Next): void {
    this.#lanes.taken(request);
    this.#alone = handOutAfter(deaths) === 'alone';
    this.#flights.set(request.id as string, openFlight(request, { tier, since: this.#now(), claimedAt: at }));
    this.#peak = Math.max(this.#peak, this.#flights.size);
  }

  #openFlightOf(request: { readonly id?: string; readonly url?: string }): OpenFlight {
    const flight = this.#flights.get(request.id as string);
    if (!flight)
      throw new SurefootError(
        'site',
        `${request.url ?? request.id} is not in flight: it was not handed out by this frontier, or is done.`,
      );
    return flight;
  }

  #claimsOf(lane: Lane): Claims {
    return createClaims({
      now: this.#now,
      changes: () => this.#changes,
      claim: (now) => this.#claim(lane, now),
      room: () => this.#room(lane),
      nextWake: (now) => this.#nextWake(lane, now),
      bury: (next) => this.#bury(next),
    });
  }

  /** The lane can have more pages in flight than now: so many can be claimed in one transaction. A page that has to be alone
   *  is only claimed with none in flight, and then by itself. */
  #room(lane: Lane): number {
    // The gap to a host's last page is measured from the claim: what waits in line would shorten it.
    if (this.#pace.hasGaps || lane === 'browser') return 1;
    if (this.#flights.size === 0 || !this.#checkpoint.claimsTogether) return 1;
    return Math.min(MAX_ROOM, Math.max(1, this.#peak - this.#flights.size));
  }

  /** Puts back what was claimed and must not be handed out now. */
  #giveBack({ request }: Next, lane: Lane): void {
    this.#see(this.#checkpoint.reclaim(asRequest(request), this.#now(), lane));
    const { host } = new URL(request.url);
    const rest = this.#pace.land(host, 'bad', null, this.#now());
    // The claim may have closed its host until a page lands.
    if (rest !== null) this.#rest(host, rest);
    this.#wake();
  }

  async #claim(lane: Lane, now: number): Promise<Next | null> {
    let tier: Tier = 'http';
    const claimed = await this.#checkpoint.claim({
      lane,
      laneOf: (request) => {
        tier = this.#lanes.tierFor(request, lane, now);
        const belongs = laneOf(tier);
        if (belongs !== lane) this.#wake();
        if (belongs !== lane && belongs === 'browser') this.#onBrowserNeeded();
        return belongs;
      },
      now,
      maxDeaths: maxDeathsNow(this.#flights.size, now - this.#quietSince),
      restAfter: (host) => this.#pace.takeOff(host, now),
    });
    const next = claimed && { ...claimed, tier, at: now };
    // Its host may have asked for a rest while the claim was made.
    if (next && this.#pace.isPaused(new URL(next.request.url).host, this.#now())) {
      this.#giveBack(next, lane);
      return null;
    }
    return next;
  }

  #rest(host: string, rest: Rest): void {
    this.#see(this.#checkpoint.rest(host, rest));
  }

  /** Of a write that nobody waits for: a crawl whose host stays closed on disk, or whose page stays locked, would wait for ever. */
  #see(writing: Promise<void>): void {
    writing.catch((error: unknown) => this.fail(error));
  }

  #assertWhole(): void {
    if (this.#broken) throw this.#broken.error;
  }

  /** What happened may give either lane something to claim. */
  #wake(): void {
    this.#changes++;
    for (const lane of LANES) this.#claims[lane].wake();
  }

  /** Nothing is handed out beside a page that must be alone, nor such a page, claimed while all was quiet, beside another. */
  #mustWait(lane: Lane): boolean {
    if (this.#stopped || this.#alone) return true;
    const { ahead } = this.#claims[lane];
    return ahead !== null && this.#flights.size > 0 && handOutAfter(ahead.deaths) === 'alone';
  }

  /** When there may be something to claim. With nothing else left, the second pass begins. */
  #nextWake(lane: Lane, now: number): number {
    const wake = this.#checkpoint.nextWake();
    // Until then, pages that may have killed the process twice are not even looked for.
    const quietAt = this.#quietSince + QUIET_MILLIS;
    if (now < quietAt) return Math.min(wake ?? Infinity, quietAt);
    if (wake !== null || this.#flights.size > 0 || LANES.some((other) => this.#claims[other].ahead)) return wake ?? Infinity;
    // The browser lane has not looked at what waits for the HTTP lane.
    if (lane !== 'http') return Infinity;
    const begin = now + this.#secondPassDelayMillis;
    const postponed = this.#checkpoint.startSecondPass(begin);
    if (postponed === 0) return Infinity;
    this.#peak = 0; // Fewer at a time from here on.
    this.#onSecondPass(postponed, this.#putOff);
    return begin;
  }

  /** Makes a page that killed the process a dead letter, without fetching it again. */
  async #bury(next: Next): Promise<void> {
    const request = asRequest(next.request);
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

  #land({ request, tier, since, throttled }: OpenFlight, how: Landing): void {
    const { host } = new URL(request.url);
    const now = this.#now();
    // How long a page takes says something of its host only beside pages that are fetched likewise.
    const millis = tier === 'http' || tier === 'impersonate' ? now - since : null;
    const rest = this.#pace.land(host, throttled ? 'throttled' : how, millis, now);
    if (rest !== null) this.#rest(host, rest);
    this.#flights.delete(request.id as string);
    this.#landed++;
    this.#alone = false;
    // The page may have added links past this frontier, through RequestQueue.open(), and its host may be called again.
    this.#wake();
  }
}

/** A claim brings what is stored; other stores than ours hand out Crawlee's own. */
function asRequest(request: Request | StoredRequest): Request {
  return request instanceof crawlee.Request ? request : new crawlee.Request(request);
}
