// A frontier's place over a store without transactions that survives the process all the same: rows and done marks by the
// journal, due times with the requests, rests of hosts in a record that is saved now and then.
import type { Request, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { Rest } from '../core/checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Journal } from './journal.ts';
import { plainCheckpoint } from './plain-checkpoint.ts';

/** Until when hosts rest (epoch milliseconds), as `JournaledCheckpoint.rests()` gave it. */
export type Rests = readonly (readonly [host: string, until: number])[];

export interface JournaledCheckpoint extends Checkpoint {
  /** What a restart should know of the hosts. */
  rests(): Rests;
  /** Sums of all tallies' counters. */
  counters(): Record<string, number>;
}

/** Where a waiting request keeps its due time: Crawlee's own corner of `userData`, which no site's schema sees. */
interface Corner {
  __crawlee?: { surefootDue?: number | 'second pass' };
}

/** @param saved What another process of this run has saved last. @param now The run's clock. */
export function journaledCheckpoint(
  { client, journal, saved, now }: { client: StorageClient; journal: Journal; saved: Rests; now: () => number },
  queue: RequestQueue,
): JournaledCheckpoint {
  const rests = new Map<string, number>(saved);
  const plain = plainCheckpoint(client, queue, {
    dueOf,
    write: (request, rows, tally) => journal.commit({ queue, request, rows, tally }),
  });
  const note = (host: string, rest: Rest): Rest => {
    if (rest.until > 0) rests.set(host, rest.until);
    else rests.delete(host);
    return rest;
  };
  for (const [host, until] of rests) void plain.rest(host, { until, closed: false });
  return {
    ...plain,
    async reclaim(...waiting: Parameters<Checkpoint['reclaim']>) {
      const [written, notBefore] = waiting;
      const request = written as Request; // There are no workers over this store (input/rules.ts).
      noteDue(request, notBefore);
      // With its attempts and its due time, which a restart would not know; the lock stays.
      await client.requestQueue(queue.id).updateRequest(toStored(request));
      await plain.reclaim(...waiting);
    },
    claim: (options) => plain.claim({ ...options, restAfter: (host) => note(host, options.restAfter(host)) }),
    rest: (host, rest) => plain.rest(host, note(host, rest)),
    counts() {
      // The platform's count of handled requests is some seconds behind; the journal's is not.
      const handled = journal
        .figures(queue.id)
        .tallies()
        .reduce((sum, { pages }) => sum + pages, 0);
      return { total: Math.max(handled, queue.getTotalCount()), handled };
    },
    tallies: () => journal.figures(queue.id).tallies(),
    counters: () => journal.figures(queue.id).counters(),
    rests: () => [...rests].filter(([, until]) => until > now()),
  };
}

function noteDue(request: Request, notBefore: number): void {
  const corner = request.userData as Corner;
  const due = notBefore === Infinity ? 'second pass' : notBefore;
  corner.__crawlee = Object.assign(corner.__crawlee ?? {}, { surefootDue: due });
}

function dueOf(request: Request): number {
  const due = (request.userData as Corner).__crawlee?.surefootDue ?? 0;
  return due === 'second pass' ? Infinity : due;
}

function toStored(request: Request): { id: string; url: string; uniqueKey: string } {
  return JSON.parse(JSON.stringify(request)) as { id: string; url: string; uniqueKey: string };
}
