// Real crawls through a real forward proxy that speaks the grammar of Decodo's gateway.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startDemoSite, type DemoSite } from '../../src/demo/server.ts';
import { startForwardProxy, startIpEcho, type ForwardProxy } from '../proxy/forward-proxy.ts';
import { newStorageDir, readExport, startCrawl } from './crawl-process.ts';

const STORIES = 60;

let site: DemoSite;
let proxy: ForwardProxy;
let storageDir: string;

beforeEach(async () => {
  site = await startDemoSite({ stories: STORIES });
  proxy = await startForwardProxy();
  storageDir = newStorageDir();
});
afterEach(async () => {
  await site.close();
  await proxy.close();
});

function env({ pass = proxy.pass, port = proxy.port } = {}): Record<string, string> {
  return { DECODO_USER: proxy.user, DECODO_PASS: pass, DECODO_HOST: proxy.host, DECODO_PORT: String(port) };
}

function crawl(flags: readonly string[], variables = env()) {
  const args = [site.url, '--storage-dir', storageDir, '--tiers', 'http', ...flags];
  return startCrawl(args, { env: variables }).ended;
}

/** What speaks first, and not HTTP. */
async function startBanner(): Promise<number> {
  const banner = createServer((socket) => void socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.6\r\n'));
  banner.unref();
  await new Promise<void>((resolve) => banner.listen(0, '127.0.0.1', resolve));
  return (banner.address() as AddressInfo).port;
}

function expectEveryStoryOnce(): void {
  const { items, meta } = readExport(storageDir);
  expect(new Set(items.map(({ id }) => id)).size).toBe(STORIES);
  expect(items).toHaveLength(STORIES);
  expect(meta).toMatchObject({ failed: 0, status: 'finished' });
}

/** All bytes that a crawl has left on disk. */
function filesIn(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

it('a rotating crawl has a connection and an address of its own for each request, and shows nothing of the password', async () => {
  const { code, stdout, stderr } = await crawl(['--proxy', 'rotating', '--verbose']);
  expect(code, stderr).toBe(0);
  expectEveryStoryOnce();
  const requests = [...site.hits.values()].reduce((sum, hits) => sum + hits, 0);
  expect(proxy.log).toHaveLength(requests);
  expect(new Set(proxy.log.map(({ connectionId }) => connectionId)).size).toBe(requests);
  expect(new Set(proxy.log.map(({ exit }) => exit)).size).toBeGreaterThan(requests / 2);
  expect(new Set(proxy.log.map(({ username }) => username))).toEqual(new Set([`user-${proxy.user}`]));
  expect(stderr).toContain('rotating');
  for (const secret of [
    proxy.pass,
    encodeURIComponent(proxy.pass),
    Buffer.from(`user-${proxy.user}:${proxy.pass}`).toString('base64'),
  ]) {
    expect(`${stdout}${stderr}${filesIn(storageDir)}`).not.toContain(secret);
  }
});

it('the bytes of a crawl are those that the proxy counts, within 2%, also over a restart', async () => {
  expect((await crawl(['--proxy', 'rotating', '--max-proxy-mb', '0.3', '--concurrency', '4'])).code).toBe(3);
  const { code, stdout } = await crawl(['--proxy', 'rotating', '--price-per-gb', '1000']);
  expect(code).toBe(0);
  expectEveryStoryOnce();
  await proxy.settled();
  const counted = proxy.stats().sent + proxy.stats().received;
  const traffic = readExport(storageDir).meta['traffic'] as { throughProxy: number; cost: number; by: { proxy: string }[] };
  expect(Math.abs(traffic.throughProxy / counted - 1)).toBeLessThan(0.02);
  expect(traffic.cost).toBeCloseTo(traffic.throughProxy / 1e6, 3);
  expect(traffic.by[0]).toMatchObject({ tier: 'http', proxy: 'rotating', host: new URL(site.url).host });
  expect(stdout).toMatch(/Through the proxy: [\d.]+ (kB|MB)\.\nCost: [\d.]+\./);
  const status = await startCrawl(['status', '--storage-dir', storageDir]).ended;
  expect(status.stdout).toContain('rotating');
});

it('a crawl stops at its budget, no later than by the pages in flight, and goes on when that is raised', async () => {
  const flags = ['--proxy', 'rotating', '--concurrency', '4', '--max-proxy-mb'];
  const { code, stderr } = await crawl([...flags, '0.2']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/--max-proxy-mb 0\.2 is reached: 0\.\d MB went through the proxy/);
  expect(stderr).toContain('Run the same command again to go on.');
  await proxy.settled();
  const { sent, received } = proxy.stats();
  const pageBytes = 40_000;
  expect(sent + received).toBeLessThan(200_000 + 5 * pageBytes);
  const before = site.hits.size;
  expect((await crawl([...flags, '0.2'])).code, 'it has no budget left').toBe(3);
  expect(site.hits.size).toBe(before);
  expect((await crawl([...flags, '100'])).code).toBe(0);
  expectEveryStoryOnce();
});

it('a crawl whose last page uses the budget up is done, and not stopped without its exports', async () => {
  const { code, stderr } = await crawl(['--proxy', 'rotating', '--max-requests', '1', '--max-proxy-mb', '0.001']);
  expect(stderr).toContain('is reached');
  expect(code, stderr).toBe(0);
  expect(readExport(storageDir).meta).toMatchObject({ succeeded: 1, pending: 0, status: 'finished' });
});

it('a sticky crawl keeps the address of each session, and has one name for each', async () => {
  expect((await crawl(['--proxy', 'sticky', '--concurrency', '3', '--session-minutes', '30', '--country', 'de'])).code).toBe(0);
  const exits = new Map<string, Set<string>>();
  for (const { username, exit } of proxy.log) exits.set(username, (exits.get(username) ?? new Set()).add(exit));
  // robots.txt is asked for in a session of its own.
  expect(exits.size).toBeLessThanOrEqual(4);
  for (const [username, seen] of exits) {
    expect(username).toMatch(/^user-surefoot-country-de-session-[0-9a-z]+-sessionduration-30$/);
    expect(seen.size).toBe(1);
  }
  expect(proxy.stats().connections).toBeLessThan(proxy.log.length / 2);
});

describe('a proxy that does not work stops the crawl, and costs no page', () => {
  it.each<[string, () => Record<string, string>, RegExp]>([
    ['that refuses the password', () => env({ pass: 'wrong-password' }), /refuses the user name or password/],
    ['that cannot be reached', () => env({ port: 9 }), /cannot be reached/],
  ])('one %s', async (_, variables, sentence) => {
    const { code, stderr } = await crawl(['--proxy', 'rotating'], variables());
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('Failed after');
    expect(site.hits.size, 'nothing went past the proxy').toBe(0);
    expect((await crawl(['--proxy', 'rotating'])).code).toBe(0);
    expectEveryStoryOnce();
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['https:// in its address and speaks no TLS', async () => proxy.url().replace('http:', 'https:'), /perhaps it is http:\/\//],
    ['a banner for a CONNECT', async () => `http://127.0.0.1:${await startBanner()}`, /is no HTTP proxy/],
  ])('one that has %s', async (_, url, sentence) => {
    // Bytes pass, and none of them is an answer.
    const args = ['https://shop.example/', '--storage-dir', storageDir, '--tiers', 'http', '--proxy', 'rotating'];
    const { code, stderr } = await startCrawl(args, { env: { PROXY_URLS: await url() } }).ended;
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/openssl/i);
    expect(stderr).not.toContain('Failed after');
  });

  it('one whose traffic is used up in the middle', async () => {
    const running = crawl(['--proxy', 'rotating', '--concurrency', '4', '--delay', '20']);
    await expect.poll(() => proxy.log.length, { timeout: 60_000 }).toBeGreaterThan(15);
    proxy.fail(402);
    const { code, stderr } = await running;
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(/used up/);
    proxy.fail(null);
    expect((await crawl(['--proxy', 'rotating'])).code).toBe(0);
    expectEveryStoryOnce();
    expect(Math.max(...[...site.hits].filter(([path]) => path !== '/robots.txt').map(([, hits]) => hits))).toBe(1);
  });
});

describe('verify', () => {
  const verify = async (flags: readonly string[], variables = env()) => {
    const echo = await startIpEcho({ countryOf: () => 'DE' });
    const args = ['verify', '--storage-dir', storageDir, '--url', site.url, ...flags];
    const { code, stdout, stderr } = await startCrawl(args, { env: { ...variables, DECODO_ECHO_URL: echo.url } }).ended;
    await echo.close();
    return { code, text: stdout + stderr };
  };

  it.each<[string[], number, RegExp]>([
    [['--proxy', 'rotating', '--probes', '6'], 0, /ok +Proxy .*6 requests at once came from 6 addresses/],
    [['--proxy', 'sticky', '--probes', '3'], 0, /ok +Proxy .*3 requests of one session came from one address/],
    [['--proxy', 'geo', '--country', 'de'], 0, /ok +Proxy .*country de/],
    [['--proxy', 'geo', '--country', 'fr'], 1, /FAILED +Proxy .*should be in fr: 5 of 5 are not/],
    [['--proxy', 'geo', '--city', 'berlin'], 1, /--city needs --country|city needs country/i],
  ])('%j: exit code %i', async (flags, expected, says) => {
    const { code, text } = await verify(flags);
    expect(text).toMatch(says);
    expect(code).toBe(expected);
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    ['a wrong password', () => env({ pass: 'wrong-password' }), /refuses the user name or password/],
    ['a gateway that is not there', () => env({ port: 9 }), /cannot be reached/],
  ])('says of %s what it is, and exits with 1', async (_, variables, sentence) => {
    const { code, text } = await verify(['--proxy', 'rotating'], variables());
    expect(text).toMatch(sentence);
    expect(code).toBe(1);
  });
});
