// `verify` against a server of its own: one line a check, each with what to do about it.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { checkNode, verifyCommand } from '../../src/commands/verify.ts';
import { settingsSchema, type Settings } from '../../src/input/schema.ts';
import { newFolder } from '../storage/sqlite/fixture.ts';

const settingsOf = (settings: { url?: string; storageDir?: string }): Settings =>
  settingsSchema.parse({ command: 'verify', storageDir: newFolder(), ...settings });

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/get`;
}

/** Answers as httpbin does. */
const echo: RequestListener = (request, response) => {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name === 'user-agent' ? 'User-Agent' : name, value]),
  );
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ headers }));
};

const networkLine = (text: string) => text.split('\n').find((line) => line.includes('Network')) ?? '';

describe('verify', () => {
  it('says that all is well, and which User-Agent arrived', async () => {
    let sent: string | undefined;
    const url = await serve((request, response) => {
      sent = request.headers['user-agent'];
      echo(request, response);
    });
    const { text, ok } = await verifyCommand(settingsOf({ url }), { version: '1.0.0', searchPath: '' });
    expect([ok, text.split('\n').length]).toEqual([true, 4]);
    expect(text).not.toContain('FAILED');
    expect(sent).toBeTruthy();
    expect(networkLine(text)).toMatch(/^ok +Network +http:.*HTTP 200 in \d+ ms/);
    expect(networkLine(text)).toContain(sent);
  });

  it.each([
    ['a page', (...[, response]: Parameters<RequestListener>) => void response.end('<h1>hello</h1>')],
    ['JSON without headers', (...[, response]: Parameters<RequestListener>) => void response.end('{"a":1}')],
    ['JSON that is no object', (...[, response]: Parameters<RequestListener>) => void response.end('null')],
    [
      'headers of another kind',
      (...[, response]: Parameters<RequestListener>) => void response.end('{"headers":{"User-Agent":5}}'),
    ],
  ])('takes %s for an answer, and says what it does not show', async (_, answer) => {
    const { text, ok } = await verifyCommand(settingsOf({ url: await serve(answer) }), { version: '1.0.0', searchPath: '' });
    expect(ok).toBe(true);
    expect(networkLine(text)).toContain('does not say which User-Agent');
  });

  it.each([403, 429, 500])('fails on HTTP %i', async (status) => {
    const url = await serve((_, response) => {
      response.writeHead(status);
      response.end();
    });
    const { text, ok } = await verifyCommand(settingsOf({ url }), { version: '1.0.0', searchPath: '' });
    expect([ok, networkLine(text).startsWith('FAILED')]).toEqual([false, true]);
    expect(networkLine(text)).toContain(`HTTP ${status}`);
  });

  it('asks once: a failure is no reason to try again', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.writeHead(503);
      response.end();
    });
    await verifyCommand(settingsOf({ url }), { version: '1.0.0', searchPath: '' });
    expect(requests).toBe(1);
  });

  it('says that a port refuses, and what to look at', async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const { text, ok } = await verifyCommand(settingsOf({ url: `http://127.0.0.1:${port}/` }), {
      version: '1.0.0',
      searchPath: '',
    });
    expect(ok).toBe(false);
    expect(networkLine(text)).toMatch(/FAILED.*127\.0\.0\.1:\d+\/: the connection was refused.*address/);
  });

  it('says that a name cannot be resolved', async () => {
    const { text, ok } = await verifyCommand(settingsOf({ url: 'http://surefoot.invalid/' }), {
      version: '1.0.0',
      searchPath: '',
    });
    expect(ok).toBe(false);
    expect(networkLine(text)).toMatch(/FAILED.*surefoot\.invalid.*cannot be resolved/);
  });

  it('says in words that a connection was cut', async () => {
    const url = await serve((request) => void request.socket.destroy());
    const { text, ok } = await verifyCommand(settingsOf({ url }), { version: '1.0.0', searchPath: '' });
    expect(ok).toBe(false);
    expect(networkLine(text)).toMatch(/FAILED.*--url/);
  });

  it('makes the storage folder and leaves nothing in it', async () => {
    const storageDir = join(newFolder(), 'a', 'storage');
    const { text } = await verifyCommand(settingsOf({ storageDir, url: await serve(echo) }), {
      version: '1.0.0',
      searchPath: '',
    });
    expect(text).toContain(`${storageDir} can be written`);
    expect([existsSync(storageDir), readdirSync(storageDir)]).toEqual([true, []]);
  });

  it('says that the storage folder cannot be written, and still looks at the network', async () => {
    const file = join(newFolder(), 'taken');
    writeFileSync(file, '');
    const { text, ok } = await verifyCommand(settingsOf({ storageDir: join(file, 'storage'), url: await serve(echo) }), {
      version: '1.0.0',
      searchPath: '',
    });
    expect(ok).toBe(false);
    expect(text).toMatch(/FAILED +Storage +.*taken.*cannot be written/);
    expect(networkLine(text)).toMatch(/^ok/);
  });
});

describe('checkNode', () => {
  it.each([
    ['18.20.0', false],
    ['20.0.0', false],
    ['20.18.9', false],
    ['20.19.0', true],
    ['20.20.2', true],
    ['22.0.0', true],
    ['24.1.0-nightly', true],
  ])('%s: %s', (version, ok) => {
    const check = checkNode(version);
    expect(check.ok).toBe(ok);
    expect(check.detail).toContain(version);
    if (!ok) expect(check.detail).toContain('20.19');
  });
});
