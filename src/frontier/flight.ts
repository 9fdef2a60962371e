// One attempt at one page, from its hand-out to its outcome: what it has staged and what it measured.
import type { Request } from '@crawlee/core';

import type { DeadLetter } from '../core/dead-letter.ts';
import { SurefootError } from '../core/errors.ts';
import type { Tier } from '../core/page.ts';
import type { PageEnd, StagedRow } from '../core/run-store.ts';

/** What an attempt is doing. `connecting` lasts until the request goes out, be it that a connection is made or waited for;
 *  clients that do not tell when that is (impit, a browser) go from there to `reading`. */
export type Phase = 'queued' | 'robots' | 'connecting' | 'waiting' | 'reading' | 'parsing' | 'handler' | 'committing';

/** What is known here of a request in flight: Crawlee's object, or of one that a worker has, what the frontier goes by and
 *  what is to be stored of it. */
export type InFlight =
  | Request
  | (Pick<Request, 'id' | 'url' | 'uniqueKey' | 'label' | 'errorMessages'> & { readonly id: string; readonly body: string });

/** Belongs to one attempt: a handler that timed out and still runs cannot write into the next attempt at its page. */
export interface Flight {
  readonly request: InFlight;
  /** How the page is fetched. */
  readonly tier: Tier;
  /** Whether any page of its label had succeeded when it was handed out. */
  readonly labelWorks: boolean;
  /** When it was handed out, by the run's clock. */
  readonly since: number;
  /** When it was claimed from the store, a little before that, by the store's clock. */
  readonly claimedAt: number;
  /** Adds a row (JSON) to be committed with the page.
   *  @throws {SurefootError} kind `site`: the attempt is over. */
  stage(dataset: string, json: string): void;
  /** Counts links that the handler found, known or not; 0 says that it looked for some. */
  found(links: number): void;
  /** Counts a row that failed the site's schema. */
  reject(): void;
  /** Sets the decoded body's size. */
  measure(bytes: number): void;
  /** Says whether a page in a browser needed its scripts to be run. */
  rendering(needed: boolean): void;
  /** Says what the attempt does now, for whoever asks why it takes so long. */
  enter(phase: Phase): void;
}

/** A flight as the frontier sees it. */
export interface OpenFlight extends Flight {
  readonly rows: readonly StagedRow[];
  readonly rejected: number;
  /** Null: none were looked for. */
  readonly links: number | null;
  readonly bytes: number;
  readonly phase: Phase;
  /** Set by `rendering`. */
  readonly rendered: boolean | undefined;
  /** Whether its host asked to be called less often. */
  throttled: boolean;
  /** Ends the attempt: nothing can be staged any more. */
  close(): void;
  /** Drops what was staged and ends the attempt, in `end` if the page is given up, with the letter that says so. */
  abandon(end: PageEnd | null, letter?: DeadLetter): void;
  /** Set by `abandon`. */
  readonly end: PageEnd | null;
  readonly letter: DeadLetter | null;
  /** When it is to go round again, by the run's clock; Infinity: in the second pass. */
  due: number | null;
}

type HandOut = Pick<Flight, 'tier' | 'since' | 'claimedAt' | 'labelWorks'>;

export function openFlight(request: InFlight, handOut: HandOut): OpenFlight {
  return new Attempt(request, handOut);
}

/** A class, as there is one for each page: an object literal with as many getters takes ten times as long to make. */
class Attempt implements OpenFlight {
  readonly request: InFlight;
  readonly tier: Tier;
  readonly since: number;
  readonly claimedAt: number;
  readonly labelWorks: boolean;
  throttled = false;
  rows: StagedRow[] = [];
  rejected = 0;
  links: number | null = null;
  bytes = 0;
  end: PageEnd | null = null;
  letter: DeadLetter | null = null;
  due: number | null = null;
  phase: Phase = 'queued';
  rendered: boolean | undefined = undefined;
  #isOpen = true;

  constructor(request: InFlight, { tier, since, claimedAt, labelWorks }: HandOut) {
    this.request = request;
    this.tier = tier;
    this.since = since;
    this.claimedAt = claimedAt;
    this.labelWorks = labelWorks;
  }

  stage(dataset: string, json: string): void {
    if (!this.#isOpen) {
      const { url, label = 'unlabelled' } = this.request;
      throw new SurefootError(
        'site',
        `A row was pushed for ${url} after its page was over. Await every pushData() in the ${label} handler.`,
      );
    }
    this.rows.push({ dataset, json });
  }

  found(links: number): void {
    this.links = (this.links ?? 0) + links;
  }

  reject(): void {
    if (this.#isOpen) this.rejected++;
  }

  measure(bytes: number): void {
    this.bytes = bytes;
  }

  rendering(needed: boolean): void {
    this.rendered = needed;
  }

  enter(phase: Phase): void {
    this.phase = phase;
  }

  close(): void {
    this.#isOpen = false;
  }

  abandon(end: PageEnd | null, letter?: DeadLetter): void {
    this.#isOpen = false;
    this.end = end;
    this.letter = letter ?? null;
    this.rows = [];
    this.rejected = 0;
  }
}
