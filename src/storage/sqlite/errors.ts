// What SQLite throws, in words: every statement of a connection passes through here.
import type Database from 'libsql';

import { messageOf, SurefootError } from '../../core/errors.ts';

/** Turns what SQLite throws about a damaged, locked or unwritable file into an error that names the way out. */
export function toStorageError(error: unknown, file: string): unknown {
  if (error instanceof SurefootError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return unusable(file, `is damaged (${error.message})`, error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new SurefootError(
      'storage',
      `Another program keeps ${file} locked (${error.message}). Close what has it open, such as a database browser or a backup, ` +
        'and run the same command again, or name another folder with --storage-dir.',
      { cause: error },
    );
  }
  if (/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|PERM)|^E[A-Z]+$/.test(code) || error.message.startsWith('ConnectionFailed')) {
    return new SurefootError(
      'storage',
      `Cannot write ${file}: ${messageOf(error)}. Free some space or mend the permissions, or name another folder with --storage-dir.`,
      { cause: error },
    );
  }
  return error;
}

/** Whether it is only that somebody else writes to the file. */
export function isLocked(error: unknown): boolean {
  return error instanceof SurefootError && error.cause instanceof Error && codeOf(error.cause).startsWith('SQLITE_BUSY');
}

/** Of a file that is refused; `--fresh` sets it aside. */
export function unusable(file: string, why: string, cause?: unknown): SurefootError {
  return new SurefootError(
    'storage',
    `${file} ${why}. It was left as it is. Name another folder with --storage-dir, or set the file aside and begin again with --fresh.`,
    { cause, code: 'unusable-store' },
  );
}

/** Makes a connection throw toStorageError()'s errors, also out of statements that are prepared from now on. */
export function speakInWords(db: Database.Database, file: string): void {
  const inWords =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      try {
        return call(...args);
      } catch (error) {
        throw toStorageError(error, file);
      }
    };
  const prepare = inWords(db.prepare.bind(db));
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    statement.run = inWords(statement.run.bind(statement));
    statement.get = inWords(statement.get.bind(statement));
    statement.all = inWords(statement.all.bind(statement));
    return statement;
  }) as typeof db.prepare;
  db.exec = inWords(db.exec.bind(db));
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
