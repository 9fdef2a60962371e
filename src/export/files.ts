// Export files: each is written under a temporary name and appears under its own in one step, complete. Runs never
// overwrite each other, and all formats of one call carry the same number.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { makeFolder } from '../make-folder.ts';
import { messageOf, SurefootError } from '../core/errors.ts';
import type { RunMeta } from '../core/meta.ts';
import { findColumns, toCsv } from './csv.ts';
import { type Row, toJson, toJsonl } from './json.ts';

export const EXPORT_FORMATS = ['json', 'jsonl', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const FAILED_ENDING = '-failed.json';
const REJECTED_ENDING = '-rejected.json';
/** All that one export can consist of. */
const ENDINGS = [...EXPORT_FORMATS.map((format) => `.${format}`), FAILED_ENDING, REJECTED_ENDING];

/** What a killed export leaves, and a living one has until it is done. */
const TEMPORARY =
  /^\.\d{8}T\d{6}Z-.+\.([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\.(?:json|jsonl|csv)|-(?:failed|rejected)\.json)\.tmp$/;
/** A living export writes all the time, to one of its files. */
const ABANDONED_MILLIS = 3_600_000;

/** Characters gathered before a write: a system call a row would be most of an export's time. */
const CHUNK_CHARS = 65_536;

export interface ExportOptions {
  /** Opened once a format, and once more for CSV (its columns). Must give the same rows each time. */
  readonly rows: () => AsyncIterable<Row>;
  /** What failed for good; a file of its own (`-failed.json`) if `meta.failed` says that there are any. */
  readonly deadLetters: () => AsyncIterable<Row>;
  /** Rows that did not fit the site's schema, with the reason; `-rejected.json` if `meta.rejected` says that there are any. */
  readonly rejected: () => AsyncIterable<Row>;
  readonly meta: RunMeta;
  /** The CSV's first columns, in this order; further keys of rows follow in first-seen order. */
  readonly columns: readonly string[];
  readonly formats: readonly ExportFormat[];
  /** Made if it is not there. */
  readonly dir: string;
  readonly site: string;
  /** Names the files, to the second, UTC: `20261122T155012Z-hackernews.json`. */
  readonly now: Date;
}

/** Refuses a folder that cannot be made or written, before there is anything to write.
 *  @throws {SurefootError} kind `storage` */
export function assertExportDir(dir: string): void {
  try {
    let path = resolve(dir);
    while (statSync(path, { throwIfNoEntry: false }) === undefined) path = dirname(path);
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR' });
    // Permissions do not tell of a file system that takes no folders, such as /proc.
    rmdirSync(mkdtempSync(join(path, '.surefoot-')));
  } catch (error) {
    throw toStorageError(dir, error);
  }
}

/** Streams all rows into one file a format. All files appear or, on an error, none.
 *  @returns Their paths: in the order of `formats`, then the dead letters' and the rejected rows'.
 *  @throws {SurefootError} kind `storage`: the folder or the disk. Errors of `rows` pass through unchanged. */
export async function writeExports(options: ExportOptions): Promise<string[]> {
  const { dir, site, now } = options;
  const endings = [...new Set(options.formats)].map((format) => `.${format}`);
  if (options.meta.failed > 0) endings.push(FAILED_ENDING);
  if (options.meta.rejected > 0) endings.push(REJECTED_ENDING);
  const base = `${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${site}`;
  // The leading dot and `.tmp` keep what a killed run leaves from being read as an export; the UUID, from being in the way.
  const id = randomUUID();
  const temporaries = endings.map((ending) => join(dir, `.${base}.${id}${ending}.tmp`));
  await onDisk(dir, async () => makeFolder(dir));
  await removeAbandoned(dir, now);
  try {
    for (const [index, path] of temporaries.entries()) await write(path, await textOf(endings[index]!, options));
    return await onDisk(dir, () => publishAll(temporaries, endings, dir, base));
  } finally {
    for (const path of temporaries) await rm(path, { force: true }).catch(() => {});
  }
}

/** Removes what killed exports have left: all files of one to none of which anything was written for an hour. */
async function removeAbandoned(dir: string, now: Date): Promise<void> {
  const written = new Map<string, { path: string; millis: number }[]>();
  for (const name of await readdir(dir).catch(() => [])) {
    const id = TEMPORARY.exec(name)?.[1];
    const path = join(dir, name);
    const stats = id === undefined ? null : await stat(path).catch(() => null);
    if (id !== undefined && stats) written.set(id, [...(written.get(id) ?? []), { path, millis: stats.mtimeMs }]);
  }
  for (const files of written.values()) {
    if (files.some(({ millis }) => now.getTime() - millis < ABANDONED_MILLIS)) continue;
    // Whatever may be in the way of that is none of this export.
    for (const { path } of files) await rm(path, { force: true }).catch(() => {});
  }
}

async function textOf(
  ending: string,
  { rows, deadLetters, rejected, meta, columns }: ExportOptions,
): Promise<AsyncIterable<string>> {
  if (ending === FAILED_ENDING) return toJson(deadLetters(), meta);
  if (ending === REJECTED_ENDING) return toJson(rejected(), meta);
  if (ending === '.json') return toJson(rows(), meta);
  if (ending === '.jsonl') return toJsonl(rows());
  const allColumns = await findColumns(rows(), columns);
  return toCsv(rows(), allColumns);
}

/** Each piece is asked for once the one before is written, so the rows are read no faster than the disk takes them. */
async function write(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const file = await onDisk(path, () => open(path, 'wx'));
  try {
    let chunk = '';
    for await (const piece of pieces) {
      chunk += piece;
      if (chunk.length < CHUNK_CHARS) continue;
      await onDisk(path, () => file.writeFile(chunk));
      chunk = '';
    }
    await onDisk(path, () => file.writeFile(chunk));
    await onDisk(path, () => file.sync());
  } finally {
    await file.close();
  }
}

/** Moves the files to the first name that is free for all of them: `base`, `base-2`, `base-3`, ... */
async function publishAll(temporaries: string[], endings: readonly string[], dir: string, base: string): Promise<string[]> {
  const present = new Set(await readdir(dir));
  for (let count = 1; ; count += 1) {
    const stem = count === 1 ? base : `${base}-${count}`;
    if (ENDINGS.some((ending) => present.has(stem + ending))) continue;
    const published: string[] = [];
    let complete = false;
    try {
      for (const [index, temporary] of temporaries.entries()) {
        const path = join(dir, `${stem}${endings[index]}`);
        if (!(await publish(temporary, path))) break;
        published.push(path);
      }
      complete = published.length === temporaries.length;
      if (complete) return published;
    } finally {
      // Another process took one of the names since `readdir`, or the disk failed.
      if (!complete) for (const [index, path] of published.entries()) await rename(path, temporaries[index]!);
    }
  }
}

/** Moves a file to a name that nobody has; false if somebody has it. A hard link decides that atomically and shows a complete
 *  file; a file system without them (exFAT, some network shares) shows an empty one until the rename.
 *  @param hardLink For tests. */
export async function publish(temporary: string, path: string, hardLink: typeof link = link): Promise<boolean> {
  try {
    try {
      await hardLink(temporary, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw error;
      await (await open(path, 'wx')).close();
      await rename(temporary, path).catch(async (failed: unknown) => {
        await rm(path, { force: true });
        throw failed;
      });
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  // Gone after a rename. Also, renaming one link of a file onto another is a no-op, so an undo needs it gone.
  await rm(temporary, { force: true });
  return true;
}

async function onDisk<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw toStorageError(path, error);
  }
}

/** What a person can do about a file system's error. */
export function toStorageError(path: string, thrown: unknown): SurefootError {
  const next = {
    ENOSPC: 'The disk is full: free some space, or export to another one with `--out DIR`.',
    EDQUOT: 'Your quota is used up: free some space, or export to another disk with `--out DIR`.',
    EEXIST: 'A file has that name: export to a folder with `--out DIR`.',
    ENOTDIR: 'A part of that path is a file: export to a folder with `--out DIR`.',
  }[codeOf(thrown)];
  const advice = next ?? 'Export to a folder that can be written with `--out DIR`.';
  return new SurefootError('storage', `Cannot write the export to "${path}" (${messageOf(thrown)}). ${advice}`, {
    cause: thrown,
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
