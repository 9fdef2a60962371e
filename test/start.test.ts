// `npm start` and `npm run build`: what runs is what stands in src/, however it got there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { copyProject, start as startIn, writeInto } from './docs/project.ts';

/** A project of one file, which prints its arguments. */
let dir: string;
const main = () => join(dir, 'src/main.ts');
const says = (word: string) => `console.log('${word}', process.argv.slice(2).join(' '));\n`;

beforeAll(() => {
  dir = copyProject();
  rmSync(join(dir, 'src'), { recursive: true });
  writeInto(dir, 'src/core/one.ts', 'export const one = 1;\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = async (command: string) => startIn(dir, command).ended;
const start = async () => run('npm --silent start');

it('compiles and runs what is there, with the arguments', async () => {
  writeFileSync(main(), says('first'));
  expect(await run('npm --silent start -- --site bookshop')).toEqual({ code: 0, stdout: 'first --site bookshop\n', stderr: '' });
});

it('compiles nothing when nothing has changed', async () => {
  const compiledAt = () => statSync(join(dir, 'dist/main.js')).mtimeMs;
  const before = compiledAt();
  symlinkSync('someone@elsewhere', join(dir, 'src/.#main.ts')); // An editor's.
  await start();
  expect(compiledAt()).toBe(before);
  expect((await run('npm run --silent build')).code).toBe(0);
  expect(compiledAt()).toBe(before);
});

it('sees a change that shows in neither time nor size, as of a copy with the times of elsewhere', async () => {
  const write = (word: string) => {
    writeFileSync(main(), says(word));
    utimesSync(main(), new Date(0), new Date(0));
  };
  write('about');
  expect((await start()).stdout).toBe('about \n');
  write('other');
  expect((await start()).stdout).toBe('other \n');
});

it('makes good what is missing, and removes what was left by one that is gone', async () => {
  rmSync(join(dir, 'dist/main.js'));
  const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(gone, 'exit');
  mkdirSync(join(dir, `dist.${gone.pid}.new`));
  expect((await start()).stdout).toBe('other \n');
  expect(readdirSync(dir).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
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
  expect(stderr).toMatch(/^src\/ was not compiled: TypeScript ended with exit code \d\. Mend what it says above/m);
  expect(readFileSync(join(dir, 'dist/main.js'), 'utf8')).toBe(before);
});

it('says in one sentence that the project cannot be written, before it compiles', async () => {
  writeFileSync(main(), says('unwritten'));
  // Nor can what was left here be removed.
  mkdirSync(join(dir, 'dist.999999999.new'));
  chmodSync(dir, 0o555);
  // Root can write everywhere; "nobody" cannot.
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid }),
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  chmodSync(dir, 0o755);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^src\/ has to be compiled, and .* cannot be written \(EACCES\)\. .*npx tsx src\/main\.ts.*\n$/);
});

it('shows where in src/ an error comes from', async () => {
  writeFileSync(main(), "type Pages = number;\n\nthrow new Error('lost');\n");
  const { code, stderr } = await start();
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('src/main.ts:3:7') as string });
});

it('compiles for several that start at once', async () => {
  writeFileSync(main(), says('together'));
  const runs = await Promise.all([start(), start(), start(), start()]);
  expect(runs).toEqual(runs.map(() => ({ code: 0, stdout: 'together \n', stderr: '' })));
  expect(readdirSync(dir).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
});

it('says so when there is no compiler, and when it was killed', async () => {
  rmSync(join(dir, 'dist'), { recursive: true });
  rmSync(join(dir, 'node_modules'));
  expect(await start()).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('npm install --include=dev') as string });

  mkdirSync(join(dir, 'node_modules/typescript'), { recursive: true });
  writeFileSync(join(dir, 'node_modules/typescript/package.json'), '{ "bin": { "tsc": "tsc.js" } }');
  writeFileSync(join(dir, 'node_modules/typescript/tsc.js'), "process.kill(process.pid, 'SIGKILL');");
  expect(await start()).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('ended with SIGKILL') as string });
});
