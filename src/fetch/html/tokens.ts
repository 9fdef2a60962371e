// The HTML standard's tokenizer, by searching rather than by the letter: https://html.spec.whatwg.org/#tokenization
import { decodeAttribute, decodeText } from '../cheerio.ts';

export type Attributes = Record<string, string>;

export type Kind = 'text' | 'start' | 'end' | 'comment' | 'doctype' | 'eof';

/** Text that is nothing but the standard’s whitespace. */
export const BLANK = /^[\t\n\f ]*$/;

const COMMENT_END = /--!?>/g;

/** Reads one token after the other; of each, what it is stands in the fields. */
export class Tokens {
  kind: Kind = 'eof';
  /** Of a tag, in small letters. */
  name = '';
  /** Of text, comments and doctypes. */
  data = '';
  attributes: Attributes = {};
  selfClosing = false;
  readonly #html: string;
  #at = 0;

  /** @param html Without CR and NUL. */
  constructor(html: string) {
    this.#html = html;
  }

  /** @param inForeign `<![CDATA[` is one. */
  next(inForeign: boolean): Kind {
    const html = this.#html;
    const from = this.#at;
    if (from >= html.length) return (this.kind = 'eof');
    let open = find(html, from, 60, '<');
    while (open !== -1 && !opens(html.charCodeAt(open + 1), html, open)) open = html.indexOf('<', open + 1);
    if (open === -1) return this.#text(from, html.length);
    if (open > from) return this.#text(from, open);
    const next = html.charCodeAt(open + 1);
    if (next === 33) return this.#declaration(open, inForeign);
    if (next === 63) return this.#bogus(open + 1);
    if (next === 47) {
      const after = html.charCodeAt(open + 2);
      if (isLetter(after)) return this.#tag(open + 2, 'end');
      if (after !== 62) return this.#bogus(open + 2);
      this.#at = open + 3;
      return this.next(inForeign);
    }
    return this.#tag(open + 1, 'start');
  }

  /** Reads on to an end tag, and past it. @param decode Character references count (RCDATA). */
  rawText(name: string, decode: boolean): string {
    const html = this.#html;
    const from = this.#at;
    const end = name === 'script' ? scriptEnd(html, from) : rawEnd(html, from, name);
    this.#at = end;
    if (end < html.length) {
      this.#tag(end + 2, 'end');
      // A tag that never ends is none, nor is what stands in it text.
    }
    const text = html.slice(from, end);
    return decode && text.includes('&') ? decodeText(text) : text;
  }

  /** All that is left. */
  rest(): string {
    const text = this.#html.slice(this.#at);
    this.#at = this.#html.length;
    return text;
  }

  /** Skips a line break, which begins `<pre>` and `<textarea>`. */
  skipLineBreak(): void {
    if (this.#html.charCodeAt(this.#at) === 10) this.#at += 1;
  }

  #text(from: number, to: number): Kind {
    const text = this.#html.slice(from, to);
    this.data = text.includes('&') ? decodeText(text) : text;
    this.#at = to;
    return (this.kind = 'text');
  }

  #bogus(from: number): Kind {
    const end = this.#html.indexOf('>', from);
    this.data = this.#html.slice(from, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#html.length : end + 1;
    return (this.kind = 'comment');
  }

  #declaration(open: number, inForeign: boolean): Kind {
    const html = this.#html;
    if (html.startsWith('--', open + 2)) return this.#comment(open + 4);
    if (html.slice(open + 2, open + 9).toLowerCase() === 'doctype') {
      this.#bogus(open + 9);
      return (this.kind = 'doctype');
    }
    if (inForeign && html.startsWith('[CDATA[', open + 2)) {
      const end = html.indexOf(']]>', open + 9);
      this.data = html.slice(open + 9, end === -1 ? undefined : end);
      this.#at = end === -1 ? html.length : end + 3;
      return (this.kind = 'text');
    }
    return this.#bogus(open + 2);
  }

  #comment(from: number): Kind {
    const html = this.#html;
    this.kind = 'comment';
    for (const short of ['>', '->']) {
      if (!html.startsWith(short, from)) continue;
      this.data = '';
      this.#at = from + short.length;
      return this.kind;
    }
    COMMENT_END.lastIndex = from;
    const end = COMMENT_END.exec(html);
    // One that the page cuts off keeps its dashes from being text.
    this.data = end ? html.slice(from, end.index) : html.slice(from).replace(/--?!?$/, '');
    this.#at = end ? COMMENT_END.lastIndex : html.length;
    return this.kind;
  }

  /** A tag that the page's end cuts off is none. */
  #tag(from: number, kind: 'start' | 'end'): Kind {
    const html = this.#html;
    let nameEnd = from + 1;
    let hasCapital = isCapital(html.charCodeAt(from));
    for (let char = html.charCodeAt(nameEnd); nameEnd < html.length && char !== 62 && char !== 47 && !isSpace(char);) {
      if (isCapital(char)) hasCapital = true;
      char = html.charCodeAt((nameEnd += 1));
    }
    const name = html.slice(from, nameEnd);
    this.name = hasCapital ? name.toLowerCase() : name;
    if (kind === 'end' && html.charCodeAt(nameEnd) === 62) {
      this.#at = nameEnd + 1;
      return (this.kind = kind);
    }
    this.attributes = {};
    this.selfClosing = false;
    let at = nameEnd;
    for (;;) {
      let char = html.charCodeAt(at);
      while (isSpace(char)) char = html.charCodeAt((at += 1));
      if (char === 62) break;
      if (at >= html.length) {
        this.#at = html.length;
        return (this.kind = 'eof');
      }
      if (char === 47) {
        at += 1;
        this.selfClosing = html.charCodeAt(at) === 62;
        continue;
      }
      at = this.#attribute(at);
    }
    this.#at = at + 1;
    return (this.kind = kind);
  }

  #attribute(from: number): number {
    const html = this.#html;
    // An `=` may begin a name.
    let at = from + 1;
    let hasCapital = isCapital(html.charCodeAt(from));
    for (let char = html.charCodeAt(at); at < html.length && char !== 61 && char !== 62 && char !== 47 && !isSpace(char);) {
      if (isCapital(char)) hasCapital = true;
      char = html.charCodeAt((at += 1));
    }
    const written = html.slice(from, at);
    const name = hasCapital ? written.toLowerCase() : written;
    while (isSpace(html.charCodeAt(at))) at += 1;
    let value = '';
    if (html.charCodeAt(at) === 61) {
      at += 1;
      while (isSpace(html.charCodeAt(at))) at += 1;
      const quote = html.charCodeAt(at);
      const begin = quote === 34 || quote === 39 ? at + 1 : at;
      let end: number;
      if (begin !== at) {
        end = find(html, begin, quote, quote === 34 ? '"' : "'");
        if (end === -1) return html.length;
        at = end + 1;
      } else {
        for (let char = html.charCodeAt(at); at < html.length && char !== 62 && !isSpace(char);)
          char = html.charCodeAt((at += 1));
        end = at;
      }
      value = html.slice(begin, end);
      if (value.includes('&')) value = decodeAttribute(value);
    }
    if (!Object.hasOwn(this.attributes, name)) this.attributes[name] = value;
    return at;
  }
}

function opens(next: number, html: string, open: number): boolean {
  if (next === 47) return open + 2 < html.length;
  return next === 33 || next === 63 || isLetter(next);
}

/** `indexOf()`; but calling that costs more than looking at a few letters does. */
function find(html: string, from: number, char: number, written: string): number {
  const near = Math.min(from + 24, html.length);
  for (let at = from; at < near; at += 1) if (html.charCodeAt(at) === char) return at;
  return html.indexOf(written, near);
}

function isCapital(char: number): boolean {
  return char >= 65 && char <= 90;
}

function isLetter(char: number): boolean {
  return (char >= 97 && char <= 122) || isCapital(char);
}

function isSpace(char: number): boolean {
  return char === 32 || char === 10 || char === 9 || char === 12;
}

/** By what begins every end tag, and is not looked for by case. */
function rawEnd(html: string, from: number, name: string): number {
  for (let at = html.indexOf('</', from); at !== -1; at = html.indexOf('</', at + 2)) {
    const after = at + 2 + name.length;
    const char = html.charCodeAt(after);
    if ((char === 62 || char === 47 || isSpace(char)) && html.slice(at + 2, after).toLowerCase() === name) return at;
  }
  return html.length;
}

const SCRIPT_MARK = /<!--|-->|<(\/?)script[\t\n\f />]/gi;

/** `<!-- <script>` opens what takes an end tag of its own: https://html.spec.whatwg.org/#script-data-double-escaped-state */
function scriptEnd(html: string, from: number): number {
  const first = rawEnd(html, from, 'script');
  if (!html.slice(from, first).includes('<!--')) return first;
  let escaped = false;
  let twice = false;
  SCRIPT_MARK.lastIndex = from;
  for (let mark = SCRIPT_MARK.exec(html); mark; mark = SCRIPT_MARK.exec(html)) {
    if (mark[0] === '<!--') {
      escaped = true;
      // Its dashes may be those that end it.
      SCRIPT_MARK.lastIndex -= 2;
    } else if (mark[0] === '-->') escaped = twice = false;
    else if (mark[1] === '') twice = escaped;
    else if (twice) twice = false;
    else return mark.index;
  }
  return html.length;
}
