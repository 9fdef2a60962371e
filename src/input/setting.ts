// What is told of a setting besides its type, and the registry that keeps it. The fields are in schema.ts and its neighbours.
import { z } from 'zod';

/** The commands, with what --help says about each. The first one is the default. */
export const COMMANDS = {
  crawl: 'crawl the start URLs, or go on with an interrupted run (the default)',
  verify: 'check that pages can be fetched from here',
  status: 'say how far the run in the storage directory is',
  export: 'write the rows of the run in the storage directory to files',
  'retry-failed': 'put failed requests back, for the next crawl to fetch',
  'demo-site': 'serve the bundled demo site until interrupted',
} as const;

export type Command = keyof typeof COMMANDS;

/** The keys of COMMANDS, in order. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as [Command, ...Command[]];

/** What the schema's types do not say about a setting. */
export interface SettingMeta {
  /** `--` and the setting's name in kebab-case. None: the words of the command line that are no options. */
  readonly flag?: `--${string}`;
  /** What --help calls the flag's value. None for an on/off flag. */
  readonly placeholder?: string;
  /** For --help and README: what it does, starting small, without a full stop. */
  readonly help: string;
  /** The commands that take the flag. A variable or an input file may set it for any command. */
  readonly commands: readonly Command[];
  /** Ends the sentence "... must be". Needed for text; numbers, choices and on/off say it by their type. */
  readonly allowed?: string;
  /** What having no value means, for a setting whose default is none. */
  readonly defaultText?: string;
  /** Its environment variable, where that is another one than `SUREFOOT_` and its name. */
  readonly env?: string;
  /** Never show a value of it. */
  readonly secret?: boolean;
}

/** Where the meta of each field of `settingsSchema` is. */
export const settingMeta = z.registry<SettingMeta>();

/** Declares a field of the schema. */
export function setting<Type extends z.ZodType>(type: Type, meta: SettingMeta): Type {
  const described = type.describe(meta.help);
  settingMeta.add(described, meta);
  return described;
}
