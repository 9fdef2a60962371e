// The command line: read the settings, run the command, set the exit code. The only place that ends the process.
// eslint-disable-next-line import/no-unassigned-import -- before all else
import './node-version.ts';

import { lastWords, SurefootError } from './core/errors.ts';
import { loadInput, readActorRun, readSearchPath, readVersion, type ActorRun } from './input/load.ts';
import type { Surroundings } from './commands/crawl.ts';
import type { Settings } from './input/schema.ts';
import { toVisibleLines } from './core/visible.ts';
import { openOutput } from './platform/output.ts';
import { openRedactor } from './platform/redact.ts';
import { outliveQuestions } from './platform/signals.ts';

outliveQuestions();
const redactor = openRedactor();
const { print, fault, colour } = openOutput();

process.on('uncaughtException', (error, origin) => {
  report(error, origin);
  process.exit(1);
});

try {
  const argv = process.argv.slice(2);
  const actorRun = readActorRun(argv);
  const code = actorRun ? await runActor(argv, actorRun) : await runCommand(argv);
  const lost = await fault();
  if (lost) throw new SurefootError('run', `The result could not be written to stdout: ${lost.message}. All else is done.`);
  // Sockets that are kept alive would hold the process for a while longer.
  process.exit(code);
} catch (error) {
  report(error);
  process.exit(1);
}

async function runCommand(argv: readonly string[]): Promise<number> {
  const input = await loadInput(argv);
  return input.kind === 'text' ? (print(input.text), 0) : run(input.settings);
}

async function surroundings(): Promise<Surroundings> {
  return {
    forked: [],
    print,
    colour,
    redactor,
    version: await readVersion(),
    searchPath: readSearchPath(),
    exitNow: (code) => process.exit(code),
  };
}

async function runActor(argv: readonly string[], actorRun: ActorRun): Promise<number> {
  const { actorCommand } = await import('./commands/actor.ts');
  return actorCommand(argv, actorRun, await surroundings());
}

/** Imports only what the command needs: `--help` loads nothing of Crawlee. */
async function run(settings: Settings): Promise<number> {
  switch (settings.command) {
    case 'crawl': {
      const forked = [];
      if (settings.workers > 1) {
        const { forkWorker } = await import('./engine/fork.ts');
        for (let worker = 0; worker < settings.workers; worker++) forked.push(forkWorker());
      }
      const { crawl } = await import('./commands/crawl.ts');
      return crawl(settings, { ...(await surroundings()), forked });
    }
    case 'export': {
      const { exportCommand } = await import('./commands/export.ts');
      print(await exportCommand(settings));
      return 0;
    }
    case 'status': {
      const { statusCommand } = await import('./commands/status.ts');
      print(await statusCommand(settings, { colour }));
      return 0;
    }
    case 'retry-failed': {
      const { retryFailedCommand } = await import('./commands/retry-failed.ts');
      print(await retryFailedCommand(settings));
      return 0;
    }
    case 'verify': {
      const { verifyCommand } = await import('./commands/verify.ts');
      const { text, ok } = await verifyCommand(settings, { version: await readVersion(), searchPath: readSearchPath() });
      print(text);
      return ok ? 0 : 1;
    }
    case 'demo-site': {
      const { demoSiteCommand } = await import('./commands/demo-site.ts');
      return demoSiteCommand(settings, { print });
    }
  }
}

function report(error: unknown, origin?: NodeJS.UncaughtExceptionOrigin): void {
  process.stderr.write(`${toVisibleLines(redactor.redact(lastWords(error, origin)))}\n`);
}
