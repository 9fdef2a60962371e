// A crawl whose output nobody takes: the reader has left, the disk is full, the terminal is closed. Real shells, side by side.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, it } from 'vitest';

import { startDemoSite } from '../../src/demo/server.ts';
import { newStorageDir, readExport } from './crawl-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STORIES = 30;
const SECONDS = 30_000;

/** Runs a line of bash. `$CRAWL` in it is a crawl that takes more than a second, `$DIR` a folder of its own. */
async function startShell(line: string, onTestFinished: (end: () => Promise<void>) => void) {
  let asked = 0;
  const site = await startDemoSite({ stories: STORIES, delayMillis: () => (asked++, 300) });
  onTestFinished(() => site.close());
  const storageDir = newStorageDir();
  const crawl = `${process.execPath} scripts/start.mjs ${site.url} --storage-dir ${storageDir} --concurrency 5`;
  const child = spawn('bash', ['-c', line], {
    cwd: ROOT,
    env: { ...process.env, CRAWL: crawl, DIR: storageDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return {
    child,
    storageDir,
    asked: () => asked,
    ended: output.then(([stdout, stderr, [code]]) => ({ code: code as number | null, stdout, stderr })),
  };
}

// /dev/full is Linux's, and `script` has other options elsewhere.
describe.skipIf(process.platform !== 'linux')('a crawl goes on to its end', { concurrent: true }, () => {
  const LOST = /^\[run\] The result could not be written to stdout: .*ENOSPC.*\. All else is done\.$/m;
  it.for([
    ['nobody reads its progress any more', '$CRAWL 2>&1 | head -1; exit ${PIPESTATUS[0]}', 0, /^Crawling.*\n$/, /^$/],
    ['nobody reads what its workers say', '$CRAWL --workers 2 2>&1 | head -1; exit ${PIPESTATUS[0]}', 0, /^Crawling.*\n$/, /^$/],
    ['nobody reads its result', '$CRAWL --quiet | true; exit ${PIPESTATUS[0]}', 0, /^$/, /^$/],
    ['its progress cannot be written', '$CRAWL 2>/dev/full', 0, /Succeeded/, /^$/],
    ['its result cannot be written', '$CRAWL >/dev/full', 1, /^$/, LOST],
    ['nothing can be written', '$CRAWL >/dev/full 2>&1', 1, /^$/, /^$/],
  ] as const)('when %s', async ([, line, code, stdout, stderr], { expect, onTestFinished }) => {
    const shell = await startShell(line, onTestFinished);
    expect(await shell.ended).toEqual({
      code,
      stdout: expect.stringMatching(stdout) as string,
      stderr: expect.stringMatching(stderr) as string,
    });
    expect(readExport(shell.storageDir).meta).toMatchObject({ succeeded: STORIES + 1, status: 'finished' });
  });

  it.for(['', '--workers 2'])('when its terminal is closed: %s', async (flags, { expect, onTestFinished }) => {
    // The terminal's shell is deaf to SIGHUP, so that the crawl is not told.
    const inTerminal = `trap "" HUP; $CRAWL ${flags}; echo $? >$DIR/code`;
    const shell = await startShell(`exec script --quiet --command '${inTerminal}' /dev/null`, onTestFinished);
    await expect.poll(shell.asked, { timeout: SECONDS }).toBeGreaterThan(5);
    shell.child.kill('SIGKILL');
    const codeFile = join(shell.storageDir, 'code');
    await expect.poll(() => existsSync(codeFile) && readFileSync(codeFile, 'utf8'), { timeout: SECONDS }).toBe('1\n');
    expect(readExport(shell.storageDir).meta).toMatchObject({ succeeded: STORIES + 1, status: 'finished' });
  });
});
