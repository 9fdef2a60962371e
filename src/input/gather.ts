// Command line, input files, .env and environment as one frozen Settings, or one error a person can act on.
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { parse as parseDotenv } from 'dotenv';
import type { z } from 'zod';

import { messageOf, SurefootError } from '../core/errors.ts';
import type { CommandLine } from './argv.ts';
import { fields } from './fields.ts';
import type { LoadOptions } from './load.ts';
import { OPTIONS, shownValue } from './options.ts';
import { EXCLUSIVE } from './rules.ts';
import { settingsSchema } from './schema.ts';
import type { Settings } from './schema.ts';
import type { Command } from './setting.ts';
import { fromJson } from './sources.ts';
import type { Given, Source } from './sources.ts';
import { assertNoCutValues, assertNoLooseNames, fromVariables } from './variables.ts';

/** Where the input is taken from, complete. */
type Places = LoadOptions & Required<Pick<LoadOptions, 'env' | 'cwd'>>;

const INPUT_FILE = path.join('key_value_stores', 'default', 'INPUT.json');

async function readText(file: string, shown: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw new SurefootError('input', `${shown} cannot be read: ${messageOf(thrown)}.`, { cause: thrown });
  }
}

async function fromInputFlag(file: string, cwd: string): Promise<Source> {
  const text = await readText(path.resolve(cwd, file), file);
  if (text === undefined)
    throw new SurefootError('input', `--input names a file that does not exist: ${path.resolve(cwd, file)}.`);
  return fromJson(text, file);
}

async function fromStorage(given: Given | undefined, cwd: string): Promise<Source> {
  const storageDir = given?.value ?? fields.storageDir.default;
  // What is no path at all is for the schema to refuse.
  if (typeof storageDir !== 'string' || storageDir === '') return new Map();
  const file = path.join(storageDir, INPUT_FILE);
  const inTheWay = findFile(path.dirname(path.resolve(cwd, file)));
  if (inTheWay !== undefined) {
    throw new SurefootError(
      'input',
      `${given?.where() ?? 'The storage folder'} must be a folder, got "${storageDir}": ${inTheWay} is a file.`,
    );
  }
  const text = await readText(path.resolve(cwd, file), file);
  if (text === undefined) return new Map();
  const source = fromJson(text, file);
  if (source.has('storageDir')) {
    throw new SurefootError('input', `storageDir cannot be set in ${file}: the file is found by it. Use --storage-dir.`);
  }
  return source;
}

/** The part of a path that is no folder, if there is one. */
function findFile(dir: string): string | undefined {
  try {
    const stats = statSync(dir, { throwIfNoEntry: false });
    if (stats) return stats.isDirectory() ? undefined : dir;
  } catch (thrown) {
    // What cannot be looked at is for who reads or writes there to say.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOTDIR')) return undefined;
  }
  const above = path.dirname(dir);
  return above === dir ? undefined : findFile(above);
}

async function fromEnvironment(env: Places['env'], cwd: string): Promise<Source[]> {
  const text = (await readText(path.join(cwd, '.env'), '.env')) ?? '';
  const dotenv = parseDotenv(text);
  assertNoLooseNames(text, dotenv, '.env');
  assertNoCutValues(text, dotenv, '.env');
  // A variable that is there but empty counts too: it takes the one in .env away.
  const notInEnvironment = Object.entries(dotenv).filter(([key]) => env[key] === undefined);
  return [fromVariables(env), fromVariables(Object.fromEntries(notInEnvironment), '.env')];
}

/** The highest source that gives a setting wins. Of two that exclude each other, a higher source's takes the other away. */
function merge(sources: readonly Source[]): Source {
  const merged = new Map<Given['name'], Given>();
  for (const source of sources) {
    const higher = new Map(merged);
    for (const [name, given] of source) {
      const rivals = EXCLUSIVE.flatMap(([one, other]) => (one === name ? [other] : other === name ? [one] : []));
      const isTaken = higher.has(name) || rivals.some((rival) => higher.get(rival)?.value === true);
      if (!isTaken) merged.set(name, given);
    }
  }
  return merged;
}

function sentence(issue: z.core.$ZodIssue, merged: Source): string {
  const givenAs = (name: PropertyKey | undefined) => [...merged.values()].find((candidate) => candidate.name === name);
  // Of a rule between settings: see rules.ts.
  if (issue.code === 'custom') return issue.message.replaceAll(/\{(\w+)\}/g, (_, name) => givenAs(name)?.where() ?? name);
  const [name, index] = issue.path;
  const given = givenAs(name);
  const option = OPTIONS.find((candidate) => candidate.name === name);
  if (!given || !option) return issue.message;
  if (typeof index === 'number' && Array.isArray(given.value)) {
    return `${given.where(index)} must be ${option.allowedItem}, got ${shownValue(option, (Array.isArray(given.raw) ? given.raw : given.value)[index])}.`;
  }
  return `${given.where()} must be ${option.allowed}, got ${shownValue(option, given.raw)}.`;
}

function toSettings(command: Command, merged: Source): Settings {
  const values = Object.fromEntries([...merged].map(([name, given]) => [name, given.value]));
  const checked = settingsSchema.safeParse({ ...values, command });
  if (!checked.success) {
    const problems = new Set(checked.error.issues.map((issue) => sentence(issue, merged)));
    throw new SurefootError('input', [...problems].join('\n'));
  }
  for (const value of Object.values(checked.data)) Object.freeze(value);
  return Object.freeze(checked.data);
}

/** Reads everything a run is told, as `loadInput` has it.
 *  @throws {SurefootError} kind `input`: what is wrong, where it was given, its value and what is allowed; a line each. */
export async function gatherSettings(line: CommandLine & { kind: 'run' }, places: Places): Promise<Settings> {
  const { env, cwd } = places;
  const above = [line.source];
  if (line.inputFile !== undefined) above.push(await fromInputFlag(line.inputFile, cwd));
  const below = await fromEnvironment(env, cwd);
  // The demo site keeps nothing, so no storage directory has a say in it.
  const storageDir = merge([...above, ...below]).get('storageDir');
  const stored =
    'actorInput' in places
      ? (await import('./actor-input.ts')).fromActorInput(places.actorInput)
      : line.command === 'demo-site'
        ? new Map()
        : await fromStorage(storageDir, cwd);
  return toSettings(line.command, merge([...above, stored, ...below]));
}
