// Crawlee's PlaywrightCrawler, changed where it must be. Loads Crawlee's browser packages, so it is itself loaded when the
// first page needs a browser (load-crawler.ts).
import {
  PlaywrightCrawler,
  type PlaywrightCrawlerOptions,
  type PlaywrightCrawlingContext,
  type Request,
} from '@crawlee/playwright';
import type { Response } from 'playwright';

import { toError } from '../../core/errors.ts';
import { saysNothingOfSession } from '../../core/verdict.ts';
import { assertStays } from '../links/strategy.ts';

/** What the crawler does with one attempt at a page, in this order. */
export interface LaneWork {
  /** Before there is a page: what forbids a request must not cost a browser. */
  prepare(context: PlaywrightCrawlingContext): Promise<void>;
  /** Opens the page and brings it to where it is read. */
  visit(context: PlaywrightCrawlingContext): Promise<Response | null>;
  /** An error of any step, as one that carries its verdict. */
  explain(error: unknown): unknown;
  /** The handler is over, or is not waited for any more. */
  settle(context: PlaywrightCrawlingContext): void;
  /** Whatever happened. */
  end(context: PlaywrightCrawlingContext): Promise<void>;
}

type Base = PlaywrightCrawler;

export class BrowserLaneCrawler extends PlaywrightCrawler {
  readonly #work: LaneWork;

  constructor(options: PlaywrightCrawlerOptions, work: LaneWork) {
    super(options);
    this.#work = work;
  }

  /** @param pageId As the browser pool's hooks are given it. */
  contextOf(pageId: string): PlaywrightCrawlingContext | undefined {
    return this.crawlingContexts.get(pageId);
  }

  protected override async _runRequestHandler(context: PlaywrightCrawlingContext): Promise<void> {
    try {
      await this.#work.prepare(context);
      await super._runRequestHandler(context);
    } catch (error) {
      throw toError(this.#work.explain(error));
    } finally {
      this.#work.settle(context);
    }
  }

  /** Crawlee would skip the page without a word. */
  protected override requestMatchesEnqueueStrategy(request: Request): boolean {
    assertStays(request);
    return true;
  }

  protected override async _navigationHandler(context: PlaywrightCrawlingContext): Promise<Response | null> {
    return this.#work.visit(context);
  }

  /** Cookies go both ways in cookies.ts. */
  protected override async _applyCookies(): Promise<void> {}

  /** A browser belongs to no session and to no proxy: each page's context does. */
  protected override async _extendLaunchContext(): Promise<void> {}

  /** The pool would go on giving out a browser that is gone, and each time a page would fail. */
  protected override _maybeAddSessionRetiredListener(
    ...[, controller]: Parameters<Base['_maybeAddSessionRetiredListener']>
  ): void {
    controller.browser.on('disconnected', () => this.browserPool.retireBrowserController(controller));
  }

  protected override async _requestFunctionErrorHandler(
    ...[error, context, source]: Parameters<Base['_requestFunctionErrorHandler']>
  ): Promise<void> {
    await super._requestFunctionErrorHandler(error, context, source);
    // What comes next is Crawlee's `context.session?.markBad()`, whatever the failure; three of those end a session.
    if (saysNothingOfSession(error)) delete context.session;
  }

  protected override async _cleanupContext(context: PlaywrightCrawlingContext): Promise<void> {
    // An attempt that ran out of time while its page was being made has not been given it.
    const page = (context.page as typeof context.page | undefined) ?? this.browserPool.getPage(context.id);
    if (page) {
      await super._cleanupContext({ ...context, page });
      if (!page.isClosed()) this.browserPool.retireBrowserByPage(page);
    }
    await this.#work.end(context);
  }

  /** Crawlee would wrap every broken connection in an error without its code, as a proxy's fault. */
  protected override isProxyError(): boolean {
    return false;
  }

  /** Whether to try again is for the error handler alone (fetch/outcome.ts). */
  protected override _canRequestBeRetried(): boolean {
    return true;
  }
}
