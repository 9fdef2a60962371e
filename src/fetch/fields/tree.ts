// Reads declared fields by the tree: slower, and any selector will do.
import type { Declaration, Field, FieldMap, FieldValues } from '../../core/fields.ts';
import type { Dom } from '../../core/page.ts';

type Selection = ReturnType<Dom>;

/** @returns Null if a required field is not there. */
export function readByTree<Fields extends FieldMap>($: Dom, declared: Declaration<Fields>): FieldValues<Fields> | null {
  return withRequired(readTree($, declared.fields), declared);
}

export function withRequired<Fields extends FieldMap>(
  values: Record<string, unknown>,
  { required }: Declaration<Fields>,
): FieldValues<Fields> | null {
  return required.some((name) => isAbsent(values[name])) ? null : (values as FieldValues<Fields>);
}

/** No text, attribute or group; none of many; not present. */
function isAbsent(value: unknown): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0);
}

function readTree($: Dom, fields: FieldMap, within: Selection = $.root()): Record<string, unknown> {
  const find = (selector: string) => within.find(selector);
  const valueOf = (field: Field): unknown => {
    switch (field.kind) {
      case 'text': {
        const first = find(field.selector).first();
        return first.length === 0 ? null : first.text();
      }
      case 'texts':
        return find(field.selector)
          .toArray()
          .map((element) => $(element).text());
      case 'attribute':
        return (field.selector === null ? within : find(field.selector).first()).attr(field.name) ?? null;
      case 'present':
        return find(field.selector).length > 0;
      case 'one': {
        const first = find(field.selector).first();
        return first.length === 0 ? null : readTree($, field.fields, first);
      }
      case 'many':
        return find(field.selector)
          .toArray()
          .map((element) => readTree($, field.fields, $(element) as unknown as Selection));
    }
  };
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valueOf(field)]));
}
