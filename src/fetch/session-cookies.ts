// The cookies of Crawlee's sessions, into requests and out of answers. Most sessions have none, and a jar is slow to ask.
import type { Session } from '@crawlee/core';

import { crawlee } from '../crawlee.ts';
import type { SimpleHeaders } from './clients/headers-of-answer.ts';

export interface SessionCookies {
  /** Headers with the session's cookies and those that they name themselves, at the end, as Chrome has them. */
  put(headers: Readonly<Record<string, string>>, session: Session | undefined, url: string): Record<string, string>;
  /** Keeps what an answer has set. */
  take(session: Session | undefined, headers: SimpleHeaders, url: string): void;
}

/** For a lane whose sessions get their cookies here, or have them from the beginning. */
export function createSessionCookies(): SessionCookies {
  const empty = new WeakSet<Session>();
  const known = new WeakSet<Session>();

  /** The Cookie header's value for a URL; '' for none. */
  const of = (session: Session | undefined, url: string): string => {
    if (!session || empty.has(session)) return '';
    if (!known.has(session)) {
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
      session.setCookiesFromResponse({ headers, url });
      empty.delete(session);
    },
  };
}
