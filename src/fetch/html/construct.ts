// The HTML standard's tree construction for pages of which nothing has to be moved once it stands: they are told as a run of
// events, in the order of the tree. Of any other page the pass says so where it comes to it, and parse5 builds the tree.
// https://html.spec.whatwg.org/#tree-construction
import { endBeforeBody, startBeforeBody, toBody, toHtml } from './before-body.ts';
import { endInBody } from './body-end.ts';
import { startInBody } from './body-start.ts';
import { Construction } from './construction.ts';
import { foreign } from './foreign.ts';
import { TABLE_PARTS, TABLE_SCOPE } from './names.ts';
import { NeedsParse5, type Sink } from './sink.ts';
import {
  closeCaption,
  closeCell,
  endInCell,
  endInRow,
  endInSection,
  endInTable,
  startInRow,
  startInSection,
  startInTable,
} from './table.ts';
import { comment, doctype, text } from './text.ts';
import type { Attributes } from './tokens.ts';

/** @param html As it was decoded. @throws {NeedsParse5} */
export function construct(html: string, sink: Sink): void {
  if (html.includes('\0')) throw new NeedsParse5('NUL');
  new ByMode(html.includes('\r') ? html.replaceAll(/\r\n?/g, '\n') : html, sink).run();
}

class ByMode extends Construction {
  readonly #inside: boolean;

  /** @param inside It is the content of an element that is open already. */
  constructor(html: string, sink: Sink, inside = false) {
    super(html, sink);
    this.#inside = inside;
    if (!inside) return;
    this.open.frames.push({ name: 'body', formatting: null, space: 'html' });
    this.mode = 'in-body';
  }

  run(): void {
    const tokens = this.tokens;
    for (;;) {
      const top = this.open.frames.at(-1);
      const isForeign = top !== undefined && top.space !== 'html';
      const kind = tokens.next(isForeign);
      if (kind === 'eof') break;
      if (isForeign) foreign(this, top);
      else if (kind === 'text') text(this, tokens.data);
      else if (kind === 'comment') comment(this, tokens.data);
      else if (kind === 'doctype') doctype(this, tokens.data);
      else if (kind === 'start') this.start(tokens.name, tokens.attributes);
      else this.end(tokens.name);
    }
    this.#finish();
  }

  #finish(): void {
    while (this.open.templates > 0) endInBody(this, 'template');
    toBody(this);
    while (this.open.frames.length > 1) this.open.pop();
    if (this.#inside) return;
    for (const text of this.afterBody) this.sink.comment(text);
    this.open.pop();
    for (const text of this.afterHtml) this.sink.comment(text);
  }

  start(name: string, attributes: Attributes): void {
    if (name === 'html') {
      if (this.open.frames.length === 0) return toHtml(this, attributes);
      if (Object.keys(attributes).length > 0) throw new NeedsParse5('a second html');
      return undefined;
    }
    switch (this.mode) {
      case 'in-table':
        return startInTable(this, name, attributes);
      case 'in-section':
        return startInSection(this, name, attributes);
      case 'in-row':
        return startInRow(this, name, attributes);
      case 'in-cell':
        if (!TABLE_PARTS.has(name)) break;
        if (this.open.templates > 0 && !this.open.inScope('td', TABLE_SCOPE) && !this.open.inScope('th', TABLE_SCOPE))
          return undefined;
        closeCell(this);
        return this.start(name, attributes);
      case 'in-caption':
        if (!TABLE_PARTS.has(name)) break;
        closeCaption(this);
        return this.start(name, attributes);
      case 'in-colgroup':
        if (name === 'col') return this.leaf(name, attributes);
        if (name === 'template') break;
        this.open.pop();
        this.mode = 'in-table';
        return this.start(name, attributes);
      case 'after-body':
        this.resume();
        break;
      case 'in-body':
        break;
      default:
        return startBeforeBody(this, name, attributes);
    }
    return startInBody(this, name, attributes);
  }

  end(name: string): void {
    switch (this.mode) {
      case 'initial':
      case 'before-html':
      case 'before-head':
      case 'in-head':
      case 'after-head':
        return endBeforeBody(this, name);
      case 'after-body':
        if (name === 'html') {
          this.ended = true;
          return undefined;
        }
        this.resume();
        return endInBody(this, name);
      case 'in-table':
        return endInTable(this, name);
      case 'in-section':
        return endInSection(this, name);
      case 'in-row':
        return endInRow(this, name);
      case 'in-cell':
        return endInCell(this, name);
      case 'in-caption':
        if (name === 'caption' || name === 'table') {
          closeCaption(this);
          if (name === 'table') this.end(name);
          return undefined;
        }
        if (name === 'body' || name === 'html' || TABLE_PARTS.has(name)) return undefined;
        return endInBody(this, name);
      case 'in-colgroup':
        if (name === 'col') return undefined;
        this.open.pop();
        this.mode = 'in-table';
        return name === 'colgroup' ? undefined : this.end(name);
      default:
        return endInBody(this, name);
    }
  }

  constructInside(html: string): void {
    new ByMode(html, this.sink, true).run();
  }
}
