// Servers that speak HTTP/2 frame by frame, so that they can say what no well-made one says.
// https://www.rfc-editor.org/rfc/rfc9113#section-4.1
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';

import { onTestFinished } from 'vitest';

import type { Certificate } from '../../proxy/certificate.ts';

const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY] = [0, 1, 3, 4, 6, 7];
const [END_STREAM, END_HEADERS, ACK] = [1, 4, 1];
/** `:status: 200` by its number in HPACK's static table: https://www.rfc-editor.org/rfc/rfc7541#appendix-A */
const STATUS_200 = Buffer.from([0x88]);

/** What a script can say on the stream of its request. */
export interface Speaker {
  readonly socket: TLSSocket;
  headers(options?: { last?: boolean }): void;
  data(text: string, options?: { last?: boolean }): void;
  /** RST_STREAM. */
  reset(code: number): void;
  goAway(code: number): void;
}

export interface FrameServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  readonly connections: number;
}

/** @param answer Called for each request. */
export async function startFrameServer({ key, cert }: Certificate, answer: (speaker: Speaker) => void): Promise<FrameServer> {
  const count = { requests: 0, connections: 0 };
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key, cert, ALPNProtocols: ['h2'] }, (socket) => {
    count.connections += 1;
    sockets.add(socket.on('error', () => {}));
    socket.write(frame(SETTINGS, 0, 0));
    readFrames(socket, (type, flags, stream) => {
      if (type === SETTINGS && flags !== ACK) socket.write(frame(SETTINGS, ACK, 0));
      if (type === PING && flags !== ACK) socket.write(frame(PING, ACK, 0, Buffer.alloc(8)));
      if (type !== HEADERS) return;
      count.requests += 1;
      answer({
        socket,
        headers: ({ last } = {}) => socket.write(frame(HEADERS, END_HEADERS | (last ? END_STREAM : 0), stream, STATUS_200)),
        data: (text, { last } = {}) => socket.write(frame(DATA, last ? END_STREAM : 0, stream, Buffer.from(text))),
        reset: (code) => socket.write(frame(RST_STREAM, 0, stream, numbers(code))),
        goAway: (code) => socket.write(frame(GOAWAY, 0, 0, numbers(stream, code))),
      });
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return Object.defineProperties({ url } as FrameServer, {
    requests: { get: () => count.requests },
    connections: { get: () => count.connections },
  });
}

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

const PREFACE_BYTES = 24;

function readFrames(socket: TLSSocket, tell: (type: number, flags: number, stream: number) => void): void {
  let unread: Buffer = Buffer.alloc(0);
  let skip = PREFACE_BYTES;
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= skip + 9) {
      unread = unread.subarray(skip);
      skip = 0;
      const length = unread.readUIntBE(0, 3);
      if (unread.length < 9 + length) return;
      tell(unread.readUInt8(3), unread.readUInt8(4), unread.readUInt32BE(5));
      unread = unread.subarray(9 + length);
    }
  });
}
