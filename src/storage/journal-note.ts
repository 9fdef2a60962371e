// What the journal notes of a batch, and how a note is carried out: once, however often the process dies while it does.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { StorageClient } from '@crawlee/types';

import { SurefootError } from '../core/errors.ts';
import type { SavedFigures } from './run-figures.ts';

/** Characters of one push. */
const PUSH_CHARS = 3_000_000;

/** One batch. With the rows in it, a restart needs nothing but the note to complete it. */
export interface JournalNote {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** By the dataset's id, for all that the run has written to: how many rows it had before, and what comes after them. */
  readonly datasets: Readonly<Record<string, { readonly before: number; readonly rows: readonly string[] }>>;
  /** What is then marked handled: a queue's id, and the request as it is stored. */
  readonly pages: readonly { readonly queue: string; readonly request: object }[];
  /** By queue: what the run came to with this batch. */
  readonly figures: Readonly<Record<string, SavedFigures>>;
}

export interface JournalIo {
  readonly client: StorageClient;
  /** Pushes without repeating a call whose answer was lost. */
  readonly once: StorageClient;
  readonly settleMillis: number;
  readonly now: () => number;
}

/** Writes a note's rows, less those that are there already. What is there must be the first of them, in their order: they
 *  are pushed so, and nobody else writes to the dataset.
 *  @param options.mayBeThere Whether somebody may have tried before. */
export async function writeNote(note: JournalNote, io: JournalIo, options: { mayBeThere: boolean }): Promise<void> {
  for (const [dataset, { before, rows }] of Object.entries(note.datasets)) {
    if (rows.length === 0) continue;
    const there = options.mayBeThere ? await countThere(dataset, before, rows, io) : 0;
    for (const part of inParts(rows.slice(there))) await io.once.dataset(dataset).pushItems(`[${part.join(',')}]`);
  }
}

/** How many of the rows are in the dataset, from a place on. */
async function countThere(dataset: string, before: number, rows: readonly string[], io: JournalIo): Promise<number> {
  const list = async () => (await io.client.dataset(dataset).listItems({ offset: before, limit: rows.length })).items;
  let items = await list();
  if (items.length < rows.length) {
    // A push may have been applied and not be listed yet, or be under way although the process that sent it is dead.
    await sleep(io.settleMillis);
    items = await list();
  }
  const stranger = items.findIndex((item, index) => !isDeepStrictEqual(item, JSON.parse(rows[index] ?? 'null')));
  if (stranger >= 0) {
    throw new SurefootError(
      'storage',
      `Row ${before + stranger} of the dataset ${dataset} was not written by this run, which may be the only one that writes there ` +
        'while it lasts. Start a new run with a dataset of its own (datasetName).',
    );
  }
  return items.length;
}

function inParts(rows: readonly string[]): string[][] {
  const parts: string[][] = [];
  let chars = Infinity;
  for (const row of rows) {
    if (chars + row.length > PUSH_CHARS) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push(row);
    chars += row.length;
  }
  return parts;
}
