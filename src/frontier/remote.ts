// A worker's end of the frontier: an IRequestManager for its crawler that has nothing of its own but the pages in flight here.
// The main process pushes a page for each place that is free, and is told how each one ended (engine/workers.ts).
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

import { toBody, type PageEnd } from '../core/run-store.ts';
import type { DeadLetter } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import type { Assignment, FromWorker, Questions } from '../core/worker-messages.ts';
import { crawlee } from '../crawlee.ts';
import { openFlight, type OpenFlight } from './flight.ts';
import { createIntake, type Intake, type IntakeSite } from './intake.ts';
import { pastKnown } from './known-links.ts';

/** With so many other pages in flight here, a page's end is told along with the next page's beginning, within a time. */
const MANY_IN_FLIGHT = 4;
const PATIENCE_MILLIS = 3;

export interface RemoteFrontierOptions {
  site: IntakeSite;
  /** @param withinMillis It may wait so long for others to go with. @default 0 */
  post(message: FromWorker, withinMillis?: number): void;
  /** Resolves when what was posted is out of this process. */
  sent(): Promise<void>;
  ask<Name extends keyof Questions>(name: Name, asked: Questions[Name]['asked']): Promise<Questions[Name]['answered']>;
  /** Told that there is something to fetch. */
  onAssigned(): void;
}

export class RemoteFrontier implements IRequestManager {
  /** Written by Crawlee. */
  internalTimeoutMillis = 0;
  requestLockSecs = 0;

  readonly #post: RemoteFrontierOptions['post'];
  readonly #sent: () => Promise<void>;
  readonly #ask: RemoteFrontierOptions['ask'];
  readonly #onAssigned: () => void;
  readonly #intake: Intake;
  readonly #assigned: Assignment[] = [];
  readonly #flights = new Map<string, OpenFlight>();
  #ended = false;

  constructor({ site, post, sent, ask, onAssigned }: RemoteFrontierOptions) {
    this.#post = post;
    this.#sent = sent;
    this.#ask = ask;
    this.#onAssigned = onAssigned;
    const addRequests = pastKnown((requests, options) => ask('add', { requests: requests.map(toSchema), ...options }));
    this.#intake = createIntake({ queue: { addRequests }, site });
  }

  // -- what the main process says --------------------------------------------------------------------------------------

  assign(assignment: Assignment): void {
    this.#assigned.push(assignment);
    this.#onAssigned();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#onAssigned();
  }

  /** What the pages in flight are doing. */
  phases(): (readonly [id: string, phase: string])[] {
    return [...this.#flights].map(([id, { phase }]) => [id, phase]);
  }

  // -- what the crawler's hooks and handlers call: as src/frontier/frontier.ts -----------------------------------------

  flightOf(request: Request): OpenFlight {
    const flight = this.#flights.get(request.id as string);
    if (!flight) throw new SurefootError('site', `${request.url} is not in flight: it was not handed out here, or is done.`);
    return flight;
  }

  async arrived(request: Request): Promise<void> {
    this.flightOf(request).enter('reading');
    this.#post({ type: 'arrived', id: request.id as string });
    // Whatever the page does to this process, it is said by then; together with all answers of this turn.
    await this.#sent();
  }

  defer(request: Request, notBefore: number): void {
    const flight = this.flightOf(request);
    flight.abandon(null);
    flight.due = notBefore;
  }

  giveUp(request: Request, end: PageEnd, letter?: DeadLetter): void {
    this.flightOf(request).abandon(end, letter);
  }

  pause(request: Request, until: number): void {
    this.#post({ type: 'pause', id: request.id as string, until });
  }

  async setDelay(request: Request, delayMillis: number): Promise<number | null> {
    return this.#ask('delay', { id: request.id as string, delayMillis });
  }

  // -- what the crawler calls -----------------------------------------------------------------------------------------

  async isEmpty(): Promise<boolean> {
    return this.#assigned.length === 0;
  }

  async isFinished(): Promise<boolean> {
    return this.#ended && this.#assigned.length === 0 && this.#flights.size === 0;
  }

  async fetchNextRequest<T extends Dictionary = Dictionary>(): Promise<Request<T> | null> {
    const next = this.#assigned.shift();
    if (!next) return null;
    const request = new crawlee.Request<T>(next.request);
    const { tier, claimedAt, labelWorks } = next;
    this.#flights.set(next.request.id, openFlight(request, { tier, since: claimedAt, claimedAt, labelWorks }));
    return request;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request> {
    for (let request = await this.fetchNextRequest(); request; request = await this.fetchNextRequest()) yield request;
  }

  async markRequestHandled(request: Request): Promise<void> {
    const flight = this.flightOf(request);
    flight.close();
    request.handledAt = new Date().toISOString();
    const id = request.id as string;
    // First: it throws for userData that is no JSON, and the page is in flight then.
    const body = toBody(request);
    this.#flights.delete(id);
    const done: FromWorker = {
      type: 'done',
      page: {
        id,
        body,
        errorMessages: request.errorMessages,
        end: flight.end ?? (request.state === crawlee.RequestState.SKIPPED ? 'skipped' : 'succeeded'),
        rows: flight.rows,
        rejected: flight.rejected,
        bytes: flight.bytes,
        links: flight.links,
        ...(flight.letter && { letter: flight.letter }),
      },
    };
    this.#post(done, this.#flights.size >= MANY_IN_FLIGHT ? PATIENCE_MILLIS : 0);
  }

  async reclaimRequest(request: Request): Promise<RequestQueueOperationInfo> {
    const flight = this.flightOf(request);
    flight.close();
    const id = request.id as string;
    const notBefore = flight.due ?? Date.now();
    const body = toBody(request);
    this.#flights.delete(id);
    this.#post({ type: 'again', page: { id, body, errorMessages: request.errorMessages, notBefore } });
    return { requestId: id, uniqueKey: request.uniqueKey, wasAlreadyPresent: true, wasAlreadyHandled: false, forefront: false };
  }

  async addRequest(source: Source, options: RequestQueueOperationOptions = {}): Promise<RequestQueueOperationInfo> {
    const { addedRequests } = await this.addRequestsBatched([source], options);
    const [added] = addedRequests;
    if (!added) throw new SurefootError('input', `${source.url} was not added: --max-requests is reached.`);
    return { ...added, forefront: options.forefront ?? false };
  }

  async addRequestsBatched(requests: RequestsLike, options: AddRequestsBatchedOptions = {}): Promise<AddRequestsBatchedResult> {
    return this.#intake(requests, options);
  }

  // The crawl's counts are the main process's to know; Crawlee asks for these for its own status messages alone.

  async handledCount(): Promise<number> {
    return 0;
  }

  getTotalCount(): number {
    return this.getPendingCount();
  }

  getPendingCount(): number {
    return this.#assigned.length + this.#flights.size;
  }
}

/** Plain data, as it is stored: Crawlee's `userData` hides a part of itself. */
function toSchema(request: Request): RequestSchema {
  return JSON.parse(toBody(request)) as RequestSchema;
}
