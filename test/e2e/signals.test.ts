// What signals do to a crawl at its worst moments. Real processes, side by side: most of their time they wait.
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, it } from 'vitest';

import { startDemoSite } from '../../src/demo/server.ts';
import { handledUrls, newStorageDir, startCrawl } from './crawl-process.ts';

describe.concurrent('a signal', () => {
  it('lets a page finish that takes longer than the 20 s which Crawlee gives it after a Ctrl+C', async ({
    expect,
    onTestFinished,
  }) => {
    let asked = () => {};
    const seen = new Promise<void>((resolve) => (asked = resolve));
    const site = await startDemoSite({ stories: 1, delayMillis: (path) => (path === '/news' ? (asked(), 22_000) : 0) });
    onTestFinished(() => site.close());
    const storageDir = newStorageDir();
    const crawl = startCrawl([site.url, '--storage-dir', storageDir]);
    await seen;
    crawl.child.kill('SIGINT');
    const { code, stderr } = await crawl.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('Interrupted: 1 of 2 pages done.');
    expect(handledUrls(storageDir)).toEqual(new Set([site.url]));
  });

  it('SIGUSR2 never ends it, from the reading of its input to its last line', async ({ expect, onTestFinished }) => {
    const site = await startDemoSite({ stories: 30 });
    onTestFinished(() => site.close());
    const storageDir = newStorageDir();
    const input = join(storageDir, 'input.json');
    execFileSync('mkfifo', [input]);
    const crawl = startCrawl(['--input', input, '--storage-dir', storageDir]);
    // Resolves when it is read.
    const file = await open(input, 'w');
    const asking = setInterval(() => crawl.child.kill('SIGUSR2'), 2);
    onTestFinished(() => clearInterval(asking));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await file.writeFile(JSON.stringify({ startUrls: [site.url] })).catch(() => {});
    await file.close();
    const { code, stderr } = await crawl.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('pages done, ');
  });
});
