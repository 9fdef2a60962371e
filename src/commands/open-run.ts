// Opens the run in a storage folder to look at it, beside a crawl that may be running.
import type { QueueCounts, TallySum } from '../core/checkpoint.ts';
import { SurefootError } from '../core/errors.ts';
import type { Used } from '../core/meta.ts';
import type { TrafficSum } from '../core/proxy.ts';
import type { RunRecord } from '../core/run.ts';
import type { Settings } from '../input/schema.ts';
import { openStorage, type OpenStorage } from '../storage/open.ts';
import { readRun, readState } from '../storage/run.ts';

export interface OpenRun {
  readonly storage: OpenStorage;
  readonly run: RunRecord;
  readonly counts: QueueCounts;
  readonly tallies: TallySum[];
  readonly used: Used;
}

/** The caller closes `storage`. Only SQLite keeps figures that can be read from outside.
 *  @throws {SurefootError} kind `storage` or `run`: nothing was ever crawled there. */
export async function openRun({ storageDir, pricePerGb }: Pick<Settings, 'storageDir' | 'pricePerGb'>): Promise<OpenRun> {
  const storage = openStorage({ store: 'sqlite', storageDir, readOnly: true });
  try {
    const run = await readRun(storage.client);
    if (!run)
      throw new SurefootError('run', `There is no crawl in ${storageDir} yet. Start one, or name its folder with --storage-dir.`);
    const queue = await storage.client.requestQueues().getOrCreate('default');
    const counts = storage.atomic?.counts(queue.id) ?? { total: 0, handled: 0 };
    const used: Used = {
      counters: storage.atomic?.counters(queue.id) ?? {},
      traffic: (await readState<TrafficSum[]>(storage.client, 'TRAFFIC')) ?? [],
      // Without one of its own, what is told of the run is by the price that the run was told.
      pricePerGb: pricePerGb || Number(run.settings?.['pricePerGb'] ?? 0),
    };
    return { storage, run, counts, tallies: storage.atomic?.tallies(queue.id) ?? [], used };
  } catch (error) {
    storage.close();
    throw error;
  }
}
