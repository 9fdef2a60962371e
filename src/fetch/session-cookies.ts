// The cookies of Crawlee's sessions, into requests and out of answers. Most sessions have none, and a jar is slow to ask.
import type { Session } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';
import type { SimpleHeaders } from './clients/headers-of-answer.ts';

/** Of one site's, as Chrome has it: a site that sets more gets no request that any server takes. */
const MOST_COOKIES = 180;
/** Of a name with its value. */
const MOST_BYTES = 4_096;

export interface SessionCookies {
  /** Headers with the session's cookies and those that they name themselves, at the end, as Chrome has them. */
  put(headers: Readonly<Record<string, string>>, session: Session | undefined, url: string): Record<string, string>;
  /** Keeps what an answer has set. */
  take(session: Session | undefined, headers: SimpleHeaders, url: string): void;
}

/** For a lane whose sessions get their cookies here, or have them from the beginning.
 *  @param elsewhere They get some in another way too. @default false */
export function createSessionCookies(elsewhere = false): SessionCookies {
  const empty = new WeakSet<Session>();
  const known = new WeakSet<Session>();
  /** Cookies that a session has taken since they were counted, and those that it had then. */
  const sinceCounted = new WeakMap<Session, number>();

  /** The Cookie header's value for a URL; '' for none. */
  const of = (session: Session | undefined, url: string): string => {
    if (!session || empty.has(session)) return '';
    if (!elsewhere && !known.has(session)) {
      known.add(session);
      if (session.getState().cookieJar.cookies.length === 0) {
        empty.add(session);
        return '';
      }
    }
    return session.getCookieString(url);
  };

  return {
    put(headers, session, url) {
      const { Cookie, cookie, ...others } = headers;
      const own = [Cookie, cookie].filter((value) => value !== undefined);
      const ofSession = of(session, url);
      const cookies = own.length === 0 ? ofSession : crawlee.mergeCookies(url, [ofSession, ...own]);
      return cookies === '' ? others : { ...others, Cookie: cookies };
    },
    take(session, headers, url) {
      if (!session || headers['set-cookie'] === undefined) return;
      const lines = [headers['set-cookie']].flat().filter(isKept).slice(-MOST_COOKIES);
      session.setCookiesFromResponse({ headers: { 'set-cookie': lines }, url });
      empty.delete(session);
      const taken = (sinceCounted.get(session) ?? 0) + lines.length;
      sinceCounted.set(session, taken > MOST_COOKIES ? forgetOldest(session, url) : taken);
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc6265#section-6.1 asks for as much at least; browsers keep no more. */
function isKept(line: string): boolean {
  return (line.split(';', 1)[0] ?? '').length <= MOST_BYTES;
}

/** @returns How many are left for this address. */
function forgetOldest(session: Session, url: string): number {
  const held = session.getCookies(url);
  const excess = held.slice(0, Math.max(0, held.length - MOST_COOKIES));
  for (const { name, domain, path = '/' } of excess) {
    const ofDomain = domain === undefined || domain === new URL(url).hostname ? '' : `; Domain=${domain}`;
    session.setCookie(`${name}=; Path=${path}; Max-Age=0${ofDomain}`, url);
  }
  return held.length - excess.length;
}
