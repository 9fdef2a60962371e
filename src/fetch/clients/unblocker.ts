// The HTTP client of tier `unblocker`: Decodo's Site Unblocker, a proxy that fetches a page with a browser of its own and
// is told how in X-SU-* headers. https://help.decodo.com/docs/introduction-site-unblocker
import type { HttpRequest, RedirectHandler, StreamingHttpResponse } from '@crawlee/core';

import type { CountTraffic } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { createPlainClient } from './plain.ts';
import { ownHeaders, serviceLimits, serviceSession, type ServiceLimits } from './service-request.ts';
import type { Route, RoutedRequest, TierClient } from './tier-client.ts';
import { wholeAnswer } from './whole-answer.ts';

export interface UnblockerClientOptions {
  /** The Site Unblocker's own user and password, as they are: not those of the residential proxies. */
  user: string;
  pass: string;
  /** @default 'unblock.decodo.com' */
  host?: string;
  /** @default 60,000 */
  port?: number;
  /** Where pages are fetched from: `Germany`, `Berlin, Germany`. Without: anywhere. */
  geo?: string | undefined;
  /** Have a page's scripts run first. Without: the document as it was sent. */
  headless?: 'html';
  limits?: ServiceLimits;
  count?: CountTraffic;
}

/** 2xx and 4xx of the target are answers; a page that the service could not get comes as 5xx.
 *  Both calls throw TransportError. `proxy-refused` and `proxy-unreachable` speak of the service, so they end the tier. */
export function createUnblockerClient(options: UnblockerClientOptions): TierClient {
  const { user, pass, host = 'unblock.decodo.com', port = 60_000, count } = options;
  const proxyUrl = `http://${encodeURIComponent(user)}:${encodeURIComponent(pass)}@${host}:${port}`;
  const client = createPlainClient({
    ...serviceLimits(options.limits),
    // The service signs the answers of https pages itself, with a certificate that nobody vouches for. This tier alone.
    rejectUnauthorized: false,
    ...(count && { count }),
  });

  const stream = async (request: RoutedRequest, onRedirect?: RedirectHandler): Promise<StreamingHttpResponse> => {
    const sessionId = request.route?.sessionId ?? '';
    const route: Route = { tier: 'unblocker', proxy: 'rotating', sessionId };
    const routed: RoutedRequest = { ...request, proxyUrl, route, headers: headersOf(request, sessionId, options) };
    try {
      const answer = await client.stream(routed, (redirect, next) => {
        if (!onRedirect) return;
        onRedirect(redirect, next);
        next.headers = headersOf(next, sessionId, options);
      });
      if (answer.statusCode !== 407) return { ...answer, request };
      // No site says so; the service does where it had no tunnel to refuse.
      answer.stream.destroy();
      throw new TransportError('proxy-refused', 'HTTP 407');
    } catch (error) {
      throw error instanceof TransportError ? asService(error, `${host}:${port}`) : error;
    }
  };

  return {
    stream,
    sendRequest: async (request) => wholeAnswer(request, await stream(request as HttpRequest)),
    close: async () => client.close(),
  };
}

/** They go inside the tunnel, where the service reads them. Cookies and headers pass to the target as they are; they are not
 *  forced on the service (X-SU-Force-*), for then a page that fails is paid for too. */
function headersOf(
  request: Pick<HttpRequest, 'headers'>,
  sessionId: string,
  { geo, headless }: UnblockerClientOptions,
): Record<string, string> {
  const { own, cookie } = ownHeaders(request);
  return {
    ...(sessionId !== '' && { 'X-SU-Session-Id': serviceSession(sessionId) }),
    ...(geo !== undefined && { 'X-SU-Geo': geo }),
    ...(headless && { 'X-SU-Headless': headless }),
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [toPassedOn(name), value])),
    ...(cookie !== '' && { Cookie: cookie }),
  };
}

/** This one the service takes for itself unless it comes under another name.
 *  https://help.decodo.com/docs/site-unblocker-headers */
function toPassedOn(name: string): string {
  return name.toLowerCase() === 'cache-control' ? `X-SU-Custom-${name}` : name;
}

/** The plain client speaks of a proxy; a person wants to know which one. */
function asService(error: TransportError, address: string): TransportError {
  const { fault } = error;
  // Before the tunnel stands nobody but the service can have said 401, which the plain client does not take for a refusal.
  if (fault === 'proxy-refused' || (fault === 'proxy-no-route' && error.message.includes('(HTTP 401)'))) {
    const message =
      'The Site Unblocker refuses the user or the password. Check DECODO_UNBLOCKER_USER and DECODO_UNBLOCKER_PASS, and that its plan is not used up.';
    return new TransportError('proxy-refused', message, { cause: error });
  }
  if (fault !== 'proxy-unreachable') return error;
  return new TransportError(fault, `The Site Unblocker at ${address} cannot be reached.`, { cause: error });
}
