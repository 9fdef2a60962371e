// Tables, from their tag to the end of a cell: https://html.spec.whatwg.org/#parsing-main-intable and the six modes after it.
import type { Construction } from './construction.ts';
import { FORMATTING, ROW, SECTIONS, TABLE, TABLE_PARTS, TABLE_SCOPE } from './names.ts';
import { endInBody } from './body-end.ts';
import { NeedsParse5 } from './sink.ts';
import type { Attributes } from './tokens.ts';

export function startInTable(page: Construction, name: string, attributes: Attributes): void {
  switch (name) {
    case 'caption':
      page.open.popTo(TABLE);
      page.formatting.mark();
      page.open.push(name, attributes);
      page.mode = 'in-caption';
      return undefined;
    case 'colgroup':
    case 'col':
      page.open.popTo(TABLE);
      page.open.push('colgroup', name === 'col' ? {} : attributes);
      page.mode = 'in-colgroup';
      return name === 'col' ? page.leaf(name, attributes) : undefined;
    case 'tbody':
    case 'tfoot':
    case 'thead':
      page.open.popTo(TABLE);
      page.open.push(name, attributes);
      page.mode = 'in-section';
      return undefined;
    case 'td':
    case 'th':
    case 'tr':
      page.open.popTo(TABLE);
      page.open.push('tbody', {});
      page.mode = 'in-section';
      return startInSection(page, name, attributes);
    case 'table':
      if (!page.open.inScope('table', TABLE_SCOPE)) return undefined;
      page.open.popUntil('table');
      page.reset();
      return page.start(name, attributes);
    case 'style':
    case 'script':
      return page.raw(name, attributes);
    case 'template':
      return page.template(attributes);
    case 'input':
      if (attributes['type']?.toLowerCase() !== 'hidden') throw new NeedsParse5('input in a table');
      return page.leaf(name, attributes);
    case 'form':
      if (page.form || page.open.templates > 0) return undefined;
      page.form = true;
      return page.leaf(name, attributes);
    default:
      throw new NeedsParse5(`${name} in a table`);
  }
}

export function endInTable(page: Construction, name: string): void {
  if (name === 'table') {
    if (!page.open.inScope('table', TABLE_SCOPE)) return undefined;
    page.open.popUntil('table');
    return page.reset();
  }
  if (name === 'body' || name === 'html' || TABLE_PARTS.has(name)) return undefined;
  if (name === 'template') return endInBody(page, name);
  // Whatever else is open stands outside of the table.
  if (FORMATTING.has(name) || name === 'p' || name === 'br') throw new NeedsParse5(`</${name}> in a table`);
  if (name === 'form') page.form = false;
  return undefined;
}

export function startInSection(page: Construction, name: string, attributes: Attributes): void {
  if (name === 'tr' || name === 'td' || name === 'th') {
    page.open.popTo(SECTIONS);
    page.open.push('tr', name === 'tr' ? attributes : {});
    page.mode = 'in-row';
    return name === 'tr' ? undefined : startInRow(page, name, attributes);
  }
  if (!TABLE_PARTS.has(name)) return startInTable(page, name, attributes);
  page.open.popTo(SECTIONS);
  page.open.pop();
  page.mode = 'in-table';
  return startInTable(page, name, attributes);
}

export function endInSection(page: Construction, name: string): void {
  if (name === 'table' || SECTIONS.has(name)) {
    if (name !== 'table' && !page.open.inScope(name, TABLE_SCOPE)) return undefined;
    page.open.popTo(SECTIONS);
    page.open.pop();
    page.mode = 'in-table';
    return name === 'table' ? endInTable(page, name) : undefined;
  }
  return endInTable(page, name);
}

export function startInRow(page: Construction, name: string, attributes: Attributes): void {
  if (name === 'td' || name === 'th') {
    page.open.popTo(ROW);
    page.open.push(name, attributes);
    page.formatting.mark();
    page.mode = 'in-cell';
    return undefined;
  }
  if (!TABLE_PARTS.has(name)) return startInTable(page, name, attributes);
  closeRow(page);
  return startInSection(page, name, attributes);
}

export function endInRow(page: Construction, name: string): void {
  if (name === 'tr') return closeRow(page);
  if (name === 'table' || SECTIONS.has(name)) {
    if (name !== 'table' && !page.open.inScope(name, TABLE_SCOPE)) return undefined;
    closeRow(page);
    return endInSection(page, name);
  }
  return endInTable(page, name);
}

function closeRow(page: Construction): void {
  page.open.popTo(ROW);
  page.open.pop();
  page.mode = 'in-section';
}

export function endInCell(page: Construction, name: string): void {
  if (name === 'td' || name === 'th') {
    if (!page.open.inScope(name, TABLE_SCOPE)) return undefined;
    page.open.impliedEnds();
    page.open.popUntil(name);
    page.formatting.clearToMarker();
    page.mode = 'in-row';
    return undefined;
  }
  if (name === 'body' || name === 'html' || name === 'caption' || name === 'col' || name === 'colgroup') return undefined;
  if (name !== 'table' && name !== 'tr' && !SECTIONS.has(name)) return endInBody(page, name);
  if (!page.open.inScope(name, TABLE_SCOPE)) return undefined;
  closeCell(page);
  return page.end(name);
}

export function closeCell(page: Construction): void {
  page.open.impliedEnds();
  while (page.open.top !== 'td' && page.open.top !== 'th') page.open.pop();
  page.open.pop();
  page.formatting.clearToMarker();
  page.mode = 'in-row';
}

export function closeCaption(page: Construction): void {
  page.open.impliedEnds();
  page.open.popUntil('caption');
  page.formatting.clearToMarker();
  page.mode = 'in-table';
}
