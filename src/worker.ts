// A worker's process (`--workers`): forked by engine/workers.ts, which sends its job. It lives no longer than its parent.
import { lastWords } from './core/errors.ts';
import { toVisibleLines } from './core/visible.ts';
import type { WorkerJob } from './engine/worker.ts';
import { openOutput } from './platform/output.ts';
import { createRedactor } from './platform/redact.ts';
import { leaveSignalsToParent } from './platform/signals.ts';

// A handler's error names its line in src/routes/.
process.setSourceMapsEnabled(true);

// Whatever a page is doing: what this process finds out from now on can be told to nobody.
process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', (error, origin) => {
  report(error, origin);
  process.exit(1);
});
leaveSignalsToParent();
openOutput();

// Loaded before there is a job.
const engine = import('./engine/worker.ts');
engine.catch(() => {});

let secrets: readonly string[] = [];
process.once('message', (job: WorkerJob) => {
  secrets = job.secrets;
  void work(job);
});

async function work(job: WorkerJob): Promise<void> {
  try {
    const { runWorker } = await engine;
    await runWorker(job, {
      send: (batch) => void process.send?.(batch),
      listen: (receive) => void process.on('message', receive),
    });
    // Sent in order, so all that was told before has arrived as well.
    process.send?.([], () => process.exit(0));
  } catch (error) {
    report(error);
    process.exit(1);
  }
}

function report(error: unknown, origin?: NodeJS.UncaughtExceptionOrigin): void {
  process.stderr.write(`${toVisibleLines(createRedactor(secrets)(lastWords(error, origin)))}\n`);
}
