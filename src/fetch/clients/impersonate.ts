// The HTTP client of tier `impersonate`: impit, which shakes hands as Chrome or Firefox does, over TLS. In the clear there is
// no handshake to imitate, and the plain client's connections send a browser's headers more closely, so they do it there.
import { AsyncLocalStorage } from 'node:async_hooks';

import type { Impit } from 'impit';

import { messageOf, SurefootError } from '../../core/errors.ts';
import type { CountTraffic } from '../../core/proxy.ts';
import { TransportError } from '../../core/transport.ts';
import { PROFILES, toBrowserHeaders, toImpitHeaders, type Impersonated } from './browser-headers.ts';
import { DEFAULT_LIMITS, type Limits } from './faults.ts';
import { toAnswer } from './impit-answer.ts';
import { isBadHandshake, isNoAnswer, nameImpitFault } from './impit-faults.ts';
import { createImpitPool, type Exit } from './impit-pool.ts';
import { createLine, type Line } from './line.ts';
import type { Lines } from './lines.ts';
import { openLoopback, type Wire } from './loopback.ts';
import { createMeter } from './meter.ts';
import { parseProxyUrl, type ProxyAddress } from './proxy-address.ts';
import type { Reach } from './reach.ts';
import type { Answer, Outgoing } from './redirects.ts';
import { createStreamClient } from './stream-client.ts';
import type { Route, TierClient } from './tier-client.ts';
import { noTls } from './tunnel.ts';

/** As much of the package as is used. */
export interface ImpitModule {
  readonly Impit: typeof Impit;
}

export interface ImpersonateClientOptions {
  browser: Impersonated;
  limits?: Partial<Limits>;
  /** Sessions whose connections and TLS sessions are kept, at about 0.2 MB each. @default 100 */
  maxClients?: number;
  /** Told of each byte once: when an answer has ended, or its connection. */
  count?: CountTraffic;
  /** Where requests may go. @default anywhere */
  reach?: Reach | undefined;
  /** @default the package impit, an optional dependency */
  load?: () => Promise<ImpitModule>;
}

/** impit's own limit, which ours is always to come before. */
const GRACE_MILLIS = 5_000;

const DIRECT: Route = { tier: 'impersonate', proxy: 'none', sessionId: '' };
const ROTATING: Route = { ...DIRECT, proxy: 'rotating' };

/** A session's requests share its connections, directly or in proxy mode `sticky`; in the other modes each has its own.
 *  One browser a process: impit keeps the order of HTTP/2's pseudo-headers for all its clients together.
 *  Certificates are always verified, against the system's and those of SSL_CERT_FILE: NODE_EXTRA_CA_CERTS is Node's alone.
 *  Cookies are the caller's: impit has no jar.
 *  @throws {SurefootError} kind `input`: impit's native part is not there. The crawl can go on without this tier. */
export async function createImpersonateClient(options: ImpersonateClientOptions): Promise<TierClient> {
  const { browser, maxClients = 100, count, reach, load = () => import('impit') } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { Impit } = await loaded(load);
  const loopback = await openLoopback(limits);
  const pool = createImpitPool<ImpitExit>(maxClients);
  // A connection outlives the page that it was opened for, and must not keep that page's memory (its async context) alive.
  const inOwnContext = AsyncLocalStorage.snapshot();
  const http1Only = new Set<string>();
  let closed = false;

  const open = (proxyUrl: string | undefined, { proxy: mode }: Route): ImpitExit => {
    const proxy = proxyUrl === undefined ? null : parseProxyUrl(proxyUrl);
    const key = { tier: 'impersonate', proxy: mode } as const;
    const meter = createMeter(count, key);
    const wire = loopback.openWire({ proxy, meter, reach });
    let impit: Impit | undefined;
    let line: Line | undefined;
    const toLine = () => createLine({ limits, proxy, rejectUnauthorized: true, count, reach, key, http1Only, inOwnContext });
    return {
      proxy,
      wire,
      impit: () =>
        (impit ??= new Impit({
          browser: PROFILES[browser],
          proxyUrl: wire.url,
          followRedirects: false,
          timeout: limits.requestTimeoutMillis + GRACE_MILLIS,
        })),
      sendInTheClear: (outgoing, signal) => (line ??= toLine()).send(outgoing, signal),
      report(host) {
        meter.report(host);
        line?.report(host);
      },
      cut() {
        wire.cut();
        void line?.close();
      },
    };
  };

  const lines: Lines = {
    take({ proxyUrl, route = proxyUrl ? ROTATING : DIRECT }) {
      if (closed) throw new Error('The client is closed.');
      if (!proxyUrl && route.proxy !== 'none') {
        throw new Error(
          `A request in proxy mode "${route.proxy}" has no proxy: sent directly, it would show this machine's address.`,
        );
      }
      const isKept = !proxyUrl || route.proxy === 'sticky';
      const key = isKept ? JSON.stringify([proxyUrl, route.sessionId]) : null;
      const { exit, end } = pool.lease(key, () => open(proxyUrl, route));
      let whole = true;
      const onLeft = () => void (whole = false);
      return {
        line: {
          send({ headers, ...outgoing }, signal) {
            const asBrowser = { ...outgoing, headers: toBrowserHeaders(browser, headers) };
            if (outgoing.url.protocol === 'http:') return exit.sendInTheClear(asBrowser, signal);
            return sendByImpit(
              exit,
              { ...asBrowser, headers: toImpitHeaders(browser, asBrowser.headers) },
              { limits, signal, onLeft },
            );
          },
          report: exit.report,
          close: async () => exit.cut(),
        },
        leave: () => end(whole),
      };
    },
    async close() {
      closed = true;
      pool.cut();
      await loopback.close();
    },
  };
  return createStreamClient({ limits, lines, reach });
}

/** One way out of this machine, for one session or one request. */
interface ImpitExit extends Exit {
  readonly proxy: ProxyAddress | null;
  readonly wire: Wire;
  impit(): Impit;
  sendInTheClear(outgoing: Outgoing, signal: AbortSignal): Promise<Answer>;
  report(host: string): void;
}

interface SendOptions {
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Called when impit is left with something unanswered or unread. */
  readonly onLeft: () => void;
}

interface ImpitRequest extends Outgoing {
  readonly headers: Record<string, string>;
}

async function sendByImpit(
  { proxy, impit, wire }: ImpitExit,
  { url, method, headers, body }: ImpitRequest,
  options: SendOptions,
): Promise<Answer> {
  const { limits, signal, onLeft } = options;
  signal.throwIfAborted();
  const known = wire.faultOf(url);
  const { asked } = wire;
  // The user and the password are in a header by now; impit's messages repeat the URL.
  const address = new URL(url);
  address.username = address.password = '';
  const init = { method, headers, redirect: 'manual', ...(body !== undefined && { body: toBytes(body) }) };
  try {
    const response = await orAbort(impit().fetch(address.href, init as Parameters<Impit['fetch']>[1]), signal);
    return toAnswer(response, options);
  } catch (error) {
    onLeft();
    const fault = wire.faultOf(url);
    if (fault !== undefined && fault !== known) throw fault;
    const named = nameImpitFault(error, 'sending', limits);
    if (!(named instanceof TransportError)) throw named;
    if (named.fault === 'tls' && proxy && isBadHandshake(named)) throw noTls(proxy, `${url.hostname}:${url.port || 443}`, error);
    // It may be the rest of an earlier answer, and no fault of the page that was asked for since.
    if (named.fault === 'bad-answer' && wire.asked === asked && isNoAnswer(named)) {
      throw new TransportError('reset', 'The connection broke (what came was no answer).', { cause: error });
    }
    throw named;
  }
}

/** impit gives text a Content-Type of its own. */
function toBytes(body: NonNullable<Outgoing['body']>) {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

/** impit's own way would leave the request running, and tell nobody when it has ended. */
async function orAbort<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function loaded(load: () => Promise<ImpitModule>): Promise<ImpitModule> {
  try {
    return await load();
  } catch (cause) {
    const [reason] = messageOf(cause).trim().split('\n', 1);
    throw new SurefootError(
      'input',
      `Tier "impersonate" needs the package impit, and it could not be loaded on ${process.platform}-${process.arch} (${reason}). ` +
        'Optional dependencies may have been left out: run "npm install --include=optional", or leave the tier out of --tiers.',
      { cause },
    );
  }
}
