// What an export's `meta` tells of the settings.
import { describe, expect, it } from 'vitest';

import { publicSettings } from '../../src/commands/export.ts';
import { OPTIONS } from '../../src/input/options.ts';
import { settingsSchema } from '../../src/input/schema.ts';

describe('publicSettings', () => {
  const settings = settingsSchema.parse({
    tiers: ['http', 'unblocker', 'api'],
    unblockerUser: 'me',
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

  it('says how the crawl was done, and nothing of other commands and of the screen', () => {
    const shown = publicSettings(settings);
    expect(shown).toMatchObject({ site: 'hackernews', concurrency: 20, proxy: 'none', country: 'de', format: ['json', 'csv'] });
    expect(shown['tiers']).toEqual(['http', 'unblocker', 'api']);
    for (const name of ['command', 'quiet', 'verbose', 'url', 'port', 'live', 'status', 'probes', 'maxCost']) {
      expect(shown).not.toHaveProperty(name);
    }
  });
});
