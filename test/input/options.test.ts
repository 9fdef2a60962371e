import { existsSync, readFileSync } from 'node:fs';

import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { OPTIONS, optionsTable, OTHER_FLAGS, shownDefault, shownValue } from '../../src/input/options.ts';
import { settingsSchema } from '../../src/input/schema.ts';
import { COMMAND_NAMES } from '../../src/input/setting.ts';
import { settingsOf } from './folder.ts';

const fileText = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const GUIDE = 'docs/guide/settings.md';
const hasGuide = existsSync(new URL(`../../${GUIDE}`, import.meta.url));

describe('the list of options', () => {
  it('has every field of the schema but the command', () => {
    expect(['command', ...OPTIONS.map(({ name }) => name)]).toEqual(Object.keys(settingsSchema.shape));
  });

  it.each(OPTIONS.filter(({ flag }) => flag))('--help, JSON and variable call it the same: $name', ({ name, flag, env }) => {
    const words = name.replaceAll(/[A-Z]/g, ' $&').toLowerCase().split(' ');
    expect(flag).toBe(`--${words.join('-')}`);
    expect(env).toBe(`SUREFOOT_${words.join('_').toUpperCase()}`);
  });

  it.each(OPTIONS.filter(({ flag }) => !flag))('the variable of $name says what JSON calls it', ({ name, env }) => {
    const last = name.replace(/^(decodo|unblocker|api|proxy|crawlee|start)/, '').replaceAll(/[A-Z]/g, '_$&');
    expect(env).toMatch(new RegExp(`${last.toUpperCase()}$`));
  });

  it('calls no two settings the same', () => {
    expect(new Set(OPTIONS.map(({ env }) => env)).size).toBe(OPTIONS.length);
  });

  it('keeps passwords, tokens and what may hold one secret, and has no value of its own for them', () => {
    const secrets = OPTIONS.filter(({ secret }) => secret);
    expect(secrets.map(({ name }) => name)).toEqual(['unblockerPass', 'apiToken', 'decodoPass', 'proxyUrls']);
    for (const option of secrets) {
      expect(option.flag, 'a flag is seen by all who see the process').toBeUndefined();
      expect(shownDefault(option)).toBe('none');
    }
  });

  it.each(OPTIONS)('$name has help that fits in, a command that takes it, and a value name unless it is on/off', (option) => {
    expect(option.help).toMatch(/^\S.*[^.\s]$/);
    expect(option.commands.length).toBeGreaterThan(0);
    if (option.flag) expect(option.placeholder === undefined).toBe(option.kind === 'boolean');
    expect(shownDefault(option)).not.toMatch(/undefined|^$/);
  });

  it.each([
    ['concurrency', 'a whole number from 1 to 1000'],
    ['maxRequests', 'a whole number of 1 or more'],
    ['port', 'a whole number from 0 to 65535'],
    ['store', 'one of sqlite, files, memory'],
    ['quiet', 'true or false'],
    ['format', 'a list of one or more, each one of json, jsonl, csv'],
    ['startUrls', 'a list, each an absolute http(s) URL without user name and password'],
    ['secondPassDelay', 'a whole number from 0 to 86400'],
    ['headers', 'one of browser, polite'],
    ['status', 'a list, each an HTTP status, such as 503'],
    ['tiers', 'a list of one or more, each one of http, impersonate, browser, unblocker, api'],
    ['decodoPort', 'a whole number from 1 to 65535'],
    ['pricePerGb', 'a number of 0 or more'],
    ['maxCost', 'a number above 0'],
  ])('says from the type alone that %s must be %s', (name, allowed) => {
    expect(OPTIONS.find((option) => option.name === name)?.allowed).toBe(allowed);
  });

  it('describes each field in the JSON schema as --help does', () => {
    const { properties = {} } = z.toJSONSchema(settingsSchema, { io: 'input' });
    for (const { name, help } of OPTIONS) expect(properties[name]).toMatchObject({ description: help });
  });
});

describe('shownValue', () => {
  it('never shows a secret', () => {
    expect(shownValue({ secret: true }, 'hunter2')).toBe('***');
    expect(shownValue({ secret: true }, ['hunter2', null])).toBe('***');
    expect(shownValue({}, 'many')).toBe('"many"');
  });

  it.each([
    ['https://me:hunter2@a.test/', '"https://***@a.test/"'],
    ['me:hunter2@a.test', '"***@a.test"'],
    ['http://me:hun@ter2/hunter2@a.test', '"http://***@a.test"'],
    [[{ url: 'http://hunter2@a.test' }, 5], '[{"url":"http://***@a.test"},5]'],
    ['https://a.test/', '"https://a.test/"'],
  ])('shows nothing of what may be a password in %j', (value, shown) => {
    expect(shownValue({}, value)).toBe(shown);
  });

  it('cuts a long value', () => {
    expect(shownValue({}, 'x'.repeat(5000)).length).toBeLessThan(90);
  });
});

describe('the documents', () => {
  it('.env.example names exactly the variables there are, each commented out with its default', () => {
    const named = [...fileText('.env.example').matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(([, mark, env, text]) => ({
      mark,
      env,
      text,
    }));
    const isAccount = (env: string) => /^(DECODO|PROXY)_/.test(env);
    const inOrder = [...OPTIONS.filter(({ env }) => !isAccount(env)), ...OPTIONS.filter(({ env }) => isAccount(env))];
    expect(named).toEqual(inOrder.map((option) => ({ mark: '# ', env: option.env, text: String(option.default ?? '') })));
  });

  it('.env.example, uncommented, changes nothing', async () => {
    const env = parse(fileText('.env.example').replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(env)).toHaveLength(OPTIONS.length);
    expect(await settingsOf([], { env })).toEqual(await settingsOf([]));
  });

  it('the table has a row for each option and flag, all of one shape', () => {
    const lines = optionsTable().split('\n');
    expect(lines).toHaveLength(2 + OPTIONS.length + OTHER_FLAGS.length);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    for (const { name, flag, env } of OPTIONS) {
      const cells = lines.map((candidate) => candidate.split('|').map((cell) => cell.trim()));
      const [, usage, , variable] = cells.find((row) => row[2] === `\`${name}\``) ?? [];
      expect(variable).toBe(`\`${env}\``);
      expect(usage).toMatch(name === 'startUrls' ? '`[startUrls...]`' : new RegExp(`^\`${flag ?? env}[ \`]`));
    }
  });

  it.skipIf(!hasGuide)('the guide carries the options table as it is', () => {
    const carried = /<!-- options -->\n+([^]*?)\n+<!-- \/options -->/.exec(fileText(GUIDE))?.[1];
    expect(carried).toBe(optionsTable());
  });

  it('every command is taken by at least one option', () => {
    expect(new Set(OPTIONS.flatMap(({ commands }) => commands))).toEqual(new Set(COMMAND_NAMES));
  });
});
