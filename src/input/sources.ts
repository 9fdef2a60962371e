// What one place says of the settings, each value with the name of that place; and the place that is a JSON file.
import { SurefootError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { findJsonError } from './json-error.ts';
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

/** Text as the schema's type; text that cannot be converted stays as it is, and the schema refuses it. */
export function fromText(text: string, kind: Option['kind']): unknown {
  if (kind === 'integer') return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'number') return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'list')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (kind === 'boolean') return { true: true, 1: true, false: false, 0: false }[text.trim().toLowerCase()] ?? text;
  return text;
}

/** What a JSON file holds.
 *  @param file Its path, for messages.
 *  @throws {SurefootError} kind `input`: no JSON. */
export function parseJson(text: string, file: string): unknown {
  // Editors on Windows put a byte order mark first, which JSON does not allow.
  const body = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(body);
  } catch {
    // V8's message quotes the file, which may hold a secret: only the position is told.
    const { line, column, position } = findJsonError(body);
    throw new SurefootError('input', `${file} is not valid JSON: see line ${line}, column ${column} (position ${position}).`);
  }
}

/** The settings in the text of a JSON file.
 *  @param file Its path, for messages.
 *  @throws {SurefootError} kind `input`: no JSON, no object, or a key that is no setting. */
export function fromJson(text: string, file: string): Source {
  const content = parseJson(text, file);
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
