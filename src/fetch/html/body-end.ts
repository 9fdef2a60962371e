// End tags in a body: https://html.spec.whatwg.org/#parsing-main-inbody
import { startInBody } from './body-start.ts';
import type { Construction } from './construction.ts';
import { BUTTON_SCOPE, ENDS_BLOCK, FORMATTING, HEADINGS, LIST_SCOPE, SCOPE } from './names.ts';
import type { Frame } from './open-elements.ts';
import { NeedsParse5 } from './sink.ts';

export function endInBody(page: Construction, name: string): void {
  if (ENDS_BLOCK.has(name)) {
    if (!page.open.inScope(name)) return undefined;
    page.open.impliedEnds();
    return page.open.popUntil(name);
  }
  if (FORMATTING.has(name)) return page.formatting.end(name);
  if (HEADINGS.has(name)) return endHeading(page);
  switch (name) {
    case 'template':
      if (page.open.templates === 0) return undefined;
      while (page.open.top !== 'template' || page.open.frames.at(-1)?.space !== 'html') page.open.pop();
      page.open.pop();
      page.formatting.clearToMarker();
      return page.reset();
    case 'body':
    case 'html':
      if (!page.open.inScope('body')) return undefined;
      page.mode = 'after-body';
      if (name === 'html') page.ended = true;
      return undefined;
    case 'form':
      if (page.open.templates > 0) throw new NeedsParse5('a form in a template');
      if (!page.form) return undefined;
      page.form = false;
      if (!page.open.inScope('form')) return undefined;
      page.open.impliedEnds();
      if (page.open.top !== 'form') throw new NeedsParse5('a form that ends across others');
      return page.open.pop();
    case 'p':
      if (!page.open.inScope('p', BUTTON_SCOPE)) page.open.push('p', {});
      return page.open.closeP();
    case 'li':
    case 'dd':
    case 'dt':
      if (!page.open.inScope(name, name === 'li' ? LIST_SCOPE : SCOPE)) return undefined;
      page.open.impliedEnds(name);
      return page.open.popUntil(name);
    case 'applet':
    case 'marquee':
    case 'object':
      if (!page.open.inScope(name)) return undefined;
      page.open.impliedEnds();
      page.open.popUntil(name);
      return page.formatting.clearToMarker();
    case 'br':
      return startInBody(page, 'br', {});
    default:
      return page.open.endOther(name);
  }
}

function endHeading(page: Construction): void {
  for (let at = page.open.frames.length - 1; at >= 0; at -= 1) {
    const { name } = page.open.frames[at] as Frame;
    if (HEADINGS.has(name)) {
      page.open.impliedEnds();
      while (!HEADINGS.has(page.open.top)) page.open.pop();
      return page.open.pop();
    }
    if (SCOPE.has(name)) return;
  }
}
