// The Actor's input as one of the sources of settings: its fields, checked by the one schema, under the names of the form.
import { existsSync, readFileSync } from 'node:fs';

import { messageOf, SurefootError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { actorExtras, type ActorExtras } from './actor-extras.ts';
import { ACTOR_FIELDS } from './actor-fields.ts';
import { parseJson, type Given, type Source } from './sources.ts';

/** Of values that are not shown: they may hold a secret. */
const SHAPES: Readonly<Record<string, string>> = {
  initialCookies: 'a list of cookies, each an object',
  proxyConfiguration: "what the form's proxy editor writes: an object with useApifyProxy or proxyUrls",
};

const PLACE = "the Actor's input";

/** The settings in the Actor's input. A field may also have its setting's own name. Empty ones are as good as none: the
 *  form sends them.
 *  @throws {SurefootError} kind `input`: no object, or a field that there is not. */
export function fromActorInput(input: unknown): Source {
  const source = new Map<Given['name'], Given>();
  const problems: string[] = [];
  for (const [key, raw] of Object.entries(toFields(input))) {
    const field = ACTOR_FIELDS.find(({ name, option }) => name === key || option?.name === key);
    if (!field) {
      const names = ACTOR_FIELDS.map(({ name }) => name);
      problems.push(`"${key}" in ${PLACE} is not a field.${didYouMean(key, names, '"')}`);
    }
    if (!field?.option || raw === null || raw === '') continue;
    const value = key === field.name ? field.toSetting(raw) : raw;
    if (value === undefined) continue;
    const { name } = field.option;
    const where = (index?: number) => `${index === undefined ? key : `${key}[${index}]`} in ${PLACE}`;
    source.set(name, { name, value, raw, where });
  }
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));
  return source;
}

/** The fields of the Actor's input that are no settings.
 *  @throws {SurefootError} kind `input`: a value that cannot be used. */
export function readActorExtras(input: unknown): ActorExtras {
  const given = Object.fromEntries(Object.entries(toFields(input)).filter(([, value]) => value !== null && value !== ''));
  const checked = actorExtras.safeParse(given);
  if (checked.success) return checked.data;
  const fields = new Set(checked.error.issues.map(({ path }) => String(path[0])));
  const problems = [...fields].map((field) =>
    field in SHAPES
      ? `${field} in ${PLACE} must be ${SHAPES[field]}.`
      : `${field} in ${PLACE} must be the name of a storage (letters, digits and "-", at most 63), got ${JSON.stringify(given[field])}.`,
  );
  throw new SurefootError('input', problems.join('\n'));
}

/** The SDK passes over an INPUT.json that it cannot parse, and has no input then.
 *  @param file Where it would be.
 *  @throws {SurefootError} kind `input`: it is there. */
export function assertNoInput(file: string): void {
  if (!existsSync(file)) return;
  try {
    // All that parses is an input for the SDK, but for null.
    if (parseJson(readFileSync(file, 'utf8'), file) === null) return;
  } catch (thrown) {
    if (thrown instanceof SurefootError) throw thrown;
    throw new SurefootError('input', `${file} cannot be read: ${messageOf(thrown)}.`, { cause: thrown });
  }
  throw new SurefootError('input', `${file} was not read as the Actor's input. Write it as one JSON object.`);
}

function toFields(input: unknown): Record<string, unknown> {
  if (input === null || input === undefined) return {};
  if (typeof input !== 'object' || Array.isArray(input) || Buffer.isBuffer(input)) {
    throw new SurefootError('input', `${PLACE} must be one JSON object.`);
  }
  return input as Record<string, unknown>;
}
