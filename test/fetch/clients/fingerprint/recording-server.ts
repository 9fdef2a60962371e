// A server that writes down how its clients introduce themselves. Three hops, each on real bytes: a raw socket that reads the
// ClientHello, TLS, and the first HTTP/2 frames on their way to Node's own HTTP servers, which decode the headers.
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';

import type { Identity } from '../certificates.ts';
import { firstMessage, ja4, parseClientHello, type ClientHello } from './client-hello.ts';
import { http2Fingerprint, parseHttp2Start, type Http2Start } from './http2-frames.ts';

/** One connection. */
export interface Introduction {
  readonly hello: ClientHello;
  readonly ja4: string;
  /** Null: it spoke HTTP/1.1. */
  readonly http2: (Http2Start & { readonly fingerprint: string }) | null;
  /** Names and values of each request, in order and as they were spelled. */
  readonly requests: readonly (readonly [name: string, value: string])[][];
}

export interface RecordingServer {
  /** `https://localhost:PORT` */
  readonly origin: string;
  /** Those of which a request has arrived, in the order of their connections. */
  readonly introductions: readonly Introduction[];
  close(): Promise<void>;
}

interface Tape {
  /** As they came from the wire, and decrypted. */
  sealed: Buffer;
  opened: Buffer;
  isHttp2: boolean;
  readonly requests: (readonly [string, string])[][];
}

/** @param answer What each request gets. Default: an empty page. */
export async function startRecordingServer(
  identity: Identity,
  {
    answer = (_, response) => void response.end('<!doctype html><title>ok</title>'),
  }: {
    answer?: (request: Pick<IncomingMessage, 'url'>, response: Pick<ServerResponse, 'setHeader' | 'end'>) => void;
  } = {},
): Promise<RecordingServer> {
  const tapes: Tape[] = [];
  // By the port from which the next hop is called.
  const byPort = new Map<number | undefined, Tape>();
  const sockets = new Set<Socket>();
  const pass = (from: Socket, port: number, tape: Tape, record: (chunk: Buffer) => void) => {
    from.pause();
    const to = connect(port, '127.0.0.1', () => {
      byPort.set(to.localPort, tape);
      from.on('data', record);
      from.pipe(to).pipe(from);
    });
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => [from, to].forEach((socket) => socket.destroy()));
    }
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    byPort.get(request.socket.remotePort)?.requests.push(toPairs(request.rawHeaders));
    response.setHeader('content-type', 'text/html');
    answer(request, response);
  };
  const http1 = await listen(createHttp1(handle));
  // Its requests have the HTTP/1 ones' shape but for the types; pseudo-headers are among the raw ones.
  const http2 = await listen(createHttp2(handle as never));
  const tls = await listen(
    createTls({ ...identity, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      const tape = byPort.get(socket.remotePort);
      if (!tape) return void socket.destroy();
      tape.isHttp2 = socket.alpnProtocol === 'h2';
      pass(socket, portOf(tape.isHttp2 ? http2 : http1), tape, (chunk) => (tape.opened = Buffer.concat([tape.opened, chunk])));
    }),
  );
  const entrance = await listen(
    createTcp((socket) => {
      const tape: Tape = { sealed: Buffer.alloc(0), opened: Buffer.alloc(0), isHttp2: false, requests: [] };
      tapes.push(tape);
      pass(socket, portOf(tls), tape, (chunk) => (tape.sealed = Buffer.concat([tape.sealed, chunk])));
    }),
  );

  return {
    origin: `https://localhost:${portOf(entrance)}`,
    get introductions() {
      return tapes.filter(({ requests }) => requests.length > 0).map(toIntroduction);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      for (const server of [entrance, tls, http2, http1]) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toIntroduction({ sealed, opened, isHttp2, requests }: Tape): Introduction {
  const message = firstMessage(sealed);
  if (!message) throw new Error('A request without a ClientHello.');
  const hello = parseClientHello(message);
  const start = isHttp2 ? parseHttp2Start(opened) : null;
  const names = requests[0]?.map(([name]) => name) ?? [];
  return { hello, ja4: ja4(hello), requests, http2: start && { ...start, fingerprint: http2Fingerprint(start, names) } };
}

function toPairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

async function listen<Kind extends Server>(server: Kind): Promise<Kind> {
  server.on('sessionError', () => {}).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
