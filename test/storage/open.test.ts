// The store that the settings name, and looking at one beside the crawl that writes it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { openStorage } from '../../src/storage/open.ts';
import { claim, fileIn, newFolder, openIn, queueWith, row, tally } from './sqlite/fixture.ts';

const untouched = (dir: string) => readdirSync(dir).toSorted();

describe('openStorage', () => {
  it('keeps a SQLite store in one file, committing pages atomically', async () => {
    const dir = newFolder();
    const { client, traits, close } = openStorage({ store: 'sqlite', storageDir: dir });
    expect(traits).toMatchObject({ exactlyOnce: true, durable: true });
    await client.requestQueues().getOrCreate('default');
    await close();
    await close();
    expect(untouched(dir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['crawl.sqlite']);
  });

  it("keeps the stock files in Crawlee's own layout, not atomically", async () => {
    const dir = newFolder();
    const { client, traits, close } = openStorage({ store: 'files', storageDir: dir });
    const { id } = await client.datasets().getOrCreate('default');
    await client.dataset(id).pushItems({ n: 1 });
    await close();
    expect(traits).toMatchObject({ exactlyOnce: false, durable: true });
    await expect.poll(() => existsSync(join(dir, 'datasets', 'default', '000000001.json'))).toBe(true);
  });

  it('writes nothing for a store in memory', async () => {
    const dir = newFolder();
    const { client, traits } = openStorage({ store: 'memory', storageDir: dir });
    const { id } = await client.datasets().getOrCreate('default');
    await client.dataset(id).pushItems({ n: 1 });
    expect([traits.durable, untouched(dir)]).toEqual([false, []]);
  });

  it('leaves a store that can be used where it is under --fresh', async () => {
    const dir = newFolder();
    const before = openIn(dir);
    await queueWith(before, ['a']);
    before.close();
    const { client, close } = openStorage({ store: 'sqlite', storageDir: dir, fresh: true });
    expect((await client.requestQueues().list()).total).toBe(1);
    await close();
    expect(untouched(dir).some((name) => name.includes('set-aside'))).toBe(false);
  });

  it('sets two unusable files aside under two names', async () => {
    const dir = newFolder();
    for (const text of ['one'.repeat(20), 'two'.repeat(20)]) {
      writeFileSync(fileIn(dir), text);
      await openStorage({ store: 'sqlite', storageDir: dir, fresh: true }).close();
    }
    const aside = untouched(dir).filter((name) => name.includes('set-aside') && !/-(wal|shm)$/.test(name));
    expect(aside.map((name) => readFileSync(join(dir, name), 'utf8')).toSorted()).toEqual(['one'.repeat(20), 'two'.repeat(20)]);
  });
});

describe('openStorage to look only', () => {
  it('says that there is no crawl, and creates none', () => {
    const dir = join(newFolder(), 'nowhere');
    expect(() => openStorage({ store: 'sqlite', storageDir: dir, readOnly: true })).toThrow(SurefootError);
    expect(() => openStorage({ store: 'sqlite', storageDir: dir, readOnly: true })).toThrow(
      /There is no crawl in .*nowhere.*--storage-dir/,
    );
    expect(existsSync(dir)).toBe(false);
  });

  it('sees what the crawl beside it has committed, and leaves its locks alone', async () => {
    const dir = newFolder();
    const writer = openIn(dir);
    const queue = await queueWith(writer, ['a', 'b', 'c']);
    const [a, b] = await claim(writer, queue, 2);
    await writer.handOut(queue, b!.id as string);
    await writer.commit(queue, a!, { rows: [row('default', { n: 1 })], tally: tally() });

    const { client, openRun, close } = openStorage({ store: 'sqlite', storageDir: dir, readOnly: true });
    expect(await (await openRun()).totals()).toMatchObject({ total: 3, handled: 1 });
    expect((await client.dataset((await client.datasets().getOrCreate('default')).id).listItems()).items).toEqual([{ n: 1 }]);
    await close();

    expect((await claim(writer, queue)).map(({ url }) => url)).toEqual(['https://a.example/c']);
    await writer.commit(queue, b!, { rows: [], tally: tally() });
    expect(writer.counts(queue)).toEqual({ total: 3, handled: 2 });
  });

  it('never sets a file aside, nor a folder', () => {
    const dir = newFolder();
    writeFileSync(fileIn(dir), 'not a database at all');
    expect(() => openStorage({ store: 'sqlite', storageDir: dir, readOnly: true })).toThrow(SurefootError);
    mkdirSync(join(dir, 'other'));
    expect(untouched(dir)).toEqual(['crawl.sqlite', 'other']);
  });
});
