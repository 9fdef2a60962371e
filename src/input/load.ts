// The door: command line, input files, .env and environment become one frozen Settings, or one error a person can act on.
// The only reader of process.env.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { parse as parseDotenv } from 'dotenv';
import { z } from 'zod';

import { messageOf, SurefootError } from '../core/errors.ts';
import { fromActorInput } from './actor-input.ts';
import { readArgv } from './argv.ts';
import { OPTIONS, shownValue } from './options.ts';
import { EXCLUSIVE } from './rules.ts';
import { settingsSchema } from './schema.ts';
import type { Settings } from './schema.ts';
import type { Command } from './setting.ts';
import { fromJson } from './sources.ts';
import type { Given, Source } from './sources.ts';
import { fromVariables } from './variables.ts';

/** What the command line came to: settings to run with, or a text (--help, --version; no trailing newline) to print. */
export type Input = { readonly kind: 'settings'; readonly settings: Settings } | { readonly kind: 'text'; readonly text: string };

/** Where the input is taken from. */
export interface LoadOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where `.env` is and relative paths begin. @default process.cwd() */
  readonly cwd?: string;
  /** The Actor's input, decrypted; it stands in the place of INPUT.json. `null` is an Actor's run without input. */
  readonly actorInput?: unknown;
}

/** What the environment says of the Actor's run that this process is. */
export interface ActorRun {
  /** On the platform, not on somebody's machine. */
  readonly atHome: boolean;
  /** Where the live view is to listen; null for nowhere. */
  readonly webServerPort: number | null;
}

/** Whether this is an Actor's run: on the platform, by `apify run`, or by --actor. A token in the environment makes none.
 *  @throws {SurefootError} kind `input`: as `loadInput`. */
export function readActorRun(argv: readonly string[], env: NonNullable<LoadOptions['env']> = process.env): ActorRun | null {
  const line = readArgv(argv);
  if (line.kind !== 'run' || line.command !== 'crawl') return null;
  const atHome = Boolean(env['APIFY_IS_AT_HOME']);
  // `apify run` sets both; one of them alone may be somebody's shell.
  const byCli = Boolean(env['APIFY_LOCAL_STORAGE_DIR'] && env['ACTOR_INPUT_KEY']);
  if (!atHome && !byCli && !line.actor) return null;
  const port = Number(env['ACTOR_WEB_SERVER_PORT'] ?? '');
  return { atHome, webServerPort: Number.isInteger(port) && port > 0 ? port : null };
}

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

async function fromStorage(storageDir: unknown, cwd: string): Promise<Source> {
  // What is no path at all is for the schema to refuse.
  if (typeof storageDir !== 'string' || storageDir === '') return new Map();
  const file = path.join(storageDir, INPUT_FILE);
  const text = await readText(path.resolve(cwd, file), file);
  if (text === undefined) return new Map();
  const source = fromJson(text, file);
  if (source.has('storageDir')) {
    throw new SurefootError('input', `storageDir cannot be set in ${file}: the file is found by it. Use --storage-dir.`);
  }
  return source;
}

async function fromEnvironment(env: NonNullable<LoadOptions['env']>, cwd: string): Promise<Source[]> {
  const dotenv = parseDotenv((await readText(path.join(cwd, '.env'), '.env')) ?? '');
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
    return `${given.where(index)} must be ${option.allowedItem}, got ${shownValue(option, given.value[index])}.`;
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

/** Reads everything a run is told, by precedence: `argv` (without node and the script), the --input file,
 *  `<storageDir>/key_value_stores/default/INPUT.json`, the environment, `.env`, defaults. Prints nothing, changes nothing.
 *  @throws {SurefootError} kind `input`: what is wrong, where it was given, its value and what is allowed; a line each. */
export async function loadInput(argv: readonly string[], options: LoadOptions = {}): Promise<Input> {
  const { env = process.env, cwd = process.cwd() } = options;
  const line = readArgv(argv);
  if (line.kind === 'help') return { kind: 'text', text: line.text };
  if (line.kind === 'version') return { kind: 'text', text: await readVersion() };

  const above = [line.source];
  if (line.inputFile !== undefined) above.push(await fromInputFlag(line.inputFile, cwd));
  const below = await fromEnvironment(env, cwd);
  // The demo site keeps nothing, so no storage directory has a say in it.
  const storageDir = merge([...above, ...below]).get('storageDir')?.value ?? settingsSchema.parse({}).storageDir;
  const stored =
    'actorInput' in options
      ? fromActorInput(options.actorInput)
      : line.command === 'demo-site'
        ? new Map()
        : await fromStorage(storageDir, cwd);
  return { kind: 'settings', settings: toSettings(line.command, merge([...above, stored, ...below])) };
}

/** Where this machine looks for programs: PATH. */
export function readSearchPath(env: NonNullable<LoadOptions['env']> = process.env): string {
  return env['PATH'] ?? '';
}

/** This program's version, from package.json. */
export async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}
