// The sending half of a WebSocket server (RFC 6455), as much of it as the platform's events need: short text frames.
import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Takes the upgrades of a server. @returns Sends a text to all who are connected. */
export function acceptWebSockets(server: Server): { send(text: string): void; close(): void } {
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.resume();
  });
  return {
    send(text) {
      const payload = Buffer.from(text);
      if (payload.length > 125) throw new RangeError('Frames of more than 125 bytes are not needed here.');
      for (const socket of sockets) socket.write(Buffer.concat([Buffer.from([0x81, payload.length]), payload]));
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
