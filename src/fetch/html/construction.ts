// What a construction knows while it goes on, and what all insertion modes do alike.
import { FormattingElements } from './formatting.ts';
import { VOID } from './names.ts';
import { OpenElements, type Frame } from './open-elements.ts';
import type { Sink } from './sink.ts';
import { Tokens, type Attributes } from './tokens.ts';

/** The standard's insertion modes; what is text only, and templates, need none of their own. */
export type Mode =
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

export abstract class Construction {
  readonly tokens: Tokens;
  readonly sink: Sink;
  readonly open: OpenElements;
  readonly formatting: FormattingElements;
  mode: Mode = 'initial';
  /** Null: see quirksOf(). */
  quirks: boolean | null = true;
  /** A form is open. */
  form = false;
  framesetOk = true;
  /** What came after `</head>` and before the body. */
  readonly afterHead: (() => void)[] = [];
  readonly afterBody: string[] = [];
  readonly afterHtml: string[] = [];
  /** `</html>` has been. */
  ended = false;

  constructor(html: string, sink: Sink) {
    this.tokens = new Tokens(html);
    this.sink = sink;
    this.open = new OpenElements(sink);
    this.formatting = new FormattingElements(this.open);
  }

  /** By the mode that it has. */
  abstract start(name: string, attributes: Attributes): void;
  abstract end(name: string): void;
  /** Constructs what stands in an element that is open. */
  abstract constructInside(html: string): void;

  leaf(name: string, attributes: Attributes): void {
    this.sink.open(name, attributes);
    this.sink.close();
  }

  /** An element whose content is text. */
  raw(name: string, attributes: Attributes): void {
    this.open.push(name, attributes);
    if (name === 'textarea') this.tokens.skipLineBreak();
    const text = this.tokens.rawText(name, name === 'title' || name === 'textarea');
    // No script runs here, so it is what a reader without scripts would see; but whatever it has ends with it, as where they do.
    if (name === 'noscript') this.constructInside(text);
    else if (text !== '') this.sink.text(text);
    this.open.pop();
  }

  template(attributes: Attributes): void {
    this.open.push('template', attributes);
    this.open.templates += 1;
    this.formatting.mark();
    this.framesetOk = false;
    this.mode = 'in-body';
  }

  reset(): void {
    for (let at = this.open.frames.length - 1; at >= 0; at -= 1) {
      const mode = MODES[(this.open.frames[at] as Frame).name];
      if (mode === undefined) continue;
      this.mode = mode;
      return;
    }
  }

  resume(): void {
    this.mode = 'in-body';
    this.ended = false;
    // A comment stands after the body, and the body goes on before it.
  }

  inHead(name: string, attributes: Attributes): void {
    if (VOID.has(name)) return this.leaf(name, attributes);
    if (name === 'template') return this.template(attributes);
    return this.raw(name, attributes);
  }
}
