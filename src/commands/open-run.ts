// Opens the run in a storage folder to look at it, beside a crawl that may be running.
import { SurefootError } from '../core/errors.ts';
import type { Used } from '../core/meta.ts';
import type { TrafficSum } from '../core/proxy.ts';
import type { RunStore, Totals } from '../core/run-store.ts';
import type { RunRecord } from '../core/run.ts';
import type { Settings } from '../input/schema.ts';
import { openStorage, type OpenStorage } from '../storage/open.ts';
import { readRun, readState } from '../storage/run.ts';

export interface OpenRun {
  readonly storage: OpenStorage;
  readonly run: RunRecord;
  readonly store: RunStore;
  readonly totals: Totals;
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
    const store = await storage.openRun();
    const totals = await store.totals();
    const used: Used = {
      counters: totals.counters,
      traffic: (await readState<TrafficSum[]>(storage.client, 'TRAFFIC')) ?? [],
      // Without one of its own, what is told of the run is by the price that the run was told.
      pricePerGb: pricePerGb || Number(run.settings?.['pricePerGb'] ?? 0),
    };
    return { storage, run, store, totals, used };
  } catch (error) {
    await storage.close();
    throw error;
  }
}
