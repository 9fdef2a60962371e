// Real crawls of a site that refuses everybody, by the tiers that cost money, over servers that speak their protocols.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { itemPage } from '../../src/demo/pages.ts';
import { demoStoryById } from '../../src/demo/stories.ts';
import { newStorageDir, readDeadLetters, readExport, startCrawl } from './crawl-process.ts';
import { startLadderSite, type LadderSite } from './ladder-site.ts';

const STORIES = 24;
const TOKEN = 'token-canary-8151';
const PASS = 'pass-canary-2342';

let site: LadderSite;
afterEach(() => site.close());

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const storyAt = (url: string) => {
  const story = demoStoryById(Number(new URL(url).searchParams.get('id')), STORIES);
  return story ? itemPage(story) : 'no such story';
};

async function crawl(flags: readonly string[], env: Record<string, string>, storageDir = newStorageDir()) {
  const args = [
    site.url,
    '--storage-dir',
    storageDir,
    '--second-pass-delay',
    '0',
    '--ignore-robots',
    '--concurrency',
    '3',
    ...flags,
  ];
  return { ...(await startCrawl(args, { env }).ended), storageDir };
}

async function refusingSite(): Promise<void> {
  const refuse: RequestListener = (_, response) => response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>No</h1>');
  site = await startLadderSite({ stories: STORIES, pages: { '/item': (response, request) => refuse(request, response) } });
}

function expectEveryStoryOnce(storageDir: string, tier: string): Record<string, unknown> {
  const { items, meta } = readExport(storageDir);
  expect(new Set(items.map(({ id }) => id)).size).toBe(STORIES);
  expect(items.map((item) => item['tier'])).toEqual(Array.from({ length: STORIES }, () => tier));
  return meta;
}

describe('tier api', () => {
  const startApi = async () => {
    const calls: string[] = [];
    const scrape = async (request: IncomingMessage, response: ServerResponse) => {
      const { url } = (await json(request)) as { url: string };
      calls.push(url);
      const result = { content: storyAt(url), status_code: 200, url, task_id: '1', headers: {}, cookies: [] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results: [result] }));
    };
    const port = await listen((request, response) => {
      const isKnown = request.headers.authorization === `Bearer ${TOKEN}` && request.url === '/v1/scrape';
      if (isKnown) void scrape(request, response);
      else response.writeHead(401).end(JSON.stringify({ message: 'Unauthorized' }));
    });
    return { calls, env: { DECODO_API_URL: `http://127.0.0.1:${port}`, DECODO_API_TOKEN: TOKEN } };
  };
  const flags = ['--tiers', 'http,api', '--price-per-api-call', '0.01'];

  it('fetches what the cheaper ones are refused, and counts what it costs; a budget stops it, and it goes on', async () => {
    await refusingSite();
    const { calls, env } = await startApi();
    const first = await crawl([...flags, '--max-cost', '0.1'], env);
    expect(first.code, first.stderr).toBe(3);
    expect(first.stderr).toContain('--max-cost 0.1 is reached');
    expect(calls.length).toBeLessThanOrEqual(10 + 3);
    const { code, stderr, stdout } = await crawl(flags, env, first.storageDir);
    expect(code, stderr).toBe(0);
    const meta = expectEveryStoryOnce(first.storageDir, 'api');
    expect(calls).toHaveLength(STORIES);
    expect(meta['traffic']).toMatchObject({ cost: expect.closeTo(STORIES * 0.01, 6) as number });
    expect((meta['tiers'] as Record<string, object>)['api']).toMatchObject({
      pages: STORIES,
      cost: expect.closeTo(0.24, 6) as number,
    });
    expect(`${stdout}${stderr}${first.stderr}${JSON.stringify(meta)}`).not.toContain(TOKEN);
  });

  it('is left out with one clear sentence when its token is refused, and the run goes on', async () => {
    await refusingSite();
    const { env } = await startApi();
    const { code, stderr, storageDir } = await crawl(flags, { ...env, DECODO_API_TOKEN: 'wrong-canary-1' });
    expect(code, stderr).toBe(2);
    expect(stderr.match(/refuses the token[^\n]*goes on without the tier api/g)).toHaveLength(1);
    expect(stderr).not.toContain('wrong-canary-1');
    const letters = readDeadLetters(storageDir);
    expect(letters).toHaveLength(STORIES);
    expect(new Set(letters.map(({ verdict }) => verdict))).toEqual(new Set(['blocked']));
  });
});

it('tier unblocker fetches what the cheaper ones are refused, by its own proxy with its own password', async () => {
  await refusingSite();
  const basic = `Basic ${Buffer.from(`unblock-me:${PASS}`).toString('base64')}`;
  const sessions = new Set<unknown>();
  const port = await listen((request, response) => {
    if (request.headers['proxy-authorization'] !== basic) {
      return response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
    }
    sessions.add(request.headers['x-su-session-id']);
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(storyAt(request.url ?? ''));
  });
  const variables = {
    DECODO_UNBLOCKER_USER: 'unblock-me',
    DECODO_UNBLOCKER_PASS: PASS,
    DECODO_UNBLOCKER_HOST: '127.0.0.1',
    DECODO_UNBLOCKER_PORT: String(port),
  };
  const { code, stderr, stdout, storageDir } = await crawl(['--tiers', 'http,unblocker'], variables);
  expect(code, stderr).toBe(0);
  const meta = expectEveryStoryOnce(storageDir, 'unblocker');
  expect([...sessions].every((session) => typeof session === 'string')).toBe(true);
  expect(`${stdout}${stderr}${JSON.stringify(meta)}`).not.toContain(PASS);
});

it.each([
  ['api', /DECODO_API_TOKEN/],
  ['unblocker', /DECODO_UNBLOCKER_USER/],
])('tier %s without credentials is bad input', async (tier, names) => {
  await refusingSite();
  const { code, stderr } = await crawl(['--tiers', `http,${tier}`], {});
  expect(code).toBe(1);
  expect(stderr).toMatch(names);
  expect(site.hits.size).toBe(0);
});
