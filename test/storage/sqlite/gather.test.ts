// What several processes of one crawl need of the store: writes that are gathered, and the pages of one that died.
import { setTimeout as sleep } from 'node:timers/promises';

import Database from 'libsql';
import { describe, expect, it } from 'vitest';

import { claim, fileIn, newFolder, openIn, queueWith, reopenAfterCrash, row, rowsOf, tally } from './fixture.ts';

/** A store of three pages that gathers, what went wrong with it, and how many rows are on disk. */
async function gathering() {
  const dir = newFolder();
  const storage = openIn(dir);
  const queue = await queueWith(storage, ['a', 'b', 'c']);
  const pages = await claim(storage, queue);
  const errors: unknown[] = [];
  storage.gather((error) => errors.push(error));
  const other = new Database(fileIn(dir));
  return {
    dir,
    storage,
    queue,
    errors,
    other,
    commit: async (index: number) =>
      storage.commit(queue, pages[index]!, { rows: [row('default', { n: index })], tally: tally() }),
    onDisk: () => (other.prepare('SELECT count(*) AS count FROM rows').get() as { count: number }).count,
  };
}

describe('what is gathered', () => {
  it('is one transaction: here at once, for others when it is settled', async () => {
    const { storage, queue, commit, onDisk } = await gathering();
    await commit(0);
    await commit(1);
    expect([storage.counts(queue).handled, onDisk()]).toEqual([2, 0]);
    storage.settle();
    expect(onDisk()).toBe(2);
  });

  it('is written by itself within moments', async () => {
    const { commit, onDisk } = await gathering();
    await commit(0);
    for (let waited = 0; onDisk() === 0 && waited < 5_000; waited += 10) await sleep(10);
    expect(onDisk()).toBe(1);
  });

  it('is written by an orderly end', async () => {
    const { storage, commit, onDisk } = await gathering();
    await commit(0);
    storage.close();
    expect(onDisk()).toBe(1);
  });

  it('is lost as a whole by a kill: the pages are to be fetched again', async () => {
    const { dir, queue, commit } = await gathering();
    await commit(0);
    await commit(1);
    const { storage: after } = reopenAfterCrash(dir);
    expect(after.counts(queue)).toEqual({ total: 3, handled: 0 });
    expect(await claim(after, queue)).toHaveLength(3);
  });

  it('is lost as a whole by a failure, of which it tells', async () => {
    const { storage, queue, errors, other, commit, onDisk } = await gathering();
    other.exec(`CREATE TRIGGER refuse BEFORE INSERT ON rows WHEN NEW.body LIKE '%"n":1%' BEGIN SELECT RAISE(ABORT, 'no'); END`);
    await commit(0);
    await expect(commit(1)).rejects.toThrow('no');
    expect(errors).toHaveLength(1);
    expect([storage.counts(queue).handled, onDisk()]).toEqual([0, 0]);
    await commit(2);
    storage.settle();
    expect(onDisk()).toBe(1);
  });
});

it('the pages of a process that died come back at once; only those whose answer had begun to arrive go behind the others', async () => {
  const storage = openIn(newFolder());
  const queue = await queueWith(storage, ['a', 'b', 'c', 'd']);
  const [a, b, c] = await claim(storage, queue, 3);
  storage.handOut(queue, a!.id as string);
  storage.handOut(queue, c!.id as string);
  storage.recover(queue, [a!.id as string, b!.id as string]);
  const again = await claim(storage, queue);
  expect(again.map(({ url }) => url)).toEqual([b!.url, expect.stringContaining('d'), a!.url]);
  await storage.commit(queue, b!, { rows: [], tally: tally() });
  storage.recover(queue, [b!.id as string]);
  expect(storage.counts(queue).handled, 'one that is done stays so').toBe(1);
  expect(await rowsOf(storage, 'default')).toEqual([]);
});
