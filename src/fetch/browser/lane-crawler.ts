// Crawlee's BasicCrawler around visits in a browser. Its own PlaywrightCrawler opens a page for each request, and by its pool
// a context too; here tabs are lent and used again (tabs.ts). Loaded when the first page needs a browser.
import type { BasicCrawler, BasicCrawlerOptions, CrawlingContext, ProxyInfo, Session } from '@crawlee/cheerio';

import { toError } from '../../core/errors.ts';
import { saysNothingOfSession } from '../../core/verdict.ts';
import { crawlee } from '../../crawlee.ts';
import { assertStays } from '../links/strategy.ts';

/** One attempt at a page, as the crawler knows it. */
export interface Attempt extends CrawlingContext {
  proxyInfo?: ProxyInfo;
}

/** What the crawler does with one attempt at a page, in this order. */
export interface LaneWork<Visit> {
  /** Before there is a page: what forbids a request must not cost a browser. */
  prepare(attempt: Attempt): Promise<void>;
  /** The session of a request; left out: any that is free. */
  sessionOf?: ((request: Attempt['request']) => Promise<Session>) | undefined;
  /** Opens the page, reads it, and leaves it. */
  visit(attempt: Attempt): Promise<Visit>;
  handle(attempt: Attempt, visit: Visit): Promise<void>;
  /** An error of any step, as one that carries its verdict. */
  explain(error: unknown): unknown;
  /** The handler is over, or is not waited for any more. */
  settle(attempt: Attempt): void;
  /** The crawl is over. */
  close(): Promise<void>;
}

export interface LaneLimits {
  readonly visitSecs: number;
  readonly handlerSecs: number;
}

export class BrowserLaneCrawler<Visit> extends crawlee.BasicCrawler {
  readonly #work: LaneWork<Visit>;
  readonly #limits: LaneLimits;
  readonly #visited = new Set<Session>();

  constructor(options: Omit<BasicCrawlerOptions, 'requestHandlerTimeoutSecs'>, work: LaneWork<Visit>, limits: LaneLimits) {
    super({ ...options, requestHandlerTimeoutSecs: 2 * (limits.visitSecs + limits.handlerSecs) });
    this.#work = work;
    this.#limits = limits;
  }

  protected override async _runRequestHandler(attempt: Attempt): Promise<void> {
    const { request } = attempt;
    const { visitSecs, handlerSecs } = this.#limits;
    try {
      await this.#work.prepare(attempt);
      request.state = crawlee.RequestState.BEFORE_NAV;
      const session = await (this.#work.sessionOf?.(request) ?? this.#freeSession(attempt));
      if (session) attempt.session = session;
      if (session) this.#visited.add(session);
      const visit = await within(visitSecs, `The visit took more than ${visitSecs} s.`, this.#work.visit(attempt)).finally(() => {
        if (session) this.#visited.delete(session);
      });
      assertStays(request);
      request.state = crawlee.RequestState.REQUEST_HANDLER;
      await within(handlerSecs, `requestHandler timed out after ${handlerSecs} seconds.`, this.#work.handle(attempt, visit));
    } catch (error) {
      throw toError(this.#work.explain(error));
    } finally {
      this.#work.settle(attempt);
    }
  }

  /** Crawlee takes any session; one that no page is open for has a tab that waits. */
  async #freeSession(attempt: Attempt): Promise<Session | undefined> {
    const { session } = attempt;
    if (!session || !this.#visited.has(session)) return session;
    const free = this.sessionPool?.['sessions'].find((each) => !this.#visited.has(each) && each.isUsable());
    if (free) attempt.session = free;
    return free ?? session;
  }

  protected override async _requestFunctionErrorHandler(
    ...[error, attempt, source]: Parameters<BasicCrawler['_requestFunctionErrorHandler']>
  ): Promise<void> {
    await super._requestFunctionErrorHandler(error, attempt, source);
    // What comes next is Crawlee's `context.session?.markBad()`, whatever the failure; three of those end a session.
    if (saysNothingOfSession(error)) delete attempt.session;
  }

  /** Crawlee would wrap every broken connection in an error without its code, as a proxy's fault. */
  protected override isProxyError(): boolean {
    return false;
  }

  /** Whether to try again is for the error handler alone (fetch/outcome.ts). */
  protected override _canRequestBeRetried(): boolean {
    return true;
  }

  override async teardown(): Promise<void> {
    await this.#work.close();
    await super.teardown();
  }
}

async function within<T>(secs: number, message: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), secs * 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
