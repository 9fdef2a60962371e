// Cookies both ways: a page begins with all that its session has, and the session learns what the page has changed.
import type { Session } from '@crawlee/core';
import type { BrowserContext, Cookie } from 'playwright';

/** As Playwright sets one. */
type NewCookie = Parameters<BrowserContext['addCookies']>[0][number];

/** tough-cookie's, as far as it is read. */
interface JarCookie {
  readonly key: string;
  readonly value: string;
  readonly domain?: string;
  readonly path?: string;
  readonly expires?: string | Date;
  readonly hostOnly?: boolean;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
  readonly sameSite?: string;
}

/** Gives a context all cookies of a session that it does not have yet; Crawlee would give it those for the first address
 *  alone, and a redirect would meet a stranger.
 *  @param held What the context holds, as far as the session knows.
 *  @param header A Cookie header of the request's own, for its address.
 *  @returns What the context holds now. */
export async function putCookies(
  context: BrowserContext,
  session: Session | undefined,
  held: readonly Cookie[],
  request: { url: string; header: string | undefined },
): Promise<readonly Cookie[]> {
  const jar = (session?.cookieJar.serializeSync()?.cookies ?? []) as readonly JarCookie[];
  const known = new Set(held.map((cookie) => `${nameOf(cookie)} ${cookie.value}`));
  const own = (request.header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at > 0 ? [{ name: pair.slice(0, at).trim(), value: pair.slice(at + 1).trim(), url: request.url }] : [];
  });
  const missing = jar.flatMap(toBrowserCookie).filter((cookie) => !known.has(`${nameOf(cookie)} ${cookie.value}`));
  const cookies = [...missing, ...own];
  if (cookies.length === 0) return held;
  await context.addCookies(cookies).catch(async () => {
    // One that the browser does not take (a prefix, a date) must not cost the others.
    for (const cookie of cookies) await context.addCookies([cookie]).catch(() => {});
  });
  return context.cookies();
}

/** Writes into a session what has changed since `before`: another page of the same session may have changed the rest.
 *  @returns What the context holds now. */
export async function takeCookies(
  context: BrowserContext,
  session: Session | undefined,
  before: readonly Cookie[],
): Promise<readonly Cookie[]> {
  const now = await context.cookies();
  if (!session) return now;
  const known = new Map(before.map((cookie) => [nameOf(cookie), cookie]));
  for (const cookie of now) {
    const old = known.get(nameOf(cookie));
    known.delete(nameOf(cookie));
    if (old === undefined || old.value !== cookie.value || old.expires !== cookie.expires) write(session, cookie);
  }
  // What is left, the page has deleted.
  for (const cookie of known.values()) write(session, { ...cookie, value: '', expires: 1 });
  return now;
}

function nameOf({ name, domain, path }: Pick<NewCookie, 'name' | 'domain' | 'path'>): string {
  return JSON.stringify([domain, path, name]);
}

function toBrowserCookie({ key, value, domain, path, expires, hostOnly, ...flags }: JarCookie): NewCookie[] {
  if (domain === undefined) return [];
  const until = expires === undefined || expires === 'Infinity' ? null : new Date(expires).getTime() / 1_000;
  return [
    {
      name: key,
      value,
      domain: hostOnly ? domain : `.${domain}`,
      path: path ?? '/',
      secure: flags.secure ?? false,
      httpOnly: flags.httpOnly ?? false,
      ...(until !== null && Number.isFinite(until) && { expires: Math.ceil(until) }),
      ...sameSiteOf(flags),
    },
  ];
}

function sameSiteOf({ sameSite = '', secure = false }: Pick<JarCookie, 'sameSite' | 'secure'>): Pick<NewCookie, 'sameSite'> {
  const name = sameSite.toLowerCase();
  if (name === 'strict') return { sameSite: 'Strict' };
  if (name === 'lax') return { sameSite: 'Lax' };
  return name === 'none' && secure ? { sameSite: 'None' } : {};
}

/** As the site would have sent it: `session.setCookies()` refuses cookies of another host than the page's, and gives one that
 *  has no expiry an expiry. */
function write(session: Session, { name, value, domain, path, expires, secure, httpOnly, sameSite }: Cookie): void {
  const parts = [`${name}=${value}`, `Path=${path}`];
  const host = domain.replace(/^\./, '');
  if (domain.startsWith('.')) parts.push(`Domain=${host}`);
  if (expires > 0) parts.push(`Expires=${new Date(expires * 1_000).toUTCString()}`);
  if (secure) parts.push('Secure');
  if (httpOnly) parts.push('HttpOnly');
  if (sameSite) parts.push(`SameSite=${sameSite}`);
  try {
    session.setCookie(parts.join('; '), `https://${host}${path}`);
  } catch {
    // The jar knows rules of its own (public suffixes); a cookie less is no reason to lose a page.
  }
}
