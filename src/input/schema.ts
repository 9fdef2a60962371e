// Every setting, once: its type, bounds and default (Zod), and what a person is told about it (setting.ts); those of the
// ladder and of proxies are next door.
// Flags, --help, variables, .env.example and README's table all follow from here: adding a setting is one entry.
import { z } from 'zod';

import { FAILING_VERDICTS } from '../core/dead-letter.ts';
import { AN_HTTP_URL, httpUrl } from './http-url.ts';
import { ladderFields } from './ladder-fields.ts';
import { proxyFields } from './proxy-fields.ts';
import { RULES } from './rules.ts';
import { COMMAND_NAMES, setting, settingMeta, type Command } from './setting.ts';

/** A start URL as text, or as an item of Apify's `requestListSources`; any other method than GET is refused. */
export const startUrl = z.union([
  httpUrl,
  z.strictObject({ url: httpUrl, method: z.literal('GET').optional() }).transform((source) => source.url),
]);

const withOutput: readonly Command[] = ['crawl', 'verify', 'export', 'demo-site'];

const fields = {
  command: z.enum(COMMAND_NAMES).default('crawl'),
  startUrls: setting(z.array(startUrl).default([]), {
    help: 'where the crawl begins: absolute http(s) URLs',
    commands: ['crawl'],
    allowed: AN_HTTP_URL,
    defaultText: 'the bundled demo site',
  }),
  site: setting(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/)
      .default('hackernews'),
    {
      flag: '--site',
      placeholder: 'NAME',
      help: 'the folder in src/routes/ that extracts the pages',
      commands: ['crawl'],
      allowed: 'the name of a folder in src/routes/ (small letters, digits and "-")',
    },
  ),
  storageDir: setting(z.string().min(1).default('storage'), {
    flag: '--storage-dir',
    placeholder: 'DIR',
    help: 'where the queue, the rows and the state of the run are kept',
    commands: ['crawl', 'verify', 'status', 'export', 'retry-failed'],
    allowed: 'the path of a directory',
  }),
  fresh: setting(z.boolean().default(false), {
    flag: '--fresh',
    help: 'discard an unfinished run and begin again',
    commands: ['crawl'],
  }),
  resume: setting(z.boolean().default(false), {
    flag: '--resume',
    help: 'go on with the unfinished run in the storage directory although the input differs',
    commands: ['crawl'],
  }),
  store: setting(z.enum(['sqlite', 'files', 'memory']).default('sqlite'), {
    flag: '--store',
    placeholder: 'KIND',
    help: "how the run is kept: sqlite, files (Crawlee's own layout) or memory (gone at exit)",
    commands: ['crawl'],
  }),
  maxRequests: setting(z.exactOptional(z.int().min(1)), {
    flag: '--max-requests',
    placeholder: 'N',
    help: 'pages that the crawl takes on at most, over all restarts',
    commands: ['crawl'],
    defaultText: 'no limit',
  }),
  concurrency: setting(z.int().min(1).max(1000).default(20), {
    flag: '--concurrency',
    placeholder: 'N',
    help: 'pages in flight at once',
    commands: ['crawl'],
  }),
  workers: setting(z.int().min(1).max(64).default(1), {
    flag: '--workers',
    placeholder: 'N',
    help: 'processes that fetch and extract pages; all limits hold over them together',
    commands: ['crawl'],
  }),
  hostConcurrency: setting(z.int().min(1).max(1000).default(10), {
    flag: '--host-concurrency',
    placeholder: 'N',
    help: 'pages in flight at one host; lowered while a host slows down or throttles',
    commands: ['crawl'],
  }),
  delay: setting(z.int().min(0).max(600_000).default(0), {
    flag: '--delay',
    placeholder: 'MS',
    help: 'milliseconds between two requests to one host, and up to a quarter more at random; a longer Crawl-delay wins',
    commands: ['crawl'],
  }),
  ignoreRobots: setting(z.boolean().default(false), {
    flag: '--ignore-robots',
    help: 'fetch what robots.txt forbids, and do not keep to its Crawl-delay',
    commands: ['crawl'],
  }),
  maxRetryAfter: setting(z.int().min(1).max(86_400).default(1_800), {
    flag: '--max-retry-after',
    placeholder: 'SECONDS',
    help: "seconds that a server's Retry-After may ask for at most",
    commands: ['crawl'],
  }),
  secondPassDelay: setting(z.int().min(0).max(86_400).default(60), {
    flag: '--second-pass-delay',
    placeholder: 'SECONDS',
    help: 'seconds of rest before requests that used up their tries go round once more; 0: they do not',
    commands: ['crawl'],
  }),
  maxBodyMb: setting(z.int().min(1).max(2_000).default(20), {
    flag: '--max-body-mb',
    placeholder: 'MB',
    help: 'megabytes that a page may have, decompressed',
    commands: ['crawl'],
  }),
  headers: setting(z.enum(['browser', 'polite']).default('browser'), {
    flag: '--headers',
    placeholder: 'KIND',
    help: "what requests look like: a current Chrome's headers, or a crawler that says who it is",
    commands: ['crawl'],
  }),
  contact: setting(z.exactOptional(z.string().min(3).max(200)), {
    flag: '--contact',
    placeholder: 'TEXT',
    help: 'an address or a URL that `--headers polite` sends along',
    commands: ['crawl'],
    allowed: 'an e-mail address or a URL',
    defaultText: 'none',
  }),
  cookies: setting(z.exactOptional(z.string().min(1)), {
    flag: '--cookies',
    placeholder: 'FILE',
    help: 'cookies that every session starts with: cookies.txt (Netscape) or JSON',
    commands: ['crawl'],
    allowed: 'the path of a file',
    defaultText: 'none',
  }),
  ...ladderFields,
  ...proxyFields,
  stallTimeout: setting(z.int().min(1).max(86_400).default(300), {
    flag: '--stall-timeout',
    placeholder: 'SECONDS',
    help: 'seconds without any progress after which the crawl prints what it is waiting for',
    commands: ['crawl'],
  }),
  live: setting(z.boolean().default(false), {
    flag: '--live',
    help: 'show the pages in flight and what is due next',
    commands: ['status'],
  }),
  status: setting(z.array(z.string().regex(/^[1-5]\d\d$/)).default([]), {
    flag: '--status',
    placeholder: 'LIST',
    help: 'only failures with these HTTP statuses',
    commands: ['retry-failed'],
    allowed: 'an HTTP status, such as 503',
    defaultText: 'all',
  }),
  host: setting(z.array(z.string().min(1)).default([]), {
    flag: '--host',
    placeholder: 'LIST',
    help: 'only failures at these hosts (name, or name:port)',
    commands: ['retry-failed'],
    allowed: 'the name of a host',
    defaultText: 'all',
  }),
  label: setting(z.array(z.string().min(1)).default([]), {
    flag: '--label',
    placeholder: 'LIST',
    help: 'only failures of these labels',
    commands: ['retry-failed'],
    allowed: 'a label, such as DETAIL',
    defaultText: 'all',
  }),
  verdict: setting(z.array(z.enum(FAILING_VERDICTS)).default([]), {
    flag: '--verdict',
    placeholder: 'LIST',
    help: 'only failures with these verdicts, such as transient, throttled, blocked, fatal or crash',
    commands: ['retry-failed'],
    defaultText: 'all',
  }),
  format: setting(
    z
      .array(z.enum(['json', 'jsonl', 'csv']))
      .min(1)
      .default(['json', 'csv']),
    {
      flag: '--format',
      placeholder: 'LIST',
      help: 'what the rows are exported as: json, jsonl, csv, with commas between',
      commands: ['crawl', 'export'],
    },
  ),
  out: setting(z.exactOptional(z.string().min(1)), {
    flag: '--out',
    placeholder: 'DIR',
    help: 'where the exported files go',
    commands: ['crawl', 'export'],
    allowed: 'the path of a directory',
    defaultText: '<storage-dir>/exports',
  }),
  quiet: setting(z.boolean().default(false), {
    flag: '--quiet',
    help: 'print nothing but errors and the result',
    commands: withOutput,
  }),
  verbose: setting(z.boolean().default(false), {
    flag: '--verbose',
    help: 'print what happens to each page',
    commands: withOutput,
  }),
  url: setting(httpUrl.default('https://httpbin.org/get'), {
    flag: '--url',
    placeholder: 'URL',
    help: 'the page that is fetched for the check',
    commands: ['verify'],
    allowed: AN_HTTP_URL,
  }),
  port: setting(z.int().min(0).max(65_535).default(0), {
    flag: '--port',
    placeholder: 'N',
    help: 'the port on 127.0.0.1; 0 takes any free one',
    commands: ['demo-site'],
  }),
};

const settingsObject = z.strictObject(fields);

/** Settings as Zod has them: `Settings` for the code that makes them. */
export type Parsed = z.output<typeof settingsObject>;

/** The one schema of all settings. Input: an object as JSON has it. Unknown keys are refused. */
export const settingsSchema = settingsObject.superRefine((settings, context) => {
  for (const { about, isBroken, sentence } of RULES) {
    const isTaken = settingMeta.get(fields[about])?.commands.includes(settings.command);
    if (isTaken && isBroken(settings)) context.addIssue({ code: 'custom', path: [about], message: sentence });
  }
});

/** What a run is told to do, checked and complete. Frozen; paths are as given, relative to the working directory. */
export type Settings = {
  readonly [Name in keyof Parsed]: Parsed[Name] extends (infer Item)[] ? readonly Item[] : Parsed[Name];
};
