import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { OPTIONS } from '../../src/input/options.ts';
import { COMMAND_NAMES } from '../../src/input/setting.ts';
import { problemOf, settingsOf } from './folder.ts';

/** Of every setting that is a whole number. */
const BOUNDS: Partial<Record<string, [least: number, most: number]>> = {
  maxRequests: [1, Infinity],
  concurrency: [1, 1_000],
  workers: [1, 64],
  hostConcurrency: [1, 1_000],
  delay: [0, 600_000],
  maxRetryAfter: [1, 86_400],
  secondPassDelay: [0, 86_400],
  maxBodyMb: [1, 2_000],
  browserConcurrency: [1, 50],
  unblockerPort: [1, 65_535],
  asn: [1, 4_294_967_295],
  sessionMinutes: [1, 1_440],
  decodoPort: [1, 65_535],
  probes: [2, 100],
  stallTimeout: [1, 86_400],
  port: [0, 65_535],
};

const words = (line: string): string[] => line.split(' ').filter(Boolean);

describe('the command line', () => {
  it('is a crawl with every default when it is empty', async () => {
    expect(await settingsOf([])).toEqual({
      command: 'crawl',
      startUrls: [],
      site: 'hackernews',
      storageDir: 'storage',
      fresh: false,
      resume: false,
      store: 'sqlite',
      concurrency: 20,
      workers: 1,
      hostConcurrency: 10,
      delay: 0,
      ignoreRobots: false,
      allowPrivate: [],
      maxRetryAfter: 1_800,
      secondPassDelay: 60,
      maxBodyMb: 20,
      headers: 'browser',
      tiers: ['http', 'impersonate', 'browser'],
      impersonate: 'chrome',
      browser: 'playwright',
      browserConcurrency: 2,
      loadAssets: false,
      unblockerHost: 'unblock.decodo.com',
      unblockerPort: 60_000,
      apiPlan: 'current',
      pricePerApiCall: 0,
      proxy: 'none',
      decodoHost: 'gate.decodo.com',
      decodoPort: 7_000,
      decodoEchoUrl: 'https://ip.decodo.com/json',
      proxyUrls: [],
      probes: 5,
      pricePerGb: 0,
      stallTimeout: 300,
      live: false,
      status: [],
      host: [],
      label: [],
      verdict: [],
      format: ['json', 'csv'],
      quiet: false,
      verbose: false,
      url: 'https://httpbin.org/get',
      port: 0,
    });
  });

  it.each([
    ['https://a.test/ https://b.test/x?y=1', { command: 'crawl', startUrls: ['https://a.test/', 'https://b.test/x?y=1'] }],
    ['crawl http://127.0.0.1:8080/', { command: 'crawl', startUrls: ['http://127.0.0.1:8080/'] }],
    ['-- https://a.test/', { startUrls: ['https://a.test/'] }],
    ['--site my-shop', { site: 'my-shop' }],
    ['--storage-dir /tmp/x status', { command: 'status', storageDir: '/tmp/x' }],
    ['status --storage-dir=/tmp/x', { command: 'status', storageDir: '/tmp/x' }],
    ['--fresh', { fresh: true, resume: false }],
    ['--resume', { fresh: false, resume: true }],
    ['--store memory', { store: 'memory' }],
    ['--max-requests 7', { maxRequests: 7 }],
    ['--concurrency=1', { concurrency: 1 }],
    ['--host-concurrency 3', { hostConcurrency: 3 }],
    ['--delay 1500', { delay: 1_500 }],
    ['--ignore-robots', { ignoreRobots: true }],
    ['--allow-private wiki.corp,10.0.0.0/8', { allowPrivate: ['wiki.corp', '10.0.0.0/8'] }],
    ['--max-retry-after 60', { maxRetryAfter: 60 }],
    ['--second-pass-delay 0', { secondPassDelay: 0 }],
    ['--max-body-mb 5', { maxBodyMb: 5 }],
    ['--headers polite --contact https://me.example/bot', { headers: 'polite', contact: 'https://me.example/bot' }],
    ['--cookies cookies.txt', { cookies: 'cookies.txt' }],
    ['--tiers http', { tiers: ['http'] }],
    ['--tiers http,browser --tiers impersonate', { tiers: ['http', 'browser', 'impersonate'] }],
    ['--impersonate firefox', { impersonate: 'firefox' }],
    ['--browser patchright --browser-path /usr/bin/chromium', { browser: 'patchright', browserPath: '/usr/bin/chromium' }],
    ['--browser-concurrency 4 --load-assets', { browserConcurrency: 4, loadAssets: true }],
    ['--unblocker-geo Deutschland', { unblockerGeo: 'Deutschland' }],
    ['--api-plan older --price-per-api-call .002', { apiPlan: 'older', pricePerApiCall: 0.002 }],
    ['--proxy sticky --session-minutes 30', { proxy: 'sticky', sessionMinutes: 30 }],
    ['--proxy geo --country us --state us_california', { proxy: 'geo', country: 'us', state: 'us_california' }],
    ['--city berlin --zip 10001 --continent eu', { city: 'berlin', zip: '10001', continent: 'eu' }],
    ['--asn 3320', { asn: 3_320 }],
    ['verify --proxy rotating --probes 20', { command: 'verify', proxy: 'rotating', probes: 20 }],
    ['--price-per-gb 3.5 --max-cost 0.25', { pricePerGb: 3.5, maxCost: 0.25 }],
    ['--price-per-api-call 0.01 --max-cost 5.', { pricePerApiCall: 0.01, maxCost: 5 }],
    ['--price-per-gb 0 --max-proxy-mb 12.5', { pricePerGb: 0, maxProxyMb: 12.5 }],
    ['--stall-timeout 30', { stallTimeout: 30 }],
    ['status --live', { command: 'status', live: true }],
    [
      'retry-failed --status 503,429 --host a.test --host b.test:8080 --label DETAIL --verdict transient',
      {
        command: 'retry-failed',
        status: ['503', '429'],
        host: ['a.test', 'b.test:8080'],
        label: ['DETAIL'],
        verdict: ['transient'],
      },
    ],
    ['--format csv', { format: ['csv'] }],
    ['export --format jsonl,json', { command: 'export', format: ['jsonl', 'json'] }],
    ['export --format jsonl --format csv', { format: ['jsonl', 'csv'] }],
    ['--out results', { out: 'results' }],
    ['--quiet', { quiet: true }],
    ['--verbose', { verbose: true }],
    ['verify --url http://localhost:1/', { command: 'verify', url: 'http://localhost:1/' }],
    ['demo-site --port 8080', { command: 'demo-site', port: 8080 }],
  ])('%s', async (line, expected) => {
    expect(await settingsOf(words(line))).toMatchObject(expected);
  });

  it.each([
    ['--concurrency many', '--concurrency must be a whole number from 1 to 1000, got "many".'],
    ['--concurrency 1.5', '--concurrency must be a whole number from 1 to 1000, got "1.5".'],
    ['--concurrency 1e2', '--concurrency must be a whole number from 1 to 1000, got "1e2".'],
    ['--concurrency', '--concurrency needs a value: a whole number from 1 to 1000.'],
    ['--concurrency --fresh', '--concurrency needs a value: a whole number from 1 to 1000.'],
    ['--out=', '--out needs a value: the path of a directory.'],
    ['--max-requests 0', '--max-requests must be a whole number of 1 or more, got "0".'],
    ['--store redis', '--store must be one of sqlite, files, memory, got "redis".'],
    ['--format json,xml', '--format must be one of json, jsonl, csv, got "xml".'],
    ['--format ,', '--format must be a list of one or more, each one of json, jsonl, csv, got ",".'],
    ['--site My_Shop', '--site must be the name of a folder in src/routes/ (small letters, digits and "-"), got "My_Shop".'],
    ['verify --url example.com', '--url must be an absolute http(s) URL without user name and password, got "example.com".'],
    ['retry-failed --status 503,99', '--status must be an HTTP status, such as 503, got "99".'],
    ['--headers chrome', '--headers must be one of browser, polite, got "chrome".'],
    ['demo-site --port 65536', '--port must be a whole number from 0 to 65535, got "65536".'],
    ['--tiers http,htpt', '--tiers must be one of http, impersonate, browser, unblocker, api, got "htpt".'],
    ['--tiers ,', '--tiers must be a list of one or more, each one of http, impersonate, browser, unblocker, api, got ",".'],
    ['--proxy residential', '--proxy must be one of none, rotating, sticky, geo, got "residential".'],
    ['--unblocker-geo 49', '--unblocker-geo must be a place such as "Germany" or "Berlin, Germany", got "49".'],
    ['--price-per-gb 1e3', '--price-per-gb must be a number of 0 or more, got "1e3".'],
    ['--price-per-gb abc', '--price-per-gb must be a number of 0 or more, got "abc".'],
    ['--price-per-gb 3,50', '--price-per-gb must be a number of 0 or more, got "3,50".'],
    ['--price-per-gb .', '--price-per-gb must be a number of 0 or more, got ".".'],
    ['--price-per-gb -0.5', '--price-per-gb must be a number of 0 or more, got "-0.5".'],
    ['--price-per-gb', '--price-per-gb needs a value: a number of 0 or more.'],
    ['--max-cost 0 --price-per-gb 1', '--max-cost must be a number above 0, got "0".'],
    ['--max-proxy-mb -1', '--max-proxy-mb must be a number above 0, got "-1".'],
    ['--max-cost 5', '--max-cost needs --price-per-gb or --price-per-api-call above 0.'],
    ['--max-cost 5 --price-per-gb 0', '--max-cost needs --price-per-gb or --price-per-api-call above 0.'],
    [
      '--tiers http,unblocker',
      '--tiers has unblocker, which needs DECODO_UNBLOCKER_USER and DECODO_UNBLOCKER_PASS, best in .env.',
    ],
    ['--tiers http,api', '--tiers has api, which needs DECODO_API_TOKEN, best in .env.'],
    ['--start-urls https://a.test/', '--start-urls is not an option: start URLs are given as they are.'],
    ['--decodo-user me', '--decodo-user is not an option: set the variable DECODO_USER.'],
    ['--unblocker-pass=x', '--unblocker-pass is not an option: set the variable DECODO_UNBLOCKER_PASS.'],
    ['verify --decodo-api-token', '--decodo-api-token is not an option: set the variable DECODO_API_TOKEN.'],
    ['--fresh --resume', '--fresh and --resume exclude each other: give one of them.'],
    ['--quiet --verbose', '--quiet and --verbose exclude each other: give one of them.'],
    ['--fresh=yes', '--fresh takes no value.'],
    ['--concurency 5', '--concurency is not an option. Did you mean --concurrency?'],
    ['--maxRequests=5', '--maxRequests is not an option. Did you mean --max-requests?'],
    ['--nothing-like-it', '--nothing-like-it is not an option. See --help.'],
    ['-x', '-x is not an option. See --help.'],
    ['status --storage-dirs x', '--storage-dirs is not an option of status. Did you mean --storage-dir?'],
    ['status --concurrency 5', '--concurrency is not an option of status. Only crawl takes it.'],
    ['--port 1', '--port is not an option of crawl. Only demo-site takes it.'],
    ['export --input x.json', '--input is not an option of export. Only crawl takes it.'],
    ['stauts', '"stauts" is neither a command nor an absolute http(s) URL. Did you mean "status"?'],
    ['banana', '"banana" is neither a command nor an absolute http(s) URL. See --help.'],
    [
      'news.ycombinator.com',
      '"news.ycombinator.com" is neither a command nor an absolute http(s) URL. Did you mean "https://news.ycombinator.com"?',
    ],
    [
      'localhost:3000/x',
      '"localhost:3000/x" is neither a command nor an absolute http(s) URL. Did you mean "http://localhost:3000/x"?',
    ],
    ['ftp://a.test/', '"ftp://a.test/" cannot be crawled: only http: and https: can, not ftp:'],
    ['file:///etc/hosts', '"file:///etc/hosts" cannot be crawled: only http: and https: can, not file:'],
    ['http:a.test', '"http:a.test" is neither a command nor an absolute http(s) URL. See --help.'],
    ['input.json', '"input.json" is neither a command nor an absolute http(s) URL. Did you mean "--input input.json"?'],
    ['https://a.test/ status', '"status" is a command, and a command comes before everything but options.'],
    ['status https://a.test/', 'status takes options only, got "https://a.test/".'],
  ])('%s is refused, with the reason', async (line, problem) => {
    expect(await problemOf(words(line))).toBe(problem);
  });

  it('reports all problems at once, a line each', async () => {
    expect(await problemOf(words('--concurency 5 --port 1'))).toBe(
      '--concurency is not an option. Did you mean --concurrency?\n--port is not an option of crawl. Only demo-site takes it.',
    );
    expect(await problemOf(words('--concurrency 0 --store x'))).toBe(
      '--store must be one of sqlite, files, memory, got "x".\n--concurrency must be a whole number from 1 to 1000, got "0".',
    );
  });

  it.each(['verify --url https://me:pw@a.test/', 'verify --url https://me@a.test', 'crawl https://me:pw@a.test/x'])(
    '%s is refused: a start URL is stored, a password must not be',
    async (line) => {
      const problem = await problemOf(words(line));
      expect(problem).toMatch(/an absolute http\(s\) URL.*/);
      expect(problem).toContain('***@a.test');
      expect(problem).not.toMatch(/\bme\b|pw/);
    },
  );

  it('never repeats the value of a flag it does not know', async () => {
    for (const argv of [['--password=hunter2'], ['--password', 'hunter2'], ['--decodo-pass', 'hunter2', '--fresh']]) {
      expect(await problemOf(argv)).not.toContain('hunter2');
    }
  });

  it.each(OPTIONS.filter(({ kind }) => kind === 'integer'))(
    'refuses any number out of the range of $name and names the flag, or its variable if it has none',
    async (option) => {
      const command = option.commands[0] ?? 'crawl';
      const [least, most] = BOUNDS[option.name] ?? [Number.NaN, Number.NaN];
      const near = [least, most]
        .filter((bound) => bound < Infinity)
        .map((bound) => fc.integer({ min: bound - 3, max: bound + 3 }));
      await fc.assert(
        fc.asyncProperty(fc.oneof(...near, fc.maxSafeInteger()), async (value) => {
          const argv = option.flag ? [command, option.flag, String(value)] : [command];
          const env = option.flag ? {} : { [option.env]: String(value) };
          if (value >= least && value <= most) expect((await settingsOf(argv, { env }))[option.name]).toBe(value);
          else {
            const where = option.flag ?? option.env;
            expect(await problemOf(argv, { env })).toBe(`${where} must be ${option.allowed}, got "${value}".`);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(COMMAND_NAMES)('%s takes its own options and no other', async (command) => {
    for (const { flag, placeholder, commands } of OPTIONS) {
      if (!flag) continue;
      const argv = placeholder ? [command, flag, 'x'] : [command, flag];
      const refused = await problemOf(argv).catch(() => '');
      expect(refused.includes('is not an option of'), `${flag} of ${command}`).toBe(!commands.includes(command));
    }
  });
});
