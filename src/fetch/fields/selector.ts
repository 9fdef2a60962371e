// CSS selectors that can be answered when an element begins: by it and by what it stands in.
import { AttributeAction, isTraversal, parse, SelectorType, type AttributeSelector, type Selector } from 'css-what';

/** An element that has begun and not ended. */
export interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Whether the innermost of `open` matches.
 *  @param floor The group's element: nothing outside of it counts. */
export type Match = (open: readonly Open[], floor: number) => boolean;

type Test = (element: Open) => boolean;

interface Step {
  readonly test: Test;
  /** How the element before this step stands to it. */
  readonly from: 'parent' | 'ancestor' | 'none';
}

/** @returns Null for a selector that needs to know more: siblings, what is inside, what comes after. */
export function compileSelector(selector: string, xmlMode: boolean): Match | null {
  const alternatives: Step[][] = [];
  for (const tokens of parse(selector)) {
    const steps = toSteps(tokens, xmlMode);
    if (steps === null) return null;
    alternatives.push(steps);
  }
  const [only, second] = alternatives;
  if (only !== undefined && second === undefined)
    return (open, floor) => matches(only, only.length - 1, open, open.length - 1, floor);
  return (open, floor) => alternatives.some((steps) => matches(steps, steps.length - 1, open, open.length - 1, floor));
}

function matches(steps: readonly Step[], nth: number, open: readonly Open[], at: number, floor: number): boolean {
  const { test, from } = steps[nth] as Step;
  if (!test(open[at] as Open)) return false;
  if (from === 'none') return true;
  if (from === 'parent') return at > floor && matches(steps, nth - 1, open, at - 1, floor);
  for (let above = at - 1; above >= floor; above -= 1) if (matches(steps, nth - 1, open, above, floor)) return true;
  return false;
}

function toSteps(tokens: readonly Selector[], xmlMode: boolean): Step[] | null {
  const steps: Step[] = [];
  let tests: Test[] = [];
  let from: Step['from'] = 'none';
  for (const token of tokens) {
    if (isTraversal(token)) {
      if (tests.length === 0) return null;
      steps.push({ test: all(tests), from });
      tests = [];
      if (token.type !== SelectorType.Child && token.type !== SelectorType.Descendant) return null;
      from = token.type === SelectorType.Child ? 'parent' : 'ancestor';
      continue;
    }
    const test = toTest(token, xmlMode);
    if (test === null) return null;
    tests.push(test);
  }
  if (tests.length === 0) return null;
  steps.push({ test: all(tests), from });
  return steps;
}

function all(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first !== undefined && second === undefined) return first;
  return (element) => tests.every((test) => test(element));
}

function toTest(token: Selector, xmlMode: boolean): Test | null {
  switch (token.type) {
    case SelectorType.Universal:
      return token.namespace === null ? () => true : null;
    case SelectorType.Tag: {
      const name = xmlMode ? token.name : token.name.toLowerCase();
      return token.namespace === null ? (element) => element.name === name : null;
    }
    case SelectorType.Attribute: {
      if (token.namespace !== null) return null;
      const name = xmlMode ? token.name : token.name.toLowerCase();
      if (token.action === AttributeAction.Exists) return ({ attributes }) => Object.hasOwn(attributes, name);
      const { ignoreCase } = token;
      return valueTest(token, name, typeof ignoreCase === 'boolean' ? ignoreCase : !xmlMode && FOLDED.has(name));
    }
    case SelectorType.Pseudo: {
      if (token.name !== 'not' || !Array.isArray(token.data)) return null;
      const inner: Test[] = [];
      for (const tokens of token.data) {
        const steps = toSteps(tokens, xmlMode);
        const [step] = steps ?? [];
        if (steps?.length !== 1 || step === undefined) return null;
        inner.push(step.test);
      }
      return (element) => inner.every((test) => !test(element));
    }
    default:
      return null;
  }
}

/** @param fold Upper and lower case are the same. */
function valueTest({ action, value }: AttributeSelector, name: string, fold: boolean): Test | null {
  const compare = COMPARISONS[action];
  if (compare === undefined || (value === '' && action !== AttributeAction.Equals)) return null;
  if (action === AttributeAction.Element && /\s/.test(value)) return null;
  const wanted = fold ? value.toLowerCase() : value;
  return ({ attributes }) => {
    const is = attributes[name];
    return is !== undefined && is.length >= wanted.length && compare(fold ? is.toLowerCase() : is, wanted);
  };
}

/** How the value of an attribute is compared with a selector's. What is not here needs the tree. */
const COMPARISONS: Readonly<Partial<Record<AttributeAction, (value: string, wanted: string) => boolean>>> = {
  [AttributeAction.Equals]: (value, wanted) => value === wanted,
  [AttributeAction.Start]: (value, wanted) => value.startsWith(wanted),
  [AttributeAction.End]: (value, wanted) => value.endsWith(wanted),
  [AttributeAction.Any]: (value, wanted) => value.includes(wanted),
  [AttributeAction.Element]: hasWord,
};

/** Attributes whose values have no case: https://html.spec.whatwg.org/#case-sensitivity-of-selectors */
const FOLDED = new Set(
  (
    'accept accept-charset align alink axis bgcolor charset checked clear codetype color compact declare defer ' +
    'dir direction disabled enctype face frame hreflang http-equiv lang language link media method multiple ' +
    'nohref noresize noshade nowrap readonly rel rev rules scope scrolling selected shape target text type ' +
    'valign valuetype vlink'
  ).split(' '),
);

/** `[class~=value]`, without splitting: this is asked for every element of a page. */
function hasWord(value: string, word: string): boolean {
  if (value === word) return true;
  for (let at = value.indexOf(word); at !== -1; at = value.indexOf(word, at + 1)) {
    if (isEdge(value, at - 1) && isEdge(value, at + word.length)) return true;
  }
  return false;
}

function isEdge(value: string, at: number): boolean {
  return at < 0 || at >= value.length || /\s/.test(value.charAt(at));
}
