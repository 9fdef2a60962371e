import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { OPTIONS, shownDefault } from '../../src/input/options.ts';
import { FLAGS } from '../../src/input/program.ts';
import { COMMAND_NAMES, COMMANDS } from '../../src/input/schema.ts';
import { textOf } from './folder.ts';

/** Help without its line breaks, which fall where the columns end. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('--help', () => {
  it('names every command and every option with its default and variable', async () => {
    const help = flat(await textOf(['--help']));
    for (const command of COMMAND_NAMES) expect(help).toContain(`${command} ${COMMANDS[command]}`);
    for (const option of OPTIONS) expect(help).toContain(`${option.help} (default: ${shownDefault(option)}; ${option.env})`);
    for (const { flag, placeholder } of FLAGS) expect(help).toContain(placeholder ? `${flag} ${placeholder}` : flag);
    for (const code of ['0 all done', '1 bad input', '2 finished, some requests failed', '130, 143 interrupted']) {
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

  it('wins over anything that is wrong with the rest', async () => {
    expect(await textOf(['--bogus', 'nonsense', '-h'], { env: { SUREFOOT_STORE: 'x' } })).toContain('Usage:');
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
