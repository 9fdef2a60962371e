import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SurefootError } from '../../src/core/errors.ts';
import { assertExportDir, type ExportOptions, publish, toStorageError, writeExports } from '../../src/export/files.ts';
import type { Row } from '../../src/export/json.ts';
import { from, meta } from './rows.ts';

const STEM = '20261122T155012Z-shop';
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'surefoot-export-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function write(changes: Partial<ExportOptions> = {}): Promise<string[]> {
  return writeExports({
    rows: () => from([{ title: 'One', price: 1 }]),
    deadLetters: () => from([]),
    rejected: () => from([]),
    meta,
    columns: ['title', 'price'],
    formats: ['json', 'jsonl', 'csv'],
    dir,
    site: 'shop',
    now: new Date('2026-11-22T15:50:12.345Z'),
    ...changes,
  });
}

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}

describe('writeExports', () => {
  it('writes a file a format and returns their paths in the order asked for', async () => {
    const paths = await write({ formats: ['csv', 'json', 'jsonl', 'csv'] });
    expect(paths).toEqual([`${STEM}.csv`, `${STEM}.json`, `${STEM}.jsonl`].map((name) => join(dir, name)));
    const [csv, json, jsonl] = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    expect(csv).toBe('title,price\nOne,1\n');
    expect(JSON.parse(json!)).toEqual({ meta, items: [{ title: 'One', price: 1 }] });
    expect(jsonl).toBe('{"title":"One","price":1}\n');
    expect((await readdir(dir)).toSorted()).toEqual(paths.map((path) => basename(path)).toSorted());
  });

  it('writes the dead letters beside the rows when there are any, last, with the same meta and number', async () => {
    const failed = { ...meta, failed: 1 };
    const letter = { url: 'https://shop.example/broken', verdict: 'fatal' };
    await write({ formats: ['csv'] });
    const paths = await write({ formats: ['csv', 'json'], meta: failed, deadLetters: () => from([letter]) });
    expect(paths.map((path) => basename(path))).toEqual([`${STEM}-2.csv`, `${STEM}-2.json`, `${STEM}-2-failed.json`]);
    expect(JSON.parse(await readFile(paths[2]!, 'utf8'))).toEqual({ meta: failed, items: [letter] });
    expect(await readdir(dir)).toHaveLength(4);
  });

  it('rows that were rejected have a file of their own, with the reasons', async () => {
    const row = { url: 'https://shop.example/1', label: 'DETAIL', reason: 'price: expected number', record: {} };
    const paths = await write({ formats: ['csv'], meta: { ...meta, rejected: 1 }, rejected: () => from([row]) });
    expect(paths.map((path) => path.replace(/^.*-shop/, ''))).toEqual(['.csv', '-rejected.json']);
    expect((JSON.parse(await readFile(paths[1] as string, 'utf8')) as { items: unknown[] }).items).toEqual([row]);
  });

  it('opens no dead letters when nothing failed', async () => {
    let opened = 0;
    const paths = await write({ formats: ['json'], deadLetters: () => (opened++, from([{ url: 'https://shop.example/' }])) });
    expect([paths.length, opened]).toEqual([1, 0]);
  });

  it('takes no number whose dead letters are there, though nothing else is', async () => {
    await writeFile(join(dir, `${STEM}-failed.json`), '');
    const paths = await write({ formats: ['json'] });
    expect(paths.map((path) => basename(path))).toEqual([`${STEM}-2.json`]);
  });

  it('leaves no file when reading the dead letters fails', async () => {
    const broken = new SurefootError('storage', 'a letter is corrupt');
    // oxlint-disable-next-line require-yield
    async function* deadLetters(): AsyncGenerator<Row> {
      throw broken;
    }
    await expect(write({ meta: { ...meta, failed: 2 }, deadLetters })).rejects.toBe(broken);
    expect(await readdir(dir)).toEqual([]);
  });

  it('makes the folder', async () => {
    const [path] = await write({ dir: join(dir, 'a', 'b') });
    expect((await stat(path!)).isFile()).toBe(true);
  });

  it('never overwrites: two exports in the same second are two sets of files with one number each', async () => {
    await write({ formats: ['json'], rows: () => from([{ run: 1 }]) });
    const second = await write({ formats: ['csv', 'json'] });
    const third = await write({ formats: ['csv'] });
    expect(second.map((path) => basename(path))).toEqual([`${STEM}-2.csv`, `${STEM}-2.json`]);
    expect(third.map((path) => basename(path))).toEqual([`${STEM}-3.csv`]);
    expect(await readFile(join(dir, `${STEM}.json`), 'utf8')).toContain('{"run":1}');
  });

  it('never overwrites: exports that race for a name all get one', async () => {
    const runs = Array.from({ length: 8 }, (_, run) => write({ rows: () => from([{ run: `run ${run}` }]) }));
    const sets = await Promise.all(runs);
    expect(new Set(sets.flat()).size).toBe(24);
    for (const [run, paths] of sets.entries()) {
      expect(new Set(paths.map((path) => basename(path).split('.')[0])).size).toBe(1);
      for (const path of paths) expect(await readFile(path, 'utf8')).toContain(`run ${run}`);
    }
    expect(await readdir(dir)).toHaveLength(24);
  });

  it('shows a file under its name only once it is complete', async () => {
    const seen: string[] = [];
    async function* rows(): AsyncGenerator<Row> {
      for (let index = 0; index < 3; index += 1) {
        yield { index, filler: 'x'.repeat(70_000) };
        seen.push(...(await readdir(dir)));
      }
    }
    await write({ rows });
    expect(seen.length).toBeGreaterThan(0);
    for (const name of seen) expect(name).toMatch(/^\..*\.tmp$/);
  });

  it.each(['json', 'jsonl', 'csv'] as const)('leaves no file when reading rows fails mid-way (%s)', async (format) => {
    const broken = new SurefootError('storage', 'row 1,000 is corrupt');
    async function* rows(): AsyncGenerator<Row> {
      for (let index = 0; index < 1_000; index += 1) yield { index, filler: 'x'.repeat(200) };
      expect(await readdir(dir)).not.toEqual([]);
      throw broken;
    }
    let opened = 0;
    const formats = [format === 'json' ? ('jsonl' as const) : ('json' as const), format];
    // The first format is written whole; the second one (its column pass, for CSV) breaks.
    await expect(write({ formats, rows: () => (opened++ === 0 ? from([]) : rows()) })).rejects.toBe(broken);
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes on past what a killed run left', async () => {
    await writeFile(join(dir, `.${STEM}.0b0e.json.tmp`), '{"meta":');
    const paths = await write({ formats: ['json'] });
    expect(paths.map((path) => basename(path))).toEqual([`${STEM}.json`]);
  });

  it('removes what a killed export left, once nothing has been written to any of its files for an hour', async () => {
    const now = new Date('2026-11-22T15:50:12.345Z');
    const [killed, living] = ['6c84fb90-12c4-11e1-840d-7b25c5ee775a', '0f8fad5b-d9cb-469f-a165-70867728950e'];
    const left: Record<string, number> = {
      [`.20261121T080000Z-shop.${killed}.json.tmp`]: 120,
      [`.20261121T080000Z-shop.${killed}.csv.tmp`]: 61,
      [`.20261121T080000Z-other-shop.${killed}-failed.json.tmp`]: 62,
      [`.20261122T080000Z-shop.${living}.json.tmp`]: 300,
      [`.20261122T080000Z-shop.${living}.csv.tmp`]: 1,
      '.somebody-elses.json.tmp': 10_000,
      '20261121T080000Z-shop.json': 10_000,
    };
    for (const [name, minutes] of Object.entries(left)) {
      await writeFile(join(dir, name), '{');
      const at = new Date(now.getTime() - minutes * 60_000);
      await utimes(join(dir, name), at, at);
    }
    await write({ formats: ['json'], now });
    const stays = Object.keys(left).filter((name) => !name.includes(killed));
    expect((await readdir(dir)).toSorted()).toEqual([...stays, `${STEM}.json`].toSorted());
  });

  it('names the path and --out when the folder is a file, and keeps the cause', async () => {
    const path = join(dir, 'file');
    await writeFile(path, '');
    const error = await write({ dir: path }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SurefootError);
    expect(error).toMatchObject({ kind: 'storage', cause: { code: 'EEXIST' } });
    expect(String(error)).toContain(`"${path}"`);
    expect(String(error)).toContain('`--out DIR`');
  });

  it('leaves no file when the file system refuses the name', async () => {
    await expect(write({ site: 'x'.repeat(300) })).rejects.toMatchObject({ kind: 'storage', cause: { code: 'ENAMETOOLONG' } });
    expect(await readdir(dir)).toEqual([]);
  });

  it('streams: 100,000 rows are on disk while they are read, and the heap stays small', async () => {
    const count = 100_000;
    let peak = 0;
    let sizeAtEnd = 0;
    const before = process.memoryUsage().heapUsed;
    async function* rows(): AsyncGenerator<Row> {
      for (let index = 0; index < count; index += 1) {
        // About 1.2 kB each, 120 MB for a format: far above the bound below if a result were held.
        yield { index, title: `Größe ${index} `.repeat(80) };
        if (index % 1_000 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed - before);
      }
      const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size));
      sizeAtEnd = Math.max(...sizes);
    }
    const [json, csv] = await write({ rows, formats: ['json', 'csv'] });
    expect(sizeAtEnd).toBeGreaterThan(100e6);
    expect(peak).toBeLessThan(80e6);
    expect((await stat(json!)).size).toBeGreaterThan(100e6);
    expect((await stat(csv!)).size).toBeGreaterThan(100e6);
  }, 60_000);
});

describe('publish', () => {
  it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('works where hard links do not (%s)', async (code) => {
    const temporary = join(dir, '.t.tmp');
    const path = join(dir, 'final.json');
    const noLinks = () => Promise.reject(errorOf(code));
    await writeFile(temporary, 'mine');
    expect(await publish(temporary, path, noLinks)).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(await readdir(dir)).toEqual(['final.json']);

    await writeFile(temporary, 'late');
    expect(await publish(temporary, path, noLinks)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(await readFile(temporary, 'utf8')).toBe('late');
  });

  it('leaves no empty file where it cannot rename', async () => {
    const gone = join(dir, '.gone.tmp');
    await expect(publish(gone, join(dir, 'final.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(dir)).toEqual([]);
  });

  it('takes a folder of that name as taken', async () => {
    await mkdir(join(dir, 'final.json'));
    await writeFile(join(dir, '.t.tmp'), 'mine');
    expect(await publish(join(dir, '.t.tmp'), join(dir, 'final.json'))).toBe(false);
  });
});

describe('toStorageError', () => {
  it.each([
    ['ENOSPC', 'disk is full'],
    ['EDQUOT', 'quota is used up'],
    ['EACCES', 'can be written'],
    ['EROFS', 'can be written'],
    ['EEXIST', 'A file has that name'],
    ['ENOTDIR', 'is a file'],
  ])('says what to do about %s', (code, advice) => {
    const cause = errorOf(code);
    const error = toStorageError('/data/out', cause);
    expect(error).toMatchObject({ kind: 'storage', cause });
    for (const part of ['"/data/out"', code, advice, '`--out DIR`']) expect(error.message).toContain(part);
  });
});

describe('a folder for exports', () => {
  it.each([
    ['a file', 'file'],
    ['below a file', 'file/below/it'],
  ])('that is %s is refused before anything is written', async (_, name) => {
    const dir = await mkdtemp(join(tmpdir(), 'surefoot-out-'));
    await writeFile(join(dir, 'file'), '');
    expect(() => assertExportDir(join(dir, name))).toThrow(/a folder with `--out DIR`/);
  });

  it('that is not there yet is fine, and is not made', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'surefoot-out-'));
    assertExportDir(join(dir, 'new', 'folder'));
    expect(await readdir(dir)).toEqual([]);
  });
});
