// Tier `api` against a server that speaks the Web Scraping API: its pages come as the target's own answers, its failures as
// what they mean, and the token in nothing.
import { text } from 'node:stream/consumers';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { verdictOfError, VerdictError } from '../../../src/core/verdict.ts';
import { createScrapingApiClient, type ScrapingApiOptions } from '../../../src/fetch/clients/scraping-api.ts';
import type { RoutedRequest, TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { decodeBody } from '../../../src/fetch/decode.ts';
import { startScrapingApi, TOKENS, type ScrapingApiServer } from './scraping-api-server.ts';

let api: ScrapingApiServer;
beforeAll(async () => {
  api = await startScrapingApi();
});
afterAll(() => api.close());

const opened: TierClient[] = [];
let billed: string[] = [];
beforeEach(() => {
  billed = [];
  api.calls.length = 0;
});
afterEach(() => Promise.all(opened.splice(0).map((client) => client.close())));

function open(options: Partial<ScrapingApiOptions> = {}): TierClient {
  const plan = options.plan ?? 'older';
  const client = createScrapingApiClient({
    plan,
    token: TOKENS[plan],
    baseUrl: api.url,
    headless: 'html',
    onCall: (host) => billed.push(host),
    ...options,
  });
  opened.push(client);
  return client;
}

const SHOP = 'https://shop.example:8443';
const route = (sessionId: string) => ({ tier: 'api', proxy: 'none', sessionId }) as const;

async function failure(path: string, client = open(), request: Partial<RoutedRequest> = {}): Promise<Error> {
  const thrown: unknown = await client.stream({ url: `${SHOP}/${path}`, ...request }).then(
    () => new Error('no failure'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Error);
  return thrown as Error;
}

/** Everything that a log or a report could show of an error. */
function shownOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.stack} ${JSON.stringify(error)} ${shownOf(error.cause)}` : '';
}

describe('a page', () => {
  it.each([
    { plan: 'older', path: '/v2/scrape', authorization: `Basic ${TOKENS.older}`, target: undefined },
    { plan: 'current', path: '/v1/scrape', authorization: `Bearer ${TOKENS.current}`, target: 'universal' },
  ] as const)('is asked for as the $plan plan wants it', async ({ plan, path, authorization, target }) => {
    await open({ plan, baseUrl: `${api.url}/` }).sendRequest({ url: `${SHOP}/ok` });
    const [call] = api.calls;
    expect(call).toMatchObject({ path, headers: { authorization }, body: { url: `${SHOP}/ok`, headless: 'html' } });
    expect(call?.body.target).toBe(target);
  });

  it('comes as the answer of its own server: status, headers, final URL, and text in UTF-8 whatever it says of itself', async () => {
    const answer = await open().stream({ url: `${SHOP}/ok` });
    expect(answer).toMatchObject({ statusCode: 200, url: `${SHOP}/ok?final`, redirectUrls: [], complete: true });
    expect(answer.headers).toEqual({ 'x-shop': 'yes', 'content-type': 'text/html; charset=utf-8' });
    const chunks: Buffer[] = [];
    for await (const chunk of answer.stream) chunks.push(chunk as Buffer);
    expect(decodeBody(Buffer.concat(chunks), String(answer.headers['content-type']))).toContain(
      'Grüße, мир</title><p>漢字 and 🚀',
    );
  });

  it('of no length is an empty one', async () => {
    expect(await text((await open().stream({ url: `${SHOP}/empty` })).stream)).toBe('');
    expect((await open().sendRequest({ url: `${SHOP}/empty` })).body).toBe('');
  });

  it.each([404, 403, 429, 503])('that the target answers with %i is an answer, for the judge of all tiers', async (status) => {
    const answer = await open().stream({ url: `${SHOP}/status/${status}` });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['retry-after']).toBe('30');
    expect(await text(answer.stream)).toContain("The shop's own");
    expect(billed).toEqual(['shop.example:8443']);
  });

  it('takes place, language and session along; one session has one name, and another session another', async () => {
    const client = open({ geo: 'Berlin, Germany', locale: 'de-de' });
    for (const id of ['session_a', 'session_a', 'session b!']) {
      await client.sendRequest({ url: `${SHOP}/ok`, route: route(id) });
    }
    expect(api.calls[0]?.body).toMatchObject({ geo: 'Berlin, Germany', locale: 'de-de' });
    const [first, again, other] = api.calls.map(({ body }) => body.session_id);
    expect(first).toMatch(/^[a-z\d]{8,}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('is asked for without a browser’s headers, and with what the site and the session add, forced', async () => {
    const headers = {
      'sec-ch-ua': '"Chromium";v="151"',
      'User-Agent': 'Mozilla/5.0',
      Accept: 'text/html',
      'Accept-Encoding': 'gzip',
      Referer: 'https://shop.example/',
    };
    await open().sendRequest({ url: `${SHOP}/ok`, headers });
    expect(api.calls[0]?.body).toEqual({ url: `${SHOP}/ok`, headless: 'html' });
    const own = { Authorization: 'Bearer shop', 'X-Shop': '1' };
    await open().sendRequest({ url: `${SHOP}/ok`, headers: { ...headers, ...own, Cookie: 'currency=EUR; a=b=c' } });
    expect(api.calls[1]?.body).toMatchObject({
      headers: own,
      force_headers: true,
      cookies: { currency: 'EUR', a: 'b=c' },
      force_cookies: true,
    });
  });

  it('of a POST goes with its body', async () => {
    await open().sendRequest({ url: `${SHOP}/ok`, method: 'POST', body: 'q=ü' });
    expect(api.calls[0]?.body).toMatchObject({ http_method: 'POST', payload: Buffer.from('q=ü').toString('base64') });
    expect(verdictOfError(await failure('ok', open(), { method: 'HEAD' }))).toBe('fatal');
    expect(api.calls).toHaveLength(1);
  });
});

describe('a failure', () => {
  it.each([
    ['failed-inside/613', 'blocked', 'could not get the page (613): We were not able to scrape the target'],
    ['failed-result', 'blocked', 'could not get the page (613)'],
    ['failed-inside/612', 'transient', 'failed (612)'],
    ['failed-inside/429', 'throttled', 'is asked too often (429)'],
    ['failed-inside/401', 'blocked', 'could not get the page (401)'],
    ['http-status/422', 'fatal', 'does not take this request (422): No. You sent Basic ***'],
    ['http-status/400', 'fatal', 'does not take this request (400)'],
    ['http-status/408', 'transient', 'failed (408)'],
    ['http-status/500', 'transient', 'failed (500)'],
    ['http-status/524', 'transient', 'failed (524)'],
    ['gateway', 'transient', 'failed (502)'],
    ['no-json', 'transient', 'gave no result (200)'],
    ['no-result', 'transient', 'gave no result (200)'],
    ['no-text', 'fatal', 'gives something other than text'],
  ])('%s is %s', async (path, verdict, message) => {
    const error = await failure(path);
    expect(error).toBeInstanceOf(VerdictError);
    expect(verdictOfError(error)).toBe(verdict);
    expect(error.message).toContain(`The Web Scraping API ${message}`);
    expect(shownOf(error)).not.toContain(TOKENS.older);
    expect(billed).toEqual([]);
  });

  it('by its own rate limit tells how long to wait', async () => {
    expect(await failure('http-status/429')).toMatchObject({ verdict: 'throttled', status: 429, retryAfter: '7' });
  });

  it.each([401, 402, 403])('with HTTP %i is the credentials’: fatal for the tier, in one sentence', async (status) => {
    const error = await failure(`http-status/${status}`);
    expect(error).toMatchObject({ name: 'TransportError', fault: 'proxy-refused' });
    expect(verdictOfError(error)).toBe('proxy');
    expect(error.message).toContain(`The Web Scraping API refuses the token (HTTP ${status})`);
    expect(shownOf(error)).not.toContain(TOKENS.older);
  });

  it('by a token of the other generation, or a wrong one, names neither', async () => {
    for (const options of [
      { plan: 'older', token: TOKENS.current },
      { plan: 'current', token: 'wrong-canary' },
    ] as const) {
      const error = await failure('ok', open(options));
      expect(error).toMatchObject({ fault: 'proxy-refused' });
      expect(shownOf(error)).not.toMatch(/canary/);
    }
    expect(api.calls).toEqual([]);
  });

  it('quotes no cookie and no header of the request', async () => {
    const headers = { Authorization: 'Bearer shop-canary', Cookie: 'login=cookie-canary' };
    const error = await failure('failed-inside/613', open(), { headers });
    expect(error.message).toContain('"login":"***"');
    expect(shownOf(error)).not.toMatch(/canary/);
  });

  it('of a server that cannot be reached is the tier’s, not the page’s', async () => {
    const error = await failure('ok', open({ baseUrl: 'http://127.0.0.1:9' }));
    expect(error).toMatchObject({ fault: 'proxy-unreachable' });
    expect(error.message).toContain('The Web Scraping API at 127.0.0.1:9 cannot be reached');
  });

  it('by silence ends at the request’s limit, in the middle of an answer it is a cut body', async () => {
    const hasty = open({ limits: { requestTimeoutMillis: 300 } });
    expect(await failure('hang', hasty)).toMatchObject({ fault: 'request-timeout' });
    const error = await failure('cut');
    expect(error).toBeInstanceOf(TransportError);
    expect(verdictOfError(error)).toBe('transient');
  });

  it('by the caller’s signal has the caller’s own reason', async () => {
    const controller = new AbortController();
    const reason = new Error('the crawl is over');
    const failed = failure('hang', open(), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    expect(await failed).toBe(reason);
  });
});

describe('the limit of a body', () => {
  const small = () => open({ limits: { maxBodyBytes: 10_000 } });

  it('is of the page, not of the JSON around it', async () => {
    const page = await small().sendRequest({ url: `${SHOP}/large/9900` });
    expect(page.body).toHaveLength(9_900);
  });

  it.each([10_001, 5_000_000])('ends a page of %i characters as body-too-large', async (size) => {
    const error = await failure(`large/${size}`, small());
    expect(error).toMatchObject({ fault: 'body-too-large', message: 'The body is longer than 0.01 MB.' });
  });
});

it('a call is counted once for each page, and for a page that failed only where headers or cookies were forced', async () => {
  const client = open();
  await client.sendRequest({ url: `${SHOP}/ok` });
  await client.sendRequest({ url: 'http://other.example/status/404' });
  await failure('failed-inside/613', client);
  await failure('http-status/500', client, { headers: { 'X-Shop': '1' } });
  expect(billed).toEqual(['shop.example:8443', 'other.example']);
  await failure('failed-inside/613', client, { headers: { 'X-Shop': '1' } });
  expect(billed).toEqual(['shop.example:8443', 'other.example', 'shop.example:8443']);
});
