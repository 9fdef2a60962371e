// The journal under SIGKILL: at each point between two steps of a commit, over the stand-in for the platform and over
// Crawlee's own files on disk, every row is there once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { startPlatform } from './platform.ts';

const CHILD = fileURLToPath(new URL('journal-child.ts', import.meta.url));
const PAGES = 12;

const EXPECTED = Array.from({ length: PAGES }, (_, page) => [1, 2].map((part) => `https://a.example/${page} ${part}`))
  .flat()
  .toSorted();

/** Each step of the second batch, and of the first, where there is nothing before it. */
const DEATHS = ['note', 'push', 'mark'].flatMap((step) =>
  [1, 2].flatMap((time) => [`before ${step} ${time}`, `after ${step} ${time}`]),
);

async function run(env: Record<string, string>): Promise<{ urls: string[]; last: string; killed: boolean }> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [stdout, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const lines = stdout.trim().split('\n');
  return { urls: lines.filter((line) => line.startsWith('https:')), last: lines.at(-1) ?? '', killed: signal === 'SIGKILL' };
}

async function expectOnce(env: Record<string, string>, deaths: readonly string[], read: () => { url: string; part: number }[]) {
  const fetched: string[] = [];
  for (const death of deaths) {
    const { urls, killed } = await run({ ...env, DIE_AT: death });
    expect(killed, death).toBe(true);
    fetched.push(...urls);
  }
  const { urls, last } = await run(env);
  fetched.push(...urls);
  const rows = read().map(({ url, part }) => `${url} ${part}`);
  expect(rows.toSorted()).toEqual(EXPECTED);
  // The figures are those of all processes: none is counted twice or forgotten.
  expect(last).toContain(`"pages":${PAGES}`);
  expect(last).toContain(`{"total":${PAGES},"handled":${PAGES}}`);
  return fetched;
}

describe('over the stand-in for the platform', () => {
  it.each(DEATHS)('killed %s, a run has every row once', async (death) => {
    const platform = await startPlatform();
    const fetched = await expectOnce(platform.env, [death], () => platform.stores.datasets.get('run-dataset') as never);
    platform.close();
    // Three pages are worked on at once; from the note on, the pages of a batch are as good as done.
    expect(fetched.length).toBeLessThanOrEqual(PAGES + 3);
    if (/^after note|push|mark/.test(death)) expect(new Set(fetched).size).toBe(PAGES);
  });

  it('killed again while it makes good the first kill, a run has every row once', async () => {
    const platform = await startPlatform();
    const deaths = ['after note 2', 'after push 1', 'before mark 1', 'after mark 1'];
    await expectOnce(platform.env, deaths, () => platform.stores.datasets.get('run-dataset') as never);
    platform.close();
  });

  it('rows of somebody else in the place of its own end the run', async () => {
    const platform = await startPlatform();
    await run({ ...platform.env, DIE_AT: 'after note 2' });
    platform.stores.datasets.get('run-dataset')?.push({ somebody: 'else' });
    const before = platform.stores.datasets.get('run-dataset')?.length;
    const { last } = await run({ ...platform.env, NODE_OPTIONS: '--unhandled-rejections=strict' });
    expect(last).not.toContain('finished');
    expect(platform.stores.datasets.get('run-dataset')).toHaveLength(before ?? 0);
    platform.close();
  });
});

describe("over Crawlee's files", () => {
  it.each(['after note 2', 'after push 2', 'after mark 2'])('killed %s, a run has every row once', async (death) => {
    const dir = mkdtempSync(join(tmpdir(), 'surefoot-journal-'));
    const rows = join(dir, 'datasets', 'default');
    const read = () =>
      readdirSync(rows)
        .filter((name) => /^\d+\.json$/.test(name))
        .map((name) => JSON.parse(readFileSync(join(rows, name), 'utf8')) as { url: string; part: number });
    await expectOnce({ STORE_DIR: dir }, [death], read);
    rmSync(dir, { recursive: true });
  });
});
