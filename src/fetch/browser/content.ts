// Reads a page's document as text, with what Chromium shows of it and `outerHTML` leaves out: open shadow roots stand in their
// hosts, before the hosts' own children, and frames of the same origin that show behind their <iframe>.
//
// A root is written out as what it holds, not as <template shadowrootmode>: what stands in a template counts as nothing that
// can be read, by verdicts and by whoever calls `.text()`.

import { VerdictError } from '../../core/verdict.ts';
import { isBetween } from './apart.ts';
import type { Tab } from './tab.ts';
import { inTime, loaded } from './waits.ts';

/** @throws {Error} It broke off on its way. */
export async function readContent({ page, activity, apart }: Tab): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const html = await inTime(apart.evaluate<string>(DOCUMENT));
      if (activity.broken !== null) throw new Error(activity.broken);
      return html;
    } catch (error) {
      if (!isBetween(error)) throw error;
      if (tries === 5) throw new VerdictError('transient', 'The page goes from one document to another, and does not stay.');
      await loaded(page, activity);
    }
  }
}

/** An expression for the page. What needs nothing special is `outerHTML` at once: of most pages, all. */
const DOCUMENT = String.raw`(() => {
  const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;
  const RAW = /^(?:style|script|xmp|iframe|noembed|noframes|plaintext|noscript)$/;
  const LINKS = /^(?:href|src|action|poster|data)$/;
  const HTML = 'http://www.w3.org/1999/xhtml';
  const text = (value) => value.replace(/[&\u00a0<>]/g, (sign) => '&' + { '&': 'amp', '\u00a0': 'nbsp', '<': 'lt', '>': 'gt' }[sign] + ';');
  const quoted = (value) => value.replace(/[&\u00a0"]/g, (sign) => '&' + { '&': 'amp', '\u00a0': 'nbsp', '"': 'quot' }[sign] + ';');
  const frameBody = (element) => {
    if (element.localName !== 'iframe' || element.getClientRects().length === 0) return null;
    const body = element.contentDocument?.body;
    return body && (body.innerText.trim() !== '' || hidesMore(body)) ? body : null;
  };
  const hidesMore = (root) => [...root.querySelectorAll('*')].some((element) => element.shadowRoot || frameBody(element));
  const within = new Set();
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const inner = element.shadowRoot ?? frameBody(element);
      if (!inner) continue;
      look(inner);
      for (let node = element; node && !within.has(node); node = node.parentNode) within.add(node);
    }
  };
  const attribute = ({ name, value }, base) =>
    ' ' + name + '="' + quoted(base && LINKS.test(name) && value && value[0] !== '#' && URL.canParse(value, base) ? new URL(value, base).href : value) + '"';
  const children = (node, base) => Array.from(node.childNodes, (child) => outer(child, base)).join('');
  const outer = (node, base) => {
    if (node.nodeType === Node.TEXT_NODE) return RAW.test(node.parentNode.localName) ? node.data : text(node.data);
    if (node.nodeType === Node.COMMENT_NODE) return '<!--' + node.data + '-->';
    if (node.nodeType !== Node.ELEMENT_NODE) return '';
    if (base === null && !within.has(node)) return node.outerHTML;
    const name = node.namespaceURI === HTML ? node.localName : node.tagName;
    const start = '<' + name + Array.from(node.attributes, (each) => attribute(each, base)).join('') + '>';
    if (VOID.test(name)) return start;
    const frame = frameBody(node);
    if (frame) return start + '</' + name + '><div class="frame">' + children(frame, frame.baseURI) + '</div>';
    const root = node.shadowRoot;
    const shown = root ? Array.from(root.childNodes, (child) => (child.localName === 'style' ? '' : outer(child, base ?? ''))).join('') : '';
    // What a slot holds by itself is shown only while nothing is put into it.
    const own = name === 'slot' && node.assignedNodes?.().length > 0 ? '' : name === 'template' ? node.innerHTML : children(node, base);
    return start + shown + own + '</' + name + '>';
  };
  const doctype = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : '';
  const root = document.documentElement;
  if (!root) return doctype;
  try {
    if (document.contentType === 'text/html') look(document);
    return doctype + outer(root, null);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return doctype + root.outerHTML; // Too deep to be walked through.
  }
})()`;
