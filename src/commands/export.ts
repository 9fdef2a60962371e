// The `export` command: a store's rows as files, beside a running crawl too.
import { SurefootError } from '../core/errors.ts';
import { toMeta } from '../core/meta.ts';
import { describeRun } from '../core/run.ts';
import { exportRows, type RowsOf } from '../engine/exports.ts';
import type { Settings } from '../input/schema.ts';
import { loadSite } from '../load-site.ts';
import { createRedactor, redactData } from '../platform/redact.ts';
import { openRun } from './open-run.ts';

/** The `export` command. @returns The text to print. */
export async function exportCommand(settings: Settings): Promise<string> {
  const { storage, run, totals, used } = await openRun(settings);
  try {
    const redact = createRedactor([]);
    // The run's settings: this command's say nothing of it, but for a price that is asked for.
    const shown = { ...run.settings, ...(settings.pricePerGb > 0 && { pricePerGb: settings.pricePerGb }) };
    const meta = redactData(toMeta(describeRun(run), totals.tallies, totals, shown, used), redact);
    const site = await siteOf(run.input.site, settings.quiet);
    const files = await exportRows(storage.client, { settings, site, meta, redact });
    return files.join('\n');
  } finally {
    await storage.close();
  }
}

/** The rows of a site whose folder is gone are there all the same. */
async function siteOf(name: string, quiet: boolean): Promise<RowsOf> {
  try {
    return await loadSite(name);
  } catch (error) {
    if (!(error instanceof SurefootError) || error.kind !== 'input') throw error;
    const without = `Site ${name} is no longer in src/routes/: a CSV has its columns in the order in which rows bring them.`;
    if (!quiet) process.stderr.write(`${without}\n`);
    return { name, record: { shape: {} } };
  }
}
