// How a page begins: what is open before the content of its body, though no tag says so.
// https://html.spec.whatwg.org/#the-initial-insertion-mode to "after head"
import { startInBody } from './body-start.ts';
import type { Construction, Mode } from './construction.ts';
import { HEAD_ENDS, IN_HEAD } from './names.ts';
import { NeedsParse5 } from './sink.ts';
import type { Attributes } from './tokens.ts';

export function toHead(page: Construction, attributes: Attributes = {}): void {
  toHtml(page);
  if (page.mode !== 'before-head') return;
  page.open.push('head', attributes);
  page.mode = 'in-head';
}

export function toHtml(page: Construction, attributes: Attributes = {}): void {
  if (page.mode !== 'initial' && page.mode !== 'before-html') return;
  page.open.push('html', attributes);
  page.mode = 'before-head';
}

/** Opens what has to be open before a body's content. */
export function toBody(page: Construction, attributes: Attributes = {}): void {
  if (BODY_MODES.has(page.mode)) return;
  toHead(page);
  if (page.mode === 'in-head' && page.open.top !== 'head') return;
  page.open.pop();
  for (const told of page.afterHead) told();
  page.open.push('body', attributes);
  page.mode = 'in-body';
}

export function startBeforeBody(page: Construction, name: string, attributes: Attributes): void {
  toHtml(page);
  if (name === 'head') {
    if (page.mode === 'before-head') toHead(page, attributes);
    return undefined;
  }
  toHead(page);
  if (name === 'body') {
    if (page.open.top !== 'head') throw new NeedsParse5('a body in the head');
    page.framesetOk = false;
    return toBody(page, attributes);
  }
  if (IN_HEAD.has(name)) {
    // After `</head>` too it goes into the head, and what stood after that stays after it.
    if (page.mode === 'after-head' && name === 'template') throw new NeedsParse5('a template after the head');
    return page.inHead(name, attributes);
  }
  if (name === 'frameset') throw new NeedsParse5('frameset');
  toBody(page);
  return startInBody(page, name, attributes);
}

export function endBeforeBody(page: Construction, name: string): void {
  switch (page.mode) {
    case 'initial':
    case 'before-html':
    case 'before-head':
      if (page.mode === 'initial') page.mode = 'before-html';
      if (!HEAD_ENDS.has(name)) return undefined;
      toHead(page);
      return page.end(name);
    case 'in-head':
      if (name === 'head') {
        page.mode = 'after-head';
        return undefined;
      }
      if (name === 'template' || !HEAD_ENDS.has(name)) return undefined;
      toBody(page);
      return page.end(name);
    case 'after-head':
      if (name === 'head' || !HEAD_ENDS.has(name)) return undefined;
      toBody(page);
      return page.end(name);
    default:
      return undefined;
  }
}

const BODY_MODES: ReadonlySet<Mode> = new Set<Mode>([
  'in-body',
  'after-body',
  'in-table',
  'in-section',
  'in-row',
  'in-cell',
  'in-caption',
  'in-colgroup',
]);
