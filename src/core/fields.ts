// Fields declared once: what a page's handler wants of it, as data. `page.read()` finds them in one pass over the text,
// without building a tree, and stops as soon as it has them (fetch/fields/).

/** One thing to be found. `selector` is CSS; where it is part of a group, it looks inside that group's element. */
export type Field =
  | { readonly kind: 'text'; readonly selector: string }
  | { readonly kind: 'texts'; readonly selector: string }
  | { readonly kind: 'attribute'; readonly selector: string | null; readonly name: string }
  | { readonly kind: 'present'; readonly selector: string }
  | { readonly kind: 'one'; readonly selector: string; readonly fields: FieldMap }
  | { readonly kind: 'many'; readonly selector: string; readonly fields: FieldMap };

export type FieldMap = Readonly<Record<string, Field>>;

/** What a field comes to. */
export type FieldValue<F extends Field> = F extends { kind: 'text' | 'attribute' }
  ? string | null
  : F extends { kind: 'texts' }
    ? string[]
    : F extends { kind: 'present' }
      ? boolean
      : F extends { kind: 'one'; fields: infer Fields extends FieldMap }
        ? FieldValues<Fields> | null
        : F extends { kind: 'many'; fields: infer Fields extends FieldMap }
          ? FieldValues<Fields>[]
          : never;

export type FieldValues<Fields extends FieldMap> = { [Name in keyof Fields]: FieldValue<Fields[Name]> };

/** A declaration, as `fields()` makes it. */
export interface Declaration<Fields extends FieldMap = FieldMap> {
  readonly fields: Fields;
  /** Without one of these, `page.read()` gives null. */
  readonly required: readonly string[];
}

/** Declares what is read of a page. Selectors that look at an element's name and attributes and at what it stands in
 *  (`table.fat > tr a[href^="/item"]`, lists of them, `:not(.x)`) are found in one pass; any other (`:has()`, `+`,
 *  `:first-child`) works as well, and has the whole tree built for its declaration.
 *  @param options.required Fields without which the page is not what was thought: if one is not there (no such element or
 *  attribute, none of many), `page.read()` gives null, for the handler to look again by `page.$`. */
export function fields<const Fields extends FieldMap>(
  map: Fields,
  options: { required?: readonly (keyof Fields & string)[] } = {},
): Declaration<Fields> {
  return { fields: map, required: options.required ?? [] };
}

/** The text of the first element that matches, as `$(selector).first().text()`; null if there is none.
 *  @example text('h1') // of `<h1>A <b>book</b></h1>`: 'A book' */
export const text = (selector: string) => ({ kind: 'text', selector }) as const;

/** The texts of all elements that match.
 *  @example texts('li') // of `<li>one<li>two`: ['one', 'two'] */
export const texts = (selector: string) => ({ kind: 'texts', selector }) as const;

/** An attribute of the first element that matches, entities decoded; null if there is no such element, or it has none.
 *  @param selector Null: of the group's own element.
 *  @example attribute('a', 'href') // of `<a href="/b?x=1&amp;y=2">`: '/b?x=1&y=2', not resolved */
export const attribute = (selector: string | null, name: string) => ({ kind: 'attribute', selector, name }) as const;

/** Whether any element matches.
 *  @example present('.sold-out') // of `<p class="price">`: false */
export const present = (selector: string) => ({ kind: 'present', selector }) as const;

/** Fields inside the first element that matches; null if there is none.
 *  @example one('.seller', { name: text('b') }) // of `<p class="seller"><b>Ann</b>`: { name: 'Ann' } */
export const one = <const Fields extends FieldMap>(selector: string, fields: Fields) =>
  ({ kind: 'one', selector, fields }) as const;

/** Fields inside each element that matches, in the order in which they begin.
 *  @example many('li', { id: attribute(null, 'id') }) // of `<li id="a"><li id="b">`: [{ id: 'a' }, { id: 'b' }] */
export const many = <const Fields extends FieldMap>(selector: string, fields: Fields) =>
  ({ kind: 'many', selector, fields }) as const;
