// Sends a request and follows its redirects as a browser does: https://fetch.spec.whatwg.org/#http-redirect-fetch
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import type { HttpRequest, RedirectHandler } from '@crawlee/core';

import { TransportError } from '../../core/transport.ts';
import { ACCEPT_ENCODING } from './body.ts';
import { toNodeHeaders, type SimpleHeaders } from './headers-of-answer.ts';
import type { RoutedRequest } from './tier-client.ts';

export const MAX_REDIRECTS = 10;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

const OF_A_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location'];

/** A redirect's body up to this size, and for this long, is read, so that its connection can be used again. */
const MAX_DISCARDED_BYTES = 64 * 1_024;
const MAX_DISCARDED_MILLIS = 500;

/** What goes out, once for each redirect. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  /** Sent in this order; spelled like this where the version of HTTP allows it. */
  readonly headers: SimpleHeaders;
  readonly body: HttpRequest['body'];
}

/** What comes back, as undici's ResponseData has it. */
export interface Answer {
  readonly statusCode: number;
  /** Empty with HTTP/2. */
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: SimpleHeaders;
  readonly trailers: SimpleHeaders;
  /** As it is sent. `dump()` has done with it unread; up to the limit it is read, so that its connection can be used again. */
  readonly body: Readable & { dump(options: { limit: number }): Promise<void> };
  /** Called at the body's end: throws if that was not all of it. Without, an end is an end. */
  readonly checkEnd?: () => void;
}

export interface Followed {
  readonly answer: Answer;
  readonly headers: SimpleHeaders;
  /** Where the answer is from. */
  readonly url: URL;
  readonly redirectUrls: URL[];
}

/** @param send Is also told where a redirect comes from; undefined for the request itself.
 *  @param onRedirect May change the next request's URL, and put other headers in the place of its own.
 *  @throws {TransportError} `too-many-redirects`, `redirect-loop`, `bad-redirect` for a Location that is no http(s) URL. */
export async function follow(
  send: (outgoing: Outgoing, from: URL | undefined) => Promise<Answer>,
  request: RoutedRequest,
  onRedirect?: RedirectHandler,
): Promise<Followed> {
  const first = toOutgoing(request);
  let outgoing = first;
  let from: URL | undefined;
  const redirectUrls: URL[] = [];
  const seen = new Set([identity(outgoing)]);
  for (;;) {
    const { url } = outgoing;
    const answer = await send(outgoing, from);
    from = url;
    const headers = toNodeHeaders(answer.headers);
    const location = locationOf(answer.headers);
    if (request.followRedirect === false || !REDIRECT_STATUS.has(answer.statusCode) || !location) {
      return { answer, headers, url, redirectUrls };
    }
    await discard(answer.body);
    await setImmediate(); // See body.ts: the next request is to use the same connection.
    if (redirectUrls.length === MAX_REDIRECTS) {
      throw new TransportError('too-many-redirects', `More than ${MAX_REDIRECTS} redirects, the last one from ${shown(url)}.`);
    }
    outgoing = redirected(outgoing, answer.statusCode, location);
    redirectUrls.push(outgoing.url);
    if (onRedirect) {
      const update: Parameters<RedirectHandler>[1] = { url: outgoing.url, headers: { ...outgoing.headers } };
      const { statusCode } = answer;
      onRedirect({ statusCode, headers, trailers: {}, url: url.href, redirectUrls: [...redirectUrls], complete: true }, update);
      const target = new URL(update.url ?? outgoing.url);
      const given = outgoing.method === first.method ? update.headers : without(update.headers, OF_A_BODY);
      outgoing = { ...outgoing, url: target, headers: toSent(given, target.origin === first.url.origin ? first.url : null) };
    }
    const step = identity(outgoing);
    if (seen.has(step)) throw new TransportError('redirect-loop', `Redirects in a circle, back to ${shown(outgoing.url)}.`);
    seen.add(step);
    await request.onHop?.(outgoing.url.href, url.href);
  }
}

/** Empty: the answer is none that leads anywhere. */
function locationOf({ location = '' }: SimpleHeaders): string {
  const [first = '', ...others] = [location].flat();
  if (others.every((other) => other === first)) return first;
  throw new TransportError(
    'bad-redirect',
    `The answer redirects to "${first}" and to "${others.find((other) => other !== first)}".`,
  );
}

/** Where to go is known by now: a body that does not come, or is cut, costs its connection and nothing else. */
async function discard(body: Answer['body']): Promise<void> {
  const late = setTimeout(() => body.destroy(), MAX_DISCARDED_MILLIS);
  try {
    await body.dump({ limit: MAX_DISCARDED_BYTES });
  } catch {
    // Nobody was to read it.
  } finally {
    clearTimeout(late);
  }
}

function toOutgoing({ url, method = 'GET', headers = {}, body }: HttpRequest): Outgoing {
  const target = new URL(url);
  return { url: target, method: method.toUpperCase(), headers: toSent(headers, target), body };
}

/** @param login Where a user and a password may stand that become a header. */
function toSent(headers: SimpleHeaders, login: URL | null): SimpleHeaders {
  // What is for a proxy is not the caller's to say, and no target's to read.
  const sent = without(headers, ['proxy-authorization']);
  if (!has(sent, 'accept-encoding')) sent['accept-encoding'] = ACCEPT_ENCODING;
  if (login && (login.username || login.password) && !has(sent, 'authorization')) {
    const credentials = `${decodeURIComponent(login.username)}:${decodeURIComponent(login.password)}`;
    sent['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  return sent;
}

/** The request that a redirect asks for. */
function redirected(from: Outgoing, status: number, location: string): Outgoing {
  // Header bytes arrive as Latin-1. Each beyond ASCII goes on as it came, UTF-8 or not, as browsers have it.
  const text = location.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  const target = URL.canParse(text, from.url.href) ? new URL(text, from.url) : null;
  if (!target || !/^https?:$/.test(target.protocol)) {
    throw new TransportError('bad-redirect', `${shown(from.url)} redirects to "${location}", which is no http(s) URL.`);
  }
  if (target.hash === '') target.hash = from.url.hash;
  let { method, headers, body } = from;
  if (status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST') {
    method = 'GET';
    body = undefined;
    headers = without(headers, OF_A_BODY);
  }
  if (target.origin !== from.url.origin) headers = without(headers, ['authorization', 'cookie', 'proxy-authorization', 'host']);
  return { url: target, method, headers, body };
}

/** A second request with the same identity gets the same answer: the redirects go in a circle. A cookie set on the way is a
 *  reason to come back to an address; a fragment is not. */
function identity({ method, url, headers }: Outgoing): string {
  const cookie = Object.entries(headers).find(([name]) => name.toLowerCase() === 'cookie')?.[1];
  return JSON.stringify([method, url.href.split('#', 1)[0], cookie]);
}

function has(headers: SimpleHeaders, name: string): boolean {
  return Object.keys(headers).some((key) => key.toLowerCase() === name);
}

function without(headers: SimpleHeaders, names: readonly string[]): SimpleHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())));
}

/** For a message: without the credentials a URL may hold. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}${url.search}`;
}
