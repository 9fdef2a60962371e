// A plain client and a fault server for the tests beside this file.
import { text } from 'node:stream/consumers';

import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { createPlainClient, type PlainClientOptions } from '../../../src/fetch/clients/plain.ts';
import type { TierClient } from '../../../src/fetch/clients/tier-client.ts';
import { startFaultServer, type FaultServer } from '../fault-server.ts';

export let server: FaultServer;
export let client: TierClient;
const opened: TierClient[] = [];
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  client = open({ connectTimeoutMillis: 150, idleTimeoutMillis: 200, requestTimeoutMillis: 5_000 });
});
afterEach(() => Promise.all(opened.splice(0).map((client) => client.close())));

/** A client of its own, closed after the test. */
export function open(options: PlainClientOptions): TierClient {
  const client = createPlainClient(options);
  opened.push(client);
  return client;
}

/** The body as text, or what ended the request, whether before the headers or after. */
export async function get(url: string, by = client): Promise<string> {
  const { stream } = await by.stream({ url });
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
