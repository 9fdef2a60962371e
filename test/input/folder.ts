// A working directory of its own for each test, and the two ends that a call of loadInput() can have.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { SurefootError } from '../../src/core/errors.ts';
import { loadInput } from '../../src/input/load.ts';
import type { Settings } from '../../src/input/schema.ts';

export const STORED_INPUT = path.join('storage', 'key_value_stores', 'default', 'INPUT.json');

/** What stands where: an environment, and files by their path in the working directory. */
export interface Given {
  env?: Record<string, string>;
  files?: Record<string, string>;
}

async function load(argv: readonly string[], { env = {}, files = {} }: Given) {
  const cwd = await mkdtemp(path.join(tmpdir(), 'surefoot-input-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
      await writeFile(path.join(cwd, name), text);
    }
    return await loadInput(argv, { env, cwd });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

export async function settingsOf(argv: readonly string[], given: Given = {}): Promise<Settings> {
  const input = await load(argv, given);
  if (input.kind !== 'settings') throw new Error(`Expected settings, got the text ${input.text}`);
  return input.settings;
}

export async function textOf(argv: readonly string[], given: Given = {}): Promise<string> {
  const input = await load(argv, given);
  if (input.kind !== 'text') throw new Error('Expected a text, got settings.');
  return input.text;
}

/** The message, without its `[input] `, that loadInput() fails with. */
export async function problemOf(argv: readonly string[], given: Given = {}): Promise<string> {
  try {
    await load(argv, given);
  } catch (thrown) {
    if (thrown instanceof SurefootError && thrown.kind === 'input') return thrown.message.replace('[input] ', '');
    throw thrown;
  }
  throw new Error(`Nothing was wrong with ${argv.join(' ')}.`);
}
