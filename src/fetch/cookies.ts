// Puts the cookies of `--cookies` into Crawlee's sessions, which keep them, send them and are saved with the run.
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';

import type { CreateSession, SessionOptions, SessionPool, Session } from '@crawlee/core';

import { messageOf, SurefootError } from '../core/errors.ts';
import { crawlee } from '../crawlee.ts';
import type { Cookie } from './cookie-file.ts';

/** Where a session remembers which cookies it began with. */
const MARK = 'startCookies';

/** toUTCString() beyond the year 9999 is no cookie date. */
const LATEST_EXPIRY = 253_402_300_799;

/** The session pool's `createSessionFunction`: every new session begins with these cookies. A restored one keeps what the
 *  site has set since, unless it began with other cookies than these: then these are newer, and go over its own.
 *  @param sessionOptions What would be the pool's `sessionOptions`; those are not read when this function is used.
 *  @throws {SurefootError} kind `input`, at once: a cookie that no session would take, such as one for all of co.uk. */
export function sessionsWithCookies(
  cookies: readonly Cookie[],
  sessionOptions: Omit<SessionOptions, 'sessionPool'> = {},
): CreateSession {
  const mark = createHash('sha256').update(JSON.stringify(cookies)).digest('base64url').slice(0, 16);
  tryOut(cookies);
  return (sessionPool, options) => {
    const session = new crawlee.Session({ ...sessionOptions, ...options?.sessionOptions, sessionPool });
    if (cookies.length > 0 && session.userData[MARK] !== mark) {
      for (const cookie of cookies) addCookie(session, cookie);
      session.userData = { ...session.userData, [MARK]: mark };
    }
    return session;
  };
}

/** The values that are long enough to be secrets; shorter ones ("1", "en-US", "accepted") are words of any log line. */
export function secretValues(cookies: readonly Cookie[]): string[] {
  return cookies.map(({ value }) => value).filter((value) => value.length >= 12);
}

function addCookie(session: Session, cookie: Cookie): void {
  session.setCookie(toSetCookie(cookie), urlOf(cookie));
}

/** As the site would have sent it. `session.setCookies()` would give a cookie without an expiry one of its own, and drop
 *  one that is refused without a word. */
function toSetCookie({ name, value, domain, hostOnly, path, secure, httpOnly, expires }: Cookie): string {
  const parts = [`${name}=${value}`, `Path=${path}`];
  if (!hostOnly) parts.push(`Domain=${domain}`);
  if (expires !== null) parts.push(`Expires=${new Date(Math.min(expires, LATEST_EXPIRY) * 1_000).toUTCString()}`);
  if (secure) parts.push('Secure');
  if (httpOnly) parts.push('HttpOnly');
  return parts.join('; ');
}

function urlOf({ domain, path }: Cookie): string {
  return `https://${domain}${path}`;
}

function tryOut(cookies: readonly Cookie[]): void {
  for (const cookie of cookies) {
    // A pool is only asked to emit.
    const session = new crawlee.Session({ sessionPool: new EventEmitter() as SessionPool });
    let problem = 'its name promises what it does not keep (__Host- and __Secure- want Secure; __Host- also "/" and no Domain)';
    try {
      // One that expires in this moment is a good cookie all the same.
      addCookie(session, { ...cookie, expires: null });
      if (session.getCookies(urlOf(cookie)).length > 0) continue;
    } catch (error) {
      problem = messageOf(error);
    }
    throw new SurefootError(
      'input',
      `The cookie ${cookie.name} for ${cookie.domain} cannot be used: ${problem}. Take it out of the file.`,
    );
  }
}
