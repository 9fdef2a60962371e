// `session: 'follow'` with real processes: workers, and one that is killed.
import { readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { copyProject, start, writeInto } from '../docs/project.ts';
import { serve } from '../faults/serve.ts';
import { readExport } from './crawl-process.ts';

const SID = 'canary-5d1f9b-logged-in';

const SITE = `import { z } from 'zod';
import { defineSite } from '../../core/site.ts';
export const site = defineSite({
  name: 'club',
  startUrls: [],
  session: 'follow',
  labelOf: (url) => (url.pathname === '/' ? 'FORM' : url.pathname === '/login' ? 'LOGIN' : 'ACCOUNT'),
  userData: { FORM: z.strictObject({}), LOGIN: z.strictObject({}), ACCOUNT: z.strictObject({}) },
  record: z.object({ title: z.string() }),
  routes: {
    async FORM({ addRequests, resolve }) {
      await addRequests([{ url: resolve('/login'), method: 'POST', payload: 'user=ann' }]);
    },
    async LOGIN({ enqueueLinks }) {
      await enqueueLinks();
    },
    async ACCOUNT({ $, pushData }) {
      await pushData({ title: $('h1').text() });
    },
  },
});`;

it('a login made before a SIGKILL is known to the pages that are fetched after it, by two workers', async () => {
  const project = copyProject();
  onTestFinished(() => rmSync(project, { recursive: true }));
  writeInto(project, 'src/routes/club/index.ts', SITE);
  const numbers = [1, 2, 3, 4, 5, 6];
  const send = (response: ServerResponse, body: string) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end(body);
  const logins: string[] = [];
  let onAccount: (() => void) | null = () => {};
  const origin = await serve(({ method, url = '', headers }, response) => {
    if (url === '/') return send(response, '<h1>Log in</h1>');
    if (url === '/login') {
      logins.push(String(method));
      response.setHeader('set-cookie', `sid=${SID}; HttpOnly`);
      return send(response, numbers.map((number) => `<a href="/account/${number}">${number}</a>`).join(''));
    }
    // Until the kill they are asked for, and not answered.
    if (onAccount) return onAccount();
    return send(response, `<h1>${headers.cookie === `sid=${SID}` ? url : 'Log in'}</h1>`);
  });
  const command = `npx tsx src/main.ts --site club ${origin}/ --workers 2 --tiers http --ignore-robots --format json`;

  const first = start(project, command);
  await new Promise<void>((resolve) => {
    onAccount = resolve;
    void first.ended.then(() => resolve());
  });
  first.child.kill('SIGKILL');
  await first.ended;
  expect(logins, 'the first process has logged in').toEqual(['POST']);

  onAccount = null;
  const { code, stdout, stderr } = await start(project, command).ended;
  expect(code, stderr).toBe(0);
  const { items } = readExport(join(project, 'storage'));
  expect(items.map(({ title }) => String(title)).toSorted((a, b) => a.localeCompare(b))).toEqual(
    numbers.map((number) => `/account/${number}`),
  );
  expect(logins, 'nobody logs in again').toEqual(['POST']);
  expect(stdout + stderr).not.toContain(SID);
  expect(readFileSync(join(project, 'storage', 'crawl.sqlite')).includes(SID), 'it is where sessions are').toBe(true);
});
