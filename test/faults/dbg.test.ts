import { expect, it } from 'vitest';
import { crawl, realClock } from './harness.ts';
import { sendPage, serve } from './serve.ts';
it('x', async () => {
  let n = 0, max = 0;
  const slow = await serve((_, response) => { n++; max = Math.max(max, n); setTimeout(() => { n--; sendPage(response, 'slow'); }, 240); });
  const t = performance.now();
  await crawl({ urls: Array.from({ length: 40 }, (_, i) => `${slow}/${i}`), clock: realClock, concurrency: 12, hostConcurrency: 4 });
  console.error('RESULT', max, performance.now() - t);
});
