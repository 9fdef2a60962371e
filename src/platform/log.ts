// Crawlee's log, quietened: what this project reports itself (failures, progress, pausing) is not said twice.
import type { Log, LogLevel } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';

/** Crawlee's own words for what the progress line, the summary and the dead letters say already. */
const SAID_ELSEWHERE = /^(Reclaiming failed request back|Request failed and reached maximum retries|Pausing\.\.\.)/;

/** Sets up Crawlee's one log, which all its parts share, and returns it.
 *  @param options.level `normal`: warnings and errors. `verbose`: everything. `quiet`: errors alone.
 *  @param options.write Takes one line, without its end. */
export function setUpLog(options: { level: 'quiet' | 'normal' | 'verbose'; write: (line: string) => void }): Log {
  const { level, write } = options;
  const { ERROR, WARNING, DEBUG } = crawlee.LogLevel;
  const crawleeLevel = { quiet: ERROR, normal: WARNING, verbose: DEBUG }[level];
  crawlee.log.setOptions({ level: crawleeLevel, logger: new LineLogger(write, level === 'verbose') });
  return crawlee.log;
}

class LineLogger extends crawlee.LoggerText {
  readonly #write: (line: string) => void;
  readonly #all: boolean;

  constructor(write: (line: string) => void, all: boolean) {
    super({ skipTime: true });
    this.#write = write;
    this.#all = all;
  }

  override log(...[level, message, ...rest]: Parameters<InstanceType<typeof crawlee.LoggerText>['log']>): void {
    if (this.#all || !SAID_ELSEWHERE.test(message)) super.log(level, message, ...rest);
  }

  override _outputWithConsole(_level: LogLevel, line: string): void {
    this.#write(line);
  }
}
