import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { OPTIONS, shownDefault } from '../../src/input/options.ts';
import { FLAGS } from '../../src/input/program.ts';
import { COMMAND_NAMES, COMMANDS } from '../../src/input/setting.ts';
import { textOf } from './folder.ts';

/** Help without its line breaks, which fall where the columns end. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('--help', () => {
  it('names every command and every option with its default and variable', async () => {
    const help = flat(await textOf(['--help']));
    for (const command of COMMAND_NAMES) expect(help).toContain(`${command} ${COMMANDS[command]}`);
    for (const option of OPTIONS) {
      const { help: does, flag, env } = option;
      if (flag) expect(help).toContain(`${does} (default: ${shownDefault(option)}; ${env})`);
    }
    for (const { flag, placeholder } of FLAGS) expect(help).toContain(placeholder ? `${flag} ${placeholder}` : flag);
    for (const code of ['0 all done', '1 bad input', '2 finished, some requests failed', '129, 130, 143 interrupted']) {
      expect(help).toContain(code);
    }
    expect(help.match(/npx tsx src\/main\.ts/g)).toHaveLength(3);
  });

  it.each(COMMAND_NAMES)('%s --help names the options of that command and no other', async (command) => {
    const help = await textOf([command, '--help']);
    expect(help).toContain(`Usage: npx tsx src/main.ts ${command}`);
    for (const { flag, commands } of FLAGS) {
      expect(new RegExp(`^ +(-\\w, )?${flag} `, 'm').test(help), flag).toBe(commands.includes(command));
    }
  });

  it.each([undefined, ...COMMAND_NAMES])('names the settings that are variables only: of %s', async (command) => {
    const help = await textOf(command ? [command, '--help'] : ['--help']);
    for (const option of OPTIONS.filter(({ name, flag }) => flag === undefined && name !== 'startUrls')) {
      const { env, help: does, commands } = option;
      const isShown = command === undefined || commands.includes(command);
      expect(flat(help).includes(`${env} ${does} (default: ${shownDefault(option)})`), env).toBe(isShown);
    }
    // Line by line, in the order of the schema; none for a command without any.
    const isCrawl = command === undefined || command === 'crawl';
    expect(help.includes('\nVariables:\n')).toBe(isCrawl || command === 'verify');
    expect(help.includes('\nVariables of verify:\n  DECODO_ECHO_URL ')).toBe(command === undefined);
    expect(help).not.toMatch(/\n\n\n/);
  });

  it('shows no value of a secret, wherever it is set', async () => {
    const env = { DECODO_PASS: 'hunter2', PROXY_URLS: 'http://me:hunter2@a.test:1' };
    expect(await textOf(['--help'], { env, files: { '.env': 'DECODO_API_TOKEN=hunter2' } })).not.toContain('hunter2');
  });

  it('wins over anything that is wrong with the rest', async () => {
    expect(await textOf(['--bogus', 'nonsense', '-h'], { env: { SUREFOOT_STORE: 'x' } })).toContain('Usage:');
  });

  it('loads nothing of Zod', async () => {
    const [load, hooks] = ['../../src/input/load.ts', './loaded-modules.ts'].map((file) => new URL(file, import.meta.url).href);
    const script = `
      const { loadedModules } = await import(${JSON.stringify(hooks)});
      const { loadInput } = await import(${JSON.stringify(load)});
      await loadInput(['--help']);
      const forHelp = await loadedModules();
      await import('zod');
      console.log(JSON.stringify([forHelp, await loadedModules()].map((modules) => modules.some((url) => url.includes('/zod/')))));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
    // The second one shows that it would be seen.
    expect(JSON.parse(stdout)).toEqual([false, true]);
  });

  it('loads nothing of Crawlee', async () => {
    const load = new URL('../../src/input/load.ts', import.meta.url).href;
    const script = `
      import { createRequire } from 'node:module';
      const { loadInput } = await import(${JSON.stringify(load)});
      const { text } = await loadInput(['--help']);
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify({ text, commander: loaded.some((file) => file.includes('commander')), crawlee: loaded.filter((file) => file.includes('crawlee')) }));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
    // Commander is CommonJS as Crawlee is: that it is seen shows that the list would have Crawlee on it.
    expect(JSON.parse(stdout)).toMatchObject({ text: expect.stringContaining('Usage:'), commander: true, crawlee: [] });
  });
});

describe('--version', () => {
  it.each(['--version', '-V'])('%s is the version in package.json', async (flag) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await textOf([flag])).toBe(version);
  });
});
