// The HTTP client of tier `api`: Decodo's Web Scraping API, which fetches a page in a browser of its own and gives its text
// in JSON; here it becomes an answer of the page's own server again.
// Only the synchronous call is used: it answers within the 180 s that a page may take, and a task to ask after later
// (/v3/task, /v1/task) would have to outlive this process. https://help.decodo.com/docs/web-scraping-api-introduction
import { Readable } from 'node:stream';

import type { HttpRequest, StreamingHttpResponse } from '@crawlee/core';

import type { CountTraffic } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { VerdictError } from '../../core/verdict.ts';
import { bodyTooLarge } from './faults.ts';
import { createPlainClient } from './plain.ts';
import { FIRST_OWN_CODE, nameApiFault, readResult, type ScrapedPage } from './scraping-api-answer.ts';
import { ownHeaders, serviceLimits, serviceSession, type ServiceLimits } from './service-request.ts';
import type { Route, RoutedRequest, TierClient } from './tier-client.ts';
import { wholeAnswer } from './whole-answer.ts';

export interface ScrapingApiOptions {
  /** Which generation the token is for: it decides address, path and kind of Authorization. */
  plan: 'current' | 'older';
  /** As Decodo's dashboard shows it, without `Basic` or `Bearer`. */
  token: string;
  /** Without a path. @default the plan's own */
  baseUrl?: string | undefined;
  /** Where pages are fetched from: `Germany`. Without: anywhere. */
  geo?: string | undefined;
  /** The language the service's browser asks for: `de-de`. Without: the service's choice. */
  locale?: string | undefined;
  /** Have a page's scripts run first. Without: the document as it was sent. */
  headless?: 'html';
  limits?: ServiceLimits;
  /** The bytes to and from the API, under the API's own host. */
  count?: CountTraffic;
  /** Told of each call that is paid for. @param host The page's, as in `new URL(url).host`. */
  onCall?: (host: string) => void;
}

const PLANS = {
  older: { baseUrl: 'https://scraper-api.decodo.com', path: '/v2/scrape', scheme: 'Basic', target: {} },
  // Older plans of the smaller kind know no targets; current ones ask for one.
  current: { baseUrl: 'https://data.decodo.com', path: '/v1/scrape', scheme: 'Bearer', target: { target: 'universal' } },
} as const;

/** JSON's escapes make a page longer than it is. */
const ENVELOPE = 2;

/** Whatever the target said is an answer. Both calls throw otherwise: TransportError, where `proxy-refused` and
 *  `proxy-unreachable` speak of the API and so end the tier, or VerdictError: `throttled` with the API's own Retry-After,
 *  `blocked` for a page that it could not get, `fatal` for a request that it does not take. */
export function createScrapingApiClient(options: ScrapingApiOptions): TierClient {
  const { token, count, onCall } = options;
  const plan = PLANS[options.plan];
  const endpoint = `${(options.baseUrl ?? plan.baseUrl).replace(/\/+$/, '')}${plan.path}`;
  const limits = serviceLimits(options.limits);
  const client = createPlainClient({ ...limits, maxBodyBytes: ENVELOPE * limits.maxBodyBytes, ...(count && { count }) });

  const scrape = async (request: RoutedRequest): Promise<ScrapedPage> => {
    const sessionId = request.route?.sessionId ?? '';
    const route: Route = { tier: 'api', proxy: 'none', sessionId };
    const { body, secrets, forced } = toBody(request, sessionId, options);
    const headers = { authorization: `${plan.scheme} ${token}`, 'content-type': 'application/json', accept: 'application/json' };
    const call: RoutedRequest = {
      url: endpoint,
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      followRedirect: false,
      route,
    };
    if (request.signal) call.signal = request.signal;
    try {
      const page = readResult(await client.sendRequest(call), [token, ...secrets]);
      onCall?.(new URL(request.url).host);
      return page;
    } catch (error) {
      // What was forced on the API is paid for even where it gave up.
      const gaveUp = error instanceof VerdictError && (error.status ?? 0) >= FIRST_OWN_CODE;
      if (forced && gaveUp) onCall?.(new URL(request.url).host);
      if (error instanceof TransportError && error.fault === 'body-too-large') throw bodyTooLarge(limits.maxBodyBytes);
      throw nameApiFault(error, new URL(endpoint).host);
    }
  };

  const stream = async (request: RoutedRequest): Promise<StreamingHttpResponse> => {
    const page = await scrape(request);
    const bytes = Buffer.from(page.content);
    if (bytes.length > limits.maxBodyBytes) throw bodyTooLarge(limits.maxBodyBytes);
    const progress = { percent: 1, transferred: bytes.length };
    return {
      stream: Readable.from([bytes], { objectMode: false }),
      statusCode: page.status,
      headers: { ...page.headers, 'content-type': 'text/html; charset=utf-8' },
      trailers: {},
      url: page.url ?? new URL(request.url).href,
      redirectUrls: [],
      complete: true,
      request,
      downloadProgress: progress,
      uploadProgress: progress,
    };
  };

  return {
    stream,
    sendRequest: async (request) => wholeAnswer(request, await stream(request as HttpRequest)),
    close: async () => client.close(),
  };
}

/** What the API is asked for. Headers and cookies of the site or the session must be forced on it, or it goes without them.
 *  https://help.decodo.com/docs/web-scraping-api-parameters */
function toBody(request: HttpRequest, sessionId: string, { plan, geo, locale, headless }: ScrapingApiOptions) {
  const { own, cookie } = ownHeaders(request);
  const cookies = parseCookies(cookie);
  const forced = { headers: Object.keys(own).length > 0, cookies: Object.keys(cookies).length > 0 };
  const body = {
    ...PLANS[plan].target,
    url: new URL(request.url).href,
    ...(headless && { headless }),
    ...(geo !== undefined && { geo }),
    ...(locale !== undefined && { locale }),
    ...(sessionId !== '' && { session_id: serviceSession(sessionId) }),
    ...(forced.headers && { headers: own, force_headers: true }),
    ...(forced.cookies && { cookies, force_cookies: true }),
    ...toMethod(request),
  };
  // `Bearer abc` and `abc`.
  const secrets = [...Object.values(own).flatMap((value) => [value, ...value.split(' ')]), ...Object.values(cookies)];
  return { body, secrets, forced: forced.headers || forced.cookies };
}

function toMethod({ method = 'GET', body }: HttpRequest): { http_method?: 'POST'; payload?: string } {
  const name = method.toUpperCase();
  if (name === 'GET') return {};
  if (name !== 'POST' || (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body))) {
    throw new VerdictError(
      'fatal',
      `The Web Scraping API does GET, and POST with a text or a Buffer; this request is another ${name}.`,
    );
  }
  return { http_method: 'POST', ...(body !== undefined && { payload: Buffer.from(body).toString('base64') }) };
}

function parseCookies(header: string): Record<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split('='));
  return Object.fromEntries(pairs.filter(([name]) => name).map(([name, ...value]) => [name, value.join('=')]));
}
