// What a body is to be read as, by its Content-Type: the same for both lanes, and as browsers take it.

/** `html` and `xhtml` are pages, `xml` is a tree as well (a feed, a sitemap), `text` is plain text or JSON. */
export type Kind = 'html' | 'xhtml' | 'xml' | 'text' | 'other';

/** Browsers look into a body that comes with one of these, or with no type at all, and most often find a page.
 *  https://mimesniff.spec.whatwg.org/#supplied-mime-type-detection-algorithm */
const UNKNOWN = new Set(['unknown/unknown', 'application/unknown', '*/*']);
const READ = /^(?:text|application)\/(?:[\w.+-]+\+)?(xml|json)$/;

/** @param contentType As it was sent. What is no type (empty, `html`) counts as none. */
export function kindOf(contentType: string | readonly string[] | undefined): Kind {
  const [type = ''] = String(contentType ?? '')
    .trim()
    .toLowerCase()
    .split(/[;,\s]/, 1);
  if (type === 'text/html' || !type.includes('/') || UNKNOWN.has(type)) return 'html';
  if (type === 'application/xhtml+xml') return 'xhtml';
  if (type === 'text/plain') return 'text';
  const [, format] = READ.exec(type) ?? [];
  return format === undefined ? 'other' : format === 'xml' ? 'xml' : 'text';
}
