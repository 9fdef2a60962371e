// The door: what a run is told becomes one frozen Settings (gather.ts), or a text to print, for which nothing more is loaded.
// The only reader of process.env.
import { readFile } from 'node:fs/promises';

import { readArgv } from './argv.ts';
import type { Settings } from './schema.ts';

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
  /** By `apify run`, which begins anew unless it is told to resurrect. */
  readonly byCli: boolean;
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
  return { atHome, byCli, webServerPort: Number.isInteger(port) && port > 0 ? port : null };
}

/** Reads everything a run is told, by precedence: `argv` (without node and the script), the --input file,
 *  `<storageDir>/key_value_stores/default/INPUT.json`, the environment, `.env`, defaults. Prints nothing, changes nothing.
 *  @throws {SurefootError} kind `input`: what is wrong, where it was given, its value and what is allowed; a line each. */
export async function loadInput(argv: readonly string[], options: LoadOptions = {}): Promise<Input> {
  const { env = process.env, cwd = process.cwd() } = options;
  const line = readArgv(argv);
  if (line.kind === 'help') return { kind: 'text', text: line.text };
  if (line.kind === 'version') return { kind: 'text', text: await readVersion() };

  const { gatherSettings } = await import('./gather.ts');
  return { kind: 'settings', settings: await gatherSettings(line, { ...options, env, cwd }) };
}

/** Where this machine looks for programs: PATH. */
export function readSearchPath(env: NonNullable<LoadOptions['env']> = process.env): string {
  return env['PATH'] ?? '';
}

/** This program's version, from package.json. */
export async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
