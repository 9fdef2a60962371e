// A stand-in for the Apify platform on this machine: the API as apify-client 2.25 calls it, and the events' WebSocket. It
// has what a run uses and nothing else. Written after the client's source and https://docs.apify.com/api/v2; whether the
// platform keeps to it, only the platform can tell.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { newStores, Queue, type StoredRequest, type Stores } from './platform-stores.ts';
import { acceptWebSockets } from './websocket.ts';

/** One call, as a test sees it: `PUT key-value-stores/records/OUTPUT`, `POST datasets/items`, ... without ids. */
export interface Call {
  readonly name: string;
  readonly body: Buffer;
}

export interface PlatformOptions {
  /** What becomes of a call: `lose` cuts the connection before it is carried out, `forget` after it. */
  fate?: (call: Call) => 'lose' | 'forget' | undefined;
}

export interface Platform {
  readonly stores: Stores;
  /** How often each call was made. */
  readonly calls: Map<string, number>;
  /** Status messages, in order; the run's last one is terminal. */
  readonly messages: { text: string; terminal: boolean }[];
  /** The environment of a run. */
  readonly env: Record<string, string>;
  fate: PlatformOptions['fate'];
  setInput(input: object): void;
  /** A record of the run's default store as JSON; undefined if there is none. */
  record(key: string): unknown;
  sendEvent(name: string): void;
  close(): void;
}

type Answer = { status?: number; data?: unknown; raw?: { body: Buffer; type: string }; headers?: Record<string, string> };

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const stores = newStores();
  const calls = new Map<string, number>();
  const messages: Platform['messages'] = [];
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  const sockets = acceptWebSockets(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://platform');
    const [, , kind = '', id, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const body = decode(await buffer(request), request.headers['content-encoding']);
    // Ids of requests are no part of a call's name; keys of records are.
    const shown = kind === 'request-queues' && rest[1] !== 'batch' && rest[1] !== 'unlock' ? [rest[0], rest[2]] : rest;
    const name = [`${request.method} ${kind}`, ...shown].filter(Boolean).join('/');
    calls.set(name, (calls.get(name) ?? 0) + 1);
    const fate = platform.fate?.({ name, body });
    if (fate === 'lose') return void response.destroy();
    const {
      status = 200,
      data,
      raw,
      headers,
    } = serve({ method: request.method ?? 'GET', kind, id, rest, url, body, type: request.headers['content-type'] ?? '' });
    if (fate === 'forget') return void response.destroy();
    if (raw) response.writeHead(status, { 'content-type': raw.type, ...headers }).end(raw.body);
    else
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify({ data }));
  }

  interface Parsed {
    method: string;
    kind: string;
    id: string | undefined;
    rest: string[];
    url: URL;
    body: Buffer;
    type: string;
  }

  function serve(call: Parsed): Answer {
    if (call.id === undefined) return make(call);
    switch (call.kind) {
      case 'actor-runs':
        return serveRun(call);
      case 'datasets':
        return serveDataset(call, stores.datasets.get(call.id));
      case 'key-value-stores':
        return serveRecords(call, stores.records.get(call.id));
      case 'request-queues':
        return serveQueue(call, stores.queues.get(call.id));
      default:
        return NOT_FOUND;
    }
  }

  function make({ kind, url }: Parsed): Answer {
    const name = url.searchParams.get('name');
    const known = name === null ? undefined : stores.names.get(`${kind} ${name}`);
    const id = known ?? `${kind}-${stores.names.size + 1}`;
    if (known === undefined) {
      stores.names.set(`${kind} ${name ?? id}`, id);
      if (kind === 'datasets') stores.datasets.set(id, []);
      else if (kind === 'key-value-stores') stores.records.set(id, new Map());
      else if (kind === 'request-queues') stores.queues.set(id, new Queue());
    }
    return { status: 201, data: { id, ...(name !== null && { name }) } };
  }

  function serveRun({ method, rest, body }: Parsed): Answer {
    if (method === 'PUT') {
      const { statusMessage, isStatusMessageTerminal } = JSON.parse(String(body)) as Record<string, unknown>;
      messages.push({ text: String(statusMessage), terminal: isStatusMessageTerminal === true });
    }
    return rest[0] === 'reboot' ? { status: 201, data: { id: 'run' } } : { data: { id: 'run', options: {}, status: 'RUNNING' } };
  }

  const platform: Platform = {
    stores,
    calls,
    messages,
    fate: options.fate,
    env: {
      APIFY_IS_AT_HOME: '1',
      APIFY_TOKEN: 'a-token-of-the-test',
      APIFY_API_BASE_URL: `http://127.0.0.1:${port}`,
      APIFY_API_PUBLIC_BASE_URL: `http://127.0.0.1:${port}`,
      ACTOR_RUN_ID: 'run',
      ACTOR_DEFAULT_DATASET_ID: 'run-dataset',
      ACTOR_DEFAULT_KEY_VALUE_STORE_ID: 'run-store',
      ACTOR_DEFAULT_REQUEST_QUEUE_ID: 'run-queue',
      ACTOR_EVENTS_WEBSOCKET_URL: `ws://127.0.0.1:${port}/events`,
    },
    setInput(input) {
      const body = Buffer.from(JSON.stringify(input));
      stores.records.get('run-store')?.set('INPUT', { body, type: 'application/json' });
    },
    record(key) {
      const record = stores.records.get('run-store')?.get(key);
      return record && (JSON.parse(String(record.body)) as unknown);
    },
    sendEvent: (name) => sockets.send(JSON.stringify({ name, data: {} })),
    close() {
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
  return platform;

  function serveDataset({ method, rest, url, body }: Parsed, items: unknown[] | undefined): Answer {
    if (!items) return NOT_FOUND;
    if (rest[0] !== 'items') return { data: { id: url.pathname.split('/')[3], itemCount: items.length } };
    if (method === 'POST') {
      const pushed = JSON.parse(String(body)) as unknown;
      items.push(...(Array.isArray(pushed) ? (pushed as unknown[]) : [pushed]));
      return { status: 201, data: {} };
    }
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 0) || Infinity;
    const part = Buffer.from(JSON.stringify(items.slice(offset, offset + limit)));
    const pagination = { total: items.length, offset, limit: Math.min(limit, 999_999_999_999), desc: false };
    const headers = Object.fromEntries(
      Object.entries(pagination).map(([key, value]) => [`x-apify-pagination-${key}`, String(value)]),
    );
    return { raw: { body: part, type: 'application/json; charset=utf-8' }, headers };
  }

  function serveRecords(
    { method, rest, url, body, type }: Parsed,
    records: Stores['records'] extends Map<string, infer R> ? R | undefined : never,
  ): Answer {
    if (!records) return NOT_FOUND;
    const [part, key] = rest;
    if (part !== 'records' || key === undefined) return { data: { id: url.pathname.split('/')[3] } };
    if (method === 'PUT') records.set(key, { body, type });
    if (method === 'DELETE') records.delete(key);
    const record = records.get(key);
    if (method === 'GET' || method === 'HEAD') return record ? { raw: record } : NOT_FOUND;
    return { status: method === 'PUT' ? 201 : 204, data: {} };
  }
}

const NOT_FOUND: Answer = {
  status: 404,
  raw: { body: Buffer.from('{"error":{"type":"record-not-found","message":"Not found"}}'), type: 'application/json' },
};

function serveQueue(
  { method, rest, url, body }: { method: string; rest: string[]; url: URL; body: Buffer },
  queue: Queue | undefined,
): Answer {
  if (!queue) return NOT_FOUND;
  const forefront = url.searchParams.get('forefront') === 'true' || url.searchParams.get('forefront') === '1';
  const limit = Number(url.searchParams.get('limit') ?? 100);
  const lockMillis = Number(url.searchParams.get('lockSecs') ?? 0) * 1_000;
  const [what, id = '', part] = rest;
  if (what === undefined) return { data: { id: url.pathname.split('/')[3], ...queue.info() } };
  if (what === 'head') return { data: queue.head(limit, { lockMillis: id === 'lock' ? lockMillis : null }) };
  if (id === '') return { status: 201, data: queue.add(JSON.parse(String(body)) as StoredRequest, forefront) };
  if (id === 'unlock') return { data: { unlockedCount: queue.unlockAll() } };
  if (id === 'batch') {
    const requests = JSON.parse(String(body)) as StoredRequest[];
    return {
      status: 201,
      data: { processedRequests: requests.map((request) => queue.add(request, forefront)), unprocessedRequests: [] },
    };
  }
  if (part === 'lock') {
    const lockedUntil = method === 'PUT' ? Date.now() + lockMillis : 0;
    if (!queue.lock(id, lockedUntil)) return NOT_FOUND;
    return method === 'PUT' ? { data: { lockExpiresAt: new Date(lockedUntil).toISOString() } } : { status: 204, data: {} };
  }
  if (method === 'PUT') return { data: queue.update(JSON.parse(String(body)) as StoredRequest, forefront) };
  const entry = queue.entries.get(id);
  return entry ? { data: entry.request } : NOT_FOUND;
}

function decode(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gunzipSync(body);
  return encoding === 'br' ? brotliDecompressSync(body) : body;
}
