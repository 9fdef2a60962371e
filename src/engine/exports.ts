// Writes a store's rows to files, at the end of a crawl and by `export` at any time; and what `meta` shows of the settings.
import { join } from 'node:path';

import type { StorageClient } from '@crawlee/types';

import type { RunMeta } from '../core/meta.ts';
import { DATASETS } from '../core/run-store.ts';
import { writeExports } from '../export/files.ts';
import type { Row } from '../export/json.ts';
import { OPTIONS } from '../input/options.ts';
import type { Settings } from '../input/schema.ts';
import { redactData, type Redact } from '../platform/redact.ts';

/** What an export has of a site: its name, and the keys of its rows in their order. */
export interface RowsOf {
  readonly name: string;
  readonly record: { readonly shape: object };
}

/** @returns The paths of the files, in the order of `--format`. */
export async function exportRows(
  client: StorageClient,
  { settings, site, meta, redact }: { settings: Settings; site: RowsOf; meta: RunMeta; redact: Redact },
): Promise<string[]> {
  const items = await client.datasets().getOrCreate(DATASETS.items);
  const failed = await client.datasets().getOrCreate(DATASETS.failed);
  const rejected = await client.datasets().getOrCreate(DATASETS.rejected);
  return writeExports({
    rows: () => client.dataset(items.id).listItems(),
    deadLetters: () => redacted(client.dataset(failed.id).listItems(), redact),
    rejected: () => redacted(client.dataset(rejected.id).listItems(), redact),
    meta,
    columns: Object.keys(site.record.shape),
    formats: settings.format,
    dir: exportDir(settings),
    site: site.name,
    now: new Date(),
  });
}

/** How many rows there are to export. */
export async function countRows(client: StorageClient): Promise<number> {
  const { id } = await client.datasets().getOrCreate(DATASETS.items);
  const { total } = await client.dataset(id).listItems({ limit: 1 });
  return total;
}

/** Where exports go. */
export function exportDir({ out, storageDir }: Pick<Settings, 'out' | 'storageDir'>): string {
  return out ?? join(storageDir, 'exports');
}

async function* redacted(rows: AsyncIterable<Row>, redact: Redact): AsyncGenerator<Row> {
  for await (const row of rows) yield redactData(row, redact);
}

/** Whose proxies they were is nobody's business who is given an export. */
const ACCOUNTS = new Set<string>(['decodoUser', 'unblockerUser'] satisfies (keyof Settings)[]);

/** What `meta` shows of the settings: all that say how the crawl was done, no secret and no account. */
export function publicSettings(settings: Settings): Record<string, unknown> {
  const shown = OPTIONS.filter(({ name, commands, secret }) => {
    if (!commands.includes('crawl') || secret || ACCOUNTS.has(name)) return false;
    return name !== 'quiet' && name !== 'verbose' && settings[name] !== undefined;
  });
  return Object.fromEntries(shown.map(({ name }) => [name, settings[name]]));
}
