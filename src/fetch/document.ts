// A body as a document: its bytes, its text, and the tree that is only built when somebody asks for it.
import type { Readable } from 'node:stream';

import type { CheerioOptions } from 'cheerio';

import { SurefootError } from '../core/errors.ts';
import type { Dom, Page } from '../core/page.ts';
import { load } from './cheerio.ts';
import { decode, decodeBody, encodingOf } from './decode.ts';
import { readFields } from './fields/read.ts';
import { buildTree } from './html/tree.ts';
import { withoutEntities } from './html/xml-entities.ts';
import type { SimpleHeaders } from './clients/headers-of-answer.ts';
import { kindOf } from './media-type.ts';

export interface Document {
  /** Whether it is HTML or XML. Anything else (JSON, text) has a text and an empty tree. */
  readonly isMarkup: boolean;
  /** The decoded text. */
  readonly text: string;
  /** What it was decoded from, by its name in the Encoding standard; the queries of its links are in it. */
  readonly encoding: string;
  /** The tree; parsed once, when it is first asked for. */
  readonly $: Dom;
  /** See Page. */
  readonly read: Page['read'];
  /** Lets go of text and tree; whoever asks for them after that is refused. To be called when the page is over: promises that
   *  have waited for it are in V8's old generation, and keep what they resolved with alive until that is collected, long after
   *  they are gone themselves. */
  release(): void;
}

/** A feed, though it is sent as HTML. https://mimesniff.spec.whatwg.org/#rules-for-distinguishing-if-a-resource-is-a-feed-or-html */
const FEED = /^\s*(?:<[?!][^>]*>\s*)*<(?:rss|feed|rdf:RDF)[\s>]/;

/** @param contentType As it was sent.
 *  @param url Its own, as a hint at its language. */
export function openDocument(bytes: Buffer, contentType: string | undefined, url?: string): Document {
  const kind = kindOf(contentType);
  const encoding = encodingOf(bytes, contentType, url);
  const text = decode(bytes, encoding);
  const xmlMode = kind === 'xhtml' || kind === 'xml' || (kind === 'html' && FEED.test(text));
  return openText(text, { isMarkup: kind === 'html' || xmlMode, xmlMode, encoding });
}

/** Of a text that is decoded already. */
export function openText(text: string, { isMarkup = true, xmlMode = false, encoding = 'utf-8' } = {}): Document {
  return new OpenDocument(text, isMarkup, xmlMode, encoding);
}

/** A class, for an object literal's getters are made anew with each object, and in V8's old generation: there they kept every
 *  page's text alive until that was collected. */
class OpenDocument implements Document {
  readonly isMarkup: boolean;
  readonly encoding: string;
  readonly #xmlMode: boolean;
  #held: string | null;
  #tree: Dom | null = null;

  constructor(text: string, isMarkup: boolean, xmlMode: boolean, encoding: string) {
    this.#held = text;
    this.encoding = encoding;
    this.isMarkup = isMarkup;
    this.#xmlMode = xmlMode;
  }

  get text(): string {
    if (this.#held === null)
      throw new SurefootError('site', 'A page was read after it was over. Await all that its handler begins.');
    return this.#held;
  }

  get $(): Dom {
    return (this.#tree ??= parse(this.#markup, this.#xmlMode));
  }

  get #markup(): string {
    return this.isMarkup ? this.text : '';
  }

  // Handed on by itself.
  readonly read: Page['read'] = (declared) =>
    readFields({ html: this.#markup, xmlMode: this.#xmlMode, tree: () => this.$ }, declared);

  release(): void {
    this.#held = null;
    // Cheerio makes a class for each tree, and a class is kept like a getter.
    const root = this.#tree?.root().get(0);
    if (root) root.children = [];
    this.#tree = null;
  }
}

/** The tree that the HTML standard makes of a page, as it is where no script runs: `<noscript>` has what it says, as elements.
 *  XML is read leniently, and may have HTML's named entities. The options are Crawlee's: its link extraction expects them. */
export function parse(html: string, xmlMode = false): Dom {
  const options = { xmlMode, _useHtmlParser2: true } as CheerioOptions;
  return load(xmlMode ? withoutEntities(html) : buildTree(html), options) as unknown as Dom;
}

/** The whole of a body. Node's own `buffer()` takes the way over a Blob, which is three times as slow. */
export async function readBody(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** The beginning of a body, as text; the rest is dropped with its connection unless it ends soon.
 *  @param maxBytes Read at most. */
export async function readBeginning(stream: Readable, headers: SimpleHeaders, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= maxBytes) break;
    }
  } catch {
    // The status has said enough; how its body ended changes nothing.
  }
  return decodeBody(Buffer.concat(chunks), headers['content-type']?.toString());
}
