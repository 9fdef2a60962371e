// A proxy that has a tunnel for everybody, and behind it something that speaks no TLS.
import { createServer, type Server } from 'node:net';

/** What may be there instead, by name. */
export const NO_TLS: readonly (readonly [what: string, answer: string])[] = [
  ['an error page', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno'],
  ['garbage', 'nothing that anybody could make sense of'],
];

export function createBadExit(answer: string): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.once('data', () => socket.end(answer));
    });
  });
}
