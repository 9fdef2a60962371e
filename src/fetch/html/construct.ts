// The HTML standard's tree construction for pages of which nothing has to be moved once it stands: they are told as a run of
// events, in the order of the tree. Of any other page the pass says so where it comes to it, and parse5 builds the tree.
// https://html.spec.whatwg.org/#tree-construction
import {
  BLOCKS,
  BUTTON_SCOPE,
  ENDS_BLOCK,
  FORMATTING,
  HEADINGS,
  IMPLIED_END,
  IN_HEAD,
  IN_TABLE_ONLY,
  LIST_SCOPE,
  SCOPE,
  SECTIONS,
  SPECIAL,
  TABLE_PARTS,
  TABLE_SCOPE,
  VOID,
} from './names.ts';
import { Tokens, type Attributes } from './tokens.ts';

/** Is told of a tree from its beginning to its end. */
export interface Sink {
  open(name: string, attributes: Attributes): void;
  text(text: string): void;
  close(): void;
  comment(text: string): void;
  doctype(text: string): void;
}

/** A page of which something must be moved. */
export class NeedsParse5 extends Error {}

type Mode =
  | 'initial'
  | 'before-html'
  | 'before-head'
  | 'in-head'
  | 'after-head'
  | 'in-body'
  | 'after-body'
  | 'in-table'
  | 'in-section'
  | 'in-row'
  | 'in-cell'
  | 'in-caption'
  | 'in-colgroup';

interface Formatting {
  readonly name: string;
  readonly attributes: Attributes;
  open: boolean;
  listed: boolean;
}

interface Frame {
  readonly name: string;
  readonly formatting: Formatting | null;
  readonly space: 'html' | 'svg' | 'math';
}

const BLANK = /^[\t\n\f ]*$/;
const LEADING_BLANK = /^[\t\n\f ]+/;
const TEXT_ONLY = new Set(['title', 'desc', 'foreignobject', 'mi', 'mo', 'mn', 'ms', 'mtext', 'annotation-xml']);

/** @param html As it was decoded. @throws {NeedsParse5} */
export function construct(html: string, sink: Sink): void {
  if (html.includes('\0')) throw new NeedsParse5('NUL');
  new Construction(html.includes('\r') ? html.replaceAll(/\r\n?/g, '\n') : html, sink).run();
}

class Construction {
  readonly #tokens: Tokens;
  readonly #sink: Sink;
  readonly #inside: boolean;
  readonly #stack: Frame[] = [];
  /** Null is a marker. */
  readonly #formatting: (Formatting | null)[] = [];
  readonly #open = new Map<string, number>();
  #mode: Mode = 'initial';
  #quirks: boolean | null = true;
  #form = false;
  #templates = 0;
  #framesetOk = true;
  /** `</head>` has been, and what came after it and before the body. */
  #afterHead: (() => void)[] = [];
  #afterBody: string[] = [];
  #afterHtml: string[] = [];
  #ended = false;

  /** @param inside It is the content of an element that is open already. */
  constructor(html: string, sink: Sink, inside = false) {
    this.#tokens = new Tokens(html);
    this.#sink = sink;
    this.#inside = inside;
    if (!inside) return;
    this.#stack.push({ name: 'body', formatting: null, space: 'html' });
    this.#mode = 'in-body';
  }

  run(): void {
    const tokens = this.#tokens;
    for (;;) {
      const top = this.#stack.at(-1);
      const foreign = top !== undefined && top.space !== 'html';
      const kind = tokens.next(foreign);
      if (kind === 'eof') break;
      if (foreign) this.#foreign(top);
      else if (kind === 'text') this.#text(tokens.data);
      else if (kind === 'comment') this.#comment(tokens.data);
      else if (kind === 'doctype') this.#doctype(tokens.data);
      else if (kind === 'start') this.#start(tokens.name, tokens.attributes);
      else this.#end(tokens.name);
    }
    this.#finish();
  }

  #finish(): void {
    while (this.#templates > 0) this.#endInBody('template');
    this.#toBody();
    while (this.#stack.length > 1) this.#pop();
    if (this.#inside) return;
    for (const text of this.#afterBody) this.#sink.comment(text);
    this.#pop();
    for (const text of this.#afterHtml) this.#sink.comment(text);
  }

  // -- the stack of open elements ----------------------------------------------------------------------------------------

  #push(name: string, attributes: Attributes, formatting: Formatting | null = null, space: Frame['space'] = 'html'): void {
    this.#sink.open(name, attributes);
    this.#stack.push({ name, formatting, space });
    if (space === 'html') this.#open.set(name, (this.#open.get(name) ?? 0) + 1);
  }

  #pop(): void {
    const frame = this.#stack.pop();
    if (frame === undefined) return;
    if (frame.space === 'html') this.#open.set(frame.name, (this.#open.get(frame.name) ?? 1) - 1);
    if (frame.formatting) frame.formatting.open = false;
    if (frame.name === 'template' && frame.space === 'html') this.#templates -= 1;
    this.#sink.close();
  }

  get #top(): string {
    return this.#stack.at(-1)?.name ?? '';
  }

  #isOpen(name: string): boolean {
    return (this.#open.get(name) ?? 0) > 0;
  }

  #popUntil(name: string): void {
    while (this.#stack.length > 0 && this.#top !== name) this.#pop();
    this.#pop();
  }

  #popTo(names: ReadonlySet<string>): void {
    while (!names.has(this.#top) && !TABLE_ROOT.has(this.#top)) this.#pop();
  }

  #inScope(name: string, barriers = SCOPE): boolean {
    if (!this.#isOpen(name)) return false;
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const { name: open } = this.#stack[at] as Frame;
      if (open === name) return true;
      if (barriers.has(open)) return false;
    }
    return false;
  }

  #impliedEnds(except = ''): void {
    while (IMPLIED_END.has(this.#top) && this.#top !== except) this.#pop();
  }

  #closeP(): void {
    if (!this.#inScope('p', BUTTON_SCOPE)) return;
    this.#impliedEnds('p');
    this.#popUntil('p');
  }

  // -- the list of active formatting elements ----------------------------------------------------------------------------

  #reconstruct(): void {
    const list = this.#formatting;
    let at = list.length - 1;
    if (at < 0 || !isClosed(list[at])) return;
    while (at >= 0 && isClosed(list[at])) at -= 1;
    for (at += 1; at < list.length; at += 1) {
      const entry = list[at] as Formatting;
      entry.open = true;
      this.#push(entry.name, entry.attributes, entry);
    }
  }

  #pushFormatting(name: string, attributes: Attributes): void {
    const list = this.#formatting;
    const same: number[] = [];
    for (let at = list.length - 1; at >= 0 && list[at]; at -= 1) {
      const entry = list[at] as Formatting;
      if (entry.name === name && isSame(entry.attributes, attributes)) same.push(at);
    }
    if (same.length >= 3) {
      const [gone] = list.splice(same.at(-1) as number, 1);
      if (gone) gone.listed = false;
    }
    const entry: Formatting = { name, attributes, open: true, listed: true };
    list.push(entry);
    this.#push(name, attributes, entry);
  }

  #clearToMarker(): void {
    for (let entry = this.#formatting.pop(); entry; entry = this.#formatting.pop()) entry.listed = false;
  }

  #find(name: string): Formatting | null {
    for (let at = this.#formatting.length - 1; at >= 0; at -= 1) {
      const entry = this.#formatting[at];
      if (!entry) return null;
      if (entry.name === name) return entry;
    }
    return null;
  }

  #unlist(entry: Formatting): void {
    entry.listed = false;
    this.#formatting.splice(this.#formatting.lastIndexOf(entry), 1);
  }

  /** The adoption agency, where nothing is adopted. */
  #endFormatting(name: string): void {
    const top = this.#stack.at(-1) as Frame;
    if (top.name === name && !top.formatting?.listed) return this.#pop();
    const entry = this.#find(name);
    if (entry === null) return this.#endOther(name);
    if (!entry.open) return this.#unlist(entry);
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const frame = this.#stack[at] as Frame;
      if (frame.formatting === entry) break;
      // A block inside, or a scope of its own around which nothing is ended.
      if (SPECIAL.has(frame.name)) {
        if (!this.#entryInScope(entry)) return undefined;
        throw new NeedsParse5('adoption');
      }
    }
    while ((this.#stack.at(-1) as Frame).formatting !== entry) this.#pop();
    this.#pop();
    this.#unlist(entry);
  }

  #entryInScope(entry: Formatting): boolean {
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const frame = this.#stack[at] as Frame;
      if (frame.formatting === entry) return true;
      if (SCOPE.has(frame.name)) return false;
    }
    return false;
  }

  // -- text, comments, doctype -------------------------------------------------------------------------------------------

  #text(data: string): void {
    let text = data;
    switch (this.#mode) {
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
          if (this.#mode === 'in-head') this.#sink.text(blank);
          else this.#afterHead.push(() => this.#sink.text(blank));
          text = text.slice(blank.length);
        }
        if (text === '') return;
        break;
      }
      case 'in-table':
      case 'in-section':
      case 'in-row':
        if (!BLANK.test(text)) throw new NeedsParse5('text in a table');
        return this.#sink.text(text);
      case 'in-colgroup': {
        const [blank = ''] = LEADING_BLANK.exec(text) ?? [];
        if (blank !== '') this.#sink.text(blank);
        if (blank === text) return;
        throw new NeedsParse5('text in a colgroup');
      }
      case 'after-body':
        if (!BLANK.test(text)) this.#resume();
        break;
      default:
        break;
    }
    this.#toBody();
    this.#reconstruct();
    if (this.#framesetOk && !BLANK.test(text)) this.#framesetOk = false;
    this.#sink.text(text);
  }

  #comment(text: string): void {
    if (this.#mode === 'after-head') this.#afterHead.push(() => this.#sink.comment(text));
    else if (this.#mode === 'after-body') (this.#ended ? this.#afterHtml : this.#afterBody).push(text);
    else this.#sink.comment(text);
  }

  #doctype(text: string): void {
    if (this.#mode !== 'initial') return;
    this.#sink.doctype(text);
    this.#quirks = quirksOf(text);
    this.#mode = 'before-html';
  }

  // -- how a page begins and ends ----------------------------------------------------------------------------------------

  #toHead(attributes: Attributes = {}): void {
    this.#toHtml();
    if (this.#mode !== 'before-head') return;
    this.#push('head', attributes);
    this.#mode = 'in-head';
  }

  #toHtml(attributes: Attributes = {}): void {
    if (this.#mode !== 'initial' && this.#mode !== 'before-html') return;
    this.#push('html', attributes);
    this.#mode = 'before-head';
  }

  /** Opens what has to be open before a body's content. */
  #toBody(attributes: Attributes = {}): void {
    if (BODY_MODES.has(this.#mode)) return;
    this.#toHead();
    if (this.#mode === 'in-head' && this.#top !== 'head') return;
    this.#pop();
    for (const told of this.#afterHead) told();
    this.#push('body', attributes);
    this.#mode = 'in-body';
  }

  #resume(): void {
    this.#mode = 'in-body';
    this.#ended = false;
    // A comment stands after the body, and the body goes on before it.
  }

  #reset(): void {
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const mode = MODES[(this.#stack[at] as Frame).name];
      if (mode === undefined) continue;
      this.#mode = mode;
      return;
    }
  }

  // -- tags --------------------------------------------------------------------------------------------------------------

  #start(name: string, attributes: Attributes): void {
    if (name === 'html') {
      if (this.#stack.length === 0) return this.#toHtml(attributes);
      if (Object.keys(attributes).length > 0) throw new NeedsParse5('a second html');
      return undefined;
    }
    switch (this.#mode) {
      case 'in-table':
        return this.#startInTable(name, attributes);
      case 'in-section':
        return this.#startInSection(name, attributes);
      case 'in-row':
        return this.#startInRow(name, attributes);
      case 'in-cell':
        if (!TABLE_PARTS.has(name)) break;
        if (this.#templates > 0 && !this.#inScope('td', TABLE_SCOPE) && !this.#inScope('th', TABLE_SCOPE)) return undefined;
        this.#closeCell();
        return this.#start(name, attributes);
      case 'in-caption':
        if (!TABLE_PARTS.has(name)) break;
        this.#closeCaption();
        return this.#start(name, attributes);
      case 'in-colgroup':
        if (name === 'col') return this.#leaf(name, attributes);
        if (name === 'template') break;
        this.#pop();
        this.#mode = 'in-table';
        return this.#start(name, attributes);
      case 'after-body':
        this.#resume();
        break;
      case 'in-body':
        break;
      default: {
        this.#toHtml();
        if (name === 'head') {
          if (this.#mode === 'before-head') this.#toHead(attributes);
          return undefined;
        }
        this.#toHead();
        if (name === 'body') {
          if (this.#top !== 'head') throw new NeedsParse5('a body in the head');
          this.#framesetOk = false;
          return this.#toBody(attributes);
        }
        if (IN_HEAD.has(name)) {
          // After `</head>` too it goes into the head, and what stood after that stays after it.
          if (this.#mode === 'after-head' && name === 'template') throw new NeedsParse5('a template after the head');
          return this.#startInHead(name, attributes);
        }
        if (name === 'frameset') throw new NeedsParse5('frameset');
        this.#toBody();
      }
    }
    return this.#startInBody(name, attributes);
  }

  #startInHead(name: string, attributes: Attributes): void {
    if (VOID.has(name)) return this.#leaf(name, attributes);
    if (name === 'template') return this.#template(attributes);
    return this.#raw(name, attributes);
  }

  #template(attributes: Attributes): void {
    this.#push('template', attributes);
    this.#templates += 1;
    this.#formatting.push(null);
    this.#framesetOk = false;
    this.#mode = 'in-body';
  }

  /** An element whose content is text. */
  #raw(name: string, attributes: Attributes): void {
    this.#push(name, attributes);
    if (name === 'textarea') this.#tokens.skipLineBreak();
    const text = this.#tokens.rawText(name, name === 'title' || name === 'textarea');
    // No script runs here, so it is what a reader without scripts would see; but whatever it has ends with it, as where they do.
    if (name === 'noscript') new Construction(text, this.#sink, true).run();
    else if (text !== '') this.#sink.text(text);
    this.#pop();
  }

  #leaf(name: string, attributes: Attributes): void {
    this.#sink.open(name, attributes);
    this.#sink.close();
  }

  #startInBody(name: string, attributes: Attributes): void {
    if (IN_HEAD.has(name)) return this.#startInHead(name, attributes);
    if (BLOCKS.has(name)) {
      this.#closeP();
      return this.#push(name, attributes);
    }
    if (FORMATTING.has(name)) {
      if (name === 'a') this.#endOpenA();
      this.#reconstruct();
      if (name === 'nobr' && this.#inScope('nobr')) throw new NeedsParse5('nobr');
      return this.#pushFormatting(name, attributes);
    }
    if (HEADINGS.has(name)) {
      this.#closeP();
      if (HEADINGS.has(this.#top)) this.#pop();
      return this.#push(name, attributes);
    }
    if (IN_TABLE_ONLY.has(name)) {
      if (this.#top === 'template' && name !== 'frame' && name !== 'head') throw new NeedsParse5('a template of table parts');
      return undefined;
    }
    switch (name) {
      case 'body':
        this.#framesetOk = false;
        if (Object.keys(attributes).length > 0) throw new NeedsParse5('a second body');
        return undefined;
      case 'frameset':
        if (this.#framesetOk) throw new NeedsParse5('frameset');
        return undefined;
      case 'li':
      case 'dd':
      case 'dt':
        this.#closeItem(name);
        this.#closeP();
        return this.#push(name, attributes);
      case 'pre':
      case 'listing':
        this.#closeP();
        this.#framesetOk = false;
        this.#push(name, attributes);
        return this.#tokens.skipLineBreak();
      case 'form':
        if (this.#form && this.#templates === 0) return undefined;
        this.#closeP();
        if (this.#templates === 0) this.#form = true;
        return this.#push(name, attributes);
      case 'plaintext': {
        this.#closeP();
        this.#push(name, attributes);
        const text = this.#tokens.rest();
        if (text !== '') this.#sink.text(text);
        return undefined;
      }
      case 'button':
        if (this.#inScope('button')) {
          this.#impliedEnds();
          this.#popUntil('button');
        }
        this.#reconstruct();
        this.#framesetOk = false;
        return this.#push(name, attributes);
      case 'applet':
      case 'marquee':
      case 'object':
        this.#reconstruct();
        this.#push(name, attributes);
        this.#formatting.push(null);
        this.#framesetOk = false;
        return undefined;
      case 'table':
        if (this.#isOpen('p') && this.#quirks !== true) {
          if (this.#quirks === null) throw new NeedsParse5('quirks');
          this.#closeP();
        }
        this.#push(name, attributes);
        this.#framesetOk = false;
        this.#mode = 'in-table';
        return undefined;
      case 'image':
        return this.#startInBody('img', attributes);
      case 'area':
      case 'br':
      case 'embed':
      case 'img':
      case 'keygen':
      case 'wbr':
      case 'input':
        if (name === 'input' && this.#inScope('select')) this.#popUntil('select');
        this.#reconstruct();
        if (name !== 'input' || attributes['type']?.toLowerCase() !== 'hidden') this.#framesetOk = false;
        return this.#leaf(name, attributes);
      case 'param':
      case 'source':
      case 'track':
        return this.#leaf(name, attributes);
      case 'hr':
        this.#closeP();
        if (this.#inScope('select')) this.#impliedEnds();
        this.#framesetOk = false;
        return this.#leaf(name, attributes);
      case 'textarea':
      case 'iframe':
        this.#framesetOk = false;
        return this.#raw(name, attributes);
      case 'noembed':
        return this.#raw(name, attributes);
      case 'xmp':
        this.#closeP();
        this.#reconstruct();
        this.#framesetOk = false;
        return this.#raw(name, attributes);
      case 'select':
        if (this.#inScope('select')) return this.#popUntil('select');
        this.#reconstruct();
        this.#framesetOk = false;
        return this.#push(name, attributes);
      case 'optgroup':
      case 'option':
        if (this.#inScope('select')) this.#impliedEnds(name === 'option' ? 'optgroup' : '');
        else if (this.#top === 'option') this.#pop();
        this.#reconstruct();
        return this.#push(name, attributes);
      case 'rb':
      case 'rtc':
        if (this.#inScope('ruby')) this.#impliedEnds();
        return this.#push(name, attributes);
      case 'rp':
      case 'rt':
        if (this.#inScope('ruby')) this.#impliedEnds('rtc');
        return this.#push(name, attributes);
      case 'svg':
      case 'math':
        this.#reconstruct();
        return this.#pushForeign(name, attributes, name);
      default:
        this.#reconstruct();
        return this.#push(name, attributes);
    }
  }

  #endOpenA(): void {
    const entry = this.#find('a');
    if (entry === null) return;
    this.#endFormatting('a');
    if (entry.open) throw new NeedsParse5('a link in a link');
    if (entry.listed) this.#unlist(entry);
  }

  #closeItem(name: string): void {
    const ends = name === 'li' ? ['li'] : ['dd', 'dt'];
    if (!ends.some((end) => this.#isOpen(end))) return;
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const { name: open } = this.#stack[at] as Frame;
      if (ends.includes(open)) {
        this.#impliedEnds(open);
        return this.#popUntil(open);
      }
      if (SPECIAL.has(open) && open !== 'address' && open !== 'div' && open !== 'p') return;
    }
  }

  #end(name: string): void {
    switch (this.#mode) {
      case 'initial':
      case 'before-html':
      case 'before-head':
        if (this.#mode === 'initial') this.#mode = 'before-html';
        if (!HEAD_ENDS.has(name)) return undefined;
        this.#toHead();
        return this.#end(name);
      case 'in-head':
        if (name === 'head') {
          this.#mode = 'after-head';
          return undefined;
        }
        if (name === 'template' || !HEAD_ENDS.has(name)) return undefined;
        this.#toBody();
        return this.#end(name);
      case 'after-head':
        if (name === 'head' || !HEAD_ENDS.has(name)) return undefined;
        this.#toBody();
        return this.#end(name);
      case 'after-body':
        if (name === 'html') {
          this.#ended = true;
          return undefined;
        }
        this.#resume();
        return this.#endInBody(name);
      case 'in-table':
        return this.#endInTable(name);
      case 'in-section':
        return this.#endInSection(name);
      case 'in-row':
        return this.#endInRow(name);
      case 'in-cell':
        return this.#endInCell(name);
      case 'in-caption':
        if (name === 'caption' || name === 'table') {
          this.#closeCaption();
          if (name === 'table') this.#end(name);
          return undefined;
        }
        if (name === 'body' || name === 'html' || TABLE_PARTS.has(name)) return undefined;
        return this.#endInBody(name);
      case 'in-colgroup':
        if (name === 'col') return undefined;
        this.#pop();
        this.#mode = 'in-table';
        return name === 'colgroup' ? undefined : this.#end(name);
      default:
        return this.#endInBody(name);
    }
  }

  #endInBody(name: string): void {
    if (ENDS_BLOCK.has(name)) {
      if (!this.#inScope(name)) return undefined;
      this.#impliedEnds();
      return this.#popUntil(name);
    }
    if (FORMATTING.has(name)) return this.#endFormatting(name);
    if (HEADINGS.has(name)) return this.#endHeading();
    switch (name) {
      case 'template':
        if (this.#templates === 0) return undefined;
        while (this.#top !== 'template' || this.#stack.at(-1)?.space !== 'html') this.#pop();
        this.#pop();
        this.#clearToMarker();
        return this.#reset();
      case 'body':
      case 'html':
        if (!this.#inScope('body')) return undefined;
        this.#mode = 'after-body';
        if (name === 'html') this.#ended = true;
        return undefined;
      case 'form':
        if (this.#templates > 0) throw new NeedsParse5('a form in a template');
        if (!this.#form) return undefined;
        this.#form = false;
        if (!this.#inScope('form')) return undefined;
        this.#impliedEnds();
        if (this.#top !== 'form') throw new NeedsParse5('a form that ends across others');
        return this.#pop();
      case 'p':
        if (!this.#inScope('p', BUTTON_SCOPE)) this.#push('p', {});
        return this.#closeP();
      case 'li':
      case 'dd':
      case 'dt':
        if (!this.#inScope(name, name === 'li' ? LIST_SCOPE : SCOPE)) return undefined;
        this.#impliedEnds(name);
        return this.#popUntil(name);
      case 'applet':
      case 'marquee':
      case 'object':
        if (!this.#inScope(name)) return undefined;
        this.#impliedEnds();
        this.#popUntil(name);
        return this.#clearToMarker();
      case 'br':
        return this.#startInBody('br', {});
      default:
        return this.#endOther(name);
    }
  }

  #endHeading(): void {
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const { name } = this.#stack[at] as Frame;
      if (HEADINGS.has(name)) {
        this.#impliedEnds();
        while (!HEADINGS.has(this.#top)) this.#pop();
        return this.#pop();
      }
      if (SCOPE.has(name)) return;
    }
  }

  #endOther(name: string): void {
    if (!this.#isOpen(name)) return;
    for (let at = this.#stack.length - 1; at >= 0; at -= 1) {
      const { name: open } = this.#stack[at] as Frame;
      if (open === name) {
        this.#impliedEnds(name);
        while (this.#stack.length > at) this.#pop();
        return;
      }
      if (SPECIAL.has(open)) return;
    }
  }

  // -- tables ------------------------------------------------------------------------------------------------------------

  #startInTable(name: string, attributes: Attributes): void {
    switch (name) {
      case 'caption':
        this.#popTo(TABLE);
        this.#formatting.push(null);
        this.#push(name, attributes);
        this.#mode = 'in-caption';
        return undefined;
      case 'colgroup':
      case 'col':
        this.#popTo(TABLE);
        this.#push('colgroup', name === 'col' ? {} : attributes);
        this.#mode = 'in-colgroup';
        return name === 'col' ? this.#leaf(name, attributes) : undefined;
      case 'tbody':
      case 'tfoot':
      case 'thead':
        this.#popTo(TABLE);
        this.#push(name, attributes);
        this.#mode = 'in-section';
        return undefined;
      case 'td':
      case 'th':
      case 'tr':
        this.#popTo(TABLE);
        this.#push('tbody', {});
        this.#mode = 'in-section';
        return this.#startInSection(name, attributes);
      case 'table':
        if (!this.#inScope('table', TABLE_SCOPE)) return undefined;
        this.#popUntil('table');
        this.#reset();
        return this.#start(name, attributes);
      case 'style':
      case 'script':
        return this.#raw(name, attributes);
      case 'template':
        return this.#template(attributes);
      case 'input':
        if (attributes['type']?.toLowerCase() !== 'hidden') throw new NeedsParse5('input in a table');
        return this.#leaf(name, attributes);
      case 'form':
        if (this.#form || this.#templates > 0) return undefined;
        this.#form = true;
        return this.#leaf(name, attributes);
      default:
        throw new NeedsParse5(`${name} in a table`);
    }
  }

  #endInTable(name: string): void {
    if (name === 'table') {
      if (!this.#inScope('table', TABLE_SCOPE)) return undefined;
      this.#popUntil('table');
      return this.#reset();
    }
    if (name === 'body' || name === 'html' || TABLE_PARTS.has(name)) return undefined;
    if (name === 'template') return this.#endInBody(name);
    // Whatever else is open stands outside of the table.
    if (FORMATTING.has(name) || name === 'p' || name === 'br') throw new NeedsParse5(`</${name}> in a table`);
    if (name === 'form') this.#form = false;
    return undefined;
  }

  #startInSection(name: string, attributes: Attributes): void {
    if (name === 'tr' || name === 'td' || name === 'th') {
      this.#popTo(SECTIONS);
      this.#push('tr', name === 'tr' ? attributes : {});
      this.#mode = 'in-row';
      return name === 'tr' ? undefined : this.#startInRow(name, attributes);
    }
    if (!TABLE_PARTS.has(name)) return this.#startInTable(name, attributes);
    this.#popTo(SECTIONS);
    this.#pop();
    this.#mode = 'in-table';
    return this.#startInTable(name, attributes);
  }

  #endInSection(name: string): void {
    if (name === 'table' || SECTIONS.has(name)) {
      if (name !== 'table' && !this.#inScope(name, TABLE_SCOPE)) return undefined;
      this.#popTo(SECTIONS);
      this.#pop();
      this.#mode = 'in-table';
      return name === 'table' ? this.#endInTable(name) : undefined;
    }
    return this.#endInTable(name);
  }

  #startInRow(name: string, attributes: Attributes): void {
    if (name === 'td' || name === 'th') {
      this.#popTo(ROW);
      this.#push(name, attributes);
      this.#formatting.push(null);
      this.#mode = 'in-cell';
      return undefined;
    }
    if (!TABLE_PARTS.has(name)) return this.#startInTable(name, attributes);
    this.#closeRow();
    return this.#startInSection(name, attributes);
  }

  #endInRow(name: string): void {
    if (name === 'tr') return this.#closeRow();
    if (name === 'table' || SECTIONS.has(name)) {
      if (name !== 'table' && !this.#inScope(name, TABLE_SCOPE)) return undefined;
      this.#closeRow();
      return this.#endInSection(name);
    }
    return this.#endInTable(name);
  }

  #closeRow(): void {
    this.#popTo(ROW);
    this.#pop();
    this.#mode = 'in-section';
  }

  #endInCell(name: string): void {
    if (name === 'td' || name === 'th') {
      if (!this.#inScope(name, TABLE_SCOPE)) return undefined;
      this.#impliedEnds();
      this.#popUntil(name);
      this.#clearToMarker();
      this.#mode = 'in-row';
      return undefined;
    }
    if (name === 'body' || name === 'html' || name === 'caption' || name === 'col' || name === 'colgroup') return undefined;
    if (name !== 'table' && name !== 'tr' && !SECTIONS.has(name)) return this.#endInBody(name);
    if (!this.#inScope(name, TABLE_SCOPE)) return undefined;
    this.#closeCell();
    return this.#end(name);
  }

  #closeCell(): void {
    this.#impliedEnds();
    while (this.#top !== 'td' && this.#top !== 'th') this.#pop();
    this.#pop();
    this.#clearToMarker();
    this.#mode = 'in-row';
  }

  #closeCaption(): void {
    this.#impliedEnds();
    this.#popUntil('caption');
    this.#clearToMarker();
    this.#mode = 'in-table';
  }

  // -- SVG and MathML ----------------------------------------------------------------------------------------------------

  /** Names stay in small letters, as selectors are compared. */
  #pushForeign(name: string, attributes: Attributes, space: 'svg' | 'math'): void {
    if (this.#tokens.selfClosing) this.#leaf(name, attributes);
    else this.#push(name, attributes, null, space);
  }

  /** A token inside of it; whatever leads out of it in an unusual way is not for this pass. */
  #foreign(top: Frame): void {
    const tokens = this.#tokens;
    if (tokens.kind === 'comment') return this.#sink.comment(tokens.data);
    if (tokens.kind === 'doctype') return undefined;
    if (tokens.kind === 'text') {
      if (TEXT_ONLY.has(top.name) && isClosed(this.#formatting.at(-1))) throw new NeedsParse5('text in SVG');
      if (!BLANK.test(tokens.data)) this.#framesetOk = false;
      return this.#sink.text(tokens.data);
    }
    const { name } = tokens;
    if (tokens.kind === 'start') {
      if (TEXT_ONLY.has(top.name)) throw new NeedsParse5('markup in SVG');
      if (BREAKS_OUT.has(name)) throw new NeedsParse5(`${name} in SVG`);
      return this.#pushForeign(name, tokens.attributes, top.space as 'svg' | 'math');
    }
    if (top.name !== name) throw new NeedsParse5(`</${name}> in SVG`);
    return this.#pop();
  }
}

const BREAKS_OUT = new Set(
  (
    'b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p ' +
    'pre ruby s small span strong strike sub sup table tt u ul var font'
  ).split(' '),
);

const TABLE = new Set(['table']);
const ROW = new Set(['tr']);
const TABLE_ROOT = new Set(['template', 'html']);
const HEAD_ENDS = new Set(['head', 'body', 'html', 'br']);
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
const MODES: Readonly<Record<string, Mode>> = {
  td: 'in-cell',
  th: 'in-cell',
  tr: 'in-row',
  tbody: 'in-section',
  thead: 'in-section',
  tfoot: 'in-section',
  caption: 'in-caption',
  colgroup: 'in-colgroup',
  table: 'in-table',
  template: 'in-body',
  head: 'in-head',
  body: 'in-body',
};

function isClosed(entry: Formatting | null | undefined): entry is Formatting {
  return entry !== null && entry !== undefined && !entry.open;
}

function isSame(one: Attributes, other: Attributes): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Whether a `<table>` leaves the `<p>` open that it stands in; null where it would take the whole table of doctypes to say. */
function quirksOf(doctype: string): boolean | null {
  if (/^\s*html\s*(?:system\s+(?:"about:legacy-compat"|'about:legacy-compat')\s*)?$/i.test(doctype)) return false;
  if (/^\s*html\s+public\s+"-\/\/w3c\/\/dtd (?:xhtml 1\.[01]|html 4\.01)[^"]*"\s*"[^"]*"\s*$/i.test(doctype)) {
    return /ibm_xhtml/i.test(doctype);
  }
  return null;
}
