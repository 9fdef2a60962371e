// How an Actor's run ended, as its status message says it and as the platform counts it.
import type { RunMeta } from '../core/meta.ts';
import { toCount, toPages } from './figures.ts';

export interface ActorOutcome {
  readonly text: string;
  readonly level: 'INFO' | 'WARNING' | 'ERROR';
  /** 0: the platform calls the run succeeded. */
  readonly exitCode: 0 | 1;
}

/** A run fails when nothing of what it tried could be fetched. One that has rows and failures is a success that says so:
 *  the platform would hide the rows of a failed run from integrations.
 *  @param rows In the dataset. */
export function toOutcome(meta: Pick<RunMeta, 'succeeded' | 'failed' | 'missing'>, rows: number): ActorOutcome {
  const { succeeded, failed, missing } = meta;
  const found = `${toCount(rows)} ${rows === 1 ? 'row' : 'rows'} from ${toPages(succeeded)}`;
  if (failed === 0) return { text: `Finished: ${found}.`, level: 'INFO', exitCode: 0 };
  if (succeeded + missing === 0) {
    return { text: `Failed: none of ${toPages(failed)} could be fetched. See failed.json.`, level: 'ERROR', exitCode: 1 };
  }
  return { text: `Finished with failures: ${found}; ${toPages(failed)} failed, see failed.json.`, level: 'WARNING', exitCode: 0 };
}
