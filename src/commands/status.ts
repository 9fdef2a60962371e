// The `status` command: how far the run in a storage folder is.
import type { Dictionary, StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/checkpoint.ts';
import { toMeta } from '../core/meta.ts';
import { describeRun } from '../core/run.ts';
import type { Settings } from '../input/schema.ts';
import { formatSnapshot, type Snapshot } from '../report/live.ts';
import { formatStatus, type FailureLine } from '../report/summary.ts';
import { readSnapshot } from '../storage/run.ts';
import { readLockOwner } from '../storage/sqlite/lock.ts';
import { countRows, publicSettings } from './export.ts';
import { openRun } from './open-run.ts';

/** Failures that are read; the newest ones. */
const FAILURES_READ = 10;

/** @returns The text to print. */
export async function statusCommand(settings: Settings, { colour = false }: { colour?: boolean } = {}): Promise<string> {
  const { storage, run, counts, tallies, used } = await openRun(settings);
  try {
    const meta = toMeta(describeRun(run), tallies, counts, publicSettings(settings), used);
    const owner = readLockOwner(settings.storageDir);
    const status = formatStatus(meta, await lastFailures(storage.client), owner, {
      rows: await countRows(storage.client),
      colour,
    });
    if (!settings.live) return status;
    const snapshot = owner?.running ? await readSnapshot<Snapshot>(storage.client) : null;
    return `${status}\n${snapshot ? formatSnapshot(snapshot, Date.now()) : 'Nothing is live: no process is crawling.'}`;
  } finally {
    storage.close();
  }
}

async function lastFailures(client: StorageClient): Promise<FailureLine[]> {
  const { id } = await client.datasets().getOrCreate(DATASETS.failed);
  const { items } = await client.dataset(id).listItems({ desc: true, limit: FAILURES_READ });
  return (items as (Dictionary & FailureLine)[]).toReversed();
}
