// Start tags in a body: https://html.spec.whatwg.org/#parsing-main-inbody
import type { Construction } from './construction.ts';
import { pushForeign } from './foreign.ts';
import { BLOCKS, FORMATTING, HEADINGS, IN_HEAD, IN_TABLE_ONLY, SPECIAL } from './names.ts';
import type { Frame } from './open-elements.ts';
import { NeedsParse5 } from './sink.ts';
import type { Attributes } from './tokens.ts';

export function startInBody(page: Construction, name: string, attributes: Attributes): void {
  if (IN_HEAD.has(name)) return page.inHead(name, attributes);
  if (BLOCKS.has(name)) {
    page.open.closeP();
    return page.open.push(name, attributes);
  }
  if (FORMATTING.has(name)) {
    if (name === 'a') endOpenA(page);
    page.formatting.reconstruct();
    if (name === 'nobr' && page.open.inScope('nobr')) throw new NeedsParse5('nobr');
    return page.formatting.push(name, attributes);
  }
  if (HEADINGS.has(name)) {
    page.open.closeP();
    if (HEADINGS.has(page.open.top)) page.open.pop();
    return page.open.push(name, attributes);
  }
  if (IN_TABLE_ONLY.has(name)) {
    if (page.open.top === 'template' && name !== 'frame' && name !== 'head') throw new NeedsParse5('a template of table parts');
    return undefined;
  }
  switch (name) {
    case 'body':
      page.framesetOk = false;
      if (Object.keys(attributes).length > 0) throw new NeedsParse5('a second body');
      return undefined;
    case 'frameset':
      if (page.framesetOk) throw new NeedsParse5('frameset');
      return undefined;
    case 'li':
    case 'dd':
    case 'dt':
      closeItem(page, name);
      page.open.closeP();
      return page.open.push(name, attributes);
    case 'pre':
    case 'listing':
      page.open.closeP();
      page.framesetOk = false;
      page.open.push(name, attributes);
      return page.tokens.skipLineBreak();
    case 'form':
      if (page.form && page.open.templates === 0) return undefined;
      page.open.closeP();
      if (page.open.templates === 0) page.form = true;
      return page.open.push(name, attributes);
    case 'plaintext': {
      page.open.closeP();
      page.open.push(name, attributes);
      const text = page.tokens.rest();
      if (text !== '') page.sink.text(text);
      return undefined;
    }
    case 'button':
      if (page.open.inScope('button')) {
        page.open.impliedEnds();
        page.open.popUntil('button');
      }
      page.formatting.reconstruct();
      page.framesetOk = false;
      return page.open.push(name, attributes);
    case 'applet':
    case 'marquee':
    case 'object':
      page.formatting.reconstruct();
      page.open.push(name, attributes);
      page.formatting.mark();
      page.framesetOk = false;
      return undefined;
    case 'table':
      if (page.open.isOpen('p') && page.quirks !== true) {
        if (page.quirks === null) throw new NeedsParse5('quirks');
        page.open.closeP();
      }
      page.open.push(name, attributes);
      page.framesetOk = false;
      page.mode = 'in-table';
      return undefined;
    case 'image':
      return startInBody(page, 'img', attributes);
    case 'area':
    case 'br':
    case 'embed':
    case 'img':
    case 'keygen':
    case 'wbr':
    case 'input':
      if (name === 'input' && page.open.inScope('select')) page.open.popUntil('select');
      page.formatting.reconstruct();
      if (name !== 'input' || attributes['type']?.toLowerCase() !== 'hidden') page.framesetOk = false;
      return page.leaf(name, attributes);
    case 'param':
    case 'source':
    case 'track':
      return page.leaf(name, attributes);
    case 'hr':
      page.open.closeP();
      if (page.open.inScope('select')) page.open.impliedEnds();
      page.framesetOk = false;
      return page.leaf(name, attributes);
    case 'textarea':
    case 'iframe':
      page.framesetOk = false;
      return page.raw(name, attributes);
    case 'noembed':
      return page.raw(name, attributes);
    case 'xmp':
      page.open.closeP();
      page.formatting.reconstruct();
      page.framesetOk = false;
      return page.raw(name, attributes);
    case 'select':
      if (page.open.inScope('select')) return page.open.popUntil('select');
      page.formatting.reconstruct();
      page.framesetOk = false;
      return page.open.push(name, attributes);
    case 'optgroup':
    case 'option':
      if (page.open.inScope('select')) page.open.impliedEnds(name === 'option' ? 'optgroup' : '');
      else if (page.open.top === 'option') page.open.pop();
      page.formatting.reconstruct();
      return page.open.push(name, attributes);
    case 'rb':
    case 'rtc':
      if (page.open.inScope('ruby')) page.open.impliedEnds();
      return page.open.push(name, attributes);
    case 'rp':
    case 'rt':
      if (page.open.inScope('ruby')) page.open.impliedEnds('rtc');
      return page.open.push(name, attributes);
    case 'svg':
    case 'math':
      page.formatting.reconstruct();
      return pushForeign(page, name, attributes, name);
    default:
      page.formatting.reconstruct();
      return page.open.push(name, attributes);
  }
}

function endOpenA(page: Construction): void {
  const entry = page.formatting.find('a');
  if (entry === null) return;
  page.formatting.end('a');
  if (entry.open) throw new NeedsParse5('a link in a link');
  if (entry.listed) page.formatting.unlist(entry);
}

function closeItem(page: Construction, name: string): void {
  const ends = name === 'li' ? ['li'] : ['dd', 'dt'];
  if (!ends.some((end) => page.open.isOpen(end))) return;
  for (let at = page.open.frames.length - 1; at >= 0; at -= 1) {
    const { name: open } = page.open.frames[at] as Frame;
    if (ends.includes(open)) {
      page.open.impliedEnds(open);
      return page.open.popUntil(open);
    }
    if (SPECIAL.has(open) && open !== 'address' && open !== 'div' && open !== 'p') return;
  }
}
