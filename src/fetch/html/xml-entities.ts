// XHTML may name the characters that HTML has names for; an XML parser knows five of them.
// https://html.spec.whatwg.org/multipage/xhtml.html#parsing-xhtml-documents
import { decodeText } from '../cheerio.ts';

const NAMED = /&(?!(?:amp|lt|gt|quot|apos);)[a-z][a-z\d]*;/i;
const PARTS = /<!\[CDATA\[[^]*?(?:\]\]>|$)|<!--[^]*?(?:-->|$)|&(?!(?:amp|lt|gt|quot|apos);)[a-z][a-z\d]*;/gi;

/** The same document with its named characters as numbers. What stands in CDATA and comments is left as it is. */
export function withoutEntities(xml: string): string {
  if (!NAMED.test(xml)) return xml;
  return xml.replaceAll(PARTS, (part) => {
    if (!part.startsWith('&')) return part;
    const decoded = decodeText(part);
    return decoded === part ? part : Array.from(decoded, (char) => `&#${char.codePointAt(0)};`).join('');
  });
}
