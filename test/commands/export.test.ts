// `export`, and what an export's `meta` tells of the settings.
import { readFileSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { exportCommand } from '../../src/commands/export.ts';
import { publicSettings } from '../../src/engine/exports.ts';
import type { RunRecord } from '../../src/core/run.ts';
import { OPTIONS } from '../../src/input/options.ts';
import { settingsSchema, type Settings } from '../../src/input/schema.ts';
import { openStorage } from '../../src/storage/open.ts';
import { writeRun, writeState } from '../../src/storage/run.ts';
import { newFolder } from '../storage/sqlite/fixture.ts';

/** A run of a site with the row `{ b: 1, a: 2 }` that received a gigabyte through a proxy; exported, as files by their ending. */
async function exported(run: Partial<RunRecord>, asked: Partial<Settings> = {}): Promise<Record<string, string>> {
  const storageDir = newFolder();
  const { client, close } = openStorage({ store: 'sqlite', storageDir });
  const input = { site: 'hackernews', startUrls: ['https://a.example/'], maxRequests: null };
  await writeRun(client, { input, startedAt: '2026-02-03T04:05:06.000Z', finishedAt: null, demoPort: null, ...run });
  const traffic = { tier: 'http', proxy: 'rotating', host: 'a.example', sent: 0, received: 1e9, calls: 0, charged: 0 };
  await writeState(client, 'TRAFFIC', [traffic]);
  const { id } = await client.datasets().getOrCreate('default');
  await client.dataset(id).pushItems([{ b: 1, a: 2 }]);
  await close();
  const paths = (await exportCommand(settingsSchema.parse({ command: 'export', storageDir, ...asked }))).split('\n');
  return Object.fromEntries(paths.map((path) => [path.replace(/^.*Z-/, ''), readFileSync(path, 'utf8')]));
}

const metaOf = (json: string | undefined) =>
  (JSON.parse(json ?? '{}') as { meta: { settings: object; traffic: { cost: number } } }).meta;

describe('export', () => {
  it("tells the run's settings, not its own, and counts by the run's price", async () => {
    const files = await exported({ settings: { concurrency: 3, pricePerGb: 4 } }, { format: ['json'] });
    expect(metaOf(files['hackernews.json'])).toMatchObject({ settings: { concurrency: 3, pricePerGb: 4 }, traffic: { cost: 4 } });
    expect(Object.keys(metaOf(files['hackernews.json']).settings)).toEqual(['concurrency', 'pricePerGb']);
  });

  it('counts by a price of its own, and says so', async () => {
    const files = await exported({ settings: { pricePerGb: 4 } }, { format: ['json'], pricePerGb: 5 });
    expect(metaOf(files['hackernews.json'])).toMatchObject({ settings: { pricePerGb: 5 }, traffic: { cost: 5 } });
  });

  it('knows no settings of a run of an earlier version', async () => {
    const files = await exported({}, { format: ['json'] });
    expect(metaOf(files['hackernews.json']).settings).toEqual({});
  });

  it('writes the rows of a site that has another name by now, and says what it does without', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const files = await exported({ input: { site: 'renamed', startUrls: ['https://a.example/'], maxRequests: null } });
    expect(files['renamed.csv']).toMatch(/^b,a\s+1,2\s*$/);
    expect(said.mock.calls.join('')).toContain('Site renamed is no longer in src/routes/');
    said.mockRestore();
  });
});

describe('publicSettings', () => {
  const settings = settingsSchema.parse({
    tiers: ['http', 'unblocker', 'api'],
    unblockerUser: 'account-canary',
    decodoUser: 'user-account_canary',
    unblockerPass: 'hunter2',
    apiToken: 'hunter2',
    decodoPass: 'hunter2',
    proxyUrls: ['http://me:hunter2@a.test:1'],
    country: 'de',
  });

  it('has no secret, neither its value nor its name', () => {
    const shown = publicSettings(settings);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    for (const { name, secret } of OPTIONS) if (secret) expect(shown).not.toHaveProperty(name);
  });

  it('does not say whose accounts were used', () => {
    expect(JSON.stringify(publicSettings(settings))).not.toMatch(/canary/);
  });

  it('says how the crawl was done, and nothing of other commands and of the screen', () => {
    const shown = publicSettings(settings);
    expect(shown).toMatchObject({ site: 'hackernews', concurrency: 20, proxy: 'none', country: 'de', format: ['json', 'csv'] });
    expect(shown['tiers']).toEqual(['http', 'unblocker', 'api']);
    for (const name of ['command', 'quiet', 'verbose', 'url', 'port', 'live', 'status', 'probes', 'maxCost']) {
      expect(shown).not.toHaveProperty(name);
    }
  });
});
