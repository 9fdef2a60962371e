// A declaration made ready for the pass: selectors compiled once, fields numbered.
import type { Declaration, Field, FieldMap } from '../../core/fields.ts';
import { compileSelector, type Match } from './selector.ts';

export interface PlannedField {
  readonly name: string;
  readonly kind: Field['kind'];
  /** Null: the group's own element. */
  readonly match: Match | null;
  readonly attribute: string;
  readonly group: Plan | null;
}

export interface Plan {
  readonly fields: readonly PlannedField[];
}

const plans = new WeakMap<FieldMap, Map<boolean, Plan | null>>();

/** @returns Null if one of its selectors needs the tree. */
export function planOf({ fields }: Pick<Declaration, 'fields'>, xmlMode: boolean): Plan | null {
  const known = plans.get(fields) ?? new Map<boolean, Plan | null>();
  plans.set(fields, known);
  let plan = known.get(xmlMode);
  if (plan === undefined) {
    plan = toPlan(fields, xmlMode);
    known.set(xmlMode, plan);
  }
  return plan;
}

function toPlan(fields: FieldMap, xmlMode: boolean): Plan | null {
  const planned: PlannedField[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const match = field.selector === null ? null : compileSelector(field.selector, xmlMode);
    const group = 'fields' in field ? toPlan(field.fields, xmlMode) : null;
    if ((match === null && field.selector !== null) || ('fields' in field && group === null)) return null;
    planned.push({ name, kind: field.kind, match, attribute: 'name' in field ? field.name : '', group });
  }
  return { fields: planned };
}
