import { expect, it } from 'vitest';

import { toOutcome } from '../../src/report/actor-outcome.ts';

it.each([
  [{ succeeded: 93, failed: 0, missing: 0 }, 90, 'Finished: 90 rows from 93 pages.', 'INFO', 0],
  [{ succeeded: 0, failed: 0, missing: 1 }, 0, 'Finished: 0 rows from 0 pages.', 'INFO', 0],
  [
    { succeeded: 1, failed: 2, missing: 0 },
    1,
    'Finished with failures: 1 row from 1 page; 2 pages failed, see failed.json.',
    'WARNING',
    0,
  ],
  [{ succeeded: 0, failed: 3, missing: 0 }, 0, 'Failed: none of 3 pages could be fetched. See failed.json.', 'ERROR', 1],
])('%j', (meta, rows, text, level, exitCode) => expect(toOutcome(meta, rows)).toEqual({ text, level, exitCode }));
