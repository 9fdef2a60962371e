// Which run a crawl is of: the last one that goes on, or a new one over a store that is cleared for it.
import { SurefootError } from '../core/errors.ts';
import { decideRun, type RunInput, type RunRecord } from '../core/run.ts';
import type { Site } from '../core/site.ts';
import type { Settings } from '../input/schema.ts';
import { loadSite } from '../load-site.ts';
import { describeInput } from '../report/opening.ts';
import type { OpenStorage } from '../storage/open.ts';
import { readRun } from '../storage/run.ts';

/** The site whose start, when none is named, is the bundled demo. */
const DEMO_OF = 'hackernews';

/** Decides whether the last run goes on, and clears the store if not. */
export async function beginRun(
  settings: Settings,
  site: Site,
  { client, clear }: OpenStorage,
  isActor: boolean,
): Promise<{ run: RunRecord; resumes: boolean; site: Site }> {
  const previous = await readRun(client);
  const startUrls = settings.startUrls.length > 0 || site.name === DEMO_OF ? settings.startUrls : site.startUrls;
  if (startUrls.length === 0 && site.name !== DEMO_OF) {
    throw new SurefootError('input', `Site "${site.name}" has no start URLs of its own: name one on the command line.`);
  }
  const input: RunInput = { site: site.name, startUrls, maxRequests: settings.maxRequests ?? null };
  const decision = decideRun(previous, input, settings);
  switch (decision.kind) {
    case 'resume': {
      const resumed = decision.run.input.site;
      return { run: decision.run, resumes: true, site: resumed === site.name ? site : await loadResumed(resumed, settings) };
    }
    case 'start':
      await clear();
      return { run: { input, startedAt: new Date().toISOString(), finishedAt: null, demoPort: null }, resumes: false, site };
    case 'refuse':
      if (decision.run.input.site !== site.name) await loadResumed(decision.run.input.site, settings);
      throw new SurefootError(
        'run',
        `${settings.storageDir} holds an unfinished crawl of ${describeInput(decision.run.input)}, begun ${decision.run.startedAt}, ` +
          `and this is another one, of ${describeInput(input)}. Go on with the unfinished one by --resume, discard it by --fresh, ` +
          `or keep both by another folder: ${isActor ? 'the variable CRAWLEE_STORAGE_DIR' : '--storage-dir DIR'}.`,
      );
  }
}

/** The site of the run that goes on, which nobody has named this time. */
async function loadResumed(name: string, { storageDir }: Settings): Promise<Site> {
  try {
    return await loadSite(name);
  } catch (error) {
    if (!(error instanceof SurefootError) || error.kind !== 'input') throw error;
    throw new SurefootError(
      'run',
      `The run in ${storageDir} is of site ${name}, which is no longer in src/routes/. Give the folder its name back, or ` +
        'discard the run by --fresh; `export` writes the rows that it has.',
      { cause: error },
    );
  }
}
