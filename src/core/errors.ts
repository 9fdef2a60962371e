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
  return thrown instanceof Error ? thrown.message : String(thrown);
}
