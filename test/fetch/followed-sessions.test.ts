// `session: 'follow'`: what a page has set is known to the pages that it adds, whichever process or lane fetches them.
import { Configuration, Request, type Session, type Source } from '@crawlee/core';
import { describe, expect, it, onTestFinished } from 'vitest';

import type { Handler } from '../../src/core/page.ts';
import type { Cookie } from '../../src/fetch/cookie-file.ts';
import { sessionsWithCookies } from '../../src/fetch/cookies.ts';
import { createFollowedSessions, type FollowedSessions } from '../../src/fetch/followed-sessions.ts';
import { newFolder, openIn } from '../storage/sqlite/fixture.ts';
import { crawlLab, labSite, page, startServer } from './lab.ts';

const ACCOUNT = [1, 2, 3, 4, 5, 6].map((number) => `/account/${number}`);

/** Two users, each with a form, a POST that logs in, and six pages that show the login without its cookie. */
async function startShop() {
  const account =
    (path: string) =>
    (response: Parameters<ReturnType<typeof page>>[0], _hit: number, request: { headers: { cookie?: string | undefined } }) =>
      page(request.headers.cookie?.includes('sid=') ? `${path} of ${request.headers.cookie}` : 'Log in')(response);
  const shop = await startServer({
    '/list': page('Log in'),
    '/login': (response, _hit, request) => {
      response.setHeader('set-cookie', `sid=${new URL(request.url ?? '', 'http://shop').searchParams.get('user')}; HttpOnly`);
      page('Welcome')(response);
    },
    ...Object.fromEntries(ACCOUNT.map((path) => [path, account(path)])),
  });
  onTestFinished(() => shop.close());
  return shop;
}

const userOf = (url: string) => new URL(url).searchParams.get('user') ?? '';

const handle: Handler = async ({ $, request, response, addRequests, pushData }) => {
  const { pathname, origin } = new URL(response.url);
  const user = userOf(request.url);
  if (pathname === '/list') await addRequests([{ url: `${origin}/login?user=${user}`, method: 'POST', payload: 'password=x' }]);
  else if (pathname === '/login') await addRequests(ACCOUNT.map((path) => `${origin}${path}?user=${user}`));
  else await pushData({ path: `${user}: ${$('h1').text()}`, n: 1 });
};

const site = { ...labSite(), routes: { LIST: handle, PAGE: handle } };

async function crawlShop(session?: 'any' | 'follow') {
  const shop = await startShop();
  const { rows, ends } = await crawlLab({
    storage: openIn(newFolder()),
    site: { ...site, ...(session && { session }) },
    urls: ['ann', 'bob'].map((user) => `${shop.origin}/list?user=${user}`),
  });
  expect(ends).toEqual({ succeeded: 16 });
  return (await rows('default')).map(({ path }) => String(path)).toSorted((a, b) => a.localeCompare(b));
}

describe('a login made in a handler', () => {
  it('is known to the pages that it adds, and to those of no other start page', async () => {
    const own = (user: string) => ACCOUNT.map((path) => `${user}: ${path} of sid=${user}`);
    expect(await crawlShop('follow')).toEqual([...own('ann'), ...own('bob')]);
  });

  it.each([undefined, 'any'] as const)('is not known to them by default (%s)', async (session) => {
    expect(await crawlShop(session)).toEqual([...ACCOUNT.map(() => 'ann: Log in'), ...ACCOUNT.map(() => 'bob: Log in')]);
  });
});

/** Processes over one store, each with sessions of its own. */
function startProcesses(cookies: readonly Cookie[] = []) {
  const config = new Configuration({ storageClient: openIn(newFolder()), purgeOnStart: false });
  const start = () => createFollowedSessions(sessionsWithCookies(cookies), config);
  return { first: start(), second: start(), third: start() };
}

const SHOP = 'http://shop.example/';

/** A link that a page of a session adds, as it is read from the store. */
async function linkFrom(process: FollowedSessions, session: Session): Promise<Request> {
  const stored: string[] = [];
  const check = async () => {};
  const add = async (sources: Source[]) => {
    stored.push(...sources.map((source) => JSON.stringify(new Request({ url: SHOP, ...source }))));
    return {} as never;
  };
  await process.adder({ check, add }, session).add([{ url: SHOP }]);
  expect(stored.join('')).not.toContain('secret');
  return new Request(JSON.parse(stored[0] as string));
}

const start = () => new Request({ url: SHOP });

describe('a followed session', () => {
  it('is the same one in another process, with its cookies as they were when the link was added', async () => {
    const { first, second } = startProcesses();
    const session = await first.of(start());
    session.setCookie('sid=secret', SHOP);
    const link = await linkFrom(first, session);
    expect(await first.of(link)).toBe(session);
    const there = await second.of(link);
    expect([there.id, there.getCookieString(SHOP)]).toEqual([session.id, 'sid=secret']);
    expect(await second.of(link)).toBe(there);
  });

  it('learns what another process has been given since, and forgets nothing for an older link', async () => {
    const { first, second } = startProcesses();
    const session = await first.of(start());
    session.setCookie('sid=secret-nobody', SHOP);
    session.setCookie('lang=en', SHOP);
    const login = await linkFrom(first, session);
    const about = await linkFrom(first, session);
    const there = await second.of(login);
    there.setCookie('sid=secret-ann', SHOP);
    const account = await linkFrom(second, there);
    expect((await first.of(account)).getCookieString(SHOP).split('; ').toSorted()).toEqual(['lang=en', 'sid=secret-ann']);
    await first.of(about);
    expect(session.getCookieString(SHOP)).toContain('sid=secret-ann');
  });

  it('has what two processes were given at the same time', async () => {
    const { first, second, third } = startProcesses();
    const link = await linkFrom(first, await first.of(start()));
    const [one, two] = [await first.of(link), await second.of(link)];
    one.setCookie('a=1', SHOP);
    two.setCookie('b=2', SHOP);
    const links = [await linkFrom(first, one), await linkFrom(second, two)];
    const [there] = await Promise.all(links.map((each) => third.of(each)));
    expect(there?.getCookieString(SHOP).split('; ').toSorted()).toEqual(['a=1', 'b=2']);
  });

  it('outlives refusals, failures and its age; a start page has one of its own at each try', async () => {
    const { first: process } = startProcesses();
    const session = await process.of(start());
    for (let index = 0; index < 100; index++) session.markBad();
    expect(session.isUsable()).toBe(true);
    const link = await linkFrom(process, session);
    expect([process.isBound(link), process.isBound(start())]).toEqual([true, false]);
    expect((await process.of(start())).id).not.toBe(session.id);
  });

  it('begins with the cookies of --cookies, and keeps what the site has made of them', async () => {
    const cookie = {
      name: 'sid',
      value: 'secret-file',
      domain: 'shop.example',
      hostOnly: true,
      path: '/',
      secure: false,
      httpOnly: true,
      expires: null,
    };
    const { first, second } = startProcesses([cookie]);
    const session = await first.of(start());
    expect(session.getCookieString(SHOP)).toBe('sid=secret-file');
    session.setCookie('sid=secret-new', SHOP);
    const link = await linkFrom(first, session);
    expect((await second.of(link)).getCookieString(SHOP)).toBe('sid=secret-new');
  });

  it('that is not in the store fails its pages, which would be the login page', async () => {
    const { first } = startProcesses();
    const { first: elsewhere } = startProcesses();
    const session = await first.of(start());
    session.setCookie('sid=secret', SHOP);
    const link = await linkFrom(first, session);
    await expect(elsewhere.of(link)).rejects.toMatchObject({ verdict: 'fatal' });
  });
});
