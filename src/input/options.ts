// The settings as a list a person can read: what --help, the guide's table, .env.example and error messages show of the fields.
import { fields } from './fields.ts';
import { COMMAND_NAMES } from './setting.ts';
import type { FlagMeta, ItemType, Setting } from './setting.ts';

/** A setting that can be given, with everything that is known about it. */
export interface Option extends Setting {
  /** Its key in `Settings` and in JSON input. */
  readonly name: keyof typeof fields;
  /** Its environment variable. */
  readonly env: string;
  readonly kind: 'text' | 'integer' | 'number' | 'boolean' | 'list';
  /** Ends the sentence "... must be". */
  readonly allowed: string;
  /** The same for one item of a list. */
  readonly allowedItem: string;
}

/** Flags that are no settings. */
export const OTHER_FLAGS = [
  { flag: '--input', placeholder: 'FILE', help: 'a JSON file with settings, by their names in JSON', commands: ['crawl'] },
  { flag: '--actor', help: "run as an Apify Actor does: Apify's names in INPUT, results in Apify's places", commands: ['crawl'] },
  { flag: '--help', help: 'print help and exit', commands: COMMAND_NAMES },
  { flag: '--version', help: 'print the version and exit', commands: COMMAND_NAMES },
] as const satisfies readonly FlagMeta[];

function allowedBy(type: ItemType, text: string | undefined): string {
  if (type.kind === 'text' && type.choices) return `one of ${type.choices.join(', ')}`;
  if (type.kind === 'boolean') return 'true or false';
  if (type.kind === 'integer')
    return type.max === undefined ? `a whole number of ${type.min} or more` : `a whole number from ${type.min} to ${type.max}`;
  if (type.kind === 'number') return 'above' in type ? `a number above ${type.above}` : `a number of ${type.min} or more`;
  if (text === undefined) throw new TypeError('A setting that is text needs `allowed` in its meta.');
  return text;
}

/** `maxRequests` is `SUREFOOT_MAX_REQUESTS`. */
export function toVariable(name: Option['name'], prefix = 'SUREFOOT_'): string {
  return `${prefix}${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
}

function toOption(name: Option['name'], setting: Setting): Option {
  const { type } = setting;
  const isList = type.kind === 'list';
  const allowedItem = allowedBy(isList ? type.of : type, setting.allowed);
  const length = isList && type.min ? 'a list of one or more' : 'a list';
  return {
    ...setting,
    name,
    env: setting.env ?? toVariable(name),
    kind: type.kind === 'url' || type.kind === 'start-url' ? 'text' : type.kind,
    allowed: isList ? `${length}, each ${allowedItem}` : allowedItem,
    allowedItem,
  };
}

/** All settings that can be given, in the order of their fields. */
export const OPTIONS: readonly Option[] = Object.entries(fields).map(([name, setting]) =>
  toOption(name as Option['name'], setting),
);

/** The default as text: what a variable or a flag would have to say, or what having none means. */
export function shownDefault(option: Option): string {
  return option.defaultText ?? String(option.default);
}

/** A value as messages quote it: JSON, cut at 80 characters; `***` for a secret, and for what stands before an `@`: the user
 *  name and password of a URL. */
export function shownValue(option: Pick<Option, 'secret'>, value: unknown): string {
  if (option.secret) return '***';
  const masked = (_: string, item: unknown) => (typeof item === 'string' ? item.replace(/^(\w+:\/\/)?.*@/s, '$1***@') : item);
  const text = JSON.stringify(value, masked) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function tableRow(cells: readonly string[], widths: readonly number[]): string {
  return `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
}

/** the guide's options table in Markdown, without a trailing newline, laid out as oxfmt would. */
export function optionsTable(): string {
  const code = (text: string): string => `\`${text}\``;
  const rows = [...OPTIONS, ...OTHER_FLAGS].map((option: FlagMeta & Partial<Option>) => {
    const flag = option.flag ?? (option.name === 'startUrls' ? '[startUrls...]' : option.env);
    const usage = [flag, option.placeholder].filter(Boolean).join(' ');
    const isSetting = option.name !== undefined;
    return [
      code(usage),
      isSetting ? code(option.name) : '',
      isSetting && option.env ? code(option.env) : '',
      option.defaultText?.includes('<')
        ? code(option.defaultText)
        : (option.defaultText ?? (isSetting ? code(String(option.default)) : '')),
      option.commands.length === COMMAND_NAMES.length ? 'all' : option.commands.join(', '),
      option.help,
    ].map((cell) => cell.replaceAll('|', '\\|'));
  });
  const table = [['Option', 'In JSON', 'Variable', 'Default', 'Commands', 'What it does'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(3, ...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const [head = '', ...body] = table.map((row) => tableRow(row, widths));
  const rule = tableRow(
    widths.map((width) => '-'.repeat(width)),
    widths,
  );
  return [head, rule, ...body].join('\n');
}
