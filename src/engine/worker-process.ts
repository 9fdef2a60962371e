// One child process of `--workers` as the main process has it: started, spoken with, and mourned.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { FromWorker, Questions, ToWorker } from '../core/worker-messages.ts';
import { createChannel, type ChannelOptions } from '../platform/channel.ts';
import type { WorkerJob } from './worker.ts';

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
  /** Just forked; it may have ended since. */
  child: ChildProcess;
  job: WorkerJob;
  onMessage: (message: FromWorker) => void;
  answers: NonNullable<ChannelOptions<FromWorker, Questions>['answers']>;
  /** Told what went wrong while a batch was handled. */
  onError: (error: unknown) => void;
}

export function startWorker({ child, job, onMessage, answers, onError }: WorkerProcessOptions): WorkerProcess {
  const channel = createChannel<FromWorker, ToWorker, Questions>({
    // What cannot be sent any more is no news: `ended` says so.
    send: (batch) => void (child.connected && child.send(batch as object, () => {})),
    onMessage,
    answers,
  });
  const receive = (batch: unknown) => {
    try {
      channel.receive(batch);
    } catch (error) {
      onError(error);
    }
  };
  child.on('message', receive);
  if (child.connected) child.send(job, () => {});

  const failure = new Promise<string>((resolve) => {
    if (child.pid === undefined) resolve('it could not be started');
  });
  // It may be gone before all that it has sent is read.
  const gone = Promise.all([
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null,
    child.connected ? once(child, 'disconnect') : null,
  ]);
  return {
    pid: child.pid,
    post: channel.post,
    flush: channel.flush,
    kill: () => void child.kill('SIGKILL'),
    ended: Promise.race([failure, gone.then(() => child.signalCode ?? `exit code ${child.exitCode}`)]),
  };
}
