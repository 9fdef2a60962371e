// What `status --live` says of who is crawling.
import { describe, expect, it } from 'vitest';

import { statusCommand } from '../../src/commands/status.ts';
import { settingsSchema } from '../../src/input/schema.ts';
import type { Snapshot } from '../../src/report/live.ts';
import { openStorage } from '../../src/storage/open.ts';
import { writeRun, writeSnapshot } from '../../src/storage/run.ts';
import { acquireRunLock } from '../../src/storage/sqlite/lock.ts';
import { newFolder } from '../storage/sqlite/fixture.ts';

const SNAPSHOT: Snapshot = { total: 4, handled: 1, flights: [], hosts: [], nextWake: null };

/** `status --live` of a run, with what its process has said of itself last. */
async function live({ running, said }: { running: boolean; said?: Snapshot | null }): Promise<string> {
  const storageDir = newFolder();
  const { client, close } = openStorage({ store: 'sqlite', storageDir });
  const input = { site: 'hackernews', startUrls: ['https://a.example/'], maxRequests: null };
  await writeRun(client, { input, startedAt: '2026-02-03T04:05:06.000Z', finishedAt: null, demoPort: null });
  if (said !== undefined) await writeSnapshot(client, said);
  await close();
  const lock = running ? acquireRunLock(storageDir) : null;
  try {
    return await statusCommand(settingsSchema.parse({ command: 'status', storageDir, live: true }));
  } finally {
    lock?.release();
  }
}

describe('status --live', () => {
  it('says what the process does that has the run, by the same totals as above', async () => {
    expect(await live({ running: true, said: SNAPSHOT })).toMatch(/process \d+ is on it[^]*\n0 of 0 pages done, 0 in flight/);
  });

  // A run that goes on has no word of its new process either, until it is two seconds old.
  it.each([undefined, null])('says that a process has not said yet what it does (%s)', async (said) => {
    const text = await live({ running: true, ...(said === null && { said }) });
    expect(text).toContain(`process ${process.pid} is on it`);
    expect(text).toMatch(new RegExp(`\nProcess ${process.pid} has not said yet what it does: ask again in some seconds\\.$`));
    expect(text).not.toContain('Nothing is live');
  });

  it('says that nobody crawls, whatever the last process has said', async () => {
    expect(await live({ running: false, said: SNAPSHOT })).toMatch(/\nNothing is live: no process is crawling\.$/);
  });
});
