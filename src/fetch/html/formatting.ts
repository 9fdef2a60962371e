// The list of active formatting elements: which are opened again, and what their end tags end.
// https://html.spec.whatwg.org/#the-list-of-active-formatting-elements
import { SCOPE, SPECIAL } from './names.ts';
import type { Formatting, Frame, OpenElements } from './open-elements.ts';
import { NeedsParse5 } from './sink.ts';
import type { Attributes } from './tokens.ts';

export class FormattingElements {
  readonly #open: OpenElements;
  /** Null is a marker. */
  readonly #list: (Formatting | null)[] = [];

  constructor(open: OpenElements) {
    this.#open = open;
  }

  /** What is listed from here on ends with the cell, caption, object or template that begins. */
  mark(): void {
    this.#list.push(null);
  }

  /** Whether the next text would open one again. */
  get isPending(): boolean {
    return isClosed(this.#list.at(-1));
  }

  reconstruct(): void {
    const list = this.#list;
    let at = list.length - 1;
    if (at < 0 || !isClosed(list[at])) return;
    while (at >= 0 && isClosed(list[at])) at -= 1;
    for (at += 1; at < list.length; at += 1) {
      const entry = list[at] as Formatting;
      entry.open = true;
      this.#open.push(entry.name, entry.attributes, entry);
    }
  }

  push(name: string, attributes: Attributes): void {
    const list = this.#list;
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
    this.#open.push(name, attributes, entry);
  }

  clearToMarker(): void {
    for (let entry = this.#list.pop(); entry; entry = this.#list.pop()) entry.listed = false;
  }

  find(name: string): Formatting | null {
    for (let at = this.#list.length - 1; at >= 0; at -= 1) {
      const entry = this.#list[at];
      if (!entry) return null;
      if (entry.name === name) return entry;
    }
    return null;
  }

  unlist(entry: Formatting): void {
    entry.listed = false;
    this.#list.splice(this.#list.lastIndexOf(entry), 1);
  }

  /** The adoption agency, where nothing is adopted. */
  end(name: string): void {
    const top = this.#open.frames.at(-1) as Frame;
    if (top.name === name && !top.formatting?.listed) return this.#open.pop();
    const entry = this.find(name);
    if (entry === null) return this.#open.endOther(name);
    if (!entry.open) return this.unlist(entry);
    for (let at = this.#open.frames.length - 1; at >= 0; at -= 1) {
      const frame = this.#open.frames[at] as Frame;
      if (frame.formatting === entry) break;
      // A block inside, or a scope of its own around which nothing is ended.
      if (SPECIAL.has(frame.name)) {
        if (!this.#isInScope(entry)) return undefined;
        throw new NeedsParse5('adoption');
      }
    }
    while ((this.#open.frames.at(-1) as Frame).formatting !== entry) this.#open.pop();
    this.#open.pop();
    this.unlist(entry);
  }

  #isInScope(entry: Formatting): boolean {
    for (let at = this.#open.frames.length - 1; at >= 0; at -= 1) {
      const frame = this.#open.frames[at] as Frame;
      if (frame.formatting === entry) return true;
      if (SCOPE.has(frame.name)) return false;
    }
    return false;
  }
}

function isClosed(entry: Formatting | null | undefined): entry is Formatting {
  return entry !== null && entry !== undefined && !entry.open;
}

function isSame(one: Attributes, other: Attributes): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
