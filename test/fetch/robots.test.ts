// robots.txt: what it forbids is not fetched, its Crawl-delay is kept, and it is asked for once a host.
import { gzipSync } from 'node:zlib';

import { Request } from '@crawlee/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { createPlainClient } from '../../src/fetch/clients/plain.ts';
import { createRobots, keepRobots } from '../../src/fetch/robots.ts';
import { newFolder, openIn } from '../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, pushPath, speedUpClock, startServer, status, type LabServer } from './lab.ts';

type Answers = Parameters<typeof startServer>[0];

async function serve(answers: Answers): Promise<LabServer> {
  const server = await startServer(answers);
  onTestFinished(() => server.close());
  return server;
}

/** Of a Crawl-delay of 8 s, which is 0.4 s here: a busy machine sends one request late and the next in time. */
const LEAST_GAP = 4_000;

const robotsTxt = (...lines: string[]): Answers[string] => {
  return (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(lines.join('\n'));
};

const challenge = (code: number): Answers[string] => {
  const body = '<title>Just a moment...</title><script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>';
  return (response) => response.writeHead(code, { server: 'cloudflare', 'cf-mitigated': 'challenge' }).end(body);
};

const redirect = (location: string): Answers[string] => {
  return (response) => response.writeHead(302, { location }).end();
};

function askRobots(headers = () => ({})) {
  const client = createPlainClient();
  onTestFinished(() => client.close());
  return createRobots({ client, headers });
}

describe('the rules', () => {
  it.each([
    ['forbid what they name, for everybody', ['User-agent: *', 'Disallow: /private'], false, 0],
    ['forbid nothing else', ['User-agent: *', 'Disallow: /other'], true, 0],
    [
      'for this crawler come before those for all',
      ['User-agent: *', 'Disallow: /', '', 'User-agent: Surefoot', 'Allow: /'],
      true,
      0,
    ],
    ['for this crawler may be stricter', ['User-agent: surefoot', 'Disallow: /', '', 'User-agent: *', 'Allow: /'], false, 0],
    ['for others do not count', ['User-agent: Googlebot', 'Disallow: /'], true, 0],
    ['may ask for a gap, in seconds', ['User-agent: *', 'Crawl-delay: 1.5'], true, 1_500],
    ['may ask for nonsense', ['User-agent: *', 'Crawl-delay: soon'], true, 0],
    ['may ask for less than nothing', ['User-agent: *', 'Crawl-delay: -5'], true, 0],
    ['may be empty', [''], true, 0],
    ['may be no rules at all', ['<html><h1>Welcome</h1></html>'], true, 0],
  ])('%s', async (_, lines, isAllowed, delayMillis) => {
    const server = await serve({ '/robots.txt': robotsTxt(...lines) });
    const url = `${server.origin}/private/page`;
    const rules = await askRobots()(url);
    expect([rules.isAllowed(url), rules.delayMillis]).toEqual([isAllowed, delayMillis]);
  });

  it.each([404, 403, 401, 410])('that are not there (%i) forbid nothing', async (code) => {
    const server = await serve({ '/robots.txt': status(code) });
    expect((await askRobots()(`${server.origin}/page`)).isAllowed(`${server.origin}/page`)).toBe(true);
  });

  it.each([
    [500, 'transient'],
    [503, 'transient'],
    [429, 'throttled'],
  ])('that cannot be had now (%i: %s) are asked for again with the next page', async (code, verdict) => {
    const server = await serve({
      '/robots.txt': (response, hit, request) =>
        (hit === 1 ? status(code) : robotsTxt('User-agent: *', 'Disallow: /'))(response, hit, request),
    });
    const ask = askRobots();
    const url = `${server.origin}/page`;
    await expect(ask(url)).rejects.toMatchObject({ verdict, message: expect.stringMatching(`robots.txt.*${code}`) });
    expect((await ask(url)).isAllowed(url)).toBe(false);
    await ask(url);
    expect(server.hits.get('/robots.txt')).toHaveLength(2);
  });

  it('of a server that is not there are not known either', async () => {
    const server = await startServer({});
    await server.close();
    await expect(askRobots()(`${server.origin}/page`)).rejects.toMatchObject({ verdict: 'transient' });
  });

  it('are asked for once by pages that come at the same time, and with the headers of a page', async () => {
    const agents: unknown[] = [];
    const server = await serve({
      '/robots.txt': (response, hit, request) => {
        agents.push(request.headers['user-agent']);
        return robotsTxt('User-agent: *')(response, hit, request);
      },
    });
    const ask = askRobots(() => ({ 'User-Agent': 'lab' }));
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask(`${server.origin}/page-${n}`)));
    expect(agents).toEqual(['lab']);
  });

  it('are asked for by the way of the page that needs them: its label may have a proxy of its own', async () => {
    const server = await serve({ '/robots.txt': robotsTxt('User-agent: *') });
    const client = createPlainClient();
    onTestFinished(() => client.close());
    const labels: unknown[] = [];
    const ask = createRobots({
      client,
      headers: () => ({}),
      way: async (page) => {
        labels.push(page?.label);
        return {};
      },
    });
    const url = `${server.origin}/page`;
    await ask(url, new Request({ url, label: 'LOGIN' }));
    expect(labels).toEqual(['LOGIN']);
  });

  const RULES = 'User-agent: *\nDisallow: /private/\n';
  const encoded = (body: Buffer): Answers[string] => {
    return (response) => response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body);
  };
  const rulesOf = async (answers: Answers, limits = {}) => {
    const server = await serve(answers);
    const client = createPlainClient(limits);
    onTestFinished(() => client.close());
    const rules = await createRobots({ client, headers: () => ({}) })(`${server.origin}/page`);
    return ['/private/x', '/page'].map((path) => rules.isAllowed(server.origin + path));
  };
  const KEPT = [false, true];
  const NONE = [true, true];

  it.each<[string, Answers[string], boolean[]]>([
    ['behind a byte order mark', (response) => response.end(`\ufeff${RULES}`), KEPT],
    ['with an odd type', (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(RULES), KEPT],
    ['as a gzip with blanks behind it', encoded(Buffer.concat([gzipSync(RULES), Buffer.from('\n \n')])), KEPT],
    ['as a gzip without its end', encoded(gzipSync(RULES).subarray(0, -8)), KEPT],
    ['as a gzip that is none', encoded(Buffer.from(RULES)), NONE],
    [
      'behind interim answers',
      (response) => {
        response.writeContinue();
        response.writeProcessing();
        response.end(RULES);
      },
      KEPT,
    ],
    [
      'with a length that is wrong, and chunks',
      (response) => {
        const chunk = `${RULES.length.toString(16)}\r\n${RULES}\r\n0\r\n\r\n`;
        response.socket?.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
      },
      KEPT,
    ],
    [
      'before 24 MB of words',
      (response) => response.writeHead(200, { 'content-length': 24e6 }).end(RULES.padEnd(24e6, '# word\n')),
      KEPT,
    ],
    [
      'before words without end',
      (response) => {
        response.write(RULES);
        const more = () => {
          while (!response.destroyed && response.write('# words\n'.repeat(10_000)));
        };
        response.on('drain', more);
        more();
      },
      KEPT,
    ],
    [
      'cut by the limit in the middle of a rule, which does not count',
      (response) => {
        response.end(`${RULES}${'#'.repeat(500 * 1024 - RULES.length - 15)}\nDisallow: /page-two`);
      },
      KEPT,
    ],
    ['that redirect to themselves', (response) => response.writeHead(302, { location: '/robots.txt' }).end(), NONE],
    ['that redirect on and on', (response, hit) => response.writeHead(302, { location: `/robots.txt?${hit}` }).end(), NONE],
    ['that redirect to no URL', (response) => response.writeHead(302, { location: 'http://[x/' }).end(), NONE],
    ['that are a page', (response) => response.end('<!doctype html><p>Welcome'), NONE],
    ['that change to another protocol', (response) => response.socket?.write('HTTP/1.1 101 x\r\n\r\n'), NONE],
  ])('%s count as far as RFC 9309 has them count', async (_, answer, expected) => {
    expect(await rulesOf({ '/robots.txt': answer })).toEqual(expected);
  });

  it('are found behind five redirects, also by another host, and hold for the host that was asked', async () => {
    const other = await serve({ '/rules': (response) => response.end(RULES) });
    const steps = [1, 2, 3, 4, 5].map((step): [string, Answers[string]] => [
      step === 1 ? '/robots.txt' : `/step/${step}`,
      (response) => response.writeHead(301, { location: step === 5 ? `${other.origin}/rules` : `/step/${step + 1}` }).end(),
    ]);
    expect(await rulesOf(Object.fromEntries(steps))).toEqual(KEPT);
  });

  it('that break off each time are read as far as they come, the third time', async () => {
    const server = await serve({
      '/robots.txt': (response) => {
        response.writeHead(200, { 'content-length': 1_000 }).write(`${RULES}Disallow: /pa`);
        setTimeout(() => response.destroy(), 30);
      },
    });
    const ask = askRobots();
    for (const _ of [1, 2]) await expect(ask(`${server.origin}/x`)).rejects.toMatchObject({ verdict: 'transient' });
    const rules = await ask(`${server.origin}/x`);
    expect(['/private/x', '/page'].map((path) => rules.isAllowed(server.origin + path))).toEqual(KEPT);
  });

  it('go up the tiers as pages do: refused by one, or not understood, they are asked for by the next', async () => {
    for (const refusal of [status(403), encoded(Buffer.from('no gzip')), challenge(503), challenge(200)]) {
      const server = await serve({
        '/robots.txt': (response, hit, request) =>
          (hit === 1 ? refusal : robotsTxt(...RULES.split('\n')))(response, hit, request),
      });
      const client = createPlainClient();
      onTestFinished(() => client.close());
      const asked: string[] = [];
      const way = async (_: unknown, tier: string) => {
        asked.push(tier);
        return {};
      };
      const rules = await createRobots({ client, headers: () => ({}), tiers: ['http', 'impersonate'], way })(server.origin);
      expect([asked, rules.isAllowed(`${server.origin}/private/x`)]).toEqual([['http', 'impersonate'], false]);
    }
  });

  it('of two ports are two', async () => {
    const strict = await serve({ '/robots.txt': robotsTxt('User-agent: *', 'Disallow: /') });
    const open = await serve({ '/robots.txt': robotsTxt('User-agent: *', 'Allow: /') });
    const ask = askRobots();
    const allowed = [strict, open].map(async ({ origin }) => (await ask(`${origin}/page`)).isAllowed(`${origin}/page`));
    expect(await Promise.all(allowed)).toEqual([false, true]);
  });
});

describe('a crawl', () => {
  let restoreClock = () => {};
  beforeEach(() => {
    restoreClock = speedUpClock();
  });
  afterEach(() => restoreClock());

  const crawl = async (server: LabServer, paths: string[], more: Partial<Parameters<typeof crawlLab>[0]> = {}) =>
    crawlLab({
      storage: openIn(newFolder()),
      site: labSite(),
      urls: paths.map((path) => server.origin + path),
      robots: true,
      ...more,
    });

  it('does not fetch what is forbidden: skipped, no failure, no row, no retry', async () => {
    const server = await serve({ '/robots.txt': robotsTxt('User-agent: *', 'Disallow: /private') });
    const { ends, letters, rows, frontier } = await crawl(server, ['/private/one', '/ok', '/private/two']);
    expect([ends, letters, frontier.failed]).toEqual([{ skipped: 2, succeeded: 1 }, [], 0]);
    expect((await rows('default')).map(({ path }) => path)).toEqual(['/ok']);
    expect([...server.hits.keys()].toSorted()).toEqual(['/ok', '/robots.txt']);
  });

  it('follows no redirect to what robots.txt forbids, wherever the redirect comes from and whichever host forbids it', async () => {
    const strict = await serve({ '/robots.txt': robotsTxt('User-agent: *', 'Disallow: /private/') });
    const open = await serve({
      '/robots.txt': robotsTxt('User-agent: *', 'Disallow: /private/'),
      '/go': redirect('/private/x'),
      '/far': redirect('/far/2'),
      '/far/2': redirect(`${strict.origin}/private/x`),
      '/fine': redirect(`${strict.origin}/fine`),
      '/encoded': redirect('/%70rivate/x'),
    });
    const { ends, letters, rows } = await crawl(open, ['/go', '/far', '/fine', '/encoded']);
    expect([ends, letters]).toEqual([{ skipped: 3, succeeded: 1 }, []]);
    expect((await rows('default')).map(({ path }) => path)).toEqual(['/fine']);
    expect([...open.hits.keys(), ...strict.hits.keys()].filter((path) => path.includes('rivate'))).toEqual([]);
  });

  it('asks once although its first pages start together', async () => {
    const server = await serve({ '/robots.txt': robotsTxt('User-agent: *') });
    const { ends } = await crawl(
      server,
      Array.from({ length: 20 }, (_, n) => `/page-${n}`),
    );
    expect([ends, server.hits.get('/robots.txt')?.length]).toEqual([{ succeeded: 20 }, 1]);
  });

  it('keeps the Crawl-delay from the first page on, also those pages that were handed out before it was known', async () => {
    const server = await serve({
      // Slow, so that all places are taken meanwhile.
      '/robots.txt': (...answer) => setTimeout(() => robotsTxt('User-agent: *', 'Crawl-delay: 8')(...answer), 30),
    });
    const paths = Array.from({ length: 5 }, (_, n) => `/page-${n}`);
    const { ends, letters } = await crawl(server, paths, { concurrency: 4 });
    expect([ends, letters]).toEqual([{ succeeded: 5 }, []]);
    const times = paths.flatMap((path) => server.hits.get(path) ?? []).map(({ at }) => at);
    expect(times, 'each is fetched once').toHaveLength(5);
    const sorted = times.toSorted((a, b) => a - b);
    for (const [index, at] of sorted.slice(1).entries()) expect(at - (sorted[index] as number)).toBeGreaterThan(LEAST_GAP);
  });

  it('keeps it too for pages that are handed out right after it was known', async () => {
    const server = await serve({ '/robots.txt': robotsTxt('User-agent: *', 'Crawl-delay: 8') });
    const { ends } = await crawl(server, ['/list'], {
      site: labSite({
        '/list': async (page) =>
          page.addRequests(['/linked/1', '/linked/2'].map((path) => new URL(path, page.response.url).href)),
        '/linked/1': pushPath,
      }),
    });
    expect(ends).toEqual({ succeeded: 3 });
    const times = ['/list', '/linked/1', '/linked/2'].flatMap((path) => server.hits.get(path) ?? []).map(({ at }) => at);
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] as number)).toBeGreaterThan(LEAST_GAP);
  });

  it('tries a page again whose robots.txt cannot be read, and fetches nothing of that host before', async () => {
    const server = await serve({
      '/robots.txt': (response, hit, request) => (hit === 1 ? status(500) : robotsTxt('User-agent: *'))(response, hit, request),
      '/ok': page('ok'),
    });
    const { ends, letters } = await crawl(server, ['/ok']);
    expect([ends, letters]).toEqual([{ succeeded: 1 }, []]);
    const [asked, page1] = [server.hits.get('/robots.txt') ?? [], server.hits.get('/ok') ?? []];
    expect([asked.length, page1.length]).toEqual([2, 1]);
    expect((page1[0]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it.each([429, 503])('lets a host rest that says %i and when to come back, as for a page', async (code) => {
    const REST_MILLIS = 60_000;
    const server = await serve({
      '/robots.txt': (response, hit, request) => {
        const answer = hit <= 3 ? status(code, { 'retry-after': String(REST_MILLIS / 1_000) }) : robotsTxt('User-agent: *');
        answer(response, hit, request);
      },
    });
    const { ends } = await crawl(server, ['/a', '/b', '/c', '/d', '/e', '/f']);
    expect(ends).toEqual({ succeeded: 6 });
    const times = (server.hits.get('/robots.txt') ?? []).map(({ at }) => at);
    expect(times.length).toBeLessThanOrEqual(4);
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] as number)).toBeGreaterThan(REST_MILLIS * 0.9);
  });

  it('gives a page up whose robots.txt never comes, with the reason and the way out', async () => {
    const server = await serve({ '/robots.txt': status(500) });
    const { letters } = await crawl(server, ['/ok']);
    expect(letters).toMatchObject([{ verdict: 'transient', error: expect.stringMatching(/robots\.txt.*--ignore-robots/) }]);
    expect(server.hits.get('/ok')).toBeUndefined();
  });
});

describe('of many origins', () => {
  const asking = () => {
    let reads = 0;
    const rules = keepRobots(async () => {
      reads++;
      return reads % 2 === 0 ? '' : 'User-agent: *\nDisallow: /no';
    });
    return { rules, reads: () => reads };
  };

  it('each is read once, though pages of ten thousand come in turn', async () => {
    const { rules, reads } = asking();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 10_000; n++) await rules(`https://${n}.example/page`);
    }
    expect(reads()).toBe(10_000);
  });

  it('the ones not asked for the longest are forgotten when they come to megabytes', async () => {
    let reads = 0;
    const text = `User-agent: *\n# ${'x'.repeat(400_000)}`;
    const rules = keepRobots(async () => {
      reads++;
      return text;
    });
    for (let n = 0; n < 30; n++) {
      await rules('https://asked-often.example/');
      await rules(`https://${n}.example/`);
    }
    expect(reads).toBe(31);
    await rules('https://29.example/');
    await rules('https://0.example/');
    expect(reads).toBe(32);
  });
});
