import type * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, vi } from 'vitest';

import { writeExports } from '../../src/export/files.ts';
import { from, meta } from './rows.ts';

const disk = vi.hoisted(() => ({ writesLeft: 0 }));

// No disk of a test is ever full, so the third write to one says that it is.
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  const open: typeof fs.open = async (...parameters) => {
    const file = await real.open(...parameters);
    const writeFile = file.writeFile.bind(file);
    file.writeFile = (...data) =>
      disk.writesLeft-- > 0
        ? writeFile(...data)
        : Promise.reject(
            Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
          );
    return file;
  };
  return { ...real, open };
});

it.each(['json', 'jsonl', 'csv'] as const)(
  'a disk that runs full leaves no file, stops the reading and says so (%s)',
  async (format) => {
    const { mkdtemp, readdir, rm } = await import('node:fs/promises');
    const dir = await mkdtemp(join(tmpdir(), 'surefoot-full-'));
    disk.writesLeft = 2;
    let read = 0;
    function* rows() {
      for (; read < 100_000; read += 1) yield { index: read, filler: 'x'.repeat(1_000) };
    }
    const options = {
      meta,
      columns: ['index'],
      formats: [format],
      dir,
      site: 'shop',
      now: new Date(0),
      deadLetters: () => from([]),
      rejected: () => from([]),
    };
    let passes = format === 'csv' ? 1 : 0;
    const exporting = writeExports({ ...options, rows: () => from(passes-- > 0 ? [{ filler: '' }] : rows()) });
    await expect(exporting).rejects.toMatchObject({
      kind: 'storage',
      cause: { code: 'ENOSPC' },
      message: expect.stringContaining('--out DIR'),
    });
    expect(read).toBeGreaterThan(100);
    expect(read).toBeLessThan(1_000);
    expect(await readdir(dir)).toEqual([]);
    await rm(dir, { recursive: true });
  },
);
