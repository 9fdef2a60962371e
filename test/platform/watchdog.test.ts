// Real processes whose event loop is held, as by a handler that never returns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

const WATCHDOG = new URL('../../src/platform/watchdog.ts', import.meta.url).href;

/** Runs `work` beside a watchdog. `onLine` sees stderr as it comes. */
async function run(work: string, stallMillis: number, onLine: (pid: number) => void = () => {}) {
  const script = `
    import { startWatchdog } from ${JSON.stringify(WATCHDOG)};
    const options = { stallMillis: ${stallMillis}, wayOn: 'Run it again.', signals: true };
    process.on('SIGTERM', () => {});
    const watchdog = startWatchdog({ ...options, redact: (text) => text.replace('hunter2', '***') });
    const hold = () => { const until = Date.now() + 2_000; while (Date.now() < until); };
    ${work}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    onLine(child.pid as number);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { stderr, end: signal ?? code };
}

const LOOP = `watchdog.hold({ label: 'LIST', url: 'http://a.test/done' })();
  watchdog.hold({ label: 'DETAIL', url: 'http://a.test/x?key=hunter2' });
  for (;;);`;

describe.concurrent('a watchdog', () => {
  it('names the page that holds the event loop, once and without secrets, and ends the process', async () => {
    const { stderr, end } = await run(LOOP, 1_000);
    expect(end, stderr).toBe('SIGKILL');
    expect(stderr.trim().split('\n'), stderr).toEqual([
      expect.stringMatching(/^Nothing moves for \d+ s: .* DETAIL http:\/\/a\.test\/x\?key=\*\*\*\.$/),
      expect.stringMatching(/^DETAIL .*\(--stall-timeout\)\. This process ends\. Run it again\.$/),
    ]);
  });

  it('ends a process that a page holds when a signal comes, which the process itself does not hear', async () => {
    const { stderr, end } = await run(LOOP, 60_000, (pid) => process.kill(pid, 'SIGTERM'));
    expect(end, stderr).toBe('SIGKILL');
    expect(stderr).toContain('SIGTERM came while DETAIL http://a.test/x?key=*** held the crawl. This process ends.');
  });

  it('keeps no process alive and says nothing where no page is at work, be the event loop held', async () => {
    expect(await run('hold();', 1_000)).toEqual({ stderr: '', end: 0 });
  });
});
