// A body as a document: its bytes, its text, and the tree that is only built when somebody asks for it.
import type { Readable } from 'node:stream';

import type { CheerioOptions } from 'cheerio';

import type { Dom, Page } from '../core/page.ts';
import { load } from './cheerio.ts';
import { decodeBody } from './decode.ts';
import { readFields } from './fields/read.ts';
import type { SimpleHeaders } from './clients/headers-of-answer.ts';

/** What is parsed. Anything else (JSON, text) has a text and an empty tree. */
const MARKUP = /^\s*(?:text\/html|text\/xml|application\/xhtml\+xml|application\/xml)(?:[;,\s]|$)/i;

export interface Document {
  /** Whether it is HTML or XML. */
  readonly isMarkup: boolean;
  /** The decoded text. */
  readonly text: string;
  /** The tree; parsed once, when it is first asked for. */
  readonly $: Dom;
  /** See Page. */
  readonly read: Page['read'];
}

/** @param contentType As it was sent; without one it is taken for HTML. */
export function openDocument(bytes: Buffer, contentType: string | undefined): Document {
  const isMarkup = contentType === undefined || MARKUP.test(contentType);
  const isXml = isMarkup && /xml/i.test(contentType?.split(';', 1)[0] ?? '');
  const text = decodeBody(bytes, contentType);
  const markup = openText(isMarkup ? text : '', isXml);
  return Object.assign(markup, { isMarkup, text });
}

/** Of markup that is a text already. */
export function openText(html: string, xmlMode = false): Pick<Document, '$' | 'read'> {
  let $: Dom | undefined;
  const tree = () => ($ ??= parse(html, xmlMode));
  return {
    get $() {
      return tree();
    },
    read: (declared) => readFields({ html, xmlMode, tree }, declared),
  };
}

/** The options are Crawlee's: its link extraction expects htmlparser2's tree. */
export function parse(html: string, xmlMode = false): Dom {
  return load(html, { xmlMode, _useHtmlParser2: true } as CheerioOptions) as unknown as Dom;
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
