// Every door of the HTTP tiers, with a server behind it that would answer: none of its addresses is reached from a page of the
// public net. Here that page's own name is allowed, as no public address can be served from this machine.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { verdictOfError } from '../../../src/core/verdict.ts';
import { createImpersonateClient } from '../../../src/fetch/clients/impersonate.ts';
import { createPlainClient } from '../../../src/fetch/clients/plain.ts';
import { createReach } from '../../../src/fetch/clients/reach.ts';
import type { RoutedRequest, TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { createRobots } from '../../../src/fetch/robots.ts';
import { LOOPBACK_FORMS, PRIVATE_FORMS } from '../../core/address-forms.ts';
import { startForwardProxy, type ForwardProxy } from '../../proxy/forward-proxy.ts';
import { fakeNames } from './fake-names.ts';

const HOSTS = [...PRIVATE_FORMS, 'localhost', 'LocalHost.', 'a.localhost', 'ip6-localhost'];
const addressOf = (form: string) => new URL(`http://${form}/`).hostname.replaceAll(/[[\]]/g, '');

let trap: Server;
let hits: string[] = [];
let proxy: ForwardProxy;
let port: number;
let page: string;
/** Where the public host's robots.txt redirects to. */
let robotsAt: string | null = null;
const clients: Record<string, TierClient> = {};

beforeAll(async () => {
  trap = createServer((request, response) => {
    const asked = new URL(request.url ?? '', page);
    const to = asked.pathname === '/robots.txt' ? robotsAt : asked.searchParams.get('to');
    if (request.headers.host?.startsWith('public.example') && to !== null) {
      response.writeHead(302, { location: Buffer.from(to).toString('latin1') }).end();
      return;
    }
    hits.push(`${request.headers.host}${request.url}`);
    response.end('The trap.');
  });
  // On no address but this one: a private form that is let out would meet it, or nobody.
  await new Promise<void>((resolve) => {
    trap.listen(0, '127.0.0.1', resolve);
  });
  ({ port } = trap.address() as AddressInfo);
  page = `http://public.example:${port}/page`;
  proxy = await startForwardProxy();
  const names = Object.fromEntries(PRIVATE_FORMS.map((form, index) => [`n${index}.evil.example`, [addressOf(form)]]));
  const { resolve } = fakeNames({ ...names, 'public.example': ['127.0.0.1'], localhost: ['127.0.0.1'] });
  const reach = createReach({ startUrls: [page], allowPrivate: ['public.example'], resolve });
  clients['http'] = createPlainClient({ reach });
  clients['impersonate'] = await createImpersonateClient({ browser: 'chrome', reach });
});
afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await proxy.close();
  await new Promise((resolve) => trap.close(resolve));
});
beforeEach(() => {
  hits = [];
});

/** Asks for each, and tells which were not refused. */
async function reached(tier: string, requests: readonly Partial<RoutedRequest>[]): Promise<string[]> {
  const client = clients[tier] as TierClient;
  const let_ = [];
  for (const request of requests) {
    const sent = { from: page, responseType: 'text' as const, ...request } as RoutedRequest & {
      url: string;
      responseType: 'text';
    };
    const error = await client.sendRequest(sent).catch((error: unknown) => error);
    if (!(error instanceof Error) || verdictOfError(error) !== 'skipped') let_.push(`${request.url}: ${String(error)}`);
  }
  return let_;
}

const ROUTE = { tier: 'http', proxy: 'rotating', sessionId: 's' } as const;

describe.each(['http', 'impersonate'])('from a public page, tier %s reaches no private address', (tier) => {
  it('by a link, in the clear or by TLS', async () => {
    const urls = HOSTS.flatMap((host) => [`http://${host}:${port}/secret`, `https://${host}:${port}/secret`]);
    expect(
      await reached(
        tier,
        urls.map((url) => ({ url })),
      ),
    ).toEqual([]);
    expect(hits).toEqual([]);
  });

  it('by a redirect', async () => {
    const urls = HOSTS.map((host) => `${page}?to=${encodeURIComponent(`http://${host}:${port}/secret`)}`);
    expect(
      await reached(
        tier,
        urls.map((url) => ({ url })),
      ),
    ).toEqual([]);
    expect(hits).toEqual([]);
  });

  it('by a redirect of a start URL', async () => {
    const urls = HOSTS.map((host) => `${page}?to=${encodeURIComponent(`https://${host}:${port}/secret`)}`);
    expect(
      await reached(
        tier,
        urls.map((url) => ({ url, from: null })),
      ),
    ).toEqual([]);
    expect(hits).toEqual([]);
  });

  it('by a name that is looked up as one', async () => {
    const urls = PRIVATE_FORMS.flatMap((_, index) => [
      `http://n${index}.evil.example:${port}/secret`,
      `https://n${index}.evil.example:${port}/secret`,
    ]);
    expect(
      await reached(
        tier,
        urls.map((url) => ({ url })),
      ),
    ).toEqual([]);
    expect(hits).toEqual([]);
  });

  it('through a proxy, which is on this machine itself', async () => {
    const urls = HOSTS.flatMap((host) => [`http://${host}:${port}/secret`, `https://${host}:${port}/secret`]);
    const route = { ...ROUTE, tier: tier as 'http' };
    expect(
      await reached(
        tier,
        urls.map((url) => ({ url, proxyUrl: proxy.url(), route })),
      ),
    ).toEqual([]);
    expect(hits).toEqual([]);
    expect(proxy.stats().connections).toBe(0);
  });
});

it('robots.txt of no private host is asked for, nor is one that a public host redirects to', async () => {
  const options = { client: clients['http'] as TierClient, headers: () => ({}), way: async () => ({ from: page }) };
  for (const host of HOSTS) {
    robotsAt = `http://${host}:${port}/robots.txt`;
    await expect(createRobots(options)(`http://${host}:${port}/`)).rejects.toMatchObject({ fault: 'private-address' });
    await expect(createRobots(options)(page)).rejects.toMatchObject({ fault: 'private-address' });
  }
  expect(hits).toEqual([]);
});

it('the trap is really there: without a judge it answers', async () => {
  const open = createPlainClient();
  const forms = LOOPBACK_FORMS.filter((form) => addressOf(form) === '127.0.0.1');
  for (const form of [...forms, '[::ffff:127.0.0.1]', 'localhost']) {
    await open.sendRequest({ url: `http://${form}:${port}/secret`, responseType: 'text' });
  }
  await open.close();
  expect(hits).toHaveLength(forms.length + 2);
});
