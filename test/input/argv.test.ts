import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { OPTIONS } from '../../src/input/options.ts';
import { COMMAND_NAMES } from '../../src/input/schema.ts';
import { problemOf, settingsOf } from './folder.ts';

/** Of every setting that is a number. */
const BOUNDS: Partial<Record<string, [least: number, most: number]>> = {
  maxRequests: [1, Infinity],
  concurrency: [1, 1_000],
  hostConcurrency: [1, 1_000],
  delay: [0, 600_000],
  maxRetryAfter: [1, 86_400],
  secondPassDelay: [0, 86_400],
  maxBodyMb: [1, 2_000],
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
      hostConcurrency: 10,
      delay: 0,
      ignoreRobots: false,
      maxRetryAfter: 1_800,
      secondPassDelay: 60,
      maxBodyMb: 20,
      headers: 'browser',
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
    ['--max-retry-after 60', { maxRetryAfter: 60 }],
    ['--second-pass-delay 0', { secondPassDelay: 0 }],
    ['--max-body-mb 5', { maxBodyMb: 5 }],
    ['--headers polite --contact https://me.example/bot', { headers: 'polite', contact: 'https://me.example/bot' }],
    ['--cookies cookies.txt', { cookies: 'cookies.txt' }],
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
    ['ftp://a.test/', '"ftp://a.test/" is neither a command nor an absolute http(s) URL. See --help.'],
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
      expect(await problemOf(words(line))).toMatch(/an absolute http\(s\) URL/);
    },
  );

  it('never repeats the value of a flag it does not know', async () => {
    expect(await problemOf(['--password=hunter2'])).not.toContain('hunter2');
  });

  it.each(OPTIONS.filter(({ kind }) => kind === 'integer'))(
    'refuses any number out of the range of $flag and names the flag',
    async (option) => {
      const command = option.commands[0] ?? 'crawl';
      const [least, most] = BOUNDS[option.name] ?? [Number.NaN, Number.NaN];
      const near = [least, most]
        .filter((bound) => bound < Infinity)
        .map((bound) => fc.integer({ min: bound - 3, max: bound + 3 }));
      await fc.assert(
        fc.asyncProperty(fc.oneof(...near, fc.maxSafeInteger()), async (value) => {
          const argv = [command, `${option.flag}`, String(value)];
          if (value >= least && value <= most) expect((await settingsOf(argv))[option.name]).toBe(value);
          else expect(await problemOf(argv)).toBe(`${option.flag} must be ${option.allowed}, got "${value}".`);
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
