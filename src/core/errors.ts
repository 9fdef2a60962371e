// The one error class a person is meant to read: what happened, where, the actual value, what to do next.
// Every stage throws it; main.ts prints its message alone and exits with 1.

/** Which part of the house speaks: bad input, what is installed, the store on disk, a run already there, the network, a
 *  site's own code. */
export type ErrorKind = 'input' | 'setup' | 'storage' | 'run' | 'network' | 'site';

/** An expected failure. Its message stands by itself: no stack trace is shown with it. */
export class SurefootError extends Error {
  override readonly name = 'SurefootError';
  readonly kind: ErrorKind;
  /** For the code that can do something about it. */
  readonly code: 'unusable-store' | undefined;

  /** @param message What is wrong, the value that was found, and the next step. Never a secret. */
  constructor(kind: ErrorKind, message: string, options: { cause?: unknown; code?: SurefootError['code'] } = {}) {
    super(`[${kind}] ${message}`, 'cause' in options ? { cause: options.cause } : {});
    this.kind = kind;
    this.code = options.code;
  }
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'Something was thrown that has no text.';
  }
}

/** The line in src/routes/ that an error comes from, such as `src/routes/shop/detail.ts:4:9`; null: none. */
export function placeInSite(thrown: unknown): string | null {
  return thrown instanceof Error ? (/[\\/](src[\\/]routes[\\/][^\s)]+)/.exec(thrown.stack ?? '')?.[1] ?? null) : null;
}

/** Whether a site's own code is at fault, which no other try mends. What Node and fetch() throw has a code or a cause. */
export function isSiteBug(thrown: unknown): boolean {
  if (!(thrown instanceof TypeError || thrown instanceof ReferenceError || thrown instanceof SyntaxError)) return false;
  return !('code' in thrown) && !('cause' in thrown) && placeInSite(thrown) !== null;
}

/** What is told of an error that ends the process: one sentence for what a person can mend, the whole stack for a bug.
 *  @param origin As Node's `uncaughtException` has it. */
export function lastWords(thrown: unknown, origin?: NodeJS.UncaughtExceptionOrigin): string {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  const text = thrown instanceof SurefootError ? thrown.message : (sentenceFor(thrown) ?? stack ?? messageOf(thrown));
  if (origin !== 'unhandledRejection') return text;
  return `${text}\n[site] A call was not awaited, and it failed. In a handler, await each call: fetch(), enqueueLinks(), pushData().`;
}

/** What this process was refused by the machine, in words. */
function sentenceFor(thrown: unknown): string | null {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code !== 'EMFILE' && code !== 'ENFILE') return null;
  return '[run] Too many files are open: Surefoot needs 128 at least. Raise the limit (`ulimit -n 1024`) and run the same command again.';
}

/** Whatever was thrown as an Error that can be logged, counted and stored. A handler may throw anything: `undefined`, a
 *  symbol, an error whose cause is itself. Crawlee's statistics would end the crawl over it. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error && causesOf(thrown).every(isReadable)) return thrown;
  const error = new Error(messageOf(thrown));
  if (thrown instanceof Error && isReadable(thrown) && thrown.stack !== undefined) error.stack = thrown.stack;
  return error;
}

const MAX_CAUSES = 10;

/** An error and its causes; for those that go in a circle, or on and on, null is the last. */
function causesOf(error: Error): unknown[] {
  const chain: unknown[] = [error];
  for (let { cause } = error; typeof cause === 'object' && cause !== null; { cause } = cause as Error) {
    if (chain.length > MAX_CAUSES) return [...chain, null];
    chain.push(cause);
  }
  return chain;
}

/** Of an error, or of what was given as its cause. */
function isReadable(given: unknown): boolean {
  const { message, stack } = (given ?? { message: null }) as { message?: unknown; stack?: unknown };
  return [message, stack].every((text) => text === undefined || typeof text === 'string');
}
