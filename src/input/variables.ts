// The settings among environment variables, from the environment or .env, and the names that were meant to be one of them.
import { SurefootError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { OPTIONS, toVariable, type Option } from './options.ts';
import { proxyFields } from './proxy-fields.ts';
import { fromText } from './sources.ts';
import type { Given, Source } from './sources.ts';

interface Family {
  readonly prefix: string;
  /** Other programs have variables that begin like this, too. */
  readonly isShared: boolean;
  /** Our variables, by what may stand after the prefix: their own names, and those by which one would look for them. */
  readonly variables: ReadonlyMap<string, string>;
}

function toFamily(prefix: string, isShared: boolean): Family {
  const spellings = OPTIONS.flatMap(({ name, env }) => {
    const words = name in proxyFields ? [`DECODO_${toVariable(name, '')}`] : [];
    return [toVariable(name), ...words, env].map((spelling) => [spelling, env] as const);
  });
  const ours = spellings.filter(([spelling]) => spelling.startsWith(prefix));
  return { prefix, isShared, variables: new Map(ours.map(([spelling, env]) => [spelling.slice(prefix.length), env])) };
}

const FAMILIES = [toFamily('SUREFOOT_', false), toFamily('DECODO_', false), toFamily('PROXY_', true)];

function problemWith(key: string, file: string | undefined): string | undefined {
  const family = FAMILIES.find(({ prefix }) => key.startsWith(prefix));
  if (!family || (family.isShared && file === undefined)) return undefined;
  const word = nearest(key.slice(family.prefix.length), [...family.variables.keys()]);
  if (word === undefined && (family.isShared || file === undefined)) return undefined;
  const hint = word === undefined ? 'See .env.example.' : `Did you mean ${family.variables.get(word)}?`;
  return `${key}${file === undefined ? '' : ` in ${file}`} is not a variable of Surefoot. ${hint}`;
}

/** The settings among variables. An empty variable is as good as none.
 *  @param file Where the variables were read, for messages; none for the environment itself.
 *  @throws {SurefootError} kind `input`: a `SUREFOOT_` or `DECODO_` variable that is none of ours: in a file any, in the
 *  environment (which tests and other tools write to as well) one that is nearly the name of ours. Of `PROXY_` ones, which
 *  many programs have, only what is nearly ours and in a file. */
export function fromVariables(variables: Readonly<Record<string, string | undefined>>, file?: string): Source {
  const known = new Set(OPTIONS.map(({ env }) => env));
  const strange = Object.keys(variables).filter((key) => !known.has(key));
  const problems = strange.flatMap((key) => problemWith(key, file) ?? []);
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));

  const source = new Map<Given['name'], Given>();
  for (const { name, env, kind } of OPTIONS) {
    const text = variables[env];
    const where = file === undefined ? env : `${env} in ${file}`;
    if (text) source.set(name, { name, value: fromText(text, kind), raw: text, where: () => where });
  }
  return source;
}

/** Refuses lines of a .env that begin with a name of ours and set nothing: dotenv passes over them.
 *  @param read What dotenv has read of the text.
 *  @throws {SurefootError} kind `input`: with the line's number and name. */
export function assertNoLooseNames(text: string, read: Readonly<Record<string, string>>, file: string): void {
  const known = new Set<string>(OPTIONS.map(({ env }) => env));
  const problems = text.split('\n').flatMap((line, index) => {
    const key = /^\s*(?:export\s+)?([A-Z]+_\w+)\b(?!\s*=|:\s)/.exec(line)?.[1];
    if (key === undefined || !(known.has(key) || problemWith(key, file) !== undefined)) return [];
    // A line of a value that has several.
    if (Object.values(read).some((value) => value.includes(line.trim()))) return [];
    return `Line ${index + 1} of ${file} begins with ${key} and has no "=" after it, so it sets nothing. Write ${key}=VALUE.`;
  });
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));
}

/** What "#" cannot be a part of. */
const PLAIN_KINDS = new Set<Option['kind']>(['integer', 'number', 'boolean']);

/** Refuses values of ours that dotenv would cut: without quotes it takes a "#" for the beginning of a comment, be it in the
 *  middle of a password. After a blank it is one for a figure, which has none of its own.
 *  @param read What dotenv has read of the text.
 *  @throws {SurefootError} kind `input`: with the line's number and name, and without the value. */
export function assertNoCutValues(text: string, read: Readonly<Record<string, string>>, file: string): void {
  const problems = text.split('\n').flatMap((line, index) => {
    const [, key = '', rest = ''] = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)[^\S\r\n]*(.*?)\s*$/.exec(line) ?? [];
    const option = OPTIONS.find(({ env }) => env === key);
    if (!option || !rest.includes('#') || isQuoted(rest)) return [];
    const isComment = /^[^#]*\s#/.test(rest) && PLAIN_KINDS.has(option.kind);
    // A comment where no value is; a value of several lines, or one of its lines.
    if (isComment || /^#(?:\s|$)/.test(rest) || Object.values(read).some((value) => value.includes(line.trim()))) return [];
    if (read[key]?.includes('\n') === true) return [];
    return `Line ${index + 1} of ${file}: the value of ${key} holds a # outside of quotes. Put the value into quotes: ${key}='...'. A comment has a line of its own.`;
  });
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));
}

/** As dotenv has it: a quote that is closed. What comes after is a comment. */
function isQuoted(rest: string): boolean {
  return /^(['"`])(?:\\\1|(?!\1).)*\1/.test(rest);
}
