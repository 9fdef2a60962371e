// Rows exactly once over a store without transactions, such as the Apify platform's: what a batch of pages is about to
// write is noted first, in one record, with the places where its rows will stand; a restart makes good what was noted.
import type { Request, RequestQueue } from '@crawlee/core';
import type { StorageClient } from '@crawlee/types';

import type { PageTally, StagedRow } from '../core/run-store.ts';
import { messageOf, SurefootError } from '../core/errors.ts';
import { openFigures, type Figures } from './run-figures.ts';
import { writeNote, type JournalIo, type JournalNote } from './journal-note.ts';

/** Pages in one batch, and characters of their rows: one call of the platform takes 9 MB. */
const BATCH_PAGES = 100;
const BATCH_CHARS = 3_000_000;
const KEY = 'SUREFOOT_JOURNAL';

/** A page that is to be committed. */
export interface JournalPage {
  readonly queue: RequestQueue;
  readonly request: Request;
  readonly rows: readonly StagedRow[];
  readonly tally: PageTally;
}

/** One for a run, whatever lanes it has: its batches follow one another, so that the end of a dataset is known. */
export interface Journal {
  /** Resolves when the page's rows are written and it is marked handled. */
  commit(page: JournalPage): Promise<void>;
  /** Rejects when a batch that was noted could not be written: nothing more can be committed by this process. */
  readonly failure: Promise<never>;
  /** Figures of one queue's pages, over all restarts. They are noted with the batch, so they are never behind. */
  figures(queueId: string): Figures;
}

export interface JournalOptions {
  client: StorageClient;
  /** The same store for calls that must not be repeated unseen: a push whose answer was lost may have been applied.
   *  @default client */
  once?: StorageClient;
  /** The key-value store that the note is kept in: its id or name. */
  store: string;
  /** How long after a push its rows may be missing from a listing. */
  settleMillis: number;
  /** How often a batch is tried before the crawl fails. @default 5 */
  tries?: number;
  /** @default Date.now */
  now?: () => number;
}

/** Opens the journal and makes good what a process that died had noted: its rows are there once, its pages are handled.
 *  Call it before the queues are opened. One process at a time may have it.
 *  @throws {SurefootError} kind `storage`: rows of somebody else stand where the journal's were to be. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { client, once = client, settleMillis, tries = 5, now = Date.now } = options;
  const store = client.keyValueStore((await client.keyValueStores().getOrCreate(options.store)).id);
  const io: JournalIo = { client, once, settleMillis, now };
  const left = ((await store.getRecord(KEY))?.value as JournalNote | undefined) ?? null;
  if (left) {
    const alreadyMillis = Math.max(0, now() - Date.parse(left.at));
    await writeNote(left, { ...io, settleMillis: Math.max(0, settleMillis - alreadyMillis) }, { mayBeThere: true });
    await markLeft(client, left);
  }

  const ends = new Map(Object.entries(left?.datasets ?? {}).map(([id, { before, rows }]) => [id, before + rows.length]));
  const figures = new Map(Object.entries(left?.figures ?? {}).map(([id, saved]) => [id, openFigures(saved)]));
  const figuresOf = (queueId: string) => figures.get(queueId) ?? openFigures();
  const ids = new Map<string, string>();
  let waiting: Waiting[] = [];
  const pending = new Map<string, Promise<void>>();
  let writing = false;
  let broken: unknown = null;
  const { promise: failure, reject: fail } = promiseOfFailure();

  const idOf = async (dataset: string): Promise<string> => {
    const known = ids.get(dataset);
    if (known !== undefined) return known;
    const { id } = await client.datasets().getOrCreate(dataset);
    ids.set(dataset, id);
    if (!ends.has(id)) ends.set(id, (await client.dataset(id).listItems({ limit: 1 })).total);
    return id;
  };

  const writeBatch = async (batch: readonly JournalPage[]) => {
    const rows = new Map<string, string[]>([...ends.keys()].map((id) => [id, []]));
    for (const { dataset, json } of batch.flatMap((page) => page.rows)) {
      const id = ids.get(dataset) ?? (await idOf(dataset));
      const ofDataset = rows.get(id);
      if (ofDataset) ofDataset.push(json);
      else rows.set(id, [json]);
    }
    const next = new Map(figures);
    for (const id of new Set(batch.map(({ queue }) => queue.id))) next.set(id, openFigures(figuresOf(id).save()));
    for (const { queue, tally } of batch) next.get(queue.id)?.add(tally);
    const note: JournalNote = {
      at: new Date(now()).toISOString(),
      datasets: Object.fromEntries([...rows].map(([id, texts]) => [id, { before: ends.get(id) ?? 0, rows: texts }])),
      pages: batch.map(({ queue, request }) => ({ queue: queue.id, request: JSON.parse(JSON.stringify(request)) as object })),
      figures: Object.fromEntries([...next].map(([id, of]) => [id, of.save()])),
    };
    await store.setRecord({ key: KEY, value: JSON.stringify(note), contentType: 'application/json; charset=utf-8' });
    // Noted: from here on the batch is carried out, now or by the next process.
    try {
      await retrying(tries, (attempt) => writeNote(note, io, { mayBeThere: attempt > 0 }));
      await Promise.all(batch.map(({ queue, request }) => queue.markRequestHandled(request)));
    } catch (error) {
      broken = error;
      fail(
        error instanceof SurefootError
          ? error
          : new SurefootError('storage', `The store could not be written: ${messageOf(error)}. Resurrect the run to go on.`, {
              cause: error,
            }),
      );
      throw error;
    }
    for (const [id, texts] of rows) ends.set(id, (ends.get(id) ?? 0) + texts.length);
    for (const [id, of] of next) figures.set(id, of);
  };

  const drain = async () => {
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      waiting = waiting.slice(batch.length);
      try {
        // A batch that is noted and could not be carried out is the next process's: nothing may be noted over it.
        if (broken !== null) throw broken;
        await writeBatch(batch.map(({ page }) => page));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  };
  const startWriting = (): void => {
    if (writing || waiting.length === 0) return;
    writing = true;
    void drain().finally(() => {
      writing = false;
      startWriting();
    });
  };

  return {
    commit(page) {
      // Crawlee asks again when it has waited for long, while the first call is still under way.
      const id = `${page.queue.id} ${page.request.id}`;
      const committing = pending.get(id);
      if (committing) return committing;
      const committed = new Promise<void>((resolve, reject) => {
        waiting.push({ page, resolve, reject });
      }).finally(() => pending.delete(id));
      pending.set(id, committed);
      startWriting();
      return committed;
    },
    failure,
    figures: figuresOf,
  };
}

function promiseOfFailure() {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, rejectIt) => {
    reject = rejectIt;
  });
  promise.catch(() => {}); // Whoever waits for it hears of it.
  return { promise, reject };
}

interface Waiting {
  readonly page: JournalPage;
  resolve(): void;
  reject(error: unknown): void;
}

/** The first pages in line, at least one. */
function takeBatch(waiting: readonly Waiting[]): Waiting[] {
  let chars = 0;
  const end = waiting.slice(0, BATCH_PAGES).findIndex(({ page }, index) => {
    chars += page.rows.reduce((sum, { json }) => sum + json.length, 0);
    return index > 0 && chars > BATCH_CHARS;
  });
  return waiting.slice(0, end === -1 ? BATCH_PAGES : end);
}

/** Marks the pages of a note that another process left; those that are marked stay so. */
async function markLeft(client: StorageClient, { at, pages }: JournalNote): Promise<void> {
  // An update of what a dead process has locked.
  for (const queue of new Set(pages.map((page) => page.queue))) await releaseLocks(client, queue);
  for (const { queue, request } of pages) {
    const known = request as { id: string; url: string; uniqueKey: string; handledAt?: string };
    const kept = await client.requestQueue(queue).getRequest(known.id);
    if (!kept) throw new SurefootError('storage', `The request queue has lost ${known.url}, which this run had taken from it.`);
    if (!kept.handledAt) await client.requestQueue(queue).updateRequest({ ...known, handledAt: known.handledAt ?? at });
  }
}

/** Gives the locks of a process that died back, where the store can. Elsewhere they run out by themselves. */
export async function releaseLocks(client: StorageClient, queueId: string): Promise<void> {
  const queue = client.requestQueue(queueId) as { unlockRequests?: () => Promise<unknown> };
  await queue.unlockRequests?.();
}

async function retrying(tries: number, work: (attempt: number) => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt + 1 >= tries || error instanceof SurefootError) throw error;
    }
  }
}
