// One child process of `--workers` as the main process has it: started, spoken with, and mourned.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { FromWorker, Questions, ToWorker } from '../core/worker-messages.ts';
import { createChannel, type ChannelOptions } from '../platform/channel.ts';
import type { WorkerJob } from './worker.ts';

/** `.ts` as it stands here, `.js` after a build. */
const ENTRY = new URL(`../worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

export interface WorkerProcess {
  readonly pid: number | undefined;
  post(message: ToWorker): void;
  /** Sends what was posted, at once. */
  flush(): void;
  /** Ends it as it stands. */
  kill(): void;
  /** Resolves when it is gone and all that it had sent has been handled. Says how it ended: `SIGKILL`, `exit code 1`. */
  readonly ended: Promise<string>;
}

export interface WorkerProcessOptions {
  job: WorkerJob;
  onMessage: (message: FromWorker) => void;
  answers: NonNullable<ChannelOptions<FromWorker, Questions>['answers']>;
  /** Told what went wrong while a batch was handled. */
  onError: (error: unknown) => void;
}

export function startWorker({ job, onMessage, answers, onError }: WorkerProcessOptions): WorkerProcess {
  const child = fork(fileURLToPath(ENTRY), {
    // An inspector's port can be had once.
    execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
    // Rows and bodies go as they are: as JSON they would be escaped and read once more.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const channel = createChannel<FromWorker, ToWorker, Questions>({
    // What cannot be sent any more is no news: `ended` says so.
    send: (batch) => void (child.connected && child.send(batch as object, () => {})),
    onMessage,
    answers,
  });
  child.on('message', (batch) => {
    try {
      channel.receive(batch);
    } catch (error) {
      onError(error);
    }
  });
  child.send(job as unknown as object, () => {});

  const failure = new Promise<string>((resolve) => {
    child.on('error', ({ message }) => child.pid === undefined && resolve(message));
  });
  // It may be gone before all that it has sent is read.
  const gone = Promise.all([once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>, once(child, 'disconnect')]);
  return {
    pid: child.pid,
    post: channel.post,
    flush: channel.flush,
    kill: () => void child.kill('SIGKILL'),
    ended: Promise.race([failure, gone.then(([[code, signal]]) => signal ?? `exit code ${code}`)]),
  };
}
