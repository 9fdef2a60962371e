// Where settings come from besides the command line: variables and JSON files. Each value keeps the name of its place.
import { SurefootError } from '../core/errors.ts';
import { findJsonError } from './json-error.ts';
import { didYouMean, nearest } from './nearest.ts';
import { OPTIONS } from './options.ts';
import type { Option } from './options.ts';

/** One setting as one source gives it. */
export interface Given {
  readonly name: Option['name'];
  /** As the schema wants it, if it could be converted. */
  readonly value: unknown;
  /** As the source has it, for messages. */
  readonly raw: unknown;
  /** Begins a sentence about the value, or about one item of it. */
  readonly where: (index?: number) => string;
}

/** What one place says, by setting. */
export type Source = ReadonlyMap<Given['name'], Given>;

const PREFIX = 'SUREFOOT_';

/** Text as the schema's type; text that cannot be converted stays as it is, and the schema refuses it. */
export function fromText(text: string, kind: Option['kind']): unknown {
  if (kind === 'integer') return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'list')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (kind === 'boolean') return { true: true, 1: true, false: false, 0: false }[text.trim().toLowerCase()] ?? text;
  return text;
}

/** The settings among variables. An empty variable is as good as none.
 *  @param file Where the variables were read, for messages; none for the environment itself.
 *  @throws {SurefootError} kind `input`: a `SUREFOOT_` variable that is none of ours: in a file any, in the environment
 *  (which tests and other tools write to as well) one that is nearly the name of ours. */
export function fromVariables(variables: Readonly<Record<string, string | undefined>>, file?: string): Source {
  const place = file === undefined ? '' : ` in ${file}`;
  const names = OPTIONS.map(({ env }) => env.slice(PREFIX.length));
  const problems = Object.keys(variables).flatMap((key) => {
    const name = key.slice(PREFIX.length);
    if (!key.startsWith(PREFIX) || names.includes(name)) return [];
    const meant = nearest(name, names);
    if (meant !== undefined) return [`${key}${place} is not a variable of Surefoot. Did you mean ${PREFIX}${meant}?`];
    return file === undefined ? [] : [`${key}${place} is not a variable of Surefoot. See .env.example.`];
  });
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));
  const source = new Map<Given['name'], Given>();
  for (const { name, env, kind } of OPTIONS) {
    const text = variables[env];
    if (text) source.set(name, { name, value: fromText(text, kind), raw: text, where: () => `${env}${place}` });
  }
  return source;
}

/** The settings in the text of a JSON file.
 *  @param file Its path, for messages.
 *  @throws {SurefootError} kind `input`: no JSON, no object, or a key that is no setting. */
export function fromJson(text: string, file: string): Source {
  // Editors on Windows put a byte order mark first, which JSON does not allow.
  const body = text.replace(/^\uFEFF/, '');
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    // V8's message quotes the file, which may hold a secret: only the position is told.
    const { line, column, position } = findJsonError(body);
    throw new SurefootError('input', `${file} is not valid JSON: see line ${line}, column ${column} (position ${position}).`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const found = Array.isArray(content) ? 'a list' : content === null ? 'null' : `a ${typeof content}`;
    throw new SurefootError('input', `${file} must hold one JSON object with settings, got ${found}.`);
  }
  const names = OPTIONS.map(({ name }) => name);
  const source = new Map<Given['name'], Given>();
  const problems: string[] = [];
  for (const [key, value] of Object.entries(content)) {
    const name = names.find((known) => known === key);
    if (name === undefined) problems.push(`"${key}" in ${file} is not a setting.${didYouMean(key, names, '"')}`);
    else
      source.set(name, {
        name,
        value,
        raw: value,
        where: (index) => `${index === undefined ? key : `${key}[${index}]`} in ${file}`,
      });
  }
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));
  return source;
}
