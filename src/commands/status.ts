// The `status` command: how far the run in a storage folder is.
import type { Dictionary, StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/run-store.ts';
import { toMeta } from '../core/meta.ts';
import { describeRun } from '../core/run.ts';
import type { Settings } from '../input/schema.ts';
import { formatSnapshot, type Snapshot } from '../report/live.ts';
import { FAILURES_SHOWN, formatStatus, type FailureLine } from '../report/summary.ts';
import { readSnapshot } from '../storage/run.ts';
import { readLockOwner, type LockOwner } from '../storage/sqlite/lock.ts';
import { countRows, publicSettings } from '../engine/exports.ts';
import { openRun } from './open-run.ts';

/** @returns The text to print. */
export async function statusCommand(settings: Settings, { colour = false }: { colour?: boolean } = {}): Promise<string> {
  const { storage, run, totals, used } = await openRun(settings);
  try {
    const meta = toMeta(describeRun(run), totals.tallies, totals, publicSettings(settings), used);
    const owner = readLockOwner(settings.storageDir);
    const status = formatStatus(meta, await lastFailures(storage.client), owner, {
      rows: await countRows(storage.client),
      colour,
    });
    if (!settings.live) return status;
    return `${status}\n${await liveText(storage.client, owner, totals)}`;
  } finally {
    await storage.close();
  }
}

/** @param counts Those that stand above: the snapshot's own are some seconds old. */
async function liveText(
  client: StorageClient,
  owner: LockOwner | null,
  { total, handled }: Pick<Snapshot, 'total' | 'handled'>,
): Promise<string> {
  if (!owner?.running) return 'Nothing is live: no process is crawling.';
  const snapshot = await readSnapshot<Snapshot>(client);
  if (!snapshot) return `Process ${owner.pid} has not said yet what it does: ask again in some seconds.`;
  return formatSnapshot({ ...snapshot, total, handled }, Date.now());
}

async function lastFailures(client: StorageClient): Promise<FailureLine[]> {
  const { id } = await client.datasets().getOrCreate(DATASETS.failed);
  const { items } = await client.dataset(id).listItems({ desc: true, limit: FAILURES_SHOWN });
  return (items as (Dictionary & FailureLine)[]).toReversed();
}
