// What an Actor's web server answers.
import { expect, it, onTestFinished } from 'vitest';

import { startLiveView } from '../../src/platform/live-view.ts';

async function start(text = '3 of 7 pages done') {
  const view = await startLiveView({ port: 0, text: async () => text, status: async () => ({ handled: 3, total: 7 }) });
  onTestFinished(() => view.close());
  return (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${view.port}${path}`, init);
}

it('shows the status as a page and as JSON', async () => {
  const get = await start();
  expect(await (await get('/')).text()).toContain('<pre>3 of 7 pages done</pre>');
  expect(await (await get('/status.json')).json()).toEqual({ handled: 3, total: 7 });
});

it('answers the readiness probe, wherever it is sent', async () => {
  const get = await start();
  const headers = { 'x-apify-container-server-readiness-probe': '1' };
  for (const path of ['/', '/anything']) expect(await (await get(path, { headers })).text()).toBe('ready\n');
});

it('has nothing else, and takes nothing', async () => {
  const get = await start();
  expect((await get('/etc/passwd')).status).toBe(404);
  expect((await get('/', { method: 'POST', body: 'x' })).status).toBe(405);
});

it('shows what comes from the web as text', async () => {
  const get = await start('<script>alert("1 & 2")</script>');
  expect(await (await get('/')).text()).toContain('<pre>&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;</pre>');
});
