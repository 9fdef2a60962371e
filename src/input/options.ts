// The settings as a list a person can read: what --help, README's table, .env.example and error messages show of the schema.
import { z } from 'zod';

import { settingsSchema } from './schema.ts';
import type { Settings } from './schema.ts';
import { COMMAND_NAMES, settingMeta } from './setting.ts';
import type { SettingMeta } from './setting.ts';

/** A setting that can be given, with everything that is known about it. */
export interface Option extends SettingMeta {
  /** Its key in `Settings` and in JSON input. */
  readonly name: Exclude<keyof Settings, 'command'>;
  /** Its environment variable. */
  readonly env: string;
  readonly kind: 'text' | 'integer' | 'number' | 'boolean' | 'list';
  /** Undefined: none, see `defaultText`. */
  readonly default: string | number | boolean | readonly string[] | undefined;
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
] as const satisfies readonly SettingMeta[];

const defaults: Settings = settingsSchema.parse({});
const properties = z.toJSONSchema(settingsSchema, { io: 'input' }).properties ?? {};

type JsonType = z.core.JSONSchema.BaseSchema;

function jsonType(of: JsonType | boolean | undefined): JsonType {
  return typeof of === 'object' ? of : {};
}

function allowedBy(type: JsonType, text: string | undefined): string {
  if (type.enum) return `one of ${type.enum.join(', ')}`;
  if (type.type === 'boolean') return 'true or false';
  if (type.type === 'integer') {
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = type;
    return maximum === Number.MAX_SAFE_INTEGER
      ? `a whole number of ${minimum} or more`
      : `a whole number from ${minimum} to ${maximum}`;
  }
  if (type.type === 'number')
    return type.exclusiveMinimum === 0 ? 'a number above 0' : `a number of ${type.minimum ?? 0} or more`;
  if (text === undefined) throw new TypeError('A setting that is text needs `allowed` in its meta.');
  return text;
}

/** `maxRequests` is `SUREFOOT_MAX_REQUESTS`. */
export function toVariable(name: Option['name'], prefix = 'SUREFOOT_'): string {
  return `${prefix}${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
}

function toOption(name: Option['name'], meta: SettingMeta): Option {
  const type = jsonType(properties[name]);
  const isList = type.type === 'array';
  const item = isList && !Array.isArray(type.items) ? jsonType(type.items) : type;
  const allowedItem = allowedBy(item, meta.allowed);
  const length = (type.minItems ?? 0) > 0 ? 'a list of one or more' : 'a list';
  return {
    ...meta,
    name,
    env: meta.env ?? toVariable(name),
    kind: isList ? 'list' : type.type === 'integer' || type.type === 'number' || type.type === 'boolean' ? type.type : 'text',
    default: defaults[name],
    allowed: isList ? `${length}, each ${allowedItem}` : allowedItem,
    allowedItem,
  };
}

/** All settings that can be given, in the schema's order. `command` is none: it is the first word of the command line. */
export const OPTIONS: readonly Option[] = Object.entries(settingsSchema.shape).flatMap(([name, field]) => {
  const meta = settingMeta.get(field);
  return meta ? [toOption(name as Option['name'], meta)] : [];
});

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

/** README's options table in Markdown, without a trailing newline, laid out as oxfmt would. */
export function optionsTable(): string {
  const code = (text: string): string => `\`${text}\``;
  const rows = [...OPTIONS, ...OTHER_FLAGS].map((option: SettingMeta & Partial<Option>) => {
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
