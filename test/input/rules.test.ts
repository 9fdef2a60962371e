import { describe, expect, it } from 'vitest';

import { OPTIONS } from '../../src/input/options.ts';
import { RULES } from '../../src/input/rules.ts';
import { COMMAND_NAMES } from '../../src/input/setting.ts';
import { problemOf, settingsOf, STORED_INPUT } from './folder.ts';
import type { Given } from './folder.ts';

const json = JSON.stringify;

describe('rules between settings', () => {
  const needsPrice = 'needs --price-per-gb or --price-per-api-call above 0.';
  const needsToken = 'has api, which needs DECODO_API_TOKEN, best in .env.';
  const needsUnblocker = 'has unblocker, which needs DECODO_UNBLOCKER_USER and DECODO_UNBLOCKER_PASS, best in .env.';

  it.each<[Given, string]>([
    [{ env: { SUREFOOT_MAX_COST: '5' } }, `SUREFOOT_MAX_COST ${needsPrice}`],
    [{ files: { '.env': 'SUREFOOT_MAX_COST=5\nSUREFOOT_PRICE_PER_GB=0' } }, `SUREFOOT_MAX_COST in .env ${needsPrice}`],
    [{ files: { [STORED_INPUT]: json({ maxCost: 5 }) } }, `maxCost in ${STORED_INPUT} ${needsPrice}`],
    [{ env: { SUREFOOT_WORKERS: '2', SUREFOOT_STORE: 'files' } }, 'SUREFOOT_WORKERS above 1 needs --store sqlite.'],
    [{ env: { SUREFOOT_TIERS: 'http,api' } }, `SUREFOOT_TIERS ${needsToken}`],
    [{ env: { SUREFOOT_TIERS: 'unblocker', DECODO_UNBLOCKER_USER: 'me' } }, `SUREFOOT_TIERS ${needsUnblocker}`],
    [{ env: { SUREFOOT_TIERS: 'unblocker', DECODO_UNBLOCKER_PASS: 'hunter2' } }, `SUREFOOT_TIERS ${needsUnblocker}`],
    [
      { files: { [STORED_INPUT]: json({ tiers: ['api', 'unblocker'] }) } },
      `tiers in ${STORED_INPUT} ${needsUnblocker}\ntiers in ${STORED_INPUT} ${needsToken}`,
    ],
  ])('%j: says which is missing, and where the other one was given', async (given, problem) => {
    expect(await problemOf([], given)).toBe(problem);
  });

  it('are kept with what they ask for in any place', async () => {
    const env = { DECODO_UNBLOCKER_USER: 'me', SUREFOOT_PRICE_PER_API_CALL: '0.002' };
    const files = { '.env': 'DECODO_UNBLOCKER_PASS=hunter2\nDECODO_API_TOKEN=hunter3' };
    const argv = ['--tiers', 'http,unblocker,api', '--max-cost', '1'];
    expect(await settingsOf(argv, { env, files })).toMatchObject({ tiers: ['http', 'unblocker', 'api'], maxCost: 1 });
  });

  it('are no matter to a command that does not take the setting', async () => {
    const env = { SUREFOOT_TIERS: 'api', SUREFOOT_MAX_COST: '5', SUREFOOT_FRESH: '1', SUREFOOT_RESUME: '1' };
    for (const command of COMMAND_NAMES.filter((name) => name !== 'crawl')) {
      expect(await settingsOf([command], { env })).toMatchObject({ command, tiers: ['api'] });
    }
  });

  it('speak of settings, flags and variables that there are', () => {
    const names = new Set<string>(OPTIONS.flatMap(({ name, flag, env }) => [name, env, flag ?? env]));
    for (const { about, sentence } of RULES) {
      expect(sentence).toContain(`{${about}}`);
      const spoken = sentence.matchAll(/\{(\w+)\}|(--[a-z-]+|[A-Z]+_[A-Z_]+)/g);
      for (const [, name, other] of spoken) expect(names).toContain(name ?? other);
    }
  });
});
