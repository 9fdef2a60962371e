// A page that sends its reader on: `<meta http-equiv="refresh">` and the Refresh header, as a browser reads them.
// https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
import { linkBaseOf, live, type LinkedDocument } from './base.ts';
import { resolveLink } from './resolve.ts';
import { isWeb } from './strategy.ts';

/** One that waits longer is a page to be read, and is read again or left after a while. */
const MAX_WAIT_SECONDS = 10;

/** How a refresh is declared. */
export interface Refresh {
  readonly seconds: number;
  /** Null: the page itself. */
  readonly href: string | null;
}

/** An answer with its document, as far as it says where to go on. */
export interface RefreshingPage {
  readonly document: LinkedDocument;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** After redirects. */
  readonly url: string;
}

/** Where a page sends its reader at once, without its fragment; null for one that is to be read. A page that reloads itself is,
 *  unless it has just set a cookie: then it may be another one. */
export function refreshOf({ document, headers, url }: RefreshingPage): string | null {
  const refresh = fromHeader(headers['refresh']) ?? fromMeta(document);
  if (refresh === null || refresh.seconds > MAX_WAIT_SECONDS) return null;
  const target = resolveLink(refresh.href ?? '', linkBaseOf(document, url));
  if (target === null || !isWeb(target)) return null;
  target.hash = '';
  const own = new URL(url);
  own.hash = '';
  const mayBeAnother = refresh.seconds === 0 && headers['set-cookie'] !== undefined;
  return target.href === own.href && !mayBeAnother ? null : target.href;
}

function fromHeader(value: string | string[] | undefined): Refresh | null {
  return value === undefined ? null : parseRefresh(String(Array.isArray(value) ? value[0] : value));
}

function fromMeta(document: LinkedDocument): Refresh | null {
  if (!document.isMarkup || !/http-equiv\s*=\s*["']?refresh/i.test(document.text)) return null;
  for (const { attribs } of live(document.$, 'meta[http-equiv][content]')) {
    const refresh = attribs['http-equiv']?.toLowerCase() === 'refresh' ? parseRefresh(attribs['content'] ?? '') : null;
    if (refresh !== null) return refresh;
  }
  return null;
}

/** The "shared declarative refresh steps". @returns Null for what declares none. */
export function parseRefresh(content: string): Refresh | null {
  const [, time, rest = ''] = /^[\t\n\f\r ]*(?:(\d+)|(?=\.))[\d.]*([^]*)$/.exec(content) ?? [];
  if (time === undefined && !/^[\t\n\f\r ]*\./.test(content)) return null;
  const seconds = Number(time ?? 0);
  if (rest === '') return { seconds, href: null };
  const separated = /^(?:[\t\n\f\r ]+[;,]?|[;,])[\t\n\f\r ]*([^]*)$/.exec(rest);
  if (separated === null) return null;
  const [, text = ''] = separated;
  if (text === '') return { seconds, href: null };
  return { seconds, href: unquoted(text) };
}

/** `url=` may be left out, and so may quotes; a quote ends what it has begun, where it is closed. */
function unquoted(text: string): string {
  const named = /^url[\t\n\f\r ]*=[\t\n\f\r ]*([^]*)$/i.exec(text);
  // What begins as the word and does not go on so is a URL by itself; one that begins with a quote is quoted.
  const href = named?.[1] ?? text;
  const [quote] = href;
  if (quote !== '"' && quote !== "'") return href;
  const end = href.indexOf(quote, 1);
  return end === -1 ? href.slice(1) : href.slice(1, end);
}
