// What the Actor's input form is made of: its sections, and what a setting is filled in with.
import type { Option } from './options.ts';
import type { ItemType } from './setting.ts';

/** The input form's sections, in order, with their captions. */
export const SECTIONS = {
  start: 'Start',
  limits: 'Limits',
  politeness: 'Politeness',
  proxy: 'Proxy',
  ladder: 'Ways to fetch',
  output: 'Output',
  advanced: 'Advanced',
} as const;

export type Section = keyof typeof SECTIONS;

/** The type, its bounds and what it is filled in with. */
export function editorOf({ name, type, secret: isSecret }: Option): Record<string, unknown> {
  if (name === 'startUrls') return { type: 'array', editor: 'requestListSources' };
  if (isSecret) return type.kind === 'list' ? secret('array', 'json') : secret('string', 'textfield');
  switch (type.kind) {
    case 'boolean':
      return { type: 'boolean', editor: 'checkbox' };
    case 'list': {
      const choices = choicesOf(type.of);
      if (!choices) return { type: 'array', editor: 'stringList' };
      return {
        type: 'array',
        editor: 'select',
        items: { type: 'string', enum: choices },
        ...(type.min && { minItems: type.min }),
      };
    }
    case 'integer':
      return { type: 'integer', editor: 'number', minimum: type.min, ...(type.max !== undefined && { maximum: type.max }) };
    case 'number':
      return { type: 'number', editor: 'number', ...('min' in type && { minimum: type.min }) };
    default: {
      const choices = choicesOf(type);
      return choices ? { type: 'string', editor: 'select', enum: choices } : { type: 'string', editor: 'textfield' };
    }
  }
}

function choicesOf(type: ItemType): readonly string[] | undefined {
  return type.kind === 'text' ? type.choices : undefined;
}

const secret = (type: string, editor: string) => ({ type, editor, isSecret: true });

/** `maxBodyMb` as `Max body MB`. */
export function toTitle(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const short = words.replaceAll(/\b(?:mb|gb|api|asn|url|zip)(?=s?\b)/g, (word) => word.toUpperCase());
  return sentenceCase(short);
}

export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
