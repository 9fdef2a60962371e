// The plain client over TLS: a certificate nobody vouches for ends the request, a known one lets connections be reused.
import { execFileSync, execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { createPlainClient } from '../../../src/fetch/clients/plain.ts';

const PLAIN = fileURLToPath(new URL('../../../src/fetch/clients/plain.ts', import.meta.url));

let folder: string;
let server: Server;
let origin: string;
let connections = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surefoot-tls-'));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', ...subject, ...files], { stdio: 'ignore' });
  const pem = (name: string) => readFileSync(join(folder, `${name}.pem`));
  server = createServer({ key: pem('key'), cert: pem('cert') }, (request, response) => {
    response.end(`ok ${request.url}`);
    // Sent beyond its answer, when the connection is used again.
    if (request.url === '/too-long') request.socket.prependListener('data', () => request.socket.write('</html>'));
  });
  server.on('secureConnection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

it('a certificate of one’s own making is a TLS fault, whatever Crawlee’s options say', async () => {
  const client = createPlainClient();
  const request = client.stream({ url: origin, https: { rejectUnauthorized: false } });
  await expect(request).rejects.toMatchObject({ fault: 'tls', message: expect.stringContaining('certificate') });
  await client.close();
});

it('what a server sends beyond an answer is not the next page’s fault: reset', async () => {
  const client = createPlainClient({ rejectUnauthorized: false });
  await client.sendRequest({ url: `${origin}/too-long` });
  await expect(client.sendRequest({ url: `${origin}/next` })).rejects.toMatchObject({ fault: 'reset' });
  expect((await client.sendRequest({ url: `${origin}/next` })).body).toBe('ok /next');
  await client.close();
});

// Node reads NODE_EXTRA_CA_CERTS when it starts, so the client runs in a process of its own.
it('60 requests at concurrency 5 use at most 5 connections, and the process ends by itself', async () => {
  const before = connections;
  const program = `
    import { text } from 'node:stream/consumers';
    import { createPlainClient } from ${JSON.stringify(PLAIN)};
    const client = createPlainClient();
    let pages = 0;
    const worker = async () => {
      while (pages < 60) {
        const { stream } = await client.stream({ url: '${origin}/' + pages++ });
        if (!(await text(stream)).startsWith('ok /')) throw new Error('no page');
      }
    };
    await Promise.all(Array.from({ length: 5 }, worker));
    await client.close();
    console.log(pages);
  `;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') };
  const child = ['--import', 'tsx', '--input-type=module', '--eval', program];
  // Without an exit of its own: a handle left behind would keep it until the timeout.
  const { stdout } = await promisify(execFile)(process.execPath, child, { env, timeout: 10_000 });
  expect(stdout.trim()).toBe('60');
  expect(connections - before).toBeLessThanOrEqual(5);
});
