// Sessions that follow the links of their pages (`session: 'follow'`): a start page begins one, and all that it leads to is
// fetched in it. Its cookies are on disk before such a link is, as another process may be the one that fetches it.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

import type { CreateSession, Request, Session, SessionOptions, SessionPool, Source } from '@crawlee/core';

import { VerdictError } from '../core/verdict.ts';
import { crawlee } from '../crawlee.ts';
import type { Adder } from './links/adding.ts';

export interface FollowedSessions {
  /** The session that a request was found in, with what it knew then; one of its own for a start page.
   *  @throws {VerdictError} `fatal`: it is not in the store. */
  of(request: Request): Promise<Session>;
  /** Adds links that are fetched in a session. */
  adder(adder: Adder, session: Session): Adder;
  /** Whether a request can be fetched in no other session. */
  isBound(request: Request): boolean;
}

/** What is stored with a request. */
interface Tie {
  readonly id: string;
  /** Which state of the session was saved for it; '' for one without cookies. */
  readonly stamp: string;
}

/** Where Crawlee keeps what is its own of `userData`; no site's schema sees it. */
interface Corner {
  __crawlee?: { surefootSession?: Tie };
}

/** What is saved of a session. */
type Saved = Pick<ReturnType<Session['getState']>, 'cookieJar' | 'userData'>;

interface Known {
  readonly session: Session;
  /** The states that it knows of, its own and those of other processes. */
  readonly stamps: Set<string>;
  newest: number;
  /** Its cookies when they were saved last. */
  cookies: string;
  /** That state's stamp, once it is on disk. */
  saved: Promise<string>;
}

/** So many are kept in memory, those asked for last; any other is read again as it was when the link was found. */
const MOST_KNOWN = 1_000;

/** No other session is logged in: neither its age nor its failures end it. */
const ENDLESS = { maxUsageCount: 1e9, maxAgeSecs: 1e9, maxErrorScore: 1e9 } satisfies Partial<SessionOptions>;

/** @param createSession Gives a session the cookies of `--cookies`.
 *  @param config Has the store. */
export function createFollowedSessions(
  createSession: CreateSession,
  config = crawlee.Configuration.getGlobalConfig(),
): FollowedSessions {
  // It is only asked to emit.
  const pool = new EventEmitter() as SessionPool;
  const byId = new Map<string, Promise<Known>>();
  const bySession = new WeakMap<Session, Known>();
  const openStore = async () => crawlee.KeyValueStore.open(null, { config });

  const create = async (saved: Partial<SessionOptions>, stamp = ''): Promise<Known> => {
    const session = await createSession(pool, { sessionOptions: { ...saved, ...ENDLESS } });
    const cookies = stamp === '' ? '[]' : cookiesOf(session);
    const stamps = new Set(['', stamp]);
    const known: Known = { session, stamps, newest: timeOf(stamp), cookies, saved: Promise.resolve(stamp) };
    bySession.set(session, known);
    return known;
  };

  const keep = (id: string, known: Promise<Known>) => {
    byId.delete(id);
    byId.set(id, known);
    const [oldest] = byId.keys();
    if (byId.size > MOST_KNOWN && oldest !== undefined) byId.delete(oldest);
  };

  const read = async (tie: Tie): Promise<SessionOptions> => {
    const saved = await (await openStore()).getValue<Saved>(keyOf(tie));
    if (saved) return { ...saved, id: tie.id } as unknown as SessionOptions;
    throw new VerdictError('fatal', 'The session of the page that it was found on is not in the store.');
  };

  const open = async (tie: Tie) => (tie.stamp === '' ? create({ id: tie.id }) : create(await read(tie), tie.stamp));

  /** Adds a state that another process has saved. Of two values of a cookie the later state's counts. */
  const learn = async (known: Known, tie: Tie): Promise<Known> => {
    if (known.stamps.has(tie.stamp)) return known;
    const { session: other } = await create(await read(tie), tie.stamp);
    const own = known.session.cookieJar.store;
    const had = new Set((await own.getAllCookies()).map(nameOf));
    const isNewer = timeOf(tie.stamp) > known.newest;
    for (const cookie of await other.cookieJar.store.getAllCookies()) {
      if (isNewer || !had.has(nameOf(cookie))) await own.putCookie(cookie);
    }
    known.stamps.add(tie.stamp);
    known.newest = Math.max(known.newest, timeOf(tie.stamp));
    return known;
  };

  const save = async (session: Session): Promise<Tie> => {
    const known = bySession.get(session) as Known;
    const { id } = session;
    if (!byId.has(id)) keep(id, Promise.resolve(known));
    const cookies = cookiesOf(session);
    if (cookies !== known.cookies) {
      known.newest = Math.max(Date.now(), known.newest + 1);
      const stamp = `${known.newest}-${randomBytes(4).toString('hex')}`;
      const { cookieJar, userData } = session.getState();
      known.cookies = cookies;
      known.stamps.add(stamp);
      known.saved = openStore()
        .then(async (store) => store.setValue<Saved>(keyOf({ id, stamp }), { cookieJar, userData }))
        .then(() => stamp);
      // The next page that adds links tries again.
      known.saved.catch(() => (known.cookies = ''));
    }
    return { id, stamp: await known.saved };
  };

  return {
    async of(request) {
      const tie = tieOf(request);
      if (!tie) return (await create({})).session;
      // One after the other: two that open it at once would have a jar each.
      const before = byId.get(tie.id)?.catch(() => null) ?? null;
      const known = Promise.resolve(before).then(async (own) => (own ? learn(own, tie) : open(tie)));
      keep(tie.id, known);
      return (await known).session;
    },
    adder: (adder, session) => ({
      check: adder.check,
      async add(sources, options) {
        const tie = await save(session);
        for (const source of sources) bind(source, tie);
        return adder.add(sources, options);
      },
    }),
    isBound: (request) => tieOf(request) !== undefined,
  };
}

function tieOf({ userData }: Pick<Request, 'userData'>): Tie | undefined {
  return (userData as Corner).__crawlee?.surefootSession;
}

function bind(source: Source, tie: Tie): void {
  const { __crawlee, ...others } = (source.userData ?? {}) as Corner;
  const corner = { ...__crawlee, surefootSession: tie };
  if (source instanceof crawlee.Request) Object.assign((source.userData as Required<Corner>).__crawlee, corner);
  else source.userData = { ...others, __crawlee: corner };
}

/** It begins as the keys of Crawlee's session pools do, which hold the same. */
function keyOf({ id, stamp }: Tie): string {
  return `SESSIONS_FOLLOWED_${id}_${stamp}`;
}

function timeOf(stamp: string): number {
  return Number(stamp.split('-', 1)[0]);
}

/** A session's cookies, but for when each was asked for. */
function cookiesOf(session: Session): string {
  const { cookies } = session.getState().cookieJar;
  return JSON.stringify(cookies.map((cookie) => ({ ...cookie, creation: null, lastAccessed: null })));
}

function nameOf({ domain, path, key }: { domain: string | null; path: string | null; key: string }): string {
  return JSON.stringify([domain, path, key]);
}
