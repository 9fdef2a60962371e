// What a setting is: data, of which both --help and the schema are made. The settings are in fields.ts and its neighbours.

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

/** What a text must be. A choice is one of the texts listed. */
export interface TextType {
  readonly kind: 'text';
  readonly choices?: readonly string[];
  readonly pattern?: RegExp;
  /** Characters. @default 1 */
  readonly min?: number;
  readonly max?: number;
}

/** What one value must be. */
export type ItemType =
  | TextType
  /** See http-url.ts; a start URL may also be an item of Apify's `requestListSources`. */
  | { readonly kind: 'url' | 'start-url' }
  | { readonly kind: 'integer'; readonly min: number; readonly max?: number }
  | { readonly kind: 'number'; readonly min: number }
  | { readonly kind: 'number'; readonly above: number }
  | { readonly kind: 'boolean' };

/** What a setting must be. `min`: items. */
export type SettingType =
  | ItemType
  | { readonly kind: 'list'; readonly of: TextType | { readonly kind: 'start-url' }; readonly min?: number };

/** What TypeScript calls a value of a setting's type. */
export type ValueOf<Type> = Type extends { kind: 'list'; of: infer Item }
  ? readonly ValueOf<Item>[]
  : Type extends { kind: 'boolean' }
    ? boolean
    : Type extends { kind: 'integer' | 'number' }
      ? number
      : Type extends { choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** What a person is told about a flag. */
export interface FlagMeta {
  /** `--` and the setting's name in kebab-case. None: the words of the command line that are no options. */
  readonly flag?: `--${string}`;
  /** What --help calls the flag's value. None for an on/off flag. */
  readonly placeholder?: string;
  /** For --help and the guide: what it does, starting small, without a full stop. */
  readonly help: string;
  /** The commands that take the flag. A variable or an input file may set it for any command. */
  readonly commands: readonly Command[];
  /** Ends the sentence "... must be". Needed for text; numbers, choices and on/off say it by their type. */
  readonly allowed?: string;
}

/** A setting, but for its name. */
export interface Setting extends FlagMeta {
  readonly type: SettingType;
  /** None: it may be left out, and then there is no value. */
  readonly default?: string | number | boolean | readonly string[];
  /** What having no value means, for a setting whose default is none. */
  readonly defaultText?: string;
  /** Its environment variable, where that is another one than `SUREFOOT_` and its name. */
  readonly env?: string;
  /** Never show a value of it. */
  readonly secret?: boolean;
}
