// Crawlee's log, quietened: what this project reports itself (failures, progress, pausing) is not said twice.
import type { Log, LogLevel } from '@crawlee/core';

import type { SurefootError } from '../core/errors.ts';
import { toVisible } from '../core/visible.ts';
import { crawlee } from '../crawlee.ts';

/** Crawlee's own words for what the progress line, the summary and the dead letters say already. */
const SAID_ELSEWHERE =
  /^(\[storage\] |Reclaiming failed request back|Request failed and reached maximum retries|Page opened\.|Pausing\.\.\.)/;

// eslint-disable-next-line no-control-regex -- they are what is looked for
const COLOURS = /\u001b\[[\d;]*m/g;

/** Sets up Crawlee's one log, which all its parts share, and returns it.
 *  @param options.level `normal`: warnings and errors. `verbose`: also what handlers say of their pages. `quiet`: errors alone.
 *  @param options.write Takes one line, without its end. */
export function setUpLog(options: { level: 'quiet' | 'normal' | 'verbose'; write: (line: string) => void }): Log {
  const { level, write } = options;
  const { ERROR, WARNING, DEBUG } = crawlee.LogLevel;
  const crawleeLevel = { quiet: ERROR, normal: WARNING, verbose: DEBUG }[level];
  crawlee.log.setOptions({ level: crawleeLevel, logger: new LineLogger(write) });
  return crawlee.log;
}

/** What Crawlee's log makes of an error: its fields, copied. */
type LoggedError = Partial<Pick<SurefootError, 'name' | 'kind'>> | null;

function isOfStore(error: LoggedError | undefined): boolean {
  return error?.name === 'SurefootError' && error.kind === 'storage';
}

class LineLogger extends crawlee.LoggerText {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    super({ skipTime: true });
    this.#write = write;
  }

  override log(...[level, message, ...rest]: Parameters<InstanceType<typeof crawlee.LoggerText>['log']>): void {
    // Below a warning, only what handlers say of their pages is of use to a person (fetch/page.ts gives it the page's URL).
    const [data, exception, options] = rest as [{ error?: LoggedError }?, LoggedError?, { suffix?: string | null }?];
    // A store that cannot be written ends the crawl, whose last words say so.
    if ([exception, data?.error].some(isOfStore)) return;
    const isOwn = level > crawlee.LogLevel.WARNING && !options?.suffix;
    if (!isOwn && !SAID_ELSEWHERE.test(message)) super.log(level, toVisible(message), ...rest);
  }

  /** Its colours are Crawlee's own, whatever the log goes to. The lines of a stack are its own as well; what else stands at
   *  the beginning of a line is an error's message. */
  override _outputWithConsole(_level: LogLevel, text: string): void {
    const lines = text.replaceAll(COLOURS, '').replaceAll(/\n(?=\S)/g, '\n  ');
    for (const line of lines.split('\n')) this.#write(toVisible(line));
  }
}
