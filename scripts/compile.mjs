// `npm run build`: src/ compiled to dist/, where it has changed since the last time. `npm start` asks for the same first
// (start.mjs). A crawl under way may still load from dist/, so a new one is made beside it and then takes its place.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** In dist/: what it was compiled from. */
const MARK = '.compiled-from';
/** Beside src/, what the outcome depends on. */
const CONFIGURATION = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/compile.mjs'];

if (realpathSync(process.argv[1]) === import.meta.filename) process.exit(compile());

/** @returns {number} 0; 1 after stderr has been told what is wrong, and dist/ is as it was. */
export function compile() {
  const sources = fingerprint();
  sweep();
  if (isCompiledFrom(sources)) return 0;
  const fresh = `${DIST}.${process.pid}.new`;
  // TypeScript would say so of each file.
  const obstacle = make(fresh);
  if (obstacle !== null) {
    return fail(
      `src/ has to be compiled, and ${ROOT} cannot be written (${obstacle}). Mend that, or run src/ as it stands: npx tsx src/main.ts`,
    );
  }
  const compiler = findCompiler();
  if (compiler === null) {
    rmSync(fresh, { recursive: true, force: true });
    return fail('TypeScript is not installed, so src/ cannot be compiled. Run "npm install --include=dev" first.');
  }
  const args = [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', fresh, '--noEmitOnError'];
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const end = error ? error.message : (signal ?? `exit code ${status}`);
    return fail(`src/ was not compiled: TypeScript ended with ${end}. Mend what it says above; nothing else was done.`);
  }
  writeFileSync(join(fresh, MARK), sources);
  // Another one that was started in the same moment may have made it meanwhile, and be loading from it.
  if (!isCompiledFrom(sources)) replace(fresh);
  rmSync(fresh, { recursive: true, force: true });
  return isCompiledFrom(sources) ? 0 : fail('dist/ could not be replaced. Remove it, and run this again.');
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  return 1;
}

/** Makes a folder. @returns Null, or the code of what is in the way. */
function make(dir) {
  try {
    mkdirSync(dir, { recursive: true });
    return null;
  } catch (error) {
    return error.code;
  }
}

function isCompiledFrom(sources) {
  const mark = join(DIST, MARK);
  return existsSync(join(DIST, 'main.js')) && existsSync(mark) && readFileSync(mark, 'utf8') === sources;
}

/** Where it does not come about, dist/ is not of these sources afterwards, or another one has made it so. */
function replace(fresh) {
  const former = `${DIST}.${process.pid}.old`;
  rename(DIST, former);
  if (!rename(fresh, DIST)) rename(former, DIST);
  rmSync(former, { recursive: true, force: true });
}

function rename(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Removes what those left that were ended while they compiled. */
function sweep() {
  for (const name of readdirSync(ROOT)) {
    const pid = Number(/^dist\.(\d+)\.(?:new|old)$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) remove(join(ROOT, name));
  }
}

function remove(dir) {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch {
    // Somebody else's: it is in nobody's way.
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Of names and contents: files that come with the times they had elsewhere are no older than what was compiled. */
function fingerprint() {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true })
    // What editors leave beside: `.#main.ts`.
    .filter((file) => /(?:^|[/\\])[^.][^/\\]*\.ts$/.test(file))
    .map((file) => join('src', file))
    .toSorted();
  const hash = createHash('sha256');
  for (const file of [...files, ...CONFIGURATION])
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

function findCompiler() {
  try {
    const require = createRequire(import.meta.url);
    const manifest = require.resolve('typescript/package.json');
    return join(manifest, '..', require(manifest).bin.tsc);
  } catch {
    return null;
  }
}
