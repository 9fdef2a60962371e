// Writes a store's rows to files: at the end of a crawl, and by `export` at any time, beside a running crawl too.
import { join } from 'node:path';

import type { StorageClient } from '@crawlee/types';

import { DATASETS } from '../core/checkpoint.ts';
import { toMeta, type RunMeta } from '../core/meta.ts';
import { describeRun } from '../core/run.ts';
import type { Site } from '../core/site.ts';
import { writeExports } from '../export/files.ts';
import type { Row } from '../export/json.ts';
import { OPTIONS } from '../input/options.ts';
import type { Settings } from '../input/schema.ts';
import { loadSite } from '../load-site.ts';
import { createRedactor, redactData, type Redact } from '../platform/redact.ts';
import { openRun } from './open-run.ts';

/** @returns The paths of the files, in the order of `--format`. */
export async function exportRows(
  client: StorageClient,
  { settings, site, meta, redact }: { settings: Settings; site: Site; meta: RunMeta; redact: Redact },
): Promise<string[]> {
  const items = await client.datasets().getOrCreate(DATASETS.items);
  const failed = await client.datasets().getOrCreate(DATASETS.failed);
  return writeExports({
    rows: () => client.dataset(items.id).listItems(),
    deadLetters: () => redacted(client.dataset(failed.id).listItems(), redact),
    meta,
    columns: Object.keys(site.record.shape),
    formats: settings.format,
    dir: settings.out ?? join(settings.storageDir, 'exports'),
    site: site.name,
    now: new Date(),
  });
}

async function* redacted(rows: AsyncIterable<Row>, redact: Redact): AsyncGenerator<Row> {
  for await (const row of rows) yield redactData(row, redact);
}

/** What `meta` shows of the settings: all that say how the crawl was done, and no secret. */
export function publicSettings(settings: Settings): Record<string, unknown> {
  const shown = OPTIONS.filter(({ name, commands, secret }) => {
    return commands.includes('crawl') && !secret && name !== 'quiet' && name !== 'verbose' && settings[name] !== undefined;
  });
  return Object.fromEntries(shown.map(({ name }) => [name, settings[name]]));
}

/** The `export` command. @returns The text to print. */
export async function exportCommand(settings: Settings): Promise<string> {
  const { storage, run, counts, tallies, used } = await openRun(settings);
  try {
    const redact = createRedactor([]);
    const meta = redactData(toMeta(describeRun(run), tallies, counts, publicSettings(settings), used), redact);
    const files = await exportRows(storage.client, { settings, site: await loadSite(run.input.site), meta, redact });
    return files.join('\n');
  } finally {
    storage.close();
  }
}
