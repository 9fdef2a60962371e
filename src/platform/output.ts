// stdout and stderr, which may be gone while a crawl has hours to go: the reader leaves, the disk is full, the terminal is
// closed. None of that ends the process.
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

import { toVisibleLines } from '../core/visible.ts';

/** Stdin, stdout and stderr. */
const DESCRIPTORS = [0, 1, 2];

export interface Output {
  /** Whether stdout is a terminal that shows colours, and nobody has asked for none (NO_COLOR). */
  readonly colour: boolean;
  /** Prints a line to stdout. */
  print(text: string): void;
  /** Resolves when all is printed. @returns What could not be, and why; null: all could, or the reader has left. */
  fault(): Promise<Error | null>;
}

/** From now on what stderr does not take is dropped, and what stdout does not take is told by `fault()` alone. */
export function openOutput(): Output {
  // Each write has its own callback; without a listener its error would be thrown as well.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  process.on('exit', leaveLostTerminals(DESCRIPTORS.filter(isatty)));
  let fault: Error | null = null;
  let printed = Promise.resolve();
  const colour = process.stdout.hasColors?.() ?? false;
  return {
    colour,
    print(text) {
      printed = new Promise((resolve) => {
        process.stdout.write(`${colour ? withColours(text) : toVisibleLines(text)}\n`, (error?: NodeJS.ErrnoException | null) => {
          if (error && error.code !== 'EPIPE') fault ??= error;
          resolve();
        });
      });
    },
    async fault() {
      await printed;
      return fault;
    },
  };
}

/** With the colours of a report; any other sequence is foreign. */
function withColours(text: string): string {
  return text
    .split(REPORT_COLOURS)
    .map((part, index) => (index % 2 === 0 ? toVisibleLines(part) : part))
    .join('');
}

// Bold, red, and the end of both.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const REPORT_COLOURS = /(\u001B\[(?:0|1|31)m)/;

/** At its end Node gives terminals their settings back, and aborts if one is closed by then; a descriptor that is closed it
 *  leaves out (`ResetStdio` in https://github.com/nodejs/node/blob/v20.20.2/src/node.cc). */
function leaveLostTerminals(terminals: readonly number[]): () => void {
  return () => {
    for (const terminal of terminals) if (!isatty(terminal)) closeSync(terminal);
  };
}
