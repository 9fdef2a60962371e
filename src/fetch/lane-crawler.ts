// Crawlee's CheerioCrawler with the way of one page through it made short: what a page costs besides its bytes and its
// handler is spent here (docs/decisions/011-short-way.md). Pool, sessions, statistics and the way of a failed attempt are
// Crawlee's own.
import type { Readable } from 'node:stream';

import type {
  CheerioCrawlerOptions,
  CheerioCrawlingContext,
  IRequestManager,
  ProxyInfo,
  Request,
  Session,
} from '@crawlee/cheerio';

import { toError } from '../core/errors.ts';
import { saysNothingOfSession, VerdictError } from '../core/verdict.ts';
import { crawlee } from '../crawlee.ts';
import type { RoutedRequest } from './clients/tier-client.ts';
import type { SimpleHeaders } from './clients/headers-of-answer.ts';
import { openDocument, readBody, type Document } from './document.ts';
import { assertStays } from './links/strategy.ts';
import { isBinary, isTyped } from './media-type.ts';
import { createSessionCookies } from './session-cookies.ts';

/** What has come back for a request, before its body is read. */
export interface Answer {
  readonly status: number;
  readonly headers: SimpleHeaders;
  /** After redirects. */
  readonly url: string;
  readonly stream: Readable;
}

/** One attempt at a page, as far as it has come. */
export interface Attempt {
  readonly request: Request;
  readonly session: Session | undefined;
  readonly proxyInfo: ProxyInfo | undefined;
}

/** An attempt whose page is there. */
export interface FetchedAttempt extends Attempt, Pick<CheerioCrawlingContext, 'log'> {
  readonly answer: Answer;
  readonly document: Document;
}

/** What the lane does with one attempt, in this order. Whatever throws ends it. */
export interface LaneWork {
  /** The session of a request; left out: any of the pool's. */
  sessionOf?: ((request: Request) => Promise<Session>) | undefined;
  /** What the request is sent with. `headersAt` is asked again for each address that a redirect leads to. */
  prepare(attempt: Attempt): Promise<Pick<RoutedRequest, 'route' | 'from' | 'onSent' | 'onHop'> & { headersAt: HeadersAt }>;
  /** Where a page sends its reader at once; null for one that is to be handled. */
  next(fetched: FetchedAttempt): Promise<string | null>;
  /** Judges an answer before its body is read; throws what it means unless it is a page for the site's handler. */
  judge(attempt: Attempt, answer: Answer): Promise<void>;
  /** Told when a body is there. */
  onBody(request: Request): void;
  handle(attempt: FetchedAttempt): Promise<void>;
  /** Told when the handler is over, or is not waited for any more. */
  settle(request: Request): void;
}

/** Pages that may send a reader on, one after the other. */
const MAX_REFRESHES = 5;

/** The headers of a request to a URL, but for the session's cookies. */
type HeadersAt = (url: string) => Record<string, string>;

export class HttpLaneCrawler extends crawlee.CheerioCrawler {
  readonly #work: LaneWork;
  readonly #cookies: ReturnType<typeof createSessionCookies>;

  constructor(options: CheerioCrawlerOptions, work: LaneWork) {
    super(options);
    this.#work = work;
    this.#cookies = createSessionCookies(work.sessionOf !== undefined);
  }

  /** One page from its hand-out to its commit. */
  protected override async _runTaskFunction(): Promise<void> {
    const source = this.requestManager as IRequestManager;
    const request = await source.fetchNextRequest();
    if (!request) return;
    let session: Session | undefined;
    delete request.loadedUrl; // An old one is not carried over to retries.
    const id = request.id ?? request.uniqueKey;
    this.stats.startJob(id);
    // What Crawlee's error handling reads of a context.
    const context = { id, crawler: this, log: this.log, request } as unknown as CheerioCrawlingContext;
    try {
      session = await (this.#work.sessionOf?.(request) ?? this.sessionPool?.getSession());
      if (session) context.session = session;
      request.state = crawlee.RequestState.BEFORE_NAV;
      await this.#attempt(request, session);
      await this.#land(source, request);
      this.stats.finishJob(id, request.retryCount);
      request.state = crawlee.RequestState.DONE;
      session?.markGood();
    } catch (error) {
      request.state = crawlee.RequestState.ERROR_HANDLER;
      await this.#fail(toError(error), context, source);
      request.state = crawlee.RequestState.DONE;
      if (!saysNothingOfSession(error)) session?.markBad();
    }
  }

  async #attempt(request: Request, session: Session | undefined): Promise<void> {
    const proxyInfo = await this.proxyConfiguration?.newProxyInfo(session?.id, { request });
    const attempt: Attempt = { request, session, proxyInfo };
    const limit = this.navigationTimeoutMillis;
    const fetched = await within(limit, `request timed out after ${limit / 1_000} seconds.`, this.#fetch(attempt));
    try {
      assertStays(request);
      request.state = crawlee.RequestState.REQUEST_HANDLER;
      const handlerLimit = this.userRequestHandlerTimeoutMillis;
      const late = `requestHandler timed out after ${handlerLimit / 1_000} seconds.`;
      await within(handlerLimit, late, this.#work.handle(fetched));
      request.state = crawlee.RequestState.DONE;
    } finally {
      this.#work.settle(request);
      fetched.document.release();
    }
  }

  /** A page that sends its reader on is followed as a redirect is. */
  async #fetch(attempt: Attempt): Promise<FetchedAttempt> {
    const { request } = attempt;
    const prepared = await this.#work.prepare(attempt);
    const payload = /^(?:PATCH|POST|PUT)$/.test(request.method) && { body: request.payload ?? '' };
    let fetched = await this.#ask(attempt, prepared, { url: request.url, method: request.method, ...payload });
    // One that leads in a circle shows its pages by turns.
    const seen = new Set<string>();
    for (let next = await this.#work.next(fetched); next !== null; next = await this.#work.next(fetched)) {
      if (seen.has(next) || seen.size === MAX_REFRESHES) break;
      seen.add(next);
      fetched.document.release();
      fetched = await this.#ask(attempt, prepared, { url: next, method: 'GET', from: fetched.answer.url });
    }
    return fetched;
  }

  async #ask(
    attempt: Attempt,
    { headersAt, ...prepared }: Awaited<ReturnType<LaneWork['prepare']>>,
    what: Pick<RoutedRequest, 'url' | 'body' | 'from'> & { url: string; method: string },
  ): Promise<FetchedAttempt> {
    const { request, session, proxyInfo } = attempt;
    const withCookies = (url: string) => this.#cookies.put(headersAt(url), session, url);
    const sent: RoutedRequest = {
      ...prepared,
      ...what,
      method: what.method as NonNullable<RoutedRequest['method']>,
      headers: withCookies(what.url),
      ...(proxyInfo && { proxyUrl: proxyInfo.url }),
    };
    const {
      stream,
      statusCode,
      headers: answered,
      url,
    } = await this.httpClient.stream(sent, (redirect, next) => {
      this.#cookies.take(session, redirect.headers, redirect.url);
      next.headers = withCookies(String(next.url));
    });
    const answer: Answer = { status: statusCode, headers: answered, url, stream };
    request.loadedUrl = answer.url;
    // Those of a refusal too: the next try is known by them.
    this.#cookies.take(session, answered, answer.url);
    request.state = crawlee.RequestState.AFTER_NAV;
    await this.#work.judge(attempt, answer);
    const bytes = await readBody(stream);
    this.#work.onBody(request);
    const type = answered['content-type']?.toString();
    if (!isTyped(type) && isBinary(bytes))
      throw new VerdictError('fatal', 'It has no type, and is no text.', { status: statusCode });
    const document = openDocument(bytes, type, answer.url);
    return { ...attempt, answer, document, log: this.log };
  }

  /** A commit that fails is tried again, as Crawlee does it. */
  async #land(source: IRequestManager, request: Request): Promise<void> {
    try {
      await source.markRequestHandled(request);
    } catch {
      const what = `Marking request ${request.url} as handled timed out.`;
      await this._timeoutAndRetry(async () => source.markRequestHandled(request), this.internalTimeoutMillis, what);
    }
  }

  async #fail(error: Error, context: CheerioCrawlingContext, source: IRequestManager): Promise<void> {
    try {
      await this._requestFunctionErrorHandler(error, context, source);
    } catch (second) {
      this.log.exception(second as Error, 'The failure of a page could not be noted, so the crawl ends.');
      throw second;
    }
  }

  /** Crawlee would wrap every broken connection in an error without its code, as a proxy's fault. */
  protected override isProxyError(): boolean {
    return false;
  }

  /** Whether to try again is for the error handler alone (fetch/outcome.ts); Crawlee would not even ask it for some errors. */
  protected override _canRequestBeRetried(): boolean {
    return true;
  }
}

/** Crawlee's own (`addTimeoutToPromise`) opens an async context and an AbortController for each; there were six a page. */
async function within<T>(millis: number, message: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), millis);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
