import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { loadInput } from '../../src/input/load.ts';
import { problemOf, settingsOf, STORED_INPUT } from './folder.ts';
import type { Given } from './folder.ts';

const json = JSON.stringify;

describe('precedence', () => {
  it('is argv, --input, INPUT.json, environment, .env, default: whichever are there, the highest wins', async () => {
    const value = fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(value, value, value, value, value, async (argv, input, stored, env, dotenv) => {
        const { concurrency } = await settingsOf(
          ['--input', 'input.json', ...(argv === undefined ? [] : ['--concurrency', `${argv}`])],
          {
            env: env === undefined ? {} : { SUREFOOT_CONCURRENCY: `${env}` },
            files: {
              'input.json': json({ concurrency: input }),
              ...(stored === undefined ? {} : { [STORED_INPUT]: json({ concurrency: stored }) }),
              ...(dotenv === undefined ? {} : { '.env': `SUREFOOT_CONCURRENCY=${dotenv}\n` }),
            },
          },
        );
        expect(concurrency).toBe(argv ?? input ?? stored ?? env ?? dotenv ?? 20);
      }),
      { numRuns: 80 },
    );
  });

  it('goes setting by setting: sources that set different ones all count', async () => {
    const settings = await settingsOf(['--max-requests', '1', '--input', 'i.json'], {
      env: { SUREFOOT_SITE: 'from-env' },
      files: { 'i.json': json({ concurrency: 2 }), [STORED_INPUT]: json({ out: 'three' }), '.env': 'SUREFOOT_FORMAT=jsonl' },
    });
    expect(settings).toMatchObject({ maxRequests: 1, concurrency: 2, out: 'three', site: 'from-env', format: ['jsonl'] });
  });

  it.each<[string, string[], Given]>([
    ['--storage-dir', ['--storage-dir', 'elsewhere'], {}],
    ['the --input file', ['--input', 'i.json'], { files: { 'i.json': json({ storageDir: 'elsewhere' }) } }],
    ['the environment', [], { env: { SUREFOOT_STORAGE_DIR: 'elsewhere' } }],
    ['.env', [], { files: { '.env': 'SUREFOOT_STORAGE_DIR=elsewhere' } }],
  ])('looks for INPUT.json in the storage directory that %s names', async (_, argv, given) => {
    const stored = STORED_INPUT.replace('storage', 'elsewhere');
    const files = { ...given.files, [stored]: json({ site: 'right' }), [STORED_INPUT]: json({ site: 'wrong' }) };
    expect(await settingsOf(argv, { ...given, files })).toMatchObject({ storageDir: 'elsewhere', site: 'right' });
  });

  it('a flag takes away what it excludes in a lower source, and two in one source are refused', async () => {
    expect(await settingsOf(['--fresh'], { env: { SUREFOOT_RESUME: 'true' } })).toMatchObject({ fresh: true, resume: false });
    expect(await problemOf([], { env: { SUREFOOT_RESUME: 'true', SUREFOOT_FRESH: '1' } })).toBe(
      'SUREFOOT_FRESH and SUREFOOT_RESUME exclude each other: give one of them.',
    );
  });

  it('an empty variable counts as none and hides the one in .env', async () => {
    const files = { '.env': 'SUREFOOT_CONCURRENCY=3\nSUREFOOT_SITE=\n' };
    expect(await settingsOf([], { files })).toMatchObject({ concurrency: 3, site: 'hackernews' });
    expect(await settingsOf([], { files, env: { SUREFOOT_CONCURRENCY: '' } })).toMatchObject({ concurrency: 20 });
  });

  it('the demo site, which keeps nothing, does not look for INPUT.json', async () => {
    expect(await settingsOf(['demo-site'], { files: { [STORED_INPUT]: '{' } })).toMatchObject({ command: 'demo-site' });
  });
});

describe('values', () => {
  it('start URLs may be texts or objects in JSON, and texts with commas in a variable', async () => {
    const startUrls = ['https://a.test/', { url: 'https://b.test/' }, { url: 'https://c.test/', method: 'GET' }];
    const urls = ['https://a.test/', 'https://b.test/', 'https://c.test/'];
    expect((await settingsOf(['--input', 'i'], { files: { i: json({ startUrls }) } })).startUrls).toEqual(urls);
    expect((await settingsOf([], { env: { SUREFOOT_START_URLS: urls.join(' , ') } })).startUrls).toEqual(urls);
  });

  it.each([
    ['true', true],
    ['1', true],
    ['FALSE', false],
    ['0', false],
  ])('a variable that says %s is %s', async (text, expected) => {
    expect((await settingsOf([], { env: { SUREFOOT_QUIET: text } })).quiet).toBe(expected);
  });

  it('a JSON file may begin with a byte order mark', async () => {
    expect(await settingsOf(['--input', 'i'], { files: { i: '\uFEFF{"site":"bom"}' } })).toMatchObject({ site: 'bom' });
  });

  it('are frozen, lists too', async () => {
    const settings = await settingsOf(['https://a.test/']);
    expect(Object.isFrozen(settings) && Object.isFrozen(settings.startUrls) && Object.isFrozen(settings.format)).toBe(true);
  });
});

describe('problems', () => {
  it.each<[string, Given, string]>([
    [
      'a variable',
      { env: { SUREFOOT_CONCURRENCY: '0' } },
      'SUREFOOT_CONCURRENCY must be a whole number from 1 to 1000, got "0".',
    ],
    [
      '.env',
      { files: { '.env': 'SUREFOOT_STORE=disk' } },
      'SUREFOOT_STORE in .env must be one of sqlite, files, memory, got "disk".',
    ],
    ['an on/off variable', { env: { SUREFOOT_QUIET: 'yep' } }, 'SUREFOOT_QUIET must be true or false, got "yep".'],
    [
      'INPUT.json',
      { files: { [STORED_INPUT]: json({ concurrency: '5' }) } },
      `concurrency in ${STORED_INPUT} must be a whole number from 1 to 1000, got "5".`,
    ],
    [
      'null',
      { files: { [STORED_INPUT]: json({ out: null }) } },
      `out in ${STORED_INPUT} must be the path of a directory, got null.`,
    ],
    [
      'one of many URLs',
      { files: { [STORED_INPUT]: json({ startUrls: ['https://a.test/', 'b.test'] }) } },
      `startUrls[1] in ${STORED_INPUT} must be an absolute http(s) URL without user name and password, got "b.test".`,
    ],
    [
      'a start URL to be posted to',
      { files: { [STORED_INPUT]: json({ startUrls: [{ url: 'https://a.test/', method: 'POST' }] }) } },
      `startUrls[0] in ${STORED_INPUT} must be an absolute http(s) URL without user name and password, got {"url":"https://a.test/","method":"POST"}.`,
    ],
    [
      'text for a list',
      { files: { [STORED_INPUT]: json({ format: 'json' }) } },
      `format in ${STORED_INPUT} must be a list of one or more, each one of json, jsonl, csv, got "json".`,
    ],
    [
      'an unknown key',
      { files: { [STORED_INPUT]: json({ maxrequests: 5, 'no-such': 1 }) } },
      `"maxrequests" in ${STORED_INPUT} is not a setting. Did you mean "maxRequests"?\n"no-such" in ${STORED_INPUT} is not a setting.`,
    ],
    [
      'a command in a file',
      { files: { [STORED_INPUT]: json({ command: 'status' }) } },
      `"command" in ${STORED_INPUT} is not a setting.`,
    ],
    [
      'INPUT.json that names another place',
      { files: { [STORED_INPUT]: json({ storageDir: 'x' }) } },
      `storageDir cannot be set in ${STORED_INPUT}: the file is found by it. Use --storage-dir.`,
    ],
    [
      'broken JSON',
      { files: { [STORED_INPUT]: '{\n  "site": hackernews\n}' } },
      `${STORED_INPUT} is not valid JSON: see line 2, column 11 (position 12).`,
    ],
    [
      'a price in JSON that is text',
      { files: { [STORED_INPUT]: json({ pricePerGb: '3.5' }) } },
      `pricePerGb in ${STORED_INPUT} must be a number of 0 or more, got "3.5".`,
    ],
    [
      'one of many tiers',
      { files: { [STORED_INPUT]: json({ tiers: ['http', 'proxy'] }) } },
      `tiers[1] in ${STORED_INPUT} must be one of http, impersonate, browser, unblocker, api, got "proxy".`,
    ],
    ['a list', { files: { [STORED_INPUT]: '[]' } }, `${STORED_INPUT} must hold one JSON object with settings, got a list.`],
    ['null alone', { files: { [STORED_INPUT]: 'null' } }, `${STORED_INPUT} must hold one JSON object with settings, got null.`],
    ['a number', { files: { [STORED_INPUT]: '5' } }, `${STORED_INPUT} must hold one JSON object with settings, got a number.`],
    [
      'a mistyped variable',
      { env: { SUREFOOT_CONCURENCY: '5' } },
      'SUREFOOT_CONCURENCY is not a variable of Surefoot. Did you mean SUREFOOT_CONCURRENCY?',
    ],
    [
      '.env alone',
      { files: { '.env': 'SUREFOOT_BANANA=5' } },
      'SUREFOOT_BANANA in .env is not a variable of Surefoot. See .env.example.',
    ],
    [
      'an empty storage directory in JSON',
      { files: { 'i.json': json({ storageDir: '' }) } },
      'storageDir in i.json must be the path of a directory, got "".',
    ],
  ])('%s: says where, what and what is allowed', async (_, given, problem) => {
    const argv = given.files?.['i.json'] ? ['--input', 'i.json'] : [];
    expect(await problemOf(argv, given)).toBe(problem);
  });

  it("variables of other tools' making are left alone", async () => {
    const env = {
      SUREFOOT_REAL_PAGES: '/tmp',
      SUREFOOT: '1',
      PATH: '/bin',
      DECODO_DASHBOARD: 'x',
      PROXY_URL: 'http://a.test:1',
      CRAWLEE_HEADLESS: '1',
    };
    expect(await settingsOf([], { env })).toEqual(await settingsOf([]));
  });

  it('an --input file that is missing or a directory is named', async () => {
    expect(await problemOf(['--input', 'nowhere/i.json'])).toMatch(
      /^--input names a file that does not exist: \/.*\/nowhere\/i\.json\.$/,
    );
    expect(await problemOf(['--input', 'dir'], { files: { 'dir/x': '' } })).toMatch(/^dir cannot be read: EISDIR/);
  });

  it.each(['a-file', 'a-file/storage'])(
    'a storage folder %s that a file is in the way of is refused, whatever the command',
    async (dir) => {
      const files = { 'a-file': '', '.env': `SUREFOOT_STORAGE_DIR=${dir}` };
      for (const command of [[], ['status'], ['export']]) {
        expect(await problemOf([...command, '--storage-dir', dir], { files })).toMatch(
          new RegExp(`^--storage-dir must be a folder, got "${dir}": /.*/a-file is a file\\.$`),
        );
      }
      expect(await problemOf([], { files })).toContain('SUREFOOT_STORAGE_DIR in .env must be a folder');
    },
  );

  it('broken JSON is not quoted: it may hold a secret', async () => {
    expect(await problemOf(['--input', 'i'], { files: { i: '{"password": hunter2}' } })).not.toContain('hunter2');
  });

  it('a value that a higher source overrides is not judged', async () => {
    expect(await settingsOf(['--concurrency', '5'], { env: { SUREFOOT_CONCURRENCY: 'many' } })).toMatchObject({ concurrency: 5 });
  });
});

describe('manners', () => {
  it('prints nothing and leaves the environment as it was', async () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const before = { ...process.env };
    try {
      await loadInput(['--help']);
      await problemOf(['--concurrency']);
      await problemOf(['--bogus']);
      await settingsOf([], { files: { '.env': 'SUREFOOT_SITE=x' } });
      expect(out).not.toHaveBeenCalled();
      expect(err).not.toHaveBeenCalled();
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
    expect(process.env).toEqual(before);
  });

  it('reads the real environment unless it is given one', async () => {
    vi.stubEnv('SUREFOOT_SITE', 'from-process');
    try {
      const input = await loadInput(['--storage-dir', '/nonexistent']);
      expect(input).toMatchObject({ kind: 'settings', settings: { site: 'from-process' } });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
