// An impersonating client, and the fault server behind TLS, for the tests beside this file.
import { text } from 'node:stream/consumers';

import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { createImpersonateClient, type ImpersonateClientOptions } from '../../../src/fetch/clients/impersonate.ts';
import type { Limits } from '../../../src/fetch/clients/faults.ts';
import type { RoutedRequest, TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { startFaultServer, type FaultServer, type FaultUrlOptions } from '../fault-server.ts';
import { createCertificates, type Certificates } from './certificates.ts';
import { startTlsFront, type TlsFront } from './tls-front.ts';

export let certificates: Certificates;
export let server: FaultServer;
export let front: TlsFront;
export let client: TierClient;
const opened: TierClient[] = [];

/** Room for a machine that is slow to shake hands; the tests of a limit have their own. */
const LIMITS: Partial<Limits> = { connectTimeoutMillis: 20_000, idleTimeoutMillis: 20_000, requestTimeoutMillis: 60_000 };

beforeAll(async () => {
  certificates = createCertificates();
  // impit reads it once, before its first connection.
  process.env['SSL_CERT_FILE'] = certificates.authorityFile;
  server = await startFaultServer();
  front = await startTlsFront(server.origin, certificates.trusted);
});
afterAll(async () => {
  await front.close();
  await server.close();
  certificates.remove();
});
beforeEach(async () => {
  client = await open({});
});
afterEach(() => Promise.all(opened.splice(0).map((client) => client.close())));

/** A client of its own, closed after the test. */
export async function open({ limits, ...options }: Partial<ImpersonateClientOptions>): Promise<TierClient> {
  const client = await createImpersonateClient({ browser: 'chrome', limits: { ...LIMITS, ...limits }, ...options });
  opened.push(client);
  return client;
}

/** The fault server's, by TLS. */
export function secureUrl(fault: string, options?: FaultUrlOptions): string {
  return server.url(fault, options).replace(server.origin, front.origin);
}

/** The body as text, or what ended the request, whether before the headers or after. */
export async function get(url: string, by = client, request: Partial<RoutedRequest> = {}): Promise<string> {
  const { stream } = await by.stream({ ...request, url });
  return text(stream);
}

export async function faultOf(request: Promise<unknown>): Promise<TransportError> {
  const error = await request.then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}
