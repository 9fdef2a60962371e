// The contract of the HTTP lane's clients: Crawlee's BaseHttpClient, told how each request is to go out.
import type { BaseHttpClient, HttpRequest } from '@crawlee/core';

import type { Tier } from '../../core/page.ts';
import type { ProxyMode } from '../../core/proxy.ts';

/** How one request is fetched. hooks.ts puts it into the options of a request, and Crawlee hands it through. */
export interface Route {
  readonly tier: Exclude<Tier, 'browser'>;
  /** How the request's `proxyUrl` is used: a rotating one never gets a connection that another request has used. */
  readonly proxy: ProxyMode;
  /** Connections of a sticky proxy, and of an impersonated browser, belong to one session. */
  readonly sessionId: string;
}

/** An HttpRequest as the lane sends it. Without a route: tier `http`, and with a `proxyUrl`, rotating. */
export interface RoutedRequest extends HttpRequest {
  readonly route?: Route;
  /** Which page leads to this request, for reach.ts; null for a person. @default null */
  readonly from?: string | null;
  /** Called when the request goes out, over a connection that stands. */
  readonly onSent?: () => void;
  /** Whoever reads it leaves after the beginning of its body: that may announce any length. */
  readonly beginningOnly?: boolean;
  /** Asked before a redirect is followed, which goes no further if it throws.
   *  @param url Where it leads. @param from Where it stands. */
  readonly onHop?: (url: string, from: string) => Promise<void>;
}

/** A client of one tier. Both calls throw TransportError (core/transport.ts), and so does the body that `stream()` gives;
 *  any status of the target is an answer, not an error. Nothing is tried again inside. */
export interface TierClient extends BaseHttpClient {
  /** Cuts what is under way and closes all connections. */
  close(): Promise<void>;
}
