// SVG and MathML: https://html.spec.whatwg.org/#parsing-main-inforeign
import type { Construction } from './construction.ts';
import { BREAKS_OUT, HOLDS_HTML } from './names.ts';
import type { Frame } from './open-elements.ts';
import { NeedsParse5 } from './sink.ts';
import { BLANK, type Attributes } from './tokens.ts';

/** Names stay in small letters, as selectors are compared. */
export function pushForeign(page: Construction, name: string, attributes: Attributes, space: 'svg' | 'math'): void {
  if (page.tokens.selfClosing) page.leaf(name, attributes);
  else page.open.push(name, attributes, null, space);
}

/** A token inside of it; whatever leads out of it in an unusual way is not for this pass. */
export function foreign(page: Construction, top: Frame): void {
  const tokens = page.tokens;
  if (tokens.kind === 'comment') return page.sink.comment(tokens.data);
  if (tokens.kind === 'doctype') return undefined;
  if (tokens.kind === 'text') {
    if (HOLDS_HTML.has(top.name) && page.formatting.isPending) throw new NeedsParse5('text in SVG');
    if (!BLANK.test(tokens.data)) page.framesetOk = false;
    return page.sink.text(tokens.data);
  }
  const { name } = tokens;
  if (tokens.kind === 'start') {
    if (HOLDS_HTML.has(top.name)) throw new NeedsParse5('markup in SVG');
    if (BREAKS_OUT.has(name)) throw new NeedsParse5(`${name} in SVG`);
    return pushForeign(page, name, tokens.attributes, top.space as 'svg' | 'math');
  }
  if (top.name !== name) throw new NeedsParse5(`</${name}> in SVG`);
  return page.open.pop();
}
