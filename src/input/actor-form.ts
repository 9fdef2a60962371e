// What the Actor's input form is made of: its sections, and what a setting is filled in with.
import { z } from 'zod';

import type { Option } from './options.ts';
import { settingsSchema } from './schema.ts';

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

const shapes = z.toJSONSchema(settingsSchema, { io: 'input' }).properties ?? {};

/** The type, its bounds and what it is filled in with. */
export function editorOf(option: Option): Record<string, unknown> {
  const shape = toShape(shapes[option.name]);
  if (option.name === 'startUrls') return { type: 'array', editor: 'requestListSources' };
  if (option.secret) return option.kind === 'list' ? secret('array', 'json') : secret('string', 'textfield');
  switch (option.kind) {
    case 'boolean':
      return { type: 'boolean', editor: 'checkbox' };
    case 'text':
      return shape.enum ? { type: 'string', editor: 'select', enum: shape.enum } : { type: 'string', editor: 'textfield' };
    case 'list': {
      const items = toShape(shape.items);
      if (!items.enum) return { type: 'array', editor: 'stringList' };
      const atLeast = shape.minItems === undefined ? {} : { minItems: shape.minItems };
      return { type: 'array', editor: 'select', items: { type: 'string', enum: items.enum }, ...atLeast };
    }
    default: {
      const { minimum, maximum } = shape;
      const bounds = {
        ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && { minimum }),
        ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && { maximum }),
      };
      return { type: shape.type, editor: 'number', ...bounds };
    }
  }
}

const secret = (type: string, editor: string) => ({ type, editor, isSecret: true });

interface Shape {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: unknown;
}

function toShape(schema: unknown): Shape {
  return typeof schema === 'object' && schema !== null ? schema : {};
}

/** `maxBodyMb` as `Max body MB`. */
export function toTitle(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const short = words.replaceAll(/\b(?:mb|gb|api|asn|url|zip)(?=s?\b)/g, (word) => word.toUpperCase());
  return sentenceCase(short);
}

export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
