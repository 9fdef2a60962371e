// What signals do to a crawl at its worst moments. Real processes, side by side: most of their time they wait.
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
});
