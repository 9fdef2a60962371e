// The Actor's input as settings, and what makes a process an Actor's run.
import { describe, expect, it } from 'vitest';

import { ACTOR_FIELDS } from '../../src/input/actor-fields.ts';
import { fromActorInput, readActorExtras } from '../../src/input/actor-input.ts';
import { loadInput, readActorRun } from '../../src/input/load.ts';
import { OPTIONS } from '../../src/input/options.ts';

async function settingsOf(actorInput: unknown, { argv = [], env = {} }: { argv?: string[]; env?: Record<string, string> } = {}) {
  const input = await loadInput(argv, { env, cwd: '/nowhere', actorInput });
  if (input.kind !== 'settings') throw new Error('Expected settings');
  return input.settings;
}

describe('fields', () => {
  it.each([
    [{ startUrls: [{ url: 'https://a.example/news', method: 'GET' }] }, { startUrls: ['https://a.example/news'] }],
    [
      { maxPagesPerCrawl: 7, maxConcurrency: 3 },
      { maxRequests: 7, concurrency: 3 },
    ],
    [
      { respectRobotsTxtFile: false, debugLog: true },
      { ignoreRobots: true, verbose: true },
    ],
    [{ respectRobotsTxtFile: true }, { ignoreRobots: false }],
    [{ format: ['csv'], contact: '' }, { format: ['csv'] }],
    [
      { concurrency: 4, ignoreRobots: true },
      { concurrency: 4, ignoreRobots: true },
    ],
    [null, { concurrency: 20 }],
  ])('%j', async (input, settings) => expect(await settingsOf(input)).toMatchObject(settings));

  it('0 pages at most, and a text that was left empty, are no limit and no text', async () => {
    const settings = await settingsOf({ maxPagesPerCrawl: 0, contact: '', maxConcurrency: null });
    expect(settings).not.toHaveProperty('maxRequests');
    expect(settings).not.toHaveProperty('contact');
  });

  it('with the defaults that the platform fills in, a run is as one without input', async () => {
    const defaults = Object.fromEntries(
      ACTOR_FIELDS.filter(({ property }) => 'default' in property).map(({ name, property }) => [name, property['default']]),
    );
    expect(Object.keys(defaults).length).toBeGreaterThan(5);
    expect(await settingsOf(defaults)).toEqual(await settingsOf(null));
  });

  it('the command line wins over them, and they over the environment', async () => {
    const more = {
      argv: ['--concurrency', '2'],
      env: { SUREFOOT_CONCURRENCY: '5', SUREFOOT_DELAY: '6', SUREFOOT_HOST_CONCURRENCY: '9' },
    };
    expect(await settingsOf({ maxConcurrency: 3, delay: 4 }, more)).toMatchObject({
      concurrency: 2,
      delay: 4,
      hostConcurrency: 9,
    });
  });

  it.each([
    [{ maxConcurency: 3 }, '"maxConcurency" in the Actor\'s input is not a field. Did you mean "maxConcurrency"?'],
    [{ storageDir: 'x' }, '"storageDir" in the Actor\'s input is not a field.'],
    [{ maxConcurrency: 'many' }, 'maxConcurrency in the Actor\'s input must be a whole number from 1 to 1000, got "many".'],
    [{ startUrls: [{ url: 'no' }] }, "startUrls[0] in the Actor's input must be an absolute http(s) URL"],
    [[], "the Actor's input must be one JSON object."],
  ])('%j is refused', async (input, problem) => expect(settingsOf(input)).rejects.toThrow(problem));

  it('there is none for what says where a process keeps its files', () => {
    const behind = ACTOR_FIELDS.flatMap(({ option }) => option?.name ?? []);
    for (const name of ['storageDir', 'store', 'out', 'cookies', 'fresh', 'resume']) expect(behind).not.toContain(name);
    const ofOtherCommands = OPTIONS.filter(({ commands }) => !commands.includes('crawl')).map(({ name }) => name);
    for (const name of ofOtherCommands) expect(behind).not.toContain(name);
  });
});

describe('fields that are no settings', () => {
  it('are taken as they are, and no setting is made of them', async () => {
    const input = { datasetName: 'rows', keyValueStoreName: '', initialCookies: [{ name: 'a', value: 'b' }] };
    expect(readActorExtras(input)).toEqual({ datasetName: 'rows', initialCookies: input.initialCookies });
    expect([...fromActorInput(input)]).toEqual([]);
  });

  it('are refused with their place, and a cookie without its value', () => {
    expect(() => readActorExtras({ datasetName: 'my rows' })).toThrow(
      "datasetName in the Actor's input must be the name of a storage",
    );
    expect(() => readActorExtras({ initialCookies: 'session=secret' })).toThrow(/^(?!.*secret).*initialCookies/);
  });
});

describe("an Actor's run", () => {
  const home = { APIFY_IS_AT_HOME: '1', ACTOR_WEB_SERVER_PORT: '4321' };
  const cli = { APIFY_LOCAL_STORAGE_DIR: 'storage', ACTOR_INPUT_KEY: 'INPUT' };
  it.each([
    ['on the platform', [], home, { atHome: true, byCli: false, webServerPort: 4321 }],
    ['by `apify run`', [], cli, { atHome: false, byCli: true, webServerPort: null }],
    ['by --actor', ['--actor', '--max-requests', '3'], {}, { atHome: false, byCli: false, webServerPort: null }],
    ['not by a token', [], { APIFY_TOKEN: 'x', APIFY_PROXY_PASSWORD: 'y' }, null],
    ['not by a folder that a shell has set', [], { APIFY_LOCAL_STORAGE_DIR: 'storage' }, null],
    ['not for another command', ['status'], home, null],
    ['not for --help', ['--help'], home, null],
  ])('%s', (_, argv, env, run) => expect(readActorRun(argv, env)).toEqual(run));
});
