// The HTTP lane in several processes (`--workers`): hands out pages as far as all limits allow, each to the worker that has
// the fewest, does to the frontier what the workers report, and replaces one that dies.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import type { StorageClient } from '@crawlee/types';

import type { DeadLetter } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import type { Tier } from '../core/page.ts';
import { TransportError } from '../core/transport.ts';
import { fromWireError } from '../core/wire-error.ts';
import type { Assignment, FromWorker } from '../core/worker-messages.ts';
import type { RobotsPage } from '../fetch/robots.ts';
import type { Phase } from '../frontier/flight.ts';
import type { Frontier } from '../frontier/frontier.ts';
import { bookTraffic, type Ledger } from '../proxy/spend.ts';
import { makeCall } from '../storage/forwarding.ts';
import { forkWorker } from './fork.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';
import type { WorkerJob } from './worker.ts';

/** Where the HTTP lane's pages are fetched. */
export interface HttpLane {
  /** Resolves when the frontier is finished or stopped and no page is in flight. */
  run(): Promise<void>;
  /** Ends what may still be there of it. */
  close(): void;
  /** Lowers how many pages are in flight at once. */
  limit(concurrency: number): void;
  /** A tier cannot be used any more. */
  loseTier(tier: Tier, why: string): void;
}

export interface WorkersOptions {
  count: number;
  /** Workers that were started already. */
  forked: ChildProcess[];
  job: Omit<WorkerJob, 'place'>;
  frontier: Frontier;
  /** Pages in flight, in all workers together. */
  concurrency: number;
  /** What `Dataset.open()` and its like in a handler come to, too. */
  storage: StorageClient;
  /** The rules for an origin; null: they are not asked for. */
  robots: ((origin: string, page: RobotsPage) => Promise<{ readonly text: string }>) | null;
  ledger: Pick<Ledger, 'count' | 'charge'>;
  onProxyFault: (fault: TransportError | null) => void;
  onTierLost: (tier: Tier, why: string) => boolean;
  onDeadLetter: (letter: DeadLetter) => void;
  onLogLine: (line: string) => void;
  say: (text: string) => void;
}

/** A place for a worker. */
interface Seat {
  readonly place: number;
  worker: WorkerProcess | null;
  /** Whether it can be given pages. */
  ready: boolean;
  /** Whether an answer has come to its worker. */
  hasFetched: boolean;
  /** Workers that died here one after the other without having had a single answer. */
  stillborn: number;
  readonly inFlight: Set<string>;
}

/** As Crawlee looks for something to do (http-crawler.ts): what falls due is not told of. */
const LOOK_EVERY_MILLIS = 50;
/** So many of them are no page's fault. */
const MAX_STILLBORN = 5;
/** A worker that takes the place of one that had no answer waits so long for each that died before it. */
const WAIT_MILLIS = 200;
const MAX_WRITES = 4;
/** A worker with nothing left to do ends within this time, or is ended. */
const FAREWELL_MILLIS = 10_000;

export function openWorkers(options: WorkersOptions): HttpLane {
  const { frontier, storage, say } = options;
  let { concurrency } = options;
  const seats = Array.from({ length: options.count }, (_, place): Seat => {
    return { place, worker: null, ready: false, hasFetched: false, stillborn: 0, inFlight: new Set() };
  });
  const lost = new Map<Tier, string>();
  /** Before, there may be nothing to do only because nothing has been added yet. */
  let running = false;
  let ending = false;
  let looking = false;
  let finish = () => {};
  let fail: (error: unknown) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  // Mark as handled; `run()` rethrows it.
  finished.catch(() => {});

  const heed = (seat: Seat, message: FromWorker) => {
    switch (message.type) {
      case 'ready':
        seat.ready = true;
        for (const [tier, why] of lost) seat.worker?.post({ type: 'tier-lost', tier, why });
        break;
      case 'arrived':
        seat.hasFetched = true;
        seat.stillborn = 0;
        frontier.arrived(message).catch(fail);
        break;
      case 'done': {
        const { page } = message;
        const flight = frontier.flightOf(page);
        for (const { dataset, json } of page.rows) flight.stage(dataset, json);
        for (let row = 0; row < page.rejected; row++) flight.reject();
        flight.measure(page.bytes);
        if (page.links !== null) flight.found(page.links);
        if (page.end !== 'succeeded') frontier.giveUp(page, page.end, page.letter);
        seat.inFlight.delete(page.id);
        const named = nameOf(flight.request);
        insist(async () => frontier.markRequestHandled({ ...page, ...named }))
          .then(() => page.letter && options.onDeadLetter(page.letter))
          .catch(fail);
        break;
      }
      case 'again': {
        const { page } = message;
        const { request } = frontier.flightOf(page);
        frontier.defer(page, page.notBefore);
        seat.inFlight.delete(page.id);
        const named = nameOf(request);
        insist(async () => frontier.reclaimRequest({ ...page, ...named })).catch(fail);
        break;
      }
      case 'pause':
        frontier.pause({ ...nameOf(frontier.flightOf(message).request), id: message.id }, message.until);
        break;
      case 'phases':
        for (const [id, phase] of message.phases) if (seat.inFlight.has(id)) frontier.flightOf({ id }).enter(phase as Phase);
        break;
      case 'traffic':
        bookTraffic(options.ledger, message.news);
        break;
      case 'proxy-fault': {
        const fault = message.fault && fromWireError(message.fault);
        options.onProxyFault(fault instanceof TransportError ? fault : null);
        break;
      }
      case 'tier-lost':
        options.onTierLost(message.tier, message.why);
        break;
      case 'log':
        options.onLogLine(message.line);
        break;
    }
    setImmediate(look);
  };

  const start = (seat: Seat) => {
    seat.hasFetched = false;
    const worker = startWorker({
      child: options.forked.shift() ?? forkWorker(),
      job: { ...options.job, place: seat.place },
      onMessage: (message) => heed(seat, message),
      answers: {
        add: ({ requests, ...how }) => frontier.addStored(requests, how),
        robots: async ({ origin, id, from }) => {
          const { label } = frontier.flightOf({ id }).request;
          const page = { id, label, headers: from === null ? {} : { Referer: from } };
          return (await options.robots?.(origin, page))?.text ?? '';
        },
        delay: async ({ id, delayMillis }) => frontier.setDelay(frontier.flightOf({ id }).request, delayMillis),
        storage: (call) => makeCall(storage, call),
      },
      onError: fail,
    });
    seat.worker = worker;
    const bury = async () => {
      const how = await worker.ended;
      seat.worker = null;
      seat.ready = false;
      if (!ending) mourn(seat, worker, how);
    };
    bury().catch(fail);
  };

  const mourn = (seat: Seat, { pid }: WorkerProcess, how: string) => {
    const pages = [...seat.inFlight];
    seat.inFlight.clear();
    frontier.lost(pages);
    if (!seat.hasFetched) seat.stillborn++;
    if (seat.stillborn >= MAX_STILLBORN) {
      throw new SurefootError(
        'setup',
        `${MAX_STILLBORN} workers in a row died before they had fetched anything, the last one by ${how}. ` +
          'What they said is above. Crawl with --workers 1, or mend the cause; the same command goes on.',
      );
    }
    const back =
      pages.length === 1 ? 'the page it had in flight comes back' : `the ${pages.length} pages it had in flight come back`;
    say(`A worker died (PID ${pid}, ${how}). Another one takes its place${pages.length === 0 ? '' : `, and ${back}`}.`);
    const again = () => {
      if (!ending) start(seat);
    };
    if (seat.stillborn > 0) setTimeout(again, seat.stillborn * WAIT_MILLIS);
    else again();
    setImmediate(look);
  };

  const place = (assignment: Assignment): boolean => {
    const [seat] = seats.filter(({ ready }) => ready).toSorted((a, b) => a.inFlight.size - b.inFlight.size);
    if (!seat) return false;
    seat.inFlight.add(assignment.request.id);
    seat.worker?.post({ type: 'fetch', assignment });
    return true;
  };

  /** Hands out what may be handed out. */
  const look = () => {
    if (looking || !running || ending) return;
    looking = true;
    void handOut()
      .catch(fail)
      .finally(() => {
        looking = false;
      });
  };
  const handOut = async () => {
    while (seats.some(({ ready }) => ready) && inFlight() < concurrency) {
      const assignment = await frontier.assign();
      if (!assignment) break;
      // The last worker has just died.
      if (!place(assignment)) frontier.lost([assignment.request.id]);
    }
    for (const { worker } of seats) worker?.flush();
    if (inFlight() === 0 && (await frontier.isFinished())) finish();
  };
  const inFlight = () => seats.reduce((sum, seat) => sum + seat.inFlight.size, 0);

  // At once: they load what they need while the crawl is prepared.
  for (const seat of seats) start(seat);

  const killAll = () => {
    for (const seat of seats) seat.worker?.kill();
  };
  process.on('exit', killAll);
  const close = () => {
    ending = true;
    killAll();
    process.off('exit', killAll);
  };

  return {
    async run() {
      running = true;
      const timer = setInterval(look, LOOK_EVERY_MILLIS);
      look();
      try {
        await finished;
        ending = true;
        for (const { ready, worker } of seats) {
          // One that has not begun would not hear it, and has nothing to save.
          if (ready) worker?.post({ type: 'end' });
          else worker?.kill();
        }
        const gone = Promise.all(seats.map(async (seat) => seat.worker?.ended));
        await Promise.race([gone, sleep(FAREWELL_MILLIS, undefined, { ref: false })]);
      } finally {
        clearInterval(timer);
        close();
      }
    },
    close,
    limit(limited) {
      concurrency = Math.min(concurrency, limited);
    },
    loseTier(tier, why) {
      if (lost.has(tier)) return;
      lost.set(tier, why);
      for (const { ready, worker } of seats) if (ready) worker?.post({ type: 'tier-lost', tier, why });
    },
  };
}

/** A commit that fails is tried again, as Crawlee does it in one process. */
async function insist<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries === MAX_WRITES) throw error;
      await sleep(tries * WAIT_MILLIS);
    }
  }
}

/** What stays the same of a request, whoever fetches it. */
function nameOf({ url, uniqueKey, label }: ReturnType<Frontier['flightOf']>['request']) {
  return { url, uniqueKey, label };
}
