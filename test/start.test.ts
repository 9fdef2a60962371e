// `npm start` and `npm run build`: what runs is what stands in src/, however it got there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const FILES = ['scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** A project of one file, which prints its arguments. */
let dir: string;
const main = () => join(dir, 'src/main.ts');
const says = (word: string) => `console.log('${word}', process.argv.slice(2).join(' '));\n`;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'surefoot-start-'));
  for (const file of FILES) cpSync(join(ROOT, file), join(dir, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  cpSync(join(ROOT, 'src/core/errors.ts'), join(dir, 'src/core/errors.ts'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(script = 'start', ...args: string[]) {
  const child = spawn('npm', ['run', '--silent', script, '--', ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, stdout, stderr };
}

it('compiles and runs what is there, with the arguments', async () => {
  writeFileSync(main(), says('first'));
  expect(await start('start', '--site', 'bookshop')).toEqual({ code: 0, stdout: 'first --site bookshop\n', stderr: '' });
});

it('compiles nothing when nothing has changed', async () => {
  const compiled = () => statSync(join(dir, 'dist/main.js')).ino;
  const before = compiled();
  await start();
  expect((await start('build')).code).toBe(0);
  expect(compiled()).toBe(before);
});

it('sees a change whose file is older than what was compiled, as a copy with its times is', async () => {
  writeFileSync(main(), says('other'));
  utimesSync(main(), new Date(0), new Date(0));
  expect((await start()).stdout).toBe('other \n');
});

it('forgets what is not in src/ any more', async () => {
  renameSync(join(dir, 'src/core'), join(dir, 'src/heart'));
  await start();
  expect(readdirSync(join(dir, 'dist'))).toContain('heart');
  expect(readdirSync(join(dir, 'dist'))).not.toContain('core');
});

it('says what does not compile, with exit code 1, and leaves what was compiled', async () => {
  const before = readFileSync(join(dir, 'dist/main.js'), 'utf8');
  writeFileSync(main(), `${says('wrong')}export const pages: number = 'three';\n`);
  const { code, stdout, stderr } = await start();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain("src/main.ts(2,14): error TS2322: Type 'string' is not assignable to type 'number'.");
  expect(stderr).toContain('src/ does not compile. Mend what is listed above; nothing has been started.');
  expect(readFileSync(join(dir, 'dist/main.js'), 'utf8')).toBe(before);
});

it('compiles for several that start at once', async () => {
  writeFileSync(main(), says('together'));
  const runs = await Promise.all([start(), start(), start(), start()]);
  expect(runs).toEqual(runs.map(() => ({ code: 0, stdout: 'together \n', stderr: '' })));
  expect(readdirSync(dir).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
});

it('says what to install where there is no compiler', async () => {
  rmSync(join(dir, 'dist'), { recursive: true });
  rmSync(join(dir, 'node_modules'));
  const { code, stderr } = await start();
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Run "npm install" first') as string });
});
