// `npm run build`: src/ compiled to dist/, where it has changed since the last time. `npm start` asks for the same first
// (start.mjs). A crawl under way may still load from dist/, so a new one takes its place as a whole.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
/** In dist/: what it was compiled from. */
const MARK = '.compiled-from';
/** Beside src/, what the outcome depends on. */
const CONFIGURATION = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

if (pathToFileURL(process.argv[1] ?? '').href === import.meta.url) process.exit(compile());

/** @returns {number} 0, or 1 after TypeScript has said on stderr what is wrong: dist/ is then as it was. */
export function compile() {
  // An image has what was compiled, and no sources.
  if (!existsSync(join(ROOT, 'src'))) return 0;
  const sources = fingerprint();
  if (isCompiledFrom(sources)) return 0;

  const fresh = `${DIST}.${process.pid}.new`;
  const compiler = findCompiler();
  if (compiler === null) {
    process.stderr.write('Nothing can be compiled: TypeScript is not installed. Run "npm install" first, without --omit=dev.\n');
    return 1;
  }
  const args = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', fresh, '--noEmitOnError'];
  const { status, error } = spawnSync(process.execPath, [compiler, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const reason = error ? ` (${error.message})` : '';
    process.stderr.write(`src/ does not compile${reason}. Mend what is listed above; nothing has been started.\n`);
    return 1;
  }
  writeFileSync(join(fresh, MARK), sources);
  // Another one that was started in the same moment may have made it meanwhile, and be loading from it.
  if (isCompiledFrom(sources)) rmSync(fresh, { recursive: true });
  else replace(fresh);
  return 0;
}

function isCompiledFrom(sources) {
  const mark = join(DIST, MARK);
  return existsSync(mark) && readFileSync(mark, 'utf8') === sources;
}

/** Two that compile at once have made the same: whose comes second does not matter. */
function replace(fresh) {
  const former = `${DIST}.${process.pid}.old`;
  for (const [from, to] of [
    [DIST, former],
    [fresh, DIST],
  ]) {
    try {
      renameSync(from, to);
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error;
    }
  }
  for (const folder of [former, fresh]) rmSync(folder, { recursive: true, force: true });
  if (!existsSync(join(DIST, MARK))) throw new Error(`${DIST} could not be replaced. Remove it and run this again.`);
}

/** Changes with every file that is written, moved or removed: no copy keeps the time of an inode's last change. */
function fingerprint() {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true })
    .map((file) => join('src', String(file)))
    .concat(CONFIGURATION.filter((file) => existsSync(join(ROOT, file))))
    .toSorted();
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs, ctimeMs } = statSync(join(ROOT, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\0${ctimeMs}\n`);
  }
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
