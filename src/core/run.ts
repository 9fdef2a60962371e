// A run and its identity: whether a start goes on with the last run, begins a new one, or must not do either.

import type { RunDescription } from './meta.ts';

/** What makes two starts the same crawl. How it is fetched (concurrency, output, ...) may change between them. */
export interface RunInput {
  readonly site: string;
  /** Empty: the bundled demo site. */
  readonly startUrls: readonly string[];
  readonly maxRequests: number | null;
}

/** What is kept of a run. */
export interface RunRecord {
  readonly input: RunInput;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Null until all pages are done and the exports are written. */
  readonly finishedAt: string | null;
  /** Where the demo site listened: its URLs are in the queue. */
  readonly demoPort: number | null;
  /** How its last process was told to crawl, without secrets. Records of earlier versions have none. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export type RunDecision =
  | { readonly kind: 'start' }
  | { readonly kind: 'resume'; readonly run: RunRecord }
  /** Another input over an unfinished run. */
  | { readonly kind: 'refuse'; readonly run: RunRecord };

/** An unfinished run goes on when the input is the same or `--resume` says so; a finished one starts over. */
export function decideRun(previous: RunRecord | null, input: RunInput, flags: { fresh: boolean; resume: boolean }): RunDecision {
  if (!previous || previous.finishedAt !== null || flags.fresh) return { kind: 'start' };
  if (flags.resume || isSameInput(previous.input, input)) return { kind: 'resume', run: previous };
  return { kind: 'refuse', run: previous };
}

/** The order of start URLs, and naming one twice, make no difference. */
export function isSameInput(a: RunInput, b: RunInput): boolean {
  const key = ({ site, startUrls, maxRequests }: RunInput) => JSON.stringify([site, [...new Set(startUrls)].sort(), maxRequests]);
  return key(a) === key(b);
}

/** A run as its `meta` names it. */
export function describeRun({ input, startedAt, finishedAt, demoPort }: RunRecord): RunDescription {
  const startUrls = input.startUrls.length > 0 ? input.startUrls : [`the demo site on port ${demoPort ?? 'none yet'}`];
  return { site: input.site, startUrls, startedAt, finishedAt, status: finishedAt === null ? 'unfinished' : 'finished' };
}
