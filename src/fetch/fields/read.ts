// Reads declared fields in one pass over a page's text, and stops when it has them all; by the tree where a selector needs it.
import type { Declaration, FieldMap, FieldValues } from '../../core/fields.ts';
import type { Dom } from '../../core/page.ts';
import { Parser } from '../cheerio.ts';
import { construct } from '../html/construct.ts';
import { NeedsParse5 } from '../html/sink.ts';
import { hasContent, MAX_DEPTH } from '../html/tree.ts';
import { withoutEntities } from '../html/xml-entities.ts';
import { planOf, type Plan, type PlannedField } from './plan.ts';
import { readByTree, withRequired } from './tree.ts';
import type { Open } from './selector.ts';

/** A page as far as fields go. */
export interface Readable {
  readonly html: string;
  readonly xmlMode: boolean;
  /** Builds the tree, or has it. */
  tree(): Dom;
}

/** @returns Null if a required field is not there. Both ways give the same values (test/fetch/fields.test.ts). */
export function readFields<Fields extends FieldMap>(
  page: Readable,
  declaration: Declaration<Fields>,
): FieldValues<Fields> | null {
  const { html, xmlMode } = page;
  const plan = planOf(declaration, xmlMode);
  if (plan === null) return readByTree(page.tree(), declaration);
  try {
    return withRequired(readText(html, plan, xmlMode), declaration);
  } catch (error) {
    if (error instanceof NeedsParse5) return readByTree(page.tree(), declaration);
    throw error;
  }
}

/** Ends a pass that knows everything. */
const KNOWN = Symbol('known');

/** A group whose element is open, or the page itself. */
interface Group {
  readonly values: Record<string, unknown>;
  /** Its element's place among those that are open; -1 for the page. */
  readonly floor: number;
  /** Fields that can still change. */
  open: readonly PlannedField[];
  /** Called when its element ends. */
  end(): void;
}

/** A text that is being read. */
interface Capture {
  text: string;
  /** How many elements are open inside its own, that one counted. */
  readonly depth: number;
  end(text: string): void;
}

function readText(html: string, plan: Plan, xmlMode: boolean): Record<string, unknown> {
  const open: Open[] = [];
  const root = toGroup(plan, -1, () => {});
  // Both end in the reverse order of their beginning.
  const groups: Group[] = [root];
  const captures: Capture[] = [];
  /** First matches in the page itself that have not ended. */
  let pending = 0;

  const found = (group: Group, field: PlannedField, element: Open): void => {
    const { values } = group;
    const { name, kind } = field;
    const isFirst = kind !== 'texts' && kind !== 'many';
    if (isFirst) group.open = group.open.filter((other) => other !== field);
    const counts = isFirst && group === root && (kind === 'text' || kind === 'one');
    if (counts) pending += 1;
    const settle = () => {
      if (counts) pending -= 1;
    };
    switch (kind) {
      case 'text':
        captures.push({
          text: '',
          depth: open.length,
          end(text) {
            values[name] = text;
            settle();
          },
        });
        break;
      case 'texts': {
        const all = values[name] as string[];
        const place = all.push('') - 1;
        captures.push({ text: '', depth: open.length, end: (text) => void (all[place] = text) });
        break;
      }
      case 'attribute':
        values[name] = attributeOf(element, field);
        break;
      case 'present':
        values[name] = true;
        break;
      case 'one':
      case 'many': {
        const inner = toGroup(field.group as Plan, open.length - 1, settle, element);
        if (kind === 'one') values[name] = inner.values;
        else (values[name] as unknown[]).push(inner.values);
        groups.push(inner);
      }
    }
  };

  /** How deep in `<template>`s, which are no part of the page. */
  let hidden = 0;
  const begin = (name: string, attributes: Open['attributes']) => {
    if (hidden > 0 || (!xmlMode && hasContent(name, attributes))) hidden += 1;
    if (hidden > 1) return;
    if (open.length >= MAX_DEPTH && !xmlMode) throw new NeedsParse5('too deep to be told in the order of the tree');
    const element = { name, attributes };
    open.push(element);
    // A group that this element begins looks inside of it only.
    for (let nth = groups.length - 1; nth >= 0; nth -= 1) {
      const group = groups[nth] as Group;
      for (const field of group.open) {
        if (field.match?.(open, Math.max(0, group.floor)) === true) found(group, field, element);
      }
    }
  };
  const text = (said: string) => {
    if (hidden > 0) return;
    for (const capture of captures) capture.text += said;
  };
  /** @returns Whether everything is known. */
  const end = (): boolean => {
    if (hidden > 0) hidden -= 1;
    if (hidden > 0) return false;
    for (let last = captures.at(-1); last?.depth === open.length; last = captures.at(-1)) {
      captures.pop();
      last.end(last.text);
    }
    open.pop();
    for (let last = groups.at(-1); last?.floor === open.length; last = groups.at(-1)) {
      groups.pop();
      last.end();
    }
    return pending === 0 && root.open.length === 0;
  };

  if (xmlMode) {
    const parser = new Parser(
      {
        onopentag: begin,
        ontext: text,
        onclosetag() {
          if (end()) parser.pause();
        },
      },
      { xmlMode, decodeEntities: true },
    );
    parser.write(withoutEntities(html));
    // Elements that nothing has ended, end here.
    if (pending > 0 || root.open.length > 0) parser.end();
    return root.values;
  }
  try {
    construct(html, {
      open: begin,
      text,
      close() {
        if (end()) throw KNOWN;
      },
      comment() {},
      doctype() {},
    });
  } catch (error) {
    if (error !== KNOWN) throw error;
  }
  return root.values;
}

function toGroup(plan: Plan, floor: number, end: () => void, element?: Open): Group {
  const values: Record<string, unknown> = {};
  for (const field of plan.fields) {
    const { name, kind, match } = field;
    values[name] = kind === 'texts' || kind === 'many' ? [] : kind === 'present' ? false : null;
    if (match === null && element) values[name] = attributeOf(element, field);
  }
  return { values, floor, open: plan.fields.filter(({ match }) => match !== null), end };
}

function attributeOf({ attributes }: Open, { attribute }: PlannedField): string | null {
  return Object.hasOwn(attributes, attribute) ? (attributes[attribute] ?? null) : null;
}
