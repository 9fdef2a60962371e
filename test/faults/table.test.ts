// What becomes of a page that a server answers with each fault: its verdict, its tries, the waits between them, its end.
import { describe, expect, it, onTestFinished } from 'vitest';

import type { Site } from '../../src/core/site.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { site as hackernews } from '../../src/routes/hackernews/index.ts';
import type { PlainClientOptions } from '../../src/fetch/clients/plain.ts';
import { startFaultServer, type FaultServer, type FaultUrlOptions } from '../fetch/fault-server.ts';
import { CYRILLIC, JAPANESE } from '../fetch/faults.ts';
import { crawl, leapingClock } from './harness.ts';

/** Backoff's random part: transient waits are a fifth longer. */
const RANDOM = 0.8;
/** How late the crawl may be, in seconds: it looks at the clock every 50 ms, and this machine is shared. */
const SLACK = 3;
/** An HTTP date has whole seconds: it may come up to one earlier than what was asked for. */
const date = (seconds: number) => ({ from: seconds - 1, to: seconds });

const TRANSIENT = [1.2, 2.4, 4.8, 60];
const SPOKEN = [5, 5, 5, 5, 5];

const SORRY = `<html><head></head><body>Sorry, we're not able to serve your requests this quickly.</body></html>`;
const EMPTY_LIST =
  '<html><head><title>Hacker News</title></head><body><center><table id="hnmain"></table></center></body></html>';
const CHALLENGE = `<!doctype html><html><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript and cookies
  to continue</noscript><script>window._cf_chl_opt = { cType: 'managed' };</script></body></html>`;
const SHELL =
  '<!doctype html><html><head><title>Shop</title></head><body><div id="root"></div><script src="/main.js"></script></body></html>';
/** undici counts time in steps of about half a second: what hangs for 0.3 s may hang for this many. */
const HANGS_AT_MOST = 1.5;

type End = 'row' | 'dead letter' | 'missing' | 'skipped';
interface Case {
  /** What it is asked for, or a URL of the server. */
  of?: FaultUrlOptions;
  url?: (server: FaultServer) => string;
  page?: string;
  robots?: string;
  site?: Site;
  /** Limits of the client, for what would hang too long for a test. */
  limits?: PlainClientOptions;
  /** Of each attempt that failed. One stands for all. */
  verdict: Exclude<Verdict, 'ok' | 'early'> | null;
  tries: number;
  /** Seconds between two tries. */
  delays?: readonly (number | { from: number; to: number })[];
  end: End;
  /** What each attempt that failed says. */
  error?: RegExp;
  /** The row's title. */
  title?: string;
}

const throttledByWord = (error: RegExp) =>
  ({ verdict: 'throttled', tries: 7, delays: [...SPOKEN, 60], end: 'dead letter', error }) as const;
const transient = (error: RegExp) => ({ verdict: 'transient', tries: 5, delays: TRANSIENT, end: 'dead letter', error }) as const;
const fatal = (error: RegExp) => ({ verdict: 'fatal', tries: 1, end: 'dead letter', error }) as const;
const ok = (title: string) => ({ verdict: null, tries: 1, end: 'row', title }) as const;
/** Twice, and then it is as it should be. */
const hang = (fault: string, limits: PlainClientOptions, error: RegExp) =>
  ({
    fault,
    of: { every: 50, flaky: 2 },
    limits,
    verdict: 'transient',
    tries: 3,
    delays: [1.2, 2.4],
    end: 'row',
    error,
  }) as const;
/** Without a word from the server: 30 s doubling, six tries. The host then rests as long as for the last one. */
const SILENT = [30, 60, 120, 240, 480, 480];

const CASES: Record<string, Case & { fault: string }> = {
  'a page as it should be': { fault: 'ok', ...ok('ok') },

  '429': { fault: '429', verdict: 'throttled', tries: 7, delays: SILENT, end: 'dead letter', error: /HTTP 429/ },
  '429 with Retry-After in seconds': { fault: '429', of: { after: 5 }, ...throttledByWord(/HTTP 429/) },
  '429 with Retry-After as a date': {
    fault: '429',
    of: { afterDate: 90, flaky: 2 },
    verdict: 'throttled',
    tries: 3,
    delays: [date(90), date(90)],
    end: 'row',
  },
  '429 with a date in the past': {
    fault: '429',
    of: { afterDate: -600, flaky: 1 },
    verdict: 'throttled',
    tries: 2,
    delays: [0],
    end: 'row',
  },
  '429 that asks for a day': {
    fault: '429',
    of: { after: 86_400, flaky: 1 },
    verdict: 'throttled',
    tries: 2,
    delays: [1_800],
    end: 'row',
  },
  '503 with Retry-After': { fault: '503', of: { after: 5 }, ...throttledByWord(/HTTP 503/) },
  '503 with Retry-After once': {
    fault: '503',
    of: { after: 5, flaky: 1 },
    verdict: 'throttled',
    tries: 2,
    delays: [5],
    end: 'row',
  },
  "Hacker News' apology with 200": {
    fault: 'ok',
    page: SORRY,
    verdict: 'throttled',
    tries: 7,
    delays: SILENT,
    end: 'dead letter',
    error: /not able to serve your requests this quickly/,
  },
  'a list page without rows': {
    fault: 'ok',
    page: EMPTY_LIST,
    site: hackernews,
    verdict: 'throttled',
    tries: 7,
    delays: SILENT,
    end: 'dead letter',
    error: /site's own rule/,
  },

  '500': { fault: '500', ...transient(/HTTP 500/) },
  '500 once': { fault: '500', of: { flaky: 1 }, verdict: 'transient', tries: 2, delays: [1.2], end: 'row' },
  '500 until the second pass': { fault: '500', of: { flaky: 4 }, verdict: 'transient', tries: 5, delays: TRANSIENT, end: 'row' },
  '503 without Retry-After': { fault: '503', ...transient(/HTTP 503/) },
  '408': { fault: '408', ...transient(/HTTP 408/) },
  '425': { fault: '425', ...transient(/HTTP 425/) },
  'a connection refused': { fault: 'ok', url: (server) => server.refusedUrl, ...transient(/ECONNREFUSED/) },
  'a reset before the headers': { fault: 'reset-before-headers', ...transient(/connection broke/) },
  'a reset in the body': { fault: 'reset-mid-body', ...transient(/ended before|broke/) },
  'a body cut by its length': { fault: 'cut-length', ...transient(/ended before it was complete/) },
  'a body cut by its chunks': { fault: 'cut-chunk', ...transient(/ended before it was complete/) },
  'a body cut in its gzip': { fault: 'cut-gzip', ...transient(/ended before it was complete/) },
  'a body cut once': { fault: 'cut-gzip', of: { flaky: 1 }, verdict: 'transient', tries: 2, delays: [1.2], end: 'row' },
  'a hang at the connect': {
    fault: 'ok',
    url: (server) => server.silentTlsUrl,
    limits: { connectTimeoutMillis: 300 },
    ...transient(/No connection within 0.3 s/),
  },
  'a hang before the headers': hang('hang-before-headers', { requestTimeoutMillis: 700 }, /whole request took longer than 0.7 s/),
  'a hang in the body': hang('hang-mid-body', { idleTimeoutMillis: 300 }, /Nothing came for 0.3 s/),
  'a slow drip': hang('drip', { requestTimeoutMillis: 700 }, /whole request took longer than 0.7 s/),

  '403': { fault: '403', verdict: 'blocked', tries: 5, delays: TRANSIENT, end: 'dead letter', error: /HTTP 403/ },
  '403 once': { fault: '403', of: { flaky: 1 }, verdict: 'blocked', tries: 2, delays: [1.2], end: 'row' },
  '401': { fault: '401', verdict: 'blocked', tries: 5, delays: TRANSIENT, end: 'dead letter', error: /HTTP 401/ },
  'a challenge with 200': {
    fault: 'ok',
    page: CHALLENGE,
    verdict: 'blocked',
    tries: 5,
    delays: TRANSIENT,
    end: 'dead letter',
    error: /HTTP 200: a block page of Cloudflare/,
  },
  'a challenge with 503': {
    fault: '503',
    page: CHALLENGE,
    verdict: 'blocked',
    tries: 5,
    delays: TRANSIENT,
    end: 'dead letter',
    error: /HTTP 503: a block page of Cloudflare/,
  },
  "an application's shell": {
    fault: 'ok',
    page: SHELL,
    verdict: 'needs-browser',
    tries: 1,
    end: 'dead letter',
    error: /application's shell/,
  },

  '404': { fault: '404', verdict: 'missing', tries: 1, end: 'missing' },
  '404 as text/plain': { fault: '404', of: { type: 'text/plain' }, verdict: 'missing', tries: 1, end: 'missing' },
  '410': { fault: '410', verdict: 'missing', tries: 1, end: 'missing' },
  'what robots.txt forbids': { fault: 'ok', robots: 'User-agent: *\nDisallow: /', verdict: 'skipped', tries: 0, end: 'skipped' },

  '400': { fault: '400', ...fatal(/HTTP 400/) },
  '407 from a server, without a proxy': {
    fault: '407',
    verdict: 'blocked',
    tries: 5,
    delays: TRANSIENT,
    end: 'dead letter',
    error: /HTTP 407/,
  },
  'a server without TLS': { fault: 'ok', url: (server) => server.plainTextTlsUrl, ...fatal(/./) },
  'a redirect loop': { fault: 'redirect-loop', ...fatal(/in a circle/) },
  'ten redirects': { fault: 'redirect-10', ...ok('ok') },
  'eleven redirects': { fault: 'redirect-11', ...fatal(/More than 10 redirects/) },
  'a redirect to an app': { fault: 'redirect-mailto', ...fatal(/no http\(s\) URL/) },
  // Where there is no higher tier.
  'what is no HTTP': { fault: 'not-http', ...fatal(/HTTP\/1\.1 protocol/) },
  'two lengths that are the same': { fault: 'length-twice', ...ok('ok') },
  'a protocol that nobody asked for': { fault: 'switches-protocols', ...fatal(/another protocol/) },
  'a line end behind a gzip': { fault: 'gzip-and-line-end', ...ok('ok') },
  'an encoding that is none': { fault: 'encoding-utf-8', ...ok('ok') },
  'a redirect without its body': { fault: 'redirect-no-body', ...ok('ok') },
  'a gzip bomb': { fault: 'gzip-bomb', ...fatal(/longer than 20 MB/) },
  'a wrong type': { fault: 'wrong-type', ...fatal(/image\/png/) },

  'invalid HTML': { fault: 'invalid-html', ...ok('ok') },
  'windows-1251 by its header': { fault: 'windows-1251-header', ...ok(CYRILLIC.text) },
  'windows-1251 by its meta alone': { fault: 'windows-1251-meta', ...ok(CYRILLIC.text) },
  'Shift_JIS by its header': { fault: 'shift-jis-header', ...ok(JAPANESE.text) },
  'Shift_JIS by its meta alone': { fault: 'shift-jis-meta', ...ok(JAPANESE.text) },
};

describe('fault → verdict, tries, delays, end', () => {
  it.each(Object.entries(CASES).map(([name, of]) => ({ name, ...of, shown: of.delays ?? 'no' })))(
    '$name → $verdict, $tries tries, $shown delays, $end',
    async ({ fault, of, url: urlOf, page, robots, site, limits, verdict, tries, delays = [], end, error, title = 'ok' }) => {
      const clock = leapingClock();
      const server = await startFaultServer({
        now: clock.now,
        ...(page !== undefined && { page: () => page }),
        ...(robots !== undefined && { robots }),
      });
      onTestFinished(() => server.close());
      const url = urlOf?.(server) ?? server.url(fault, of);
      const crawled = await crawl({
        urls: [url],
        clock,
        random: () => RANDOM,
        robots: robots !== undefined,
        ...(site && { site }),
        ...(limits && { limits }),
      });

      const attempts = await crawled.attemptsAt(url);
      const ended = { row: 'succeeded', 'dead letter': 'failed', missing: 'missing', skipped: 'skipped' } as const;
      expect(crawled.ends, 'as it is counted').toEqual({ [ended[end]]: 1 });
      expect(crawled.rows, 'rows').toEqual(end === 'row' ? [{ url, title }] : []);
      const failures = end === 'row' ? tries - 1 : end === 'dead letter' ? tries : end === 'skipped' || end === 'missing' ? 1 : 0;
      expect(attempts.map((attempt) => attempt.verdict)).toEqual(Array(failures).fill(verdict));
      for (const attempt of attempts) if (error) expect(attempt.error).toMatch(error);
      expect(crawled.letters, 'dead letters').toMatchObject(
        end === 'dead letter' ? [{ url, verdict, error: attempts.at(-1)?.error, attempts }] : [],
      );

      // What was asked for where no server can tell: it is the attempts' own word then.
      const times = urlOf ? attempts.map(({ at }) => Date.parse(at)) : (server.hits.get(new URL(url).pathname) ?? []);
      expect(times, 'requests').toHaveLength(tries);
      const waits = times.slice(1).map((time, index) => (time - (times[index] as number)) / 1_000);
      expect(waits, 'delays').toHaveLength(delays.length);
      for (const [index, delay] of delays.entries()) {
        const { from, to } = typeof delay === 'number' ? { from: delay, to: delay } : delay;
        // The attempt itself, as far as it hangs, is a part of what lies between two requests.
        const hangs = limits ? HANGS_AT_MOST : 0;
        expect(waits[index], `delay ${index + 1} of ${waits.join(', ')}`).toBeGreaterThanOrEqual(from);
        expect(waits[index], `delay ${index + 1} of ${waits.join(', ')}`).toBeLessThanOrEqual(to + hangs + SLACK);
      }
    },
  );
});
