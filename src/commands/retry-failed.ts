// The `retry-failed` command: puts dead letters back into the queue. The next crawl fetches them.
import type { StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/run-store.ts';
import type { DeadLetter } from '../core/dead-letter.ts';
import type { RunRecord } from '../core/run.ts';
import type { Settings } from '../input/schema.ts';
import { toCount } from '../report/figures.ts';
import { writeRun } from '../storage/run.ts';
import { acquireRunLock } from '../storage/sqlite/lock.ts';
import { openRun } from './open-run.ts';

type Filters = Readonly<Record<'status' | 'host' | 'label' | 'verdict', readonly string[]>>;

/** @returns The text to print. Doing it twice puts nothing back twice: what is back is no dead letter any more. */
export async function retryFailedCommand(settings: Settings): Promise<string> {
  const { storageDir } = settings;
  // Where there is nothing, no lock is left behind either.
  await (await openRun(settings)).storage.close();
  const lock = acquireRunLock(storageDir);
  try {
    const { storage, run, store } = await openRun(settings);
    try {
      const letters = await readLetters(storage.client);
      const chosen = letters.filter((letter) => isMeant(letter, settings));
      // Unfinished again, so that the next crawl goes on with it instead of starting over; first, in case of a kill.
      if (chosen.length > 0) await writeRun(storage.client, { ...run, finishedAt: null } satisfies RunRecord);
      const count = await store.redrive(chosen);
      const left = letters.length - count;
      if (count === 0) return `Nothing to put back: ${leftOver(left)}.`;
      return `Put back: ${toCount(count)}. Dead letters left: ${toCount(left)}. Run the same crawl again to fetch them.`;
    } finally {
      await storage.close();
    }
  } finally {
    lock.release();
  }
}

function leftOver(letters: number): string {
  if (letters === 0) return 'there are no dead letters';
  return letters === 1
    ? 'the one dead letter does not match the filters'
    : `none of the ${toCount(letters)} dead letters matches the filters`;
}

/** Whether every filter that is given lets the letter through. */
export function isMeant({ url, label, verdict, status }: DeadLetter, filters: Filters): boolean {
  const passes = (wanted: readonly string[], ...values: (string | null)[]) =>
    wanted.length === 0 || values.some((value) => value !== null && wanted.includes(value));
  const { host, hostname } = new URL(url);
  return (
    passes(filters.status, status === null ? null : String(status)) &&
    passes(filters.host, host, hostname) &&
    passes(filters.label, label) &&
    passes(filters.verdict, verdict)
  );
}

async function readLetters(client: StorageClient): Promise<DeadLetter[]> {
  const { id } = await client.datasets().getOrCreate(DATASETS.failed);
  const letters: DeadLetter[] = [];
  for await (const letter of client.dataset(id).listItems()) letters.push(letter as unknown as DeadLetter);
  return letters;
}
