// Crawlee's CheerioCrawler, changed where it must be: the page is decoded as browsers do, parsed once, and every failure
// reaches the error handler with its own error.
import type { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

import {
  CheerioCrawler,
  cheerioCrawlerEnqueueLinks,
  type CheerioCrawlerOptions,
  type CheerioCrawlingContext,
  type EnqueueLinksOptions,
  type Request,
} from '@crawlee/cheerio';
import { load, type CheerioOptions } from 'cheerio';

import type { Dom } from '../core/page.ts';
import { decodeBody } from './decode.ts';

/** Judges a response before its body is parsed; throws what it means unless it is a page for the site's handler. */
export type Judge = (context: CheerioCrawlingContext) => Promise<void>;

export class HttpLaneCrawler extends CheerioCrawler {
  readonly #onParsing: (request: Request) => void;

  /** @param onParsing Told when a body is there and is to be parsed. */
  constructor(options: CheerioCrawlerOptions, judge: Judge, onParsing: (request: Request) => void = () => {}) {
    super(options);
    this.postNavigationHooks = [judge];
    this.#onParsing = onParsing;
  }

  /** The headers as the policy has put them in order (headers.ts): Crawlee would send the request's own before them. */
  protected override _getRequestOptions(...args: Parameters<CheerioCrawler['_getRequestOptions']>) {
    const [, , , prepared] = args;
    return { ...super._getRequestOptions(...args), headers: prepared?.headers };
  }

  /** Leaves the bytes as they are: `_parseHTML` knows more of their encoding than the header alone says. */
  protected override _encodeResponse(_request: Request, response: IncomingMessage) {
    return { response, encoding: 'utf8' as const };
  }

  /** Parses a page once: Crawlee builds a `dom`, and then a `$` from a second parse. */
  protected override async _parseHTML(response: IncomingMessage, isXml: boolean, context: CheerioCrawlingContext) {
    const bytes = await buffer(response);
    this.#onParsing(context.request);
    const body = decodeBody(bytes, response.headers['content-type']);
    // The options are Crawlee's: its link extraction expects htmlparser2's tree.
    const $ = load(body, { xmlMode: isXml, _useHtmlParser2: true } as CheerioOptions) as unknown as Dom;
    const { enqueueLinks, request } = context;
    return {
      body,
      $,
      get dom() {
        return $.root()[0] as never;
      },
      enqueueLinks: async (options?: EnqueueLinksOptions) =>
        cheerioCrawlerEnqueueLinks({
          ...(options && { options }),
          $,
          originalRequestUrl: request.url,
          ...(request.loadedUrl && { finalRequestUrl: request.loadedUrl }),
          enqueueLinks,
        }),
    };
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

/** The beginning of a body, as text; the rest is dropped with its connection unless it ends soon.
 *  @param maxBytes Read at most. */
export async function readBeginning(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as unknown as Readable) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= maxBytes) break;
    }
  } catch {
    // The status has said enough; how its body ended changes nothing.
  }
  return decodeBody(Buffer.concat(chunks), response.headers['content-type']);
}
