// Text, comments and the doctype, wherever they stand.
import { toBody } from './before-body.ts';
import type { Construction } from './construction.ts';
import { NeedsParse5 } from './sink.ts';
import { BLANK } from './tokens.ts';

const LEADING_BLANK = /^[\t\n\f ]+/;

export function text(page: Construction, data: string): void {
  let text = data;
  switch (page.mode) {
    case 'initial':
    case 'before-html':
    case 'before-head':
      text = text.replace(LEADING_BLANK, '');
      if (text === '') return;
      break;
    case 'in-head':
    case 'after-head': {
      const [blank = ''] = LEADING_BLANK.exec(text) ?? [];
      if (blank !== '') {
        if (page.mode === 'in-head') page.sink.text(blank);
        else page.afterHead.push(() => page.sink.text(blank));
        text = text.slice(blank.length);
      }
      if (text === '') return;
      break;
    }
    case 'in-table':
    case 'in-section':
    case 'in-row':
      if (!BLANK.test(text)) throw new NeedsParse5('text in a table');
      return page.sink.text(text);
    case 'in-colgroup': {
      const [blank = ''] = LEADING_BLANK.exec(text) ?? [];
      if (blank !== '') page.sink.text(blank);
      if (blank === text) return;
      throw new NeedsParse5('text in a colgroup');
    }
    case 'after-body':
      if (!BLANK.test(text)) page.resume();
      break;
    default:
      break;
  }
  toBody(page);
  page.formatting.reconstruct();
  if (page.framesetOk && !BLANK.test(text)) page.framesetOk = false;
  page.sink.text(text);
}

export function comment(page: Construction, text: string): void {
  if (page.mode === 'after-head') page.afterHead.push(() => page.sink.comment(text));
  else if (page.mode === 'after-body') (page.ended ? page.afterHtml : page.afterBody).push(text);
  else page.sink.comment(text);
}

export function doctype(page: Construction, text: string): void {
  if (page.mode !== 'initial') return;
  page.sink.doctype(text);
  page.quirks = quirksOf(text);
  page.mode = 'before-html';
}

/** Whether a `<table>` leaves the `<p>` open that it stands in; null where it would take the whole table of doctypes to say. */
function quirksOf(doctype: string): boolean | null {
  if (/^\s*html\s*(?:system\s+(?:"about:legacy-compat"|'about:legacy-compat')\s*)?$/i.test(doctype)) return false;
  if (/^\s*html\s+public\s+"-\/\/w3c\/\/dtd (?:xhtml 1\.[01]|html 4\.01)[^"]*"\s*"[^"]*"\s*$/i.test(doctype)) {
    return /ibm_xhtml/i.test(doctype);
  }
  return null;
}
