// What is said of pages that fail while the crawl goes on: the first dead letters, and what the second pass is for.
import type { DeadLetter, PutOff } from '../core/dead-letter.ts';
import { toPages } from './figures.ts';

/** Failures that are printed one by one; the exports have all of them. */
const FAILURES_PRINTED = 20;

/** Prints the first failures, and then where the rest are. */
export function failurePrinter(say: (text: string) => void): (letter: DeadLetter) => void {
  let printed = 0;
  return ({ url, label, error, attempts }) => {
    printed++;
    if (printed <= FAILURES_PRINTED)
      say(`Failed after ${attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`}: ${label} ${url}: ${error}`);
    if (printed === FAILURES_PRINTED)
      say('Further failures are not printed one by one: the file -failed.json will have them all.');
  };
}

/** Handlers' errors that are printed while their pages are tried again. */
const ERRORS_PRINTED = 10;

/** Prints what a handler threw when it does so first, with its line in src/routes/: a person who is there can mend it at once. */
export function handlerErrorPrinter(say: (text: string) => void): (page: PutOff) => void {
  const printed = new Set<string>();
  return ({ url, label, error }) => {
    const what = `${label} ${error}`;
    if (!/src[\\/]routes[\\/]/.test(error) || printed.size === ERRORS_PRINTED || printed.has(what)) return;
    printed.add(what);
    say(`The handler of ${label} threw at ${url}: ${error}. The page is tried again.`);
  };
}

/** One of them stands for all: a handler that throws at every page is seen before the rest is over.
 *  @param last Null where another process met them. @param delay Seconds. */
export function secondPassLine(requests: number, last: PutOff | null, delay: number): string {
  const line = `${toPages(requests)} failed, to be tried once more in ${delay} s, fewer at a time.`;
  return last === null ? line : `${line} The last one: ${last.label} ${last.url}: ${last.error}`;
}

/** Said once when somebody has taken the store's file away from under a crawl, which still has it open. */
export function goneLine(storageDir: string): string {
  return `crawl.sqlite in ${storageDir} was deleted or replaced. This crawl goes on and writes its files at the end; if it is stopped before, the next one begins anew.`;
}
