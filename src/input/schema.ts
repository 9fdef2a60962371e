// The one schema of all settings, in Zod, made of the fields; and `Settings`, what comes out of it.
// Zod is 90 files: what does not check settings (--help) must not import this but as types.
import { z } from 'zod';

import { fields } from './fields.ts';
import { isHttpUrl, tidyUrl } from './http-url.ts';
import { RULES } from './rules.ts';
import { COMMAND_NAMES } from './setting.ts';
import type { Command, SettingType, TextType, ValueOf } from './setting.ts';

type Fields = typeof fields;
type Values = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]['type']> };
type Defaulted = { [Name in keyof Fields]: Fields[Name] extends { default: unknown } ? Name : never }[keyof Fields];

/** What a run is told to do, checked and complete. Frozen; paths are as given, relative to the working directory. */
export type Settings = { readonly command: Command } & Pick<Values, Defaulted> & Partial<Omit<Values, Defaulted>>;

/** What a loop over the fields cannot tell the compiler. */
type Shape = { [Name in Defaulted]: z.ZodDefault<z.ZodType<Values[Name]>> } & {
  [Name in Exclude<keyof Fields, Defaulted>]: z.ZodExactOptional<z.ZodType<Values[Name]>>;
};

const httpUrl = z.stringFormat('http-url', isHttpUrl).overwrite(tidyUrl);

/** As text, or as an item of Apify's `requestListSources`; any other method than GET is refused. */
const startUrl = z.union([
  httpUrl,
  z.strictObject({ url: httpUrl, method: z.literal('GET').optional() }).transform((source) => source.url),
]);

function toText({ choices, pattern, min = 1, max }: TextType): z.ZodType {
  if (choices) return z.enum(choices);
  const text = pattern ? z.string().regex(pattern) : z.string().min(min);
  return max === undefined ? text : text.max(max);
}

function toZod(type: SettingType): z.ZodType {
  switch (type.kind) {
    case 'text':
      return toText(type);
    case 'url':
      return httpUrl;
    case 'start-url':
      return startUrl;
    case 'integer':
      return z
        .int()
        .min(type.min)
        .max(type.max ?? Number.MAX_SAFE_INTEGER);
    case 'number':
      return 'above' in type ? z.number().gt(type.above) : z.number().min(type.min);
    case 'boolean':
      return z.boolean();
    case 'list':
      return z.array(toZod(type.of)).min(type.min ?? 0);
  }
}

// Typed for the compiler to see that each default is a value of its field's type.
const checkable: { readonly [Name in keyof Fields]: { type: SettingType; help: string; default?: Values[Name] } } = fields;

const shape = Object.fromEntries(
  Object.entries(checkable).map(([name, { type, help, default: initial }]) => {
    const value = toZod(type);
    return [name, (initial === undefined ? z.exactOptional(value) : value.default(initial)).describe(help)];
  }),
) as Shape;

/** The one schema of all settings. Input: an object as JSON has it. Unknown keys are refused. */
export const settingsSchema = z
  .strictObject({ command: z.enum(COMMAND_NAMES).default('crawl'), ...shape })
  .superRefine((settings, context) => {
    for (const { about, isBroken, sentence } of RULES) {
      const commands: readonly Command[] = fields[about].commands;
      if (commands.includes(settings.command) && isBroken(settings))
        context.addIssue({ code: 'custom', path: [about], message: sentence });
    }
  });
