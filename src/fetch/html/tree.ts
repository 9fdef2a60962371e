// A page's tree as the HTML standard has it, in the nodes that Cheerio works on (https://github.com/fb55/domhandler).
import type { ChildNode, Document, Element, ParentNode } from 'domhandler';

import { adapter, nodes, parse5 } from '../cheerio.ts';
import { construct } from './construct.ts';
import { NeedsParse5, type Sink } from './sink.ts';
import type { Attributes } from './tokens.ts';

/** Chromium's: what is deeper stands beside what it would stand in, so that no page is too deep for what reads it. */
export const MAX_DEPTH = 512;

export function buildTree(html: string): Document {
  const sink = new TreeSink();
  try {
    construct(html, sink);
    return sink.document;
  } catch (error) {
    if (!(error instanceof NeedsParse5)) throw error;
    return byParse5(html);
  }
}

const HELD = Symbol('children');

/** What a `<template>` holds: it is written out with it, and neither found nor read as text. Its children are no property of
 *  its own, and so Cheerio does not look into it for text. */
class TemplateContent extends nodes.Document {
  static {
    Object.defineProperty(this.prototype, 'children', {
      get(this: { [HELD]: ChildNode[] }) {
        return this[HELD];
      },
      set(this: { [HELD]: ChildNode[] }, children: ChildNode[]) {
        this[HELD] = children;
      },
    });
  }

  constructor() {
    super([]);
  }
}

class TreeSink implements Sink {
  readonly document = new nodes.Document([]);
  readonly #open: ParentNode[] = [this.document];

  open(name: string, attributes: Attributes): void {
    const element = toElement(name, attributes);
    this.#append(element);
    this.#open.push(element);
    if (!hasContent(name, attributes)) return;
    const content = new TemplateContent();
    content.parent = element;
    element.children.push(content);
    this.#open[this.#open.length - 1] = content;
  }

  close(): void {
    this.#open.pop();
  }

  text(text: string): void {
    const parent = this.#open.at(-1) as ParentNode;
    const last = parent.children.at(-1);
    if (last instanceof nodes.Text) last.data += text;
    else append(parent, new nodes.Text(text));
  }

  comment(text: string): void {
    this.#append(new nodes.Comment(text));
  }

  doctype(text: string): void {
    append(this.document, new nodes.ProcessingInstruction('!doctype', `!doctype${text}`));
  }

  #append(node: ChildNode): void {
    const parent = this.#open.at(-1) as ParentNode;
    append(this.#open.length > MAX_DEPTH ? (parent.parent ?? parent) : parent, node);
  }
}

/** Whether what an element has is kept apart, as a `<template>`'s is. Declarative shadow roots are part of what a browser shows. */
export function hasContent(name: string, attributes: Readonly<Attributes>): boolean {
  return name === 'template' && attributes['shadowrootmode'] !== 'open';
}

function toElement(name: string, attributes: Attributes): Element {
  return new nodes.Element(name, attributes, []);
}

function append(parent: ParentNode, node: ChildNode): void {
  const last = parent.children.at(-1);
  if (last) {
    last.next = node;
    node.prev = last;
  }
  parent.children.push(node);
  node.parent = parent;
}

/** Slower by a multiple: for pages of which something has to be moved. */
function byParse5(html: string): Document {
  const depths = new WeakMap<object, number>();
  const noscripts: Element[] = [];
  const bounded: typeof adapter = {
    ...adapter,
    createElement(name, space, attributes) {
      const lower = attributes.map((attribute) => ({ ...attribute, name: nameOf(attribute).toLowerCase(), prefix: '' }));
      const element = adapter.createElement(name.toLowerCase(), space, lower);
      if (name === 'noscript') noscripts.push(element);
      return element;
    },
    setTemplateContent(template, content) {
      if (!hasContent('template', template.attribs)) return adapter.setTemplateContent(template, content);
      const hidden = new TemplateContent();
      hidden.parent = template;
      template.children.push(hidden);
    },
    appendChild(parent, node) {
      const depth = depths.get(parent) ?? 0;
      const within = depth >= MAX_DEPTH ? (parent.parent ?? parent) : parent;
      adapter.appendChild(within, node);
      depths.set(node, (depths.get(within) ?? 0) + 1);
    },
  };
  const document = parse5.parse(html, { treeAdapter: bounded, scriptingEnabled: true });
  for (const noscript of noscripts) {
    const [text] = noscript.children;
    if (!(text instanceof nodes.Text)) continue;
    adapter.detachNode(text);
    const fragment = parse5.parseFragment(text.data, { treeAdapter: bounded, scriptingEnabled: true });
    for (let child = fragment.children[0]; child; child = fragment.children[0]) {
      adapter.detachNode(child);
      adapter.appendChild(noscript, child);
    }
  }
  return document;
}

function nameOf({ name, prefix }: { name: string; prefix?: string }): string {
  return prefix ? `${prefix}:${name}` : name;
}
