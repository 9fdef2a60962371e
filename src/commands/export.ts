// Writes a store's rows to files: at the end of a crawl, and by `export` at any time, beside a running crawl too.
import { join } from 'node:path';

import type { StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/checkpoint.ts';
import { toMeta, type RunMeta } from '../core/meta.ts';
import { describeRun } from '../core/run.ts';
import type { Site } from '../core/site.ts';
import { writeExports } from '../export/files.ts';
import type { Settings } from '../input/schema.ts';
import { loadSite } from '../load-site.ts';
import { openRun } from './open-run.ts';

/** @returns The paths of the files, in the order of `--format`. */
export async function exportRows(
  client: StorageClient,
  { settings, site, meta }: { settings: Settings; site: Site; meta: RunMeta },
): Promise<string[]> {
  const { id } = await client.datasets().getOrCreate(DATASETS.items);
  return writeExports({
    rows: () => client.dataset(id).listItems(),
    meta,
    columns: Object.keys(site.record.shape),
    formats: settings.format,
    dir: settings.out ?? join(settings.storageDir, 'exports'),
    site: site.name,
    now: new Date(),
  });
}

/** What `meta` shows of the settings: all that say how the crawl was done. None of them is a secret. */
export function publicSettings(settings: Settings): Record<string, unknown> {
  const { command: _, quiet: __, verbose: ___, url: ____, port: _____, ...shown } = settings;
  return shown;
}

/** The `export` command. @returns The text to print. */
export async function exportCommand(settings: Settings): Promise<string> {
  const { storage, run, counts, tallies } = await openRun(settings);
  try {
    const meta = toMeta(describeRun(run), tallies, counts, publicSettings(settings));
    const files = await exportRows(storage.client, { settings, site: await loadSite(run.input.site), meta });
    return files.join('\n');
  } finally {
    storage.close();
  }
}
