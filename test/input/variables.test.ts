import { describe, expect, it } from 'vitest';

import { OPTIONS } from '../../src/input/options.ts';
import { problemOf, settingsOf, STORED_INPUT } from './folder.ts';
import type { Given } from './folder.ts';

const json = JSON.stringify;

describe('variables of their own name', () => {
  const DECODO = { DECODO_USER: 'user-me', DECODO_PASS: 'p a$s', DECODO_PORT: '10000', DECODO_HOST: 'dc.decodo.com' };
  const asDotenv = (env: Record<string, string>) =>
    Object.entries(env)
      .map(([key, value]) => `${key}='${value}'\n`)
      .join('');

  it.each<[string, Given]>([
    ['the environment', { env: DECODO }],
    ['.env', { files: { '.env': asDotenv(DECODO) } }],
  ])('are read from %s', async (_, given) => {
    const expected = { decodoUser: 'user-me', decodoPass: 'p a$s', decodoPort: 10_000, decodoHost: 'dc.decodo.com' };
    expect(await settingsOf([], given)).toMatchObject(expected);
  });

  it('are each read by their own name, and by no other', async () => {
    for (const { name, env } of OPTIONS.filter((option) => !option.env.startsWith('SUREFOOT_'))) {
      const text =
        { PROXY_URLS: 'http://a.test:1', DECODO_API_URL: 'http://a.test/' }[env] ??
        (env.endsWith('URL') ? 'http://b.test/' : '77');
      const { [name]: value } = await settingsOf([], { env: { [env]: text } });
      expect([value].flat().map(String), env).toEqual([text]);
    }
  });

  it('JSON wins over the environment, and that over .env', async () => {
    const files = { '.env': 'DECODO_USER=from-dotenv\nDECODO_PORT=1\nDECODO_HOST=from-dotenv\n' };
    const env = { DECODO_USER: 'from-env', DECODO_PORT: '2' };
    const stored = { ...files, [STORED_INPUT]: json({ decodoUser: 'from-json' }) };
    const expected = { decodoUser: 'from-json', decodoPort: 2, decodoHost: 'from-dotenv' };
    expect(await settingsOf([], { env, files: stored })).toMatchObject(expected);
    expect(await settingsOf([], { env: { ...env, DECODO_HOST: '' }, files })).toMatchObject({
      decodoUser: 'from-env',
      decodoHost: 'gate.decodo.com',
    });
  });

  it('PROXY_URLS is a list with commas between', async () => {
    const env = { PROXY_URLS: 'http://me:p%2Cw@a.test:1, socks5://b.test:2,' };
    expect(await settingsOf([], { env })).toMatchObject({ proxyUrls: ['http://me:p%2Cw@a.test:1', 'socks5://b.test:2'] });
  });

  it('are named in what is wrong with them', async () => {
    const problem = 'must be a whole number from 1 to 65535, got "http".';
    expect(await problemOf([], { env: { DECODO_PORT: 'http' } })).toBe(`DECODO_PORT ${problem}`);
    expect(await problemOf([], { files: { '.env': 'DECODO_PORT=http' } })).toBe(`DECODO_PORT in .env ${problem}`);
    expect(await problemOf([], { env: { DECODO_API_URL: 'https://me:hunter2@a.test/' } })).toBe(
      'DECODO_API_URL must be an absolute http(s) URL without user name and password, got "https://***@a.test/".',
    );
  });

  it.each([
    ['SUREFOOT_PROXY rotating', 'SUREFOOT_PROXY'],
    ['export DECODO_PASS hunter2', 'DECODO_PASS'],
    ['  SUREFOOT_START_URLS https://a.example/?page=1', 'SUREFOOT_START_URLS'],
    ['SUREFOOT_PROXY', 'SUREFOOT_PROXY'],
    ['PROXY_URLS:http://user:hunter2@a.test:1', 'PROXY_URLS'],
    ['SUREFOOT_PROXI rotating', 'SUREFOOT_PROXI'],
  ])('the line "%s" of .env sets nothing, and is refused without its value', async (line, name) => {
    const problem = await problemOf([], { files: { '.env': `# Proxies\nSUREFOOT_DELAY=5\r\n${line}\r\n` } });
    expect(problem).toBe(`Line 3 of .env begins with ${name} and has no "=" after it, so it sets nothing. Write ${name}=VALUE.`);
  });

  it.each([
    '# SUREFOOT_PROXY rotating',
    'OTHER_PROXY rotating',
    'PROXY_TIMEOUT 30',
    'SUREFOOT_PROXY = none',
    'SUREFOOT_PROXY: none',
    'NOTE="two lines\nSUREFOOT_PROXY rotating\n"',
  ])('the line %j of .env is none of ours, or sets something', async (line) => {
    expect(await settingsOf([], { files: { '.env': line } })).toMatchObject({ proxy: 'none' });
  });

  it.each([
    ['DECODO_PASSWORD', 'DECODO_PASS'],
    ['DECODO_USERNAME', 'DECODO_USER'],
    ['DECODO_UNBLOCKER_PASSWORD', 'DECODO_UNBLOCKER_PASS'],
    ['DECODO_APITOKEN', 'DECODO_API_TOKEN'],
    ['DECODO_COUNTRY', 'SUREFOOT_COUNTRY'],
    ['SUREFOOT_API_TOKEN', 'DECODO_API_TOKEN'],
    ['SUREFOOT_DECODO_PASS', 'DECODO_PASS'],
    ['SUREFOOT_PROXY_URLS', 'PROXY_URLS'],
  ])('%s was meant to be %s, in .env and in the environment', async (name, meant) => {
    const told = (where: string) => `${where} is not a variable of Surefoot. Did you mean ${meant}?`;
    expect(await problemOf([], { env: { [name]: 'hunter2' } })).toBe(told(name));
    expect(await problemOf([], { files: { '.env': `${name}=hunter2` } })).toBe(told(`${name} in .env`));
  });

  it('a name that many programs have is told of in .env alone', async () => {
    expect(await problemOf([], { files: { '.env': 'PROXY_URL=http://me:hunter2@a.test:1' } })).toBe(
      'PROXY_URL in .env is not a variable of Surefoot. Did you mean PROXY_URLS?',
    );
    expect(await settingsOf([], { files: { '.env': 'PROXY_SERVER=http://a.test:1' } })).toEqual(await settingsOf([]));
  });

  it('an unknown one of Decodo is told of in .env', async () => {
    expect(await problemOf([], { files: { '.env': 'DECODO_DASHBOARD=hunter2' } })).toBe(
      'DECODO_DASHBOARD in .env is not a variable of Surefoot. See .env.example.',
    );
  });
});

describe('secrets', () => {
  const secrets = OPTIONS.filter(({ secret }) => secret);

  it.each(secrets)('$name is quoted by no message, whatever is wrong', async ({ name, env }) => {
    const wrong = [{ hunter2: 'hunter2' }, 'hunter2\nhunter2', ['hunter2', 2], [['hunter2']], 2, '', ['', 'hunter2']];
    let refused = 0;
    for (const value of wrong) {
      const given = { files: { [STORED_INPUT]: json({ [name]: value }) } };
      const problem = await problemOf([], given).catch(() => undefined);
      if (problem === undefined) continue;
      refused += 1;
      expect(problem).toMatch(new RegExp(`^${name}(\\[\\d\\])? in .* must be .*, got \\*\\*\\*\\.$`));
    }
    expect(refused).toBeGreaterThan(3);
    // Beside others' problems, too.
    const problem = await problemOf(['--concurrency', '0'], { env: { [env]: 'hunter2 hunter2', SUREFOOT_STORE: 'x' } });
    expect(problem).not.toContain('hunter2');
  });
});

describe('a # in a value of .env', () => {
  it.each([
    ["DECODO_PASS='pass#word~=A+b'", 'pass#word~=A+b'],
    ['DECODO_PASS="pass#word"', 'pass#word'],
    ['DECODO_PASS=`pass#word` # the first one', 'pass#word'],
    ['DECODO_PASS="pass" #word', 'pass'],
    ['DECODO_PASS="two\nlines#"', 'two\nlines#'],
  ])('arrives whole in quotes: %j', async (line, pass) => {
    const settings = await settingsOf([], { files: { '.env': `${line}\n` } });
    expect(settings.decodoPass).toBe(pass);
  });

  it.each([
    'DECODO_PASS=pass#word~=A+b',
    'DECODO_PASS=pass #word',
    'DECODO_PASS=#password',
    'export DECODO_PASS = pass#word',
    'DECODO_PASS: pass#word',
    'DECODO_PASS="pass#word',
    "DECODO_PASS=it's#word",
    'DECODO_USER=me#1',
    'PROXY_URLS=http://me:a#b@gate.example:7000',
    'SUREFOOT_CONTACT=Bob #1',
    'SUREFOOT_DELAY=5#00',
  ])('is never cut without quotes: the line is refused, and its value not shown: %j', async (line) => {
    const problem = await problemOf([], { files: { '.env': `# Mine\r\n${line}\r\n` } });
    expect(problem).toMatch(/^Line 2 of \.env: the value of [A-Z_]+ holds a # outside of quotes\./);
    expect(problem).not.toMatch(/word|#1|#00|#b/);
  });

  it.each([['SUREFOOT_DELAY=500 # ms'], ['SUREFOOT_CONTACT= # nobody yet'], ['#DECODO_PASS=a#b'], ['OTHER=a#b']])(
    'begins a comment where no value can have one: %j',
    async (line) => {
      await expect(settingsOf([], { files: { '.env': `${line}\n` } })).resolves.toBeDefined();
    },
  );
});
