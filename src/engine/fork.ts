// Starts the processes of `--workers`. Apart from what speaks with them, so that main.ts can start them before it loads all
// that a crawl needs: they load the same meanwhile.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `.ts` as it stands here, `.js` after a build. */
const ENTRY = new URL(`../worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/** Where every core has a worker, threads that collect garbage beside it take their time from the others: a tenth of what a
 *  page costs. */
const WORKER_FLAGS = ['--single-threaded-gc'];

/** A worker that waits for its job. It ends when this process does. */
export function forkWorker(): ChildProcess {
  const child = fork(fileURLToPath(ENTRY), {
    // An inspector's port can be had once.
    execArgv: [...process.execArgv.filter((argument) => !argument.startsWith('--inspect')), ...WORKER_FLAGS],
    // Rows and bodies go as they are: as JSON they would be escaped and read once more.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // Whoever speaks with it hears of its end; until then an error is nobody's.
  child.on('error', () => {});
  return child;
}
